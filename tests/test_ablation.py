"""The ablation: one idea off at a time, gains as differences, each sequence left out in turn."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.errors import DataError, ParamsError
from stages.motchallenge import read_rows
from stages.params import read_params
from stages.regions import EVERYWHERE
from stages.scoring.challenge import TrackBoxes, count
from stages.scoring.tally import Tally
from stages.scoring.truth import GroundTruth, read_truth
from tests.benchmarks.ablation import main, sequence_folders, table
from tests.benchmarks.copies import COPIES, every, missing
from tests.benchmarks.ideas import ALL_ON, IDEAS, Idea, named, without
from tests.benchmarks.in_memory import Footage, Memory, read_footage
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


def test_ideas_are_chosen_by_how_their_names_begin() -> None:
    assert [idea.name for idea in named(["merge: s", "split"])] == ["split", "merge: stature", "merge: settling"]
    assert named([""]) == list(IDEAS)
    with pytest.raises(DataError, match=r"^magic: expected the beginning of an idea's name \(track: .*\), found none$"):
        named(["magic"])


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


def test_copies_are_measured_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every second frame, 5 of 20 boxes are missing as 10 of 40 were."""
    make_folder(tmp_path / "hall", range(11, 21))
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ablation", "hall", "--only", "smooth: filling", "--copies", "--out", "out"])
    main()
    with open(tmp_path / "out/ablation.csv", encoding="utf-8", newline="") as file:
        mota = {row["sequence"]: float(row["MOTA"]) for row in csv.DictReader(file) if row["without"] == "smooth: filling"}
    assert list(mota) == [f"hall, {kind}" for kind in COPIES]
    assert mota["hall, every frame of 2 from 0"] == mota["hall, every frame of 2 from 1"] == 75
    assert f"## hall ({len(COPIES)})" in (tmp_path / "out/ablation.md").read_text()


def truth_of(table: Detections) -> GroundTruth:
    """Each detection shows a person of its own."""
    num = len(table)
    names = np.arange(num, dtype=np.int32)
    return GroundTruth("MOT17", table.num_frames, table.frame_numbers, names, table.bboxes, np.ones(num, np.int32),
                       np.ones(num, bool), np.ones(num, np.float32))  # fmt: skip


def test_every_third_frame_is_of_the_same_scene() -> None:
    """Boxes, truth and looks of frames 1 and 4, and the camera's motion from one of them to the other."""
    num = 7
    bboxes, scores = np.tile([0, 0, 9, 9], (num, 1)).astype(np.float32), np.linspace(0.1, 0.7, num).astype(np.float32)
    table = Detections("hall", num, 640, 480, 15.0, np.arange(num, dtype=np.int32), bboxes, scores, np.zeros(num, np.int16))
    turn = np.array([[np.cos(0.1), -np.sin(0.1), 5.0], [np.sin(0.1), np.cos(0.1), 3.0]])
    drift = np.array([[1.0, 0.0, -2.0], [0.0, 1.0, 7.0]])
    steps = np.array([np.eye(2, 3), turn, turn, drift, turn, turn, drift])
    looks = Embeddings("hall", num, "x", np.array([1, 2, 4], np.int32), np.eye(3, dtype=np.float16))
    truth = truth_of(table)
    less = every(Footage("hall", table, CameraMotion("hall", num, steps), looks, truth, "new_person", "seen"), 3, first=1)
    assert less.detections.frame_numbers.tolist() == [0, 1] == less.truth.frame_numbers.tolist()
    assert (less.detections.num_frames, less.detections.fps, less.truth.ids.tolist()) == (2, 5.0, [1, 4])
    assert less.detections.confidences.tolist() == table.confidences[[1, 4]].tolist()
    assert less.embeddings.detection_indices.tolist() == [0, 1]
    assert less.embeddings.features.tolist() == [[1, 0, 0], [0, 0, 1]]
    step, back = (np.vstack([steps[k], [0, 0, 1]]) for k in (2, 3))
    np.testing.assert_allclose(less.camera_motion.transforms, [np.eye(2, 3), (step @ back @ step)[:2]])


def test_boxes_are_missing_in_whole_regions_for_a_while() -> None:
    """100 boxes a frame, one in each part of the picture: five frames long all or none of a part are there."""
    num, frames = 1000, np.repeat(np.arange(10, dtype=np.int32), 100)
    x, y = np.tile(np.arange(10) * 64.0 + 20, num // 10), np.tile(np.repeat(np.arange(10) * 48.0 + 20, 10), 10)
    bboxes = np.stack([x, y, x + 9, y + 9], axis=1).astype(np.float32)
    table = Detections("hall", 10, 640, 480, 10.0, frames, bboxes, np.ones(num, np.float32), np.zeros(num, np.int16))
    looks = Embeddings("hall", num, "x", np.arange(num, dtype=np.int32), np.tile([1, 0], (num, 1)).astype(np.float16))
    nobody = truth_of(table).within(range(0), EVERYWHERE)
    less = missing(Footage("hall", table, CameraMotion.still("hall", 10), looks, nobody, "new_person", "seen"), 0.2, seed=1)
    there = np.zeros((10, 10, 10), dtype=bool)
    there[less.detections.frame_numbers, less.detections.bboxes[:, 1].astype(int) // 48,
          less.detections.bboxes[:, 0].astype(int) // 64] = True  # fmt: skip
    assert (there[:5] == there[0]).all()
    assert (there[5:] == there[5]).all()
    assert (there[0] != there[5]).any()
    assert 0.7 < there.mean() < 0.9
    assert len(less.embeddings) == less.embeddings.num_detections == len(less.detections) == there.sum()
    less.embeddings.check_rows()


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
