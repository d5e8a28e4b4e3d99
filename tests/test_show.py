"""`python -m stages.show` prints what the pipeline ended with."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.command import execute
from stages.scoring.closing import closing
from stages.show import main

FIGURES = {"raw": {"HOTA": 50.0, "IDSW": 12}, "final": {"HOTA": 61.25, "IDSW": 3, "detections": 8, "detections_tracked": 6}}


def test_it_prints_the_figures_that_lie_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["show"])
    with pytest.raises(SystemExit, match=r"error: reports/metrics.json: expected a file, found none"):
        execute(main)
    Path("reports").mkdir()
    for name in ("metrics", "sequences"):
        Path(f"reports/{name}.json").write_text(json.dumps(FIGURES if name == "metrics" else {"hall": FIGURES}))
    execute(main)
    assert capsys.readouterr().out == closing(FIGURES, {"hall": FIGURES}, Path("reports")) + "\n"


def test_figures_without_their_report_may_be_of_no_run_here(tmp_path: Path) -> None:
    said = closing(FIGURES, {"hall": FIGURES}, tmp_path).splitlines()[-1]
    assert said.startswith(f"report: no {tmp_path}/index.html yet, and the figures may be those that came with git: make repro")
    (tmp_path / "index.html").touch()
    assert closing(FIGURES, {"hall": FIGURES}, tmp_path).splitlines()[-1].startswith(f"report: {tmp_path}/index.html    runs")


def test_one_sequence_is_not_shown_twice_and_many_are_cut() -> None:
    assert "final tracks" not in closing(FIGURES, {"hall": FIGURES}, Path("reports"))
    text = closing(FIGURES, {f"hall{n}": FIGURES for n in range(25)}, Path("reports"))
    assert "hall19 " in text
    assert "hall20" not in text
    assert "and 5 more sequences in reports/sequences.json" in text
    row = next(line for line in text.splitlines() if line.startswith("hall0"))
    assert row.split() == ["hall0", "61.25", "-", "-", "-", "-", "3", "-", "-", "75.00"], "6 of 8 detections are tracked"


def test_where_nobody_was_detected_nobody_is_tracked_and_where_nothing_was_counted_nothing_is_told() -> None:
    nobody = {"final": {"detections": 0, "detections_tracked": 0}}
    uncounted: tuple[Any, ...] = {"final": {"detections": 8}}, {"final": {"detections_tracked": 6}}, {"final": {}}, {}
    for other, tracked in ((nobody, "0.00"), *((figures, "-") for figures in uncounted)):
        lines = closing(FIGURES, {"square": FIGURES, "street": other}, Path("reports")).splitlines()
        assert [line.split()[-1] for line in lines if line.startswith(("square", "street"))] == ["75.00", tracked]
