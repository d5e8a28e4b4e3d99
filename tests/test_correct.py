"""correct: what one reads off the annotated video becomes a row by frame and box."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from stages.contracts.identities import Identities
from stages.contracts.tracklets import only
from stages.correct import main
from stages.corrections.rows import Correction, Place, read_corrections
from stages.errors import DataError
from tests.sample_project import project  # noqa: F401  # a fixture
from tests.tables import box, tracklets

FILE, IDENTITIES = Path("data/corrections/plaza.csv"), Path("artifacts/identities/plaza.npz")
# Track 1 is identity 5, seen from frame 3 to 9 and filled in frame 6; track 2 is Ben, identity 7.
SEEN = tracklets({1: {f: box(100 + f) for f in range(3, 10)}, 2: {f: box(400) for f in range(3, 10)}}, 20, sequence="plaza")
FILLED = (SEEN.tracklet_ids == 1) & (SEEN.frame_numbers == 6)


@pytest.fixture(autouse=True)
def artifacts(project: Path) -> None:  # noqa: F811
    """What the stages left: final boxes lie 2 px beside the tracked ones, under other ids."""
    folder = project / "artifacts/plaza"
    folder.mkdir(parents=True)
    detected = np.where(FILLED, -1, SEEN.detection_indices)
    dataclasses.replace(SEEN, bboxes=SEEN.bboxes + 2, detection_indices=detected).save(folder / "tracks.npz")
    only(SEEN, ~FILLED).save(folder / "tracklets_split.npz")
    identities = Identities(np.array(["plaza"] * 2), np.array([1, 2], np.int32), np.array([5, 7], np.int32),
                            np.array(["", "Ben"]), np.zeros(2, np.float32))  # fmt: skip
    identities.save(project / IDENTITIES)


def correct(*arguments: str) -> Correction:
    """The row that the command line adds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["correct", "plaza", *arguments])
        main()
    return read_corrections(FILE)[-1]


def test_people_are_named_by_the_boxes_that_the_tracker_saw() -> None:
    assert correct("same", "5@3", "5@9") == Correction("same", Place(3, box(103)), Place(9, box(109)))
    assert correct("different", "Ben@4", "5@9") == Correction("different", Place(4, box(400)), Place(9, box(109)))


def test_a_cut_lies_between_the_last_box_before_and_the_box_named() -> None:
    assert correct("cut", "5@8") == Correction("cut", Place(7, box(107)), Place(8, box(108)))
    assert correct("cut", "5@7") == Correction("cut", Place(5, box(105)), Place(7, box(107)))  # 6 was filled in


def test_whole_people_are_named_by_what_the_video_shows() -> None:
    assert correct("delete", "5@6") == Correction("delete", Place(6, box(108, y=102)))
    assert correct("rename", "7@3", "--name", "Ann") == Correction("rename", Place(3, box(402, y=102)), name="Ann")
    assert len(read_corrections(FILE)) == 2


def test_a_name_that_is_somebody_elses_number_has_to_be_told_from_it() -> None:
    rename = Identities.load(IDENTITIES)
    dataclasses.replace(rename, names=np.array(["", "5"])).save(IDENTITIES)
    with pytest.raises(DataError, match="5@3: expected one person in frame 3, found 2 of that number or name"):
        correct("delete", "5@3")
    assert correct("delete", "7@3") == Correction("delete", Place(3, box(402, y=102)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["same", "5@3"], "same: expected 2 of number@frame, got 1"),
        (["delete", "5"], "5: expected a number or name and a frame of the annotated video, such as 7@120"),
        (["delete", "5@x"], "5@x: expected a number or name and a frame"),
        (["delete", "9@4"], r"9@4: expected somebody in frame 4 \(5, 7\), found none"),
        (["delete", "5@15"], r"5@15: expected somebody in frame 15 \(nobody\), found none"),
        (["delete", "5@20"], "5@20: expected a frame from 0 to 19, got 20"),
        (["same", "5@4", "7@4"], "expected same to name one person, got two who are both seen in frame 3"),
        (["different", "5@4", "5@5"], "expected different to name two tracklets, got one"),
        (["cut", "5@6"], "5@6: expected a frame in which the person was detected, got one in which the box was filled in"),
        (["cut", "5@3"], "5@3: expected somebody who was there before that frame, got their first frame"),
        (["rename", "5@3"], "rename: expected --name, got none"),
        (["delete", "5@3", "--name", "Ann"], "expected no name for delete, got 'Ann'"),
    ],
)
def test_what_names_nobody_adds_nothing(arguments: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        correct(*arguments)
    assert not FILE.exists()


def test_what_contradicts_other_rows_is_refused_at_once() -> None:
    correct("rename", "5@3", "--name", "Ann")
    with pytest.raises(DataError, match=r"plaza\.csv: line 2: expected rename to name somebody who stays, got 'Ann'"):
        correct("delete", "5@6")
    correct("same", "5@4", "5@8")
    with pytest.raises(
        DataError, match="expected cut to agree with other rows, got two boxes that are the same person by `same`"
    ):
        correct("cut", "5@7")
    assert [row.action for row in read_corrections(FILE)] == ["rename", "same"]


@pytest.mark.parametrize("stage", ["detect", "portray"])
def test_frames_of_a_clip_that_is_no_longer_params_yamls_are_refused(stage: str) -> None:
    params, clip = yaml.safe_load(Path("params.yaml").read_text()), {"start_frame": 5, "end_frame": None, "frame_stride": 1}
    params["sequences"]["plaza"]["clip"] = clip
    Path("params.yaml").write_text(yaml.safe_dump(params))
    noted = {"params.yaml": {"sequences.plaza.clip": {**clip, "start_frame": 0}}}
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {f"{stage}@plaza": {"params": noted}}}))
    with pytest.raises(DataError, match=r"^params.yaml: sequences.plaza.clip: expected the clip that was tracked, got another"):
        correct("delete", "5@6")
    assert not FILE.exists()
    noted["params.yaml"]["sequences.plaza.clip"] = clip
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {f"{stage}@plaza": {"params": noted}}}))
    correct("delete", "5@6")


def test_identities_or_a_video_of_older_tracks_are_refused() -> None:
    tracks, identities = "artifacts/plaza/tracks.npz", str(IDENTITIES)

    def notes(tracks_seen: str, people_seen: str) -> None:
        made = {"smooth": (tracks, "t2"), "identify": (identities, "i2")}
        entries: dict[str, Any] = {
            f"{stage}@plaza": {"outs": [{"path": path, "md5": md5}]} for stage, (path, md5) in made.items()
        }
        entries["render@plaza"] = {"deps": [{"path": tracks, "md5": tracks_seen}, {"path": identities, "md5": people_seen}]}
        Path("dvc.lock").write_text(yaml.safe_dump({"stages": entries}))

    line = "^artifacts/plaza/annotated.mp4: expected the annotated video of plaza's tracks as they are now, found none"
    for older in (("t1", "i1"), ("t2", "i1"), ("t1", "i2")):
        notes(*older)
        with pytest.raises(DataError, match=line):
            correct("delete", "5@6")
    notes("t2", "i2")
    correct("delete", "5@6")
    before = Identities.load(IDENTITIES)
    dataclasses.replace(before, tracklet_ids=np.array([1, 3], np.int32)).save(IDENTITIES)
    with pytest.raises(DataError, match=r"^artifacts/identities/plaza.npz: expected identities of .* \(run `dvc repro`\)$"):
        correct("delete", "5@7")
    assert len(read_corrections(FILE)) == 1


def test_a_name_that_contradicts_another_is_refused_at_once() -> None:
    correct("rename", "5@3", "--name", "Ann")
    with pytest.raises(DataError, match="expected one name a person, got 'Cem' for 'Ann'"):
        correct("rename", "5@4", "--name", "Cem")
    with pytest.raises(DataError, match="a name of one person alone, got 'Ann' twice"):
        correct("rename", "7@4", "--name", "Ann")
    assert [row.name for row in read_corrections(FILE)] == ["Ann"]


def test_a_name_that_another_row_brings_to_somebody_else_is_refused_at_once() -> None:
    """Track 3 is seen after track 1, so both may be one person; track 4 is seen with neither."""
    later = {3: {f: box(120) for f in range(12, 15)}, 4: {f: box(500) for f in range(15, 18)}}
    ways = {1: {f: box(100 + f) for f in range(3, 10)}, 2: {f: box(400) for f in range(3, 10)}}
    table = tracklets(ways | later, 20, sequence="plaza")
    table.save(Path("artifacts/plaza/tracks.npz"))
    table.save(Path("artifacts/plaza/tracklets_split.npz"))
    nobody = np.array([""] * 4)
    Identities(np.array(["plaza"] * 4), table.ids, table.ids, nobody, np.zeros(4, np.float32)).save(IDENTITIES)
    correct("rename", "1@3", "--name", "Ann")
    correct("rename", "3@12", "--name", "Cem")
    with pytest.raises(DataError, match="csv: line 3: expected one name a person, got 'Cem' for 'Ann'"):
        correct("same", "1@5", "3@13")
    correct("delete", "4@16")
    with pytest.raises(DataError, match="csv: line 2: expected rename to name somebody who stays, got 'Ann'"):
        correct("same", "1@5", "4@16")
    with pytest.raises(DataError, match="expected rename to name somebody who stays, got 'Ben' for somebody deleted"):
        correct("rename", "4@15", "--name", "Ben")
    assert [row.action for row in read_corrections(FILE)] == ["rename", "rename", "delete"]
    correct("cut", "1@6")  # from there on it is not Ann
    correct("cut", "1@9")
    correct("delete", "1@9")
    correct("same", "1@7", "3@13")
    correct("rename", "1@8", "--name", "Cem")
    with pytest.raises(DataError, match="expected one name a person, got 'Ben' for 'Cem'"):
        correct("rename", "1@7", "--name", "Ben")


def test_a_name_may_have_the_sign_before_the_frame_in_it() -> None:
    known = Identities.load(IDENTITIES)
    dataclasses.replace(known, names=np.array(["", "ben@home"])).save(IDENTITIES)
    assert correct("rename", "ben@home@3", "--name", "ben@work").place == Place(3, box(402, y=102))
    with pytest.raises(DataError, match="ben@home: expected a number or name and a frame"):
        correct("delete", "ben@home")


def test_a_sequence_must_be_listed() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["correct", "street", "delete", "5@3"])
        with pytest.raises(DataError, match=r"street: expected one of the sequences in params.yaml \(plaza\), got another"):
            main()
