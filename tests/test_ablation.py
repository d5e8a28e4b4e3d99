"""The ablation: one idea off at a time, gains as differences, each sequence left out in turn."""

import sys
from pathlib import Path

import numpy as np
import pytest

from stages.errors import DataError, ParamsError
from stages.motchallenge import read_rows
from stages.params import read_params
from stages.scoring.challenge import TrackBoxes, count
from stages.scoring.tally import Tally
from stages.scoring.truth import read_truth
from tests.benchmarks.ablation import ALL_ON, IDEAS, Idea, main, sequence_folders, table, without
from tests.benchmarks.in_memory import Memory, read_footage
from tests.conftest import ROOT
from tests.test_scoring import person, write_rows

PARAMS = read_params(ROOT / "params.yaml")


def make_folder(folder: Path, missing: range) -> Path:
    """Somebody who stands there for 40 frames at 10 frames/s, and is not detected in some."""
    frames = list(range(1, 41))
    write_rows(folder / "gt/gt.txt", person(1, frames, width=40))
    write_rows(folder / "det/det.txt", [(f, -1, 0, 0, 40, 10, 0.9, -1, -1, -1) for f in frames if f not in missing])
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=x\nframeRate=10\nseqLength=40\nimWidth=640\nimHeight=480\n")
    return folder


def test_every_idea_changes_entries_that_params_have_and_what_they_say() -> None:
    for idea in IDEAS:
        changed = without(PARAMS, idea)
        assert idea.blind or changed != PARAMS, idea.name
    assert read_params(ROOT / "params.yaml") == PARAMS  # a copy was changed
    with pytest.raises(ParamsError, match=r"magic: merge\.magic\.depth: expected an entry of params\.yaml, found none"):
        without(PARAMS, Idea("magic", {"merge.magic.depth": 3}))


def test_what_filling_is_worth_can_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10 of 40 boxes are missing in one sequence, none in the other: filling gains 10 of 80, MOTA 12.5, and 25 in the one."""
    make_folder(tmp_path / "hall/gap", range(11, 21))
    make_folder(tmp_path / "hall/whole", range(0))
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ablation", "hall", "--only", "smooth: filling", "--out", "out"])
    main()
    lines = (tmp_path / "out/ablation.md").read_text().splitlines()
    cells = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines if "|" in line}
    assert cells[ALL_ON][:5] == ["100", "100", "100", "100", "0"]
    assert (cells["smooth: filling"][2], cells["smooth: filling"][4]) == ("+12.50", "+0")
    assert cells["smooth: filling"][5].startswith("+0.00 to ")
    assert cells["smooth: filling"][7] == "1 / 0"
    rows = (tmp_path / "out/ablation.csv").read_text().splitlines()
    assert rows[0] == "folder,without,sequence,HOTA,AssA,MOTA,IDF1,IDSW"
    assert [row.split(",")[:3] for row in rows[3:]] == [
        ["hall", "smooth: filling", "gap"],
        ["hall", "smooth: filling", "whole"],
    ]


def test_gains_are_of_summed_counts_and_their_range_of_what_is_left(tmp_path: Path) -> None:
    """Without the idea, sequence a loses 2 of its 4 boxes and b none of its 4: MOTA 75 for both, 100 or 50 for one."""

    def tallied(found: list[int]) -> Tally:
        truth = read_truth(write_rows(tmp_path / "gt.txt", person(1, [1, 2, 3, 4])), 4)
        rows = read_rows(write_rows(tmp_path / "result.txt", person(1, found)))
        return count(truth, TrackBoxes(rows.frame_numbers, rows.ids, rows.bboxes))

    whole, half = tallied([1, 2, 3, 4]), tallied([1, 2])
    headings, rows = table({ALL_ON: {"a": whole, "b": whole}, "idea": {"a": half, "b": whole}})
    gains = dict(zip(headings, rows[1], strict=True))
    assert (gains["MOTA"], gains["IDSW"]) == ("+25.00", "+0")
    assert gains["IDF1 with one left out"] == "+0.00 to +33.33"  # IDF1 of the half alone: 2 / (2 + 1)
    assert gains["gain / lose of 2"] == "1 / 0"


def test_stages_run_again_where_their_parameters_change_and_no_earlier(tmp_path: Path) -> None:
    memory = Memory(read_footage(make_folder(tmp_path / "gap", range(11, 21)), None))
    first = memory.run(PARAMS)
    second = memory.run(without(PARAMS, Idea("none", {"smooth.max_gap_s": 0.0})))
    assert second["merged"] is first["merged"]
    assert (len(first["final"]), len(second["final"])) == (40, 30)
    assert np.array_equal(memory.run(PARAMS)["final"].bboxes, first["final"].bboxes)


def test_folders_are_found_or_refused(tmp_path: Path) -> None:
    make_folder(tmp_path / "hall/gap", range(0))
    assert sequence_folders(tmp_path / "hall") == [tmp_path / "hall/gap"] == sequence_folders(tmp_path / "hall/gap")
    with pytest.raises(DataError, match="expected a sequence folder"):
        sequence_folders(tmp_path)
