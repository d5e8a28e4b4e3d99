"""Corrections by hand: what a file may say, whom a row names, and that stages do as they are told."""

import dataclasses
import itertools
import json
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import merge as merge_stage
from stages import smooth as smooth_stage
from stages import split as split_stage
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.tracklets import Tracklets, only
from stages.corrections.constraining import (
    Apart,
    Constraints,
    apart_at_cuts,
    constraints,
    cut_tracklets,
    told_apart,
)
from stages.corrections.resolving import covering, deleted, found_at, named, noticed, row_at
from stages.corrections.rows import (
    COLUMNS,
    HEADER,
    MAX_NAME,
    Correction,
    Place,
    append_row,
    parse_corrections,
    read_corrections,
)
from stages.errors import DataError
from stages.merge import merge
from stages.rewire import rewire
from stages.smooth import SmoothParams
from stages.split import split
from tests.conftest import ROOT
from tests.tables import box, embeddings_of, motionless, tracklets
from tests.test_merge import MERGE
from tests.test_rewire import LEFT, NUM_FRAMES, PARAMS, RIGHT, SWAPPED, TRUE, detected, unseen
from tests.test_split import SPLIT

FILE = Path("data/corrections/hall.csv")
HERE, THERE = "3,100,100,140,200", "9,300,100,340,200"


def parse(*lines: str) -> list[Correction]:
    return parse_corrections(HEADER + "".join(f"{line}\n" for line in lines), FILE)


def place(frame: int, x: float, y: float = 100) -> Place:
    return Place(frame, box(x, y))


def standing(frames: Any, x: float) -> dict[int, Any]:
    return {frame: box(x) for frame in frames}


def test_each_action_is_read_with_the_boxes_it_needs() -> None:
    rows = parse(f"same,{HERE},{THERE},", "", f"delete,{HERE},,,,,,", f"rename,{HERE},,,,,, Anna B. ")
    assert rows == [
        Correction("same", place(3, 100), place(9, 300)),
        Correction("delete", place(3, 100)),
        Correction("rename", place(3, 100), name="Anna B."),
    ]
    assert [row.where for row in rows] == [f"{FILE}: line {line}" for line in (2, 4, 5)]


@pytest.mark.parametrize("name", ["", " Ann", "x" * (MAX_NAME + 1)])
def test_a_name_has_letters_and_no_blanks_around_it(name: str) -> None:
    with pytest.raises(DataError, match=f"expected a name of 1 to {MAX_NAME} printable characters without blanks around it"):
        Correction("rename", place(3, 100), name=name)
    with pytest.raises(DataError, match="expected a frame from 0, got -1"):
        Correction("delete", place(-1, 100))
    assert Correction("rename", place(3, 100), name="x" * MAX_NAME).name == "x" * MAX_NAME


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"join,{HERE},{THERE},", "expected one of same, different, cut, delete, rename, got 'join'"),
        (f"same,{HERE},,,,,,", "expected a second box for same"),
        (f"delete,{HERE},{THERE},", "expected one box for delete"),
        (f"same,{HERE},{THERE},Anna", "expected no name for same, got 'Anna'"),
        (f"rename,{HERE},,,,,,", "expected a name for rename, got None"),
        (f"rename,{HERE},,,,,,{'x' * 65}", "expected a name of 1 to 64 printable characters"),
        (f"cut,{THERE},{HERE},", "expected an other_frame after frame 9, got 3"),
        (f"cut,{HERE},{HERE},", "expected an other_frame after frame 3, got 3"),
        ("same,3,100,100,140,200,9,300,100,340,", "expected 12 cells, got 11"),
        ("delete,-1,100,100,140,200,,,,,,", "frame: expected a whole number from 0, got '-1'"),
        ("delete,3.5,100,100,140,200,,,,,,", "frame: expected a whole number from 0, got '3.5'"),
        ("delete,3,100,ten,140,200,,,,,,", "y1: expected a number of pixels, got 'ten'"),
        ("delete,3,100,nan,140,200,,,,,,", "y1: expected a number of pixels, got 'nan'"),
        ("delete,3,100,1e9,140,2e9,,,,,,", "expected edges in px"),
        ("delete,3,100,1e999,140,200,,,,,,", "expected edges in px"),
        ("delete,1234567890,100,100,140,200,,,,,,", "frame: expected a whole number from 0, got '1234567890'"),
        ("delete,3,140,100,100,200,,,,,,", "expected a box with x1 < x2 and y1 < y2, got 140, 100, 100, 200"),
        ("delete,3,100,200,140,100,,,,,,", "expected a box with x1 < x2 and y1 < y2, got 100, 200, 140, 100"),
        ("delete,3,100,100,100,200,,,,,,", "expected a box with x1 < x2 and y1 < y2, got 100, 100, 100, 200"),
        (f"same,{HERE},9,340,100,300,200,", "expected a box with x1 < x2 and y1 < y2, got 340, 100, 300, 200"),
        (f"same,{HERE},9,300,100,,200,", "other_x2: expected a number of pixels, got ''"),
        (f'rename,{HERE},,,,,,"Anna', "expected comma-separated values, got"),
        (f'rename,{HERE},,,,,,"An\nna"', "expected a name of 1 to 64 printable characters"),
    ],
)
def test_a_row_that_is_no_correction_is_one_line_that_names_file_and_line(line: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        parse(f"delete,{HERE},,,,,,", line)
    said = str(error.value)
    assert said.startswith(f"{FILE}: line {4 if chr(10) in line else 3}: ")
    assert message in said
    assert "\n" not in said


def test_a_file_without_its_header_is_refused_and_one_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "hall.csv"
    with pytest.raises(DataError, match="expected a file with the line action,frame"):
        read_corrections(path)
    path.write_text("")
    with pytest.raises(DataError, match="got an empty file"):
        read_corrections(path)
    path.write_text("action,frame,x1\n")
    with pytest.raises(DataError, match="line 1: expected the columns action,frame,x1,y1"):
        read_corrections(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="expected UTF-8 text"):
        read_corrections(path)
    path.write_bytes(f"\ufeff{HEADER}delete,{HERE},,,,,,\n".replace("\n", "\r\n").encode())
    assert read_corrections(path) == [Correction("delete", place(3, 100))]


cells = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["same", "cut", "3", "1.5", "1e400", '"', ",", "\0"]
)


@given(st.lists(st.lists(cells, min_size=10, max_size=13).map(",".join) | cells, max_size=4))
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_a_file_is_read_or_refused_in_one_line_with_its_place(lines: list[str]) -> None:
    said = f"{FILE}: line 1: nothing"
    try:
        parse(*lines)
    except DataError as error:
        said = str(error)
    assert said.startswith(f"{FILE}: line ")
    assert len(said.splitlines()) == 1


edges = st.floats(0, 4000).map(lambda edge: round(edge, 2))
boxes = st.tuples(edges, edges, st.integers(1, 500), st.integers(1, 500)).map(
    lambda b: (b[0], b[1], round(b[0] + b[2], 2), round(b[1] + b[3], 2))
)
places = st.builds(Place, st.integers(0, 10**6), boxes)
names = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=MAX_NAME)
corrections = (
    st.builds(Correction, st.sampled_from(["same", "different"]), places, places)
    | st.builds(Correction, st.just("delete"), places)
    | st.builds(Correction, st.just("rename"), places, name=names)
)


@given(st.lists(corrections, max_size=5))
@settings(max_examples=50, deadline=None)
def test_rows_that_are_added_are_read_again(tmp_path_factory: pytest.TempPathFactory, rows: list[Correction]) -> None:
    path = tmp_path_factory.mktemp("corrections") / "hall.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        append_row(path, Correction("delete", place(0, 0)))
        for row in rows:
            append_row(path, row)
    assert read_corrections(path)[1:] == rows


def test_adding_keeps_what_a_person_wrote_and_refuses_a_file_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("hall.csv")
    path.write_text(f"{HEADER}delete,{HERE},,,,,,")  # no newline at the end
    append_row(path, Correction("rename", place(9, 300), name='Anna, "A."'))
    assert path.read_text() == f'{HEADER}delete,{HERE},,,,,,\nrename,{THERE},,,,,,"Anna, ""A."""\n'
    path.write_bytes(f"\ufeff{HEADER}".encode())  # as a spreadsheet leaves it
    exact = Correction("delete", Place(3, (100000.25, 100.125, 140000.5, 200)))
    append_row(path, exact)
    assert read_corrections(path) == [exact]
    path.write_text(f"{HEADER}delete,{HERE}\n")
    with pytest.raises(DataError, match="line 2"):
        append_row(path, Correction("delete", place(9, 300)))
    assert path.read_text() == f"{HEADER}delete,{HERE}\n"


def _write(folder: str, start: int, count: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for frame in range(start, start + count):
            append_row(Path("hall.csv"), Correction("delete", place(frame, 0)))


def test_two_processes_that_add_rows_at_once_lose_none(tmp_path: Path) -> None:
    workers = [multiprocessing.get_context("fork").Process(target=_write, args=(str(tmp_path), n, 40)) for n in (0, 40)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(row.place.frame for row in read_corrections(tmp_path / "hall.csv")) == list(range(80))


# Ann stands at 100 until frame 9 and from 20 on, Ben at 300 throughout, Cem at 500 from 15 on.
HALL = tracklets({1: standing(range(10), 100), 2: standing(range(30), 300), 3: standing(range(20, 30), 100),
                  4: standing(range(15, 30), 500)})  # fmt: skip


def test_a_row_names_whoever_covers_its_box_best() -> None:
    row = Correction("delete", place(5, 110), where="hall.csv: line 7")
    assert HALL.tracklet_ids[row_at(HALL, row.place, row)] == 1  # moved by 10 of 40 px: an IoU of 30 / 50
    near = tracklets({1: {5: box(100)}, 2: {5: box(112)}})
    assert near.tracklet_ids[row_at(near, row.place, row)] == 2  # 38 / 42 rather than 30 / 50
    with pytest.raises(DataError) as error:
        row_at(HALL, place(5, 114), row)  # 26 / 54
    assert str(error.value) == (
        "hall.csv: line 7: expected delete to name somebody who is seen in frame 5 at 114, 100, 154, 200 (IoU 0.5 or more), "
        "got an IoU of 0.48 at best"
    )
    with pytest.raises(DataError, match=r"line 7: .* got no box in that frame"):
        row_at(HALL, place(40, 100), row)
    with pytest.raises(DataError, match="line 7: expected frames from 0 to 99, got 100"):
        row_at(HALL, place(100, 100), row)


def test_a_box_that_is_not_tracked_this_time_stands_for_the_nearest_within_half_a_second() -> None:
    """Ann is there until frame 9, at 10 frames/s; she comes back in frame 20."""
    for frame, expected in ((12, 9), (14, 9), (15, 20)):
        row = Correction("delete", place(frame, 100))
        found = found_at(HALL, row.place, row)
        assert found is not None
        assert HALL.frame_numbers[found] == expected
    moved = tracklets({1: {3: box(100), 4: box(104)}, 2: {8: box(104)}})
    row = Correction("delete", place(5, 104))
    assert found_at(moved, row.place, row) == 1, "the nearest in time ..."
    assert found_at(moved, place(2, 104), row) == 0, "... however well it fits"
    slow = tracklets({1: standing(range(10), 100)}, fps=4.0)
    assert [found_at(slow, place(frame, 100), row) for frame in (11, 12)] == [9, None], "two frames are half a second"
    fewer = only(HALL, ~np.isin(HALL.frame_numbers, range(8, 12)))
    cut = [Correction("cut", place(9, 300), place(10, 300))]
    table = cut_tracklets(fewer, cut)
    assert apart_at_cuts(table, cut) == [Apart(2, 5, 7, 12)], "each side of a cut is looked for on its own side"
    assert constraints(table, cut).cannot == [(1, 4)]
    table = cut_tracklets(only(HALL, ~np.isin(HALL.frame_numbers, range(6, 10))), cut)
    assert apart_at_cuts(table, cut) == [Apart(2, 5, 5, 10)], "though the other side is nearer"


def test_whom_nobody_tracks_any_more_nobody_need_cut_tell_apart_or_delete(caplog: pytest.LogCaptureFixture) -> None:
    nobody = [
        Correction("cut", place(50, 300), place(52, 300), where="hall.csv: line 2"),
        Correction("different", place(3, 100), place(50, 300), where="hall.csv: line 3"),
        Correction("delete", place(50, 300), where="hall.csv: line 4"),
    ]
    caplog.set_level("INFO", "retrace")
    assert cut_tracklets(HALL, nobody).tracklet_ids.tolist() == HALL.tracklet_ids.tolist()
    assert not apart_at_cuts(HALL, nobody)
    assert not told_apart(HALL, nobody)
    assert constraints(HALL, nobody) == Constraints([], [])
    assert not deleted(HALL, nobody).any()
    assert [message.partition(": nobody")[0] for message in caplog.messages] == [f"hall.csv: line {n}" for n in (3, 2, 4)]
    with pytest.raises(DataError, match="expected same to name somebody who is seen in frame 50"):
        constraints(HALL, [Correction("same", place(3, 100), place(50, 300))])


def test_same_and_different_become_pairs_of_tracklets() -> None:
    rows = [
        Correction("same", place(25, 100), place(3, 100)),  # the order of boxes does not matter
        Correction("same", place(2, 100), place(3, 100)),  # one tracklet already
        Correction("different", place(3, 100), place(20, 500)),
        Correction("cut", place(9, 100), place(15, 500)),  # the same pair again
    ]
    assert constraints(HALL, rows) == Constraints(must=[(0, 2)], cannot=[(0, 3)])
    assert constraints(HALL, [*rows[:3], Correction("different", place(3, 100), place(5, 300))]).cannot == [(0, 1), (0, 3)]
    assert told_apart(HALL, rows) == [(1, 4)]
    assert told_apart(HALL, [rows[3]]) == [(1, 4)], "a cut says so, too"
    assert told_apart(HALL, [Correction("different", place(3, 100), place(5, 100))]) == [], "one track by now"
    assert constraints(HALL, []) == Constraints([], [])


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("same", (3, 100), (3, 300))], "line 2: expected same to name one person, got two who are both seen in frame 0"),
        ([("same", (3, 100), (25, 100)), ("same", (3, 100), (15, 500))], "line 3: expected same .* both seen in frame 20"),
        (
            [("same", (3, 100), (25, 100)), ("same", (26, 100), (3, 100)), ("same", (25, 100), (3, 300))],
            "line 4: expected same to name one person, got two who are both seen in frame 0",
        ),
        ([("different", (3, 100), (5, 100))], "line 2: expected different to name two tracklets, got one, of frames 0 to 9"),
        (
            [("different", (3, 100), (25, 100)), ("same", (4, 100), (26, 100))],
            "line 2: expected different to agree with other rows",
        ),
        ([("cut", (3, 100), (25, 100)), ("same", (4, 100), (26, 100))], "line 2: expected cut to agree with other rows"),
    ],
)
def test_rows_that_contradict_each_other_or_what_is_seen_are_refused(pairs: list[Any], message: str) -> None:
    rows = [
        Correction(action, place(*one), place(*two), where=f"hall.csv: line {n}")
        for n, (action, one, two) in enumerate(pairs, 2)
    ]
    with pytest.raises(DataError, match=message):
        constraints(HALL, rows)


def test_who_is_the_same_as_somebodys_same_is_not_different() -> None:
    table = tracklets({n: standing(range(10 * n, 10 * n + 5), 100) for n in (1, 2, 3)})
    pairs = [("same", 20, 30), ("same", 10, 20), ("different", 10, 30)]
    rows = [Correction(action, place(one, 100), place(other, 100)) for action, one, other in pairs]  # type: ignore[arg-type]
    with pytest.raises(DataError, match="expected different to agree with other rows"):
        constraints(table, rows)


def test_two_classes_are_not_one_person() -> None:
    classes = np.where(HALL.tracklet_ids == 3, 2, 0).astype(np.int16)
    table = dataclasses.replace(HALL, class_ids=classes)
    with pytest.raises(DataError, match="same to name two boxes of one class, got classes 0 and 2"):
        constraints(table, [Correction("same", place(3, 100), place(25, 100))])


def test_a_tracklet_is_cut_before_the_other_box_and_the_parts_stay_apart() -> None:
    cuts = [Correction("cut", place(9, 300), place(10, 300)), Correction("cut", place(19, 300), place(20, 300))]
    table = cut_tracklets(HALL, cuts)
    frames = {entry["tracklet_id"]: entry["frame_numbers"].tolist() for entry in table.to_dicts()}
    assert [frames[name] for name in (2, 5, 6)] == [list(range(10)), list(range(10, 20)), list(range(20, 30))]
    assert apart_at_cuts(table, cuts) == [Apart(2, 5, 9, 10), Apart(5, 6, 19, 20)]
    assert constraints(table, cuts).cannot == [(1, 4), (4, 5)]
    again = cut_tracklets(table, cuts)
    assert again.tracklet_ids.tolist() == table.tracklet_ids.tolist()  # nothing is left to cut


def test_merge_joins_who_must_be_one_and_never_who_cannot() -> None:
    """Ann's halves look alike and lie 1 s apart; Cem is dressed in another colour and stands 4 body heights off."""
    red, blue = (1.0, 0.0), (0.0, 1.0)
    views = embeddings_of(HALL, {1: red, 2: blue, 3: red, 4: blue})

    def people(must: Any = (), cannot: Any = (), **other: Any) -> set[frozenset[int]]:
        return persons(merge(HALL, views, motionless(HALL), dataclasses.replace(MERGE, **other), must=must, cannot=cannot)[0])

    ann = {frozenset({0, 2}), frozenset({1}), frozenset({3})}
    assert people() == ann
    assert people(cannot=[(0, 2)]) == {frozenset({n}) for n in range(4)}
    assert people(must=[(0, 3)]) == {frozenset({0, 3}), frozenset({1}), frozenset({2})}  # then 3 is seen with 2: not the same
    assert people(must=[(0, 2)], enabled=False) == ann
    _, audit = merge(HALL, views, motionless(HALL), MERGE, must=[(0, 3)])
    assert [row.decision for row in audit if row.probability == 1] == ["corrected"]
    _, audit = merge(HALL, views, motionless(HALL), MERGE, cannot=[(0, 2)])
    assert [row.decision for row in audit if row.probability == 0] == ["refused"], "nothing to doubt: a person said so"


def persons(merged: Tracklets) -> set[frozenset[int]]:
    """The positions in HALL.ids of each person's tracklets."""
    of = {int(row): int(name) - 1 for row, name in zip(HALL.detection_indices, HALL.tracklet_ids, strict=True)}
    return {frozenset(of[row] for row in entry["detection_indices"].tolist()) for entry in merged.to_dicts()}


def test_who_must_be_one_person_is_so_by_every_row_that_follows() -> None:
    """Three tracklets in turn, each pair of neighbours named: ends that no walk explains are joined all the same."""
    table = tracklets({n: standing(range(10 * n, 10 * n + 5), 180 * n) for n in (1, 2, 3)})
    assert len(merge(table, embeddings_of(table, {}), motionless(table), MERGE)[0].ids) == 3
    assert len(merge(table, embeddings_of(table, {}), motionless(table), MERGE, must=[(0, 1), (1, 2)])[0].ids) == 1


def seen(table: Tracklets) -> set[frozenset[tuple[int, float]]]:
    """The boxes of each person, as frame and left edge."""
    return {frozenset(zip(e["frame_numbers"].tolist(), e["bboxes"][:, 0].tolist(), strict=True)) for e in table.to_dicts()}


@pytest.mark.parametrize("start", [0, 12_000])  # in the first window that is searched, and in a later one
def test_an_exchange_that_rewiring_made_is_not_made_again_where_a_person_cut_it(start: int) -> None:
    """The two did swap in the tracker's eyes and rewiring puts it right; a person who insists on the contrary is obeyed."""
    swapped, true = ({n: {f + start: b for f, b in way.items()} for n, way in ways.items()} for ways in (SWAPPED, TRUE))
    table = tracklets(swapped, NUM_FRAMES + start)
    motion = CameraMotion.still(table.sequence, table.num_frames)
    made, audit = rewire(table, detected(table), unseen(table), motion, PARAMS)
    assert len(audit) == 1
    assert seen(made) == seen(tracklets(true, NUM_FRAMES + start))
    wish = [Correction("cut", Place(29 + start, way[29]), Place(30 + start, way[30])) for way in (RIGHT, LEFT)]
    cut = cut_tracklets(table, wish)
    assert apart_at_cuts(cut, wish) == [Apart(1, 2, 29 + start, 30 + start), Apart(2, 1, 29 + start, 30 + start)]
    kept, audit = rewire(cut, detected(cut), unseen(cut), motion, PARAMS, apart_at_cuts(cut, wish))
    assert audit == []
    assert seen(kept) == seen(table)


def test_a_switch_that_a_person_cut_is_joined_to_whom_motion_points() -> None:
    """One cut in each swapped tracklet: the halves find their others by motion, which no threshold has to allow."""
    table = tracklets(SWAPPED, NUM_FRAMES)
    rows = [
        Correction("cut", Place(29, RIGHT[29]), Place(30, LEFT[30])),
        Correction("cut", Place(29, LEFT[29]), Place(30, RIGHT[30])),
    ]
    cut = cut_tracklets(table, rows)
    assert len(cut.ids) == 4
    params = dataclasses.replace(PARAMS, min_gain=0.0)
    still = CameraMotion.still(cut.sequence, cut.num_frames)
    made, _ = rewire(cut, detected(cut), unseen(cut), still, params, apart_at_cuts(cut, rows))
    assert seen(made) == seen(tracklets(TRUE, NUM_FRAMES))


def test_stages_read_what_a_person_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ben is cut; Ann's first part is one with Cem, against all that is seen; Cem is deleted; Ann is doubtful, but named."""
    monkeypatch.chdir(tmp_path)
    smoothing = SmoothParams(2.0, 0.0, "none", 0.2)
    sections: dict[str, Any] = {"split": dataclasses.asdict(SPLIT), "merge": dataclasses.asdict(MERGE)}
    sections["smooth"] = dataclasses.asdict(smoothing)
    sections["sequences"] = {"hall": {"returns": "same_person", "at_border": "seen"}}
    Path("params.yaml").write_text(json.dumps(sections))  # JSON is YAML
    table = dataclasses.replace(HALL, confidences=np.where(HALL.tracklet_ids == 1, 0.3, 0.9).astype(np.float32))
    table.save(Path("tracklets.npz"))
    detected(table).save(Path("detections.npz"))
    embeddings_of(table, {}).save(Path("embeddings.npz"))
    motionless(table).save(Path("motion.npz"))

    def ways(stage: Any, rows: str, output: str, **options: str) -> list[list[int]]:
        """Frames of each person after a stage with these corrections."""
        Path("corrections.csv").write_text(HEADER + rows)
        given = {"sequence": "hall", "pins": str(ROOT / "constraints/numerics.txt"), "tracklets": "tracklets.npz",
                 "corrections": "corrections.csv", output: "out.npz", "timings": "t.json", **options}  # fmt: skip
        monkeypatch.setattr("sys.argv", ["stage", *(part for name, text in given.items() for part in (f"--{name}", text))])
        stage.main()
        return [entry["frame_numbers"].tolist() for entry in Tracklets.load(Path("out.npz"), "hall").to_dicts()]

    looks, moved = {"embeddings": "embeddings.npz"}, {"camera-motion": "motion.npz"}
    cut = "cut,9,300,100,340,200,10,300,100,340,200,\n"
    assert list(range(10, 30)) in ways(split_stage, cut, "split", **looks, splits="splits.csv")
    same = "same,3,100,100,140,200,20,500,100,540,200,\n"
    assert [*range(10), *range(15, 30)] in ways(merge_stage, same, "merged", **looks, **moved, merges="merges.csv")
    rows = "rename,3,100,100,140,200,,,,,,Ann\ndelete,20,500,100,540,200,,,,,,\n"
    final = ways(smooth_stage, rows, "tracks", **moved, detections="detections.npz", text="tracks.txt")
    assert final == [list(range(10)), list(range(30)), list(range(20, 30))]


def test_cuts_by_hand_hold_where_splitting_is_off() -> None:
    table = cut_tracklets(HALL, [Correction("cut", place(9, 300), place(10, 300))])
    result, cuts = split(table, embeddings_of(table, {}), dataclasses.replace(SPLIT, enabled=False))
    assert (len(result.ids), cuts) == (5, [])


def test_whom_the_border_cuts_is_named_by_the_part_in_the_picture_or_by_the_whole() -> None:
    """The picture is 640 wide: 40 of 100 px are in it, and the boxes alone overlap by 0.4 only."""
    part, whole = (600, 100, 640, 300), (600, 100, 700, 300)
    for shown, named_box in itertools.product((part, whole), repeat=2):
        table = tracklets({1: {5: shown}, 2: {5: box(500)}})
        assert covering(table, Place(5, named_box)) == 0
    assert covering(tracklets({1: {5: whole}}), Place(5, box(560))) is None


def test_the_deleted_are_whole_people() -> None:
    rows = [Correction("delete", place(5, 300)), Correction("delete", place(25, 300)), Correction("delete", place(16, 500))]
    assert set(HALL.tracklet_ids[~deleted(HALL, rows)].tolist()) == {1, 3}
    assert not deleted(HALL, []).any()


def test_nobody_is_named_and_deleted() -> None:
    """Else the name would go to somebody near once that person is gone."""
    gone, ben = Correction("delete", place(25, 300)), Correction("rename", place(16, 500), name="Ben")
    assert deleted(HALL, [gone, ben]).any()
    with pytest.raises(DataError, match="expected rename to name somebody who stays, got 'Ben' for somebody deleted"):
        deleted(HALL, [ben, Correction("delete", place(18, 500))])


def test_whoever_a_row_names_is_noticed() -> None:
    rows = [Correction("rename", place(3, 100), name="Ann"), Correction("different", place(5, 300), place(16, 500))]
    assert set(HALL.tracklet_ids[noticed(HALL, rows)].tolist()) == {1, 2, 4}
    assert not noticed(HALL, [Correction("delete", place(5, 900))]).any()
    assert not noticed(HALL, []).any()


def test_names_belong_to_one_person_each() -> None:
    ann, again, ben = (Correction("rename", place(*where), name=name)
                       for *where, name in ((3, 100, "Ann"), (5, 100, "Ann"), (5, 300, "Ben")))  # fmt: skip
    assert named(HALL, [ann, again, ben]) == {1: "Ann", 2: "Ben"}
    with pytest.raises(DataError, match="expected one name a person, got 'Ben' for 'Ann'"):
        named(HALL, [ann, Correction("rename", place(4, 100), name="Ben")])
    with pytest.raises(DataError, match="a name of one person alone, got 'Ann' twice"):
        named(HALL, [ann, Correction("rename", place(4, 300), name="Ann")])


def test_the_columns_are_those_that_the_readme_beside_the_files_explains(request: pytest.FixtureRequest) -> None:
    text = (request.config.rootpath / "data/corrections/README.md").read_text()
    assert all(f"`{column}`" in text for column in COLUMNS)
