"""Where tracks change person: what the other camera shows of it, when it shows nothing, and the rows that follow."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from dvc.repo import Repo

from stages.contracts.embeddings import Embeddings
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.corrections.rows import HEADER, Correction, Place, append_row, read_corrections
from stages.cross_check import main
from stages.errors import DataError
from stages.identity.changes import Camera, Change, Reunion, _reunions, find_changes
from stages.identity.evidence import gather
from stages.identity.portraits import PortrayParams
from stages.identity.switches import _gains, _hidden, find_switches
from stages.seqinfo import SequenceInfo, format_seqinfo
from tests.tables import box, embeddings_of, tracklets

FRAMES = 100  # 10 frames a second
GROUND = np.diag([0.01, 0.01, 1.0])  # both cameras look straight down, 0.01 m a pixel
ANN, BEN = 50.0, 450.0  # px from the left: 4 m apart
RED, BLUE = (1.0, 0.0), (0.0, 1.0)
VIEWS = PortrayParams(views=16)
Way = dict[int, float]  # frame -> where the box begins


def stay(x: float, first: int = 0, last: int = FRAMES - 1) -> Way:
    return dict.fromkeys(range(first, last + 1), x)


def seen(sequence: str, ways: dict[int, Way]) -> tuple[Tracklets, Embeddings]:
    """Tracks in which Ann looks red and Ben blue."""
    table = tracklets({track: {f: box(x) for f, x in way.items()} for track, way in ways.items()}, FRAMES, sequence=sequence)
    looks = {track: [RED if x == ANN else BLUE for _, x in sorted(way.items())] for track, way in ways.items()}
    return table, embeddings_of(table, looks)


def camera(sequence: str, ways: dict[int, Way], looks: bool = True) -> Camera:
    table, embeddings = seen(sequence, ways)
    return Camera(table, embeddings if looks else embeddings_of(table, {}), GROUND, np.arange(FRAMES) / 10)


def found(*cameras: Camera) -> list[tuple[str, int, int]]:
    return [(one.sequence, one.tracklet_id, one.frame_number) for one in find_changes(cameras, VIEWS).changes]


STEADY = {1: stay(ANN), 2: stay(BEN)}
EXCHANGED = {3: stay(ANN, 0, 48) | stay(BEN, 49), 4: stay(BEN, 0, 48) | stay(ANN, 49)}
# Three is Ann, hidden for 1.5 s, then Ben; four is Ben and, from one frame to the next, Ann.
HIDDEN = {3: stay(ANN, 0, 44) | stay(BEN, 60), 4: stay(BEN, 0, 55) | stay(ANN, 56)}


def test_two_who_were_exchanged_in_one_camera_are_found_with_the_other() -> None:
    """Either camera could have exchanged them, by places; by looks it was the right one."""
    result = find_changes([camera("left", STEADY), camera("right", EXCHANGED)], VIEWS)
    changes = result.changes
    assert [(one.sequence, one.tracklet_id, one.other_sequence) for one in changes] == [
        ("right", 3, "left"),
        ("right", 4, "left"),
    ]
    assert [(one.before_id, one.after_id) for one in changes] == [(1, 2), (2, 1)]
    assert [(one.last_frame, one.frame_number) for one in changes] == [(48, 49), (48, 49)]
    assert all(one.nats >= 8 for one in changes)
    assert result.reunions == [Reunion("right", (3, 48), (4, 49)), Reunion("right", (4, 48), (3, 49))]


def test_the_order_of_cameras_does_not_matter() -> None:
    left, right = camera("left", STEADY), camera("right", HIDDEN)
    assert found(left, right) == found(right, left) != []


def test_a_bicycle_is_nobody_whom_a_person_could_have_become() -> None:
    """Ann stays, as the right camera sees; what is there of her first in the left one and then of Ben is a bicycle."""
    left, right = camera("left", STEADY), camera("right", HIDDEN)
    left.tracks.class_ids[:] = 2
    assert found(left, right) == []


def test_without_looks_it_was_where_nobody_would_be_in_two_places() -> None:
    """Had the left camera exchanged them, somebody would be seen twice at once: there, neither was hidden."""
    changes = found(camera("left", STEADY, looks=False), camera("right", HIDDEN, looks=False))
    assert [change[:2] for change in changes] == [("right", 3), ("right", 4)]


def test_the_change_is_at_the_longest_hole_that_fits() -> None:
    assert ("right", 3, 60) in found(camera("left", STEADY), camera("right", HIDDEN))


def switches(right: dict[int, Way]) -> list[tuple[int, tuple[int, int]]]:
    """Position of the track, those of the left camera first, and moments, five a second."""
    galleries = [camera("left", STEADY).gallery(VIEWS), camera("right", right).gallery(VIEWS)]
    return [(one.track, one.moments) for one in find_switches(gather(galleries, same_camera=True))]


def test_two_who_were_exchanged_were_so_when_it_fits_both_and_others_each_by_themselves() -> None:
    """Of 2 and 3 nobody is placed from moment 22 to 30, and both may be the other from 27 on; then, one three seconds later."""
    assert switches(HIDDEN) == [(0, (27, 28)), (1, (27, 28)), (2, (22, 30)), (3, (27, 28))]
    in_turn = {3: stay(ANN, 0, 29) | stay(BEN, 30), 4: stay(BEN, 0, 59) | stay(ANN, 60)}
    assert switches(in_turn)[1:] == [(2, (13, 14)), (3, (29, 30))]


def test_a_switch_is_from_one_to_another_of_two_who_are_seen_together_and_as_clear_as_either_side() -> None:
    """After the first place nobody is likelier than 1, but only 2 was seen together with 0; after the second 0 was no more."""
    before, after = np.array([[10.0, 5], [2, -20], [1, -20]]), np.array([[1.0, -20], [12, -30], [9, 6]])
    together = np.array([[False, False, True], [False, False, False], [True, False, False]])
    gains, first, second = _gains(before, after, together)
    assert gains.tolist() == [8, 5], "2 has 9 nats after it and 0 has 1; 0 has 5 before it"
    assert (first.tolist(), second.tolist()) == ([0, 0], [2, 2])


def test_who_is_exchanged_is_so_in_the_longest_time_without_a_place() -> None:
    assert _hidden(np.array([0, 1, 2, 3, 7, 8]), 0, 8) == (3, 7)
    assert _hidden(np.array([0, 1, 5, 9]), 1, 5) == (1, 5)
    assert _hidden(np.array([0, 1, 2, 3]), 0, 3) == (1, 2)


def test_parts_of_two_cameras_are_no_reunion() -> None:
    changes = [Change(name, 1, 4, 5, 9.0, "yard", 1, 2) for name in ("left", "right")]
    assert _reunions(changes, np.array([0, 7]), np.array([7, 8])) == []
    assert _reunions([changes[0]] * 2, np.array([0, 7]), np.array([7, 8])) == [Reunion("left", (1, 4), (1, 5))]


def test_filled_boxes_are_no_evidence_and_no_place_for_a_cut() -> None:
    """The hole of three was filled with boxes that go from Ann to Ben."""
    table, embeddings = seen("right", HIDDEN)
    bridged = {3: HIDDEN[3] | {f: ANN + (BEN - ANN) * (f - 44) / 16 for f in range(45, 60)}, 4: HIDDEN[4]}
    whole = tracklets({t: {f: box(x) for f, x in way.items()} for t, way in bridged.items()}, FRAMES, sequence="right")
    rows = {
        (t, f): row for row, (t, f) in enumerate(zip(table.tracklet_ids.tolist(), table.frame_numbers.tolist(), strict=True))
    }
    detected = [rows.get(key, -1) for key in zip(whole.tracklet_ids.tolist(), whole.frame_numbers.tolist(), strict=True)]
    indices = np.array([-1 if row < 0 else table.detection_indices[row] for row in detected], dtype=np.int32)
    filled = dataclasses.replace(whole, detection_indices=indices)
    assert ("right", 3, 60) in found(camera("left", STEADY), Camera(filled, embeddings, GROUND, np.arange(FRAMES) / 10))


@pytest.mark.parametrize(
    "right",
    [
        STEADY,
        {3: stay(ANN, 0, 49), 4: stay(BEN), 5: stay(ANN, 52)},  # lost, and found again under another number
        {3: stay(ANN, 0, 44) | stay(BEN, 45, 49) | stay(ANN, 50), 4: stay(BEN, 50)},  # half a second elsewhere
        {3: stay(ANN, 0, 49)},  # only one to compare with
        {},
    ],
)
def test_nothing_is_found_where_nobody_else_is_met_for_long(right: dict[int, Way]) -> None:
    assert found(camera("left", STEADY), camera("right", right)) == []


def test_nothing_is_found_without_anybody_or_without_places() -> None:
    assert found(camera("left", {}), camera("right", {})) == []
    table, embeddings = seen("right", EXCHANGED)
    assert found(camera("left", STEADY), Camera(table, embeddings, None, None)) == []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two cameras of the group `hall`, as the stages leave them; they were exchanged in the right one. `yard` is on its own."""
    monkeypatch.chdir(tmp_path)
    entry: dict[str, Any] = {"camera_group": "hall", "clip": {"start_frame": 0, "end_frame": None, "frame_stride": 1}}
    params = {name: {**entry, "clock_offset_s": 0.0} for name in ("left", "right")} | {
        "yard": {**entry, "camera_group": "yard"}
    }
    Path("params.yaml").write_text(json.dumps({"portray": {"views": 16}, "sequences": params}))
    Path("data/corrections").mkdir(parents=True)
    for name, ways in {"left": STEADY, "right": EXCHANGED}.items():
        table, embeddings = seen(name, ways)
        for level in ("tracks", "tracklets_split"):
            table.save(Path(f"artifacts/{name}/{level}.npz"))
        dataclasses.replace(embeddings, sequence=name).save(Path(f"artifacts/{name}/embeddings.npz"))
        Identities(np.array([name] * 2), table.ids, 10 * table.ids, np.array(["", ""]), np.zeros(2, np.float32)).save(
            Path(f"artifacts/identities/{name}.npz")
        )
        Path(f"data/sequences/{name}").mkdir(parents=True)
        info = SequenceInfo(name, 640, 480, 10.0, FRAMES, variable_rate=False)
        Path(f"data/sequences/{name}/seqinfo.ini").write_text(format_seqinfo(info))
        Path(f"data/sequences/{name}/camera.json").write_text(json.dumps({"image_to_ground": GROUND.tolist()}))
        Path(f"data/corrections/{name}.csv").write_text(HEADER)
    return tmp_path


def cross_check(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["cross_check", *arguments])
    main()


def test_the_command_says_where_and_writes_rows_if_asked(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "retrace"):
        cross_check(monkeypatch, "hall")
    assert "right: 30@49 is somebody else than 30@48: with 10 of left before, with 20 after (" in caplog.text
    assert "right: 30@48 and 40@49 are one person" in caplog.text
    assert "hall: 2 changes of person in 2 cameras" in caplog.text
    rows = Path("data/corrections/right.csv")
    assert read_corrections(rows) == []
    cross_check(monkeypatch, "hall", "--write")
    assert read_corrections(Path("data/corrections/left.csv")) == []
    assert read_corrections(rows) == [
        Correction("cut", Place(48, box(ANN)), Place(49, box(BEN))),
        Correction("cut", Place(48, box(BEN)), Place(49, box(ANN))),
        Correction("same", Place(48, box(ANN)), Place(49, box(ANN))),
        Correction("same", Place(48, box(BEN)), Place(49, box(BEN))),
    ]


def test_whom_a_person_called_the_same_is_not_cut(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Path("data/corrections/right.csv")
    append_row(rows, Correction("same", Place(10, box(ANN)), Place(90, box(BEN))))
    with pytest.raises(DataError, match=r"right\.csv with what cross_check would add: expected same to name one person"):
        cross_check(monkeypatch, "hall", "--write")
    assert len(read_corrections(rows)) == 1


def test_what_was_tracked_before_the_last_change_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were added, or another clip: `dvc repro` must come first."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project / ".dvc/site"))
    stage = {"cmd": "true", "deps": ["data/corrections/${item}.csv"], "params": ["sequences.${item}.clip"],
             "outs": ["artifacts/identities/${item}.npz"]}  # fmt: skip
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"identify": {"foreach": ["left", "right"], "do": stage}}}))
    with Repo.init(no_scm=True) as repo:
        repo.commit(force=True)
    cross_check(monkeypatch, "hall", "--write")
    rows = Path("data/corrections/right.csv").read_text()
    with pytest.raises(DataError, match=r"expected results that are up to date, got changes in identify@right \("):
        cross_check(monkeypatch, "hall", "--write")
    assert Path("data/corrections/right.csv").read_text() == rows
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace('"start_frame": 0', '"start_frame": 50'))
    with pytest.raises(DataError, match=r"got changes in identify@left, identify@right"):
        cross_check(monkeypatch, "hall")


def test_one_camera_shows_nothing_of_itself(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"nowhere: expected a camera group of two sequences at least with .*, got 0"):
        cross_check(monkeypatch, "nowhere")
