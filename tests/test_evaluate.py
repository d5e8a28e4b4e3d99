"""evaluate: tracklets of every level and ground truth to scores.json; score: the same for any two files."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets, make_tracklets
from stages.errors import DataError
from stages.evaluate import main
from stages.score import main as score_main
from stages.score import score
from stages.scoring.challenge import TrackBoxes, check_size
from stages.scoring.levels import LEVELS
from stages.scoring.truth import GroundTruth
from tests.conftest import ROOT
from tests.test_scoring import ONE, Row, person, write_rows

SETTINGS = {"clip": {"start_frame": 0, "end_frame": None, "frame_stride": 1}, "regions": {"interest": [], "ignored": []}}


def standing(ids: list[int], frames: list[int], class_ids: list[int], num_frames: int = 4) -> Tracklets:
    """Boxes 10 x 10 px at x = 100 * id."""
    video = SimpleNamespace(sequence="street", num_frames=num_frames, width_px=640, height_px=480, fps=25.0)
    boxes = [[100 * i, 0, 100 * i + 10, 10] for i in ids]
    return make_tracklets(video, ids, frames, boxes, [1] * len(ids), class_ids, [-1] * len(ids))  # type: ignore[arg-type]


PERFECT = standing([1, 1, 1, 1], [0, 1, 2, 3], [0] * 4)


class Stage:
    """One run of evaluate in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.levels = dict.fromkeys(LEVELS, PERFECT)
        self.settings: dict[str, Any] = json.loads(json.dumps(SETTINGS))
        self.truth: str | None = "".join(f"{frame},1,100,0,10,10,1,1,1\n" for frame in range(1, 5))

    def run(self) -> Any:
        params = {"evaluate": {"class_id": 0}, "sequences": {"street": self.settings}}
        (self.folder / "params.yaml").write_text(json.dumps(params))  # JSON is YAML
        (self.folder / "gt").mkdir()
        (self.folder / "gt" / ("none.txt" if self.truth is None else "gt.txt")).write_text(
            "none\n" if self.truth is None else self.truth
        )
        (self.folder / "seqinfo.ini").write_text(
            "[Sequence]\nname=street\nframeRate=25\nseqLength=4\nimWidth=640\nimHeight=480\n"
        )
        for level, tracklets in self.levels.items():
            tracklets.save(self.folder / f"{level}.npz")
        ids = self.levels["final"].ids
        alone = Identities(np.full(len(ids), "street"), ids, ids + 6, np.full(len(ids), ""), np.zeros(len(ids), np.float32))
        alone.save(self.folder / "identities.npz")
        self.monkeypatch.chdir(self.folder)
        options = {"sequence": "street", "pins": str(ROOT / "constraints" / "scoring.txt"), "truth": "gt",
                   "seqinfo": "seqinfo.ini", **{level: f"{level}.npz" for level in LEVELS}, "identities": "identities.npz",
                   "scores": "scores.json", "timings": "timings.json"}  # fmt: skip
        self.monkeypatch.setattr("sys.argv", ["evaluate", *(x for k, v in options.items() for x in (f"--{k}", v))])
        main()
        return json.loads((self.folder / "scores.json").read_text())


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(tmp_path, monkeypatch)


def figures(scores: Any, level: str) -> dict[str, float]:
    found: dict[str, float] = scores["levels"][level]["figures"]
    return found


def test_each_level_is_scored_by_itself(stage: Stage) -> None:
    stage.levels["raw"] = standing([1, 1], [0, 1], [0, 0])
    scores = stage.run()
    assert (scores["ground_truth"], scores["rules"], list(scores["levels"])) == (True, "MOT17", list(LEVELS))
    assert (figures(scores, "raw")["MOTA"], figures(scores, "final")["MOTA"]) == (50.0, 100.0)


def test_identities_are_counted_by_person(stage: Stage) -> None:
    """Person 1 has four true boxes; track 1, which is identity 7, covers two of them, and track 2, identity 8, stands alone."""
    stage.levels["final"] = standing([1, 1, 2], [0, 1, 1], [0] * 3)
    assert stage.run()["identities"] == {"true": [[1, 4]], "found": [[7, 2], [8, 1]], "both": [[1, 7, 2]]}


def test_tracks_of_other_classes_are_not_compared(stage: Stage) -> None:
    stage.levels["final"] = standing([1] * 4 + [2] * 4, [0, 1, 2, 3] * 2, [0] * 4 + [2] * 4)
    assert figures(stage.run(), "final")["FP"] == 0


def test_a_clip_compares_its_own_frames(stage: Stage) -> None:
    """Source frames 1 and 3: the third true box stands elsewhere, but is not in the clip."""
    stage.settings["clip"] = {"start_frame": 1, "end_frame": None, "frame_stride": 2}
    stage.truth = "1,1,100,0,10,10,1,1,1\n2,1,100,0,10,10,1,1,1\n3,1,300,0,10,10,1,1,1\n4,1,100,0,10,10,1,1,1\n"
    stage.levels = dict.fromkeys(LEVELS, standing([1, 1], [0, 1], [0, 0], num_frames=2))
    found = figures(stage.run(), "final")
    assert (found["TP"], found["FP"], found["FN"]) == (2, 0, 0)


def test_outside_the_regions_nobody_counts(stage: Stage) -> None:
    stage.settings["regions"]["ignored"] = [[[150, -5], [250, -5], [250, 50], [150, 50]]]
    stage.truth = (stage.truth or "") + "1,9,200,0,10,10,1,1,1\n"
    stage.levels["final"] = standing([1, 1, 1, 1, 2], [0, 1, 2, 3, 3], [0] * 5)
    found = figures(stage.run(), "final")
    assert (found["TP"], found["FP"], found["FN"]) == (4, 0, 0)


def test_no_ground_truth_is_said_and_scores_nothing(stage: Stage) -> None:
    stage.truth = None
    assert stage.run() == {"sequence": "street", "ground_truth": False, "rules": None, "levels": {}, "identities": None}


@pytest.mark.parametrize("truth", ["", "1,1,100,0,10,10,1,1,1\n"], ids=["empty truth", "some truth"])
def test_no_tracks_are_a_normal_result(stage: Stage, truth: str) -> None:
    stage.truth = truth
    stage.levels = dict.fromkeys(LEVELS, standing([], [], []))
    found = figures(stage.run(), "final")
    assert (found["HOTA"], found["MOTA"], found["FN"]) == (0.0, 0.0, len(truth.splitlines()))


def test_equal_inputs_give_equal_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Stage(tmp_path / name, monkeypatch).run()
    assert (tmp_path / "a" / "scores.json").read_bytes() == (tmp_path / "b" / "scores.json").read_bytes()


def test_truth_beyond_the_sequence_leaves_no_scores(stage: Stage) -> None:
    stage.truth = "5,1,100,0,10,10,1,1,1\n"
    with pytest.raises(DataError, match=r"gt/gt.txt: row of frame 5, id 1: expected frames up to 4, got 5"):
        stage.run()
    assert not (stage.folder / "scores.json").exists()


def test_tracklets_of_another_length_are_refused(stage: Stage) -> None:
    stage.levels["split"] = standing([1], [0], [0], num_frames=7)
    with pytest.raises(DataError, match="split tracklets: expected the clip's 4 frames, got 7"):
        stage.run()


def run_score(monkeypatch: pytest.MonkeyPatch, *arguments: Path | str) -> None:
    monkeypatch.setattr("sys.argv", ["score", *map(str, arguments)])
    score_main()


def test_two_files_are_scored_without_the_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, result = write_rows(tmp_path / "gt.txt", ONE), write_rows(tmp_path / "mine.txt", person(1, [1, 2, 4]))
    run_score(monkeypatch, truth, result)
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["sequence", "HOTA", "DetA"]
    assert row.split()[:3] == ["mine", "75.00", "75.00"]
    run_score(monkeypatch, truth, result, "--name", "street", "--json")
    assert '"street": {\n    "HOTA": 75.0,' in capsys.readouterr().out


def test_two_folders_are_scored_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, frames in {"a": [1, 2, 3, 4], "b": [1, 2, 4]}.items():
        write_rows(tmp_path / "truth" / name / "gt" / "gt.txt", ONE)
        write_rows(tmp_path / "results" / f"{name}.txt", person(1, frames))
    run_score(monkeypatch, tmp_path / "truth", tmp_path / "results")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    mota = rows[0].index("MOTA")
    assert [(row[0], row[mota]) for row in rows[1:]] == [("a", "100.00"), ("b", "75.00"), ("COMBINED", "87.50")]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (person(1, [1, 1]), "result.txt: row of frame 1, id 1: expected each id once in a frame"),
        (person(1, [1], tail=(1, 3, 1)), r"result.txt: row of frame 1, id 1: expected class 1 \(pedestrian\) or -1, got 3"),
        (None, "result.txt: expected a file, found none"),
    ],
)
def test_a_result_that_cannot_be_scored_is_refused(tmp_path: Path, result: list[Row] | None, message: str) -> None:
    truth = write_rows(tmp_path / "gt.txt", ONE)
    if result is not None:
        write_rows(tmp_path / "result.txt", result)
    with pytest.raises(DataError, match=message):
        score(truth, tmp_path / "result.txt")


def test_a_file_against_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="expected two files, or two folders"):
        run_score(monkeypatch, write_rows(tmp_path / "gt.txt", ONE), tmp_path)


def test_what_would_take_more_memory_than_the_pipeline_promises_is_refused_before_it_is_taken() -> None:
    """TrackEval holds all frames at once, and tables of all pairs of a person and a track."""
    one, all_ids = np.zeros(1, np.int32), np.arange(7000, dtype=np.int32)

    def sides(frames: int, ids: NDArray[np.int32]) -> tuple[GroundTruth, TrackBoxes]:
        numbers, bboxes = np.zeros(len(ids), np.int32), np.zeros((len(ids), 4), np.float32)
        seen = np.ones(len(ids), np.bool_)
        truth = GroundTruth("MOT17", frames, numbers, ids, bboxes, ids, seen, np.ones(len(ids), np.float32))
        return truth, TrackBoxes(numbers, ids, bboxes)

    check_size(*sides(2_000_000, one))
    with pytest.raises(DataError, match=r"got 2,200,000 frames, 1 people and 1 tracks, which take 8 GB: score a part"):
        check_size(*sides(2_200_000, one))
    check_size(*sides(10, all_ids[:5000]))
    with pytest.raises(DataError, match=r"got 10 frames, 7,000 people and 7,000 tracks, which take 14 GB"):
        check_size(*sides(10, all_ids))
