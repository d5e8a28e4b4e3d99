"""What the page and the table of seconds say."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.errors import DataError
from stages.report import Table, format_timings, main, metric_table, report
from stages.timings import Timing, by_stage, read_timings
from tests.conftest import ROOT

LEVELS = {"raw": {"HOTA": 59.4, "IDSW": 7, "tracklets": 1210}, "final": {"HOTA": 62.125, "IDSW": 2, "tracklets": 12}}
TIMINGS = [
    Timing("detect", "hall", 10.0, 8.0, 900.0, 400),
    Timing("detect", "plaza", 30.0, 24.0, 800.0, 1200),
    Timing("merge", "hall", 0.5, 0.01, 100.0, 0),
    Timing("identify", "all", 1.0, 0.1, 110.0, 0),
]


def write_timing(folder: Path, stage: str, sequence: str, **fields: Any) -> Path:
    """A file as stages write it."""
    path = folder / sequence / f"{stage}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {
        "stage": stage,
        "sequence": sequence,
        "wall_s": 2.0,
        "compute_s": 1.0,
        "peak_memory_mb": 100.0,
        "counts": {"frames": 50},
    }
    path.write_text(json.dumps(known | fields))
    return path


def test_sums_by_stage_are_those_of_its_sequences() -> None:
    detect, identify, merge = by_stage(TIMINGS)
    assert detect == Timing("detect", "all", 40.0, 32.0, 900.0, 1600), "seconds and frames add up, the peak is the highest"
    assert (detect.frames_per_s, detect.frames_per_s_overall) == (50.0, 40.0)
    assert (identify.stage, merge.stage) == ("identify", "merge"), "the longest first"
    assert (merge.frames_per_s, merge.frames_per_s_overall) == (None, None)


def test_timings_of_removed_sequences_are_no_part_of_the_result(tmp_path: Path) -> None:
    for stage, sequence in [("track", "hall"), ("detect", "hall"), ("track", "gone"), ("identify", "all")]:
        write_timing(tmp_path, stage, sequence)
    found = [(timing.stage, timing.sequence) for timing in read_timings(tmp_path, ["hall"])]
    assert found == [("detect", "hall"), ("identify", "all"), ("track", "hall")]


@pytest.mark.parametrize("fields", [{"wall_s": "soon"}, {"counts": None}, {"peak_memory_mb": [1]}])
def test_a_file_that_is_no_timing_is_named(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = write_timing(tmp_path, "track", "hall", **fields)
    with pytest.raises(DataError, match=rf"{re.escape(str(path))}: expected the timings of a stage, got"):
        read_timings(tmp_path, ["hall"])


def test_the_table_of_seconds_is_csv() -> None:
    assert format_timings(TIMINGS[1:3]) == (
        "stage,sequence,wall_s,compute_s,frames_per_s,peak_memory_mb\n"
        "detect,plaza,30.000,24.000000,50.000,800.0\n"
        "merge,hall,0.500,0.010000,,100.0\n"
    )


def test_figures_that_a_level_lacks_are_dashes() -> None:
    table = metric_table({"raw": {"boxes": 1234}, "final": {"boxes": 9, "HOTA": 62.126, "gap": {"longest_s": None}}})
    assert table == Table(("boxes", "HOTA", "gap.longest_s"), (("raw", ("1,234", "-", "-")), ("final", ("9", "62.13", "-"))))


def test_the_page_is_one_file_that_asks_for_nothing_but_the_videos() -> None:
    page = report(LEVELS, {"hall": LEVELS, "plaza": {"final": {"tracklets": 3}}}, TIMINGS)
    assert page.startswith("<!doctype html>")
    assert re.findall(r"<script|https?://|@import|url\(", page) == []
    requested = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert set(requested) == {"data:,", "../artifacts/hall/annotated.mp4", "../artifacts/plaza/annotated.mp4"}
    assert re.findall(r"<video[^>]*>", page) == re.findall(r'<video controls preload="none"[^>]*>', page)
    assert "prefers-color-scheme: dark" in page
    for text in ("59.40", "1,210", "900", "detect by sequence", "50.00"):
        assert text in page


def test_text_from_files_cannot_become_markup() -> None:
    page = report({"<b>raw</b>": {"<script>": 1}}, {}, [])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def run_stage(folder: Path, monkeypatch: pytest.MonkeyPatch, metrics: Any) -> None:
    monkeypatch.chdir(folder)
    Path("params.yaml").write_text("sequences: {hall: {}}\n")
    Path("metrics.json").write_text(json.dumps(metrics))
    Path("sequences.json").write_text(json.dumps({"hall": LEVELS}))
    write_timing(Path("timings"), "track", "hall")
    options = {"pins": ROOT / "constraints/publishing.txt", "metrics": "metrics.json", "per-sequence": "sequences.json",
               "timings": "timings", "page": "reports/index.html", "timing-table": "reports/plots/timings.csv"}  # fmt: skip
    monkeypatch.setattr(
        sys, "argv", ["report", *(text for name, value in options.items() for text in (f"--{name}", str(value)))]
    )
    main()


def test_the_stage_writes_page_and_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_stage(tmp_path, monkeypatch, LEVELS)
    assert "62.12" in Path("reports/index.html").read_text()
    assert Path("reports/plots/timings.csv").read_text().splitlines()[1] == "track,hall,2.000,1.000000,50.000,100.0"


@pytest.mark.parametrize(("metrics", "message"), [([1], "metrics.json: expected a mapping of mappings, got list"),
                                                  ({"raw": 3}, "metrics.json: raw: expected a mapping, got 3")])  # fmt: skip
def test_figures_of_another_shape_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metrics: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        run_stage(tmp_path, monkeypatch, metrics)
    assert not Path("reports").exists()
