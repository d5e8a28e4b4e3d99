"""The benchmark of returns: who came back, who got their identity back, and which joins are wrong, counted by hand."""

import dataclasses
from pathlib import Path

import numpy as np

from stages.contracts.tracklets import Tracklets, relabel
from stages.lineage import NOBODY
from stages.motchallenge import read_rows
from stages.regions import EVERYWHERE
from stages.scoring.challenge import count, track_boxes
from stages.scoring.truth import GroundTruth, make_truth
from tests.benchmarks.returns import Measured, find_joins, find_returns, identities_of, owners_in, row, visits_row
from tests.benchmarks.visits import Visit, find_visits, successions, well_seen
from tests.tables import box, tracklets

# Ann is seen in frames 0-9, 20-29 and 35-39, and is out of the picture in 10-19 alone; Bob all the time.
ANN, BOB = 1, 2
PARTS = {
    1: range(10),  # Ann
    2: range(20, 30),  # Ann again
    3: range(35, 40),  # and again: hidden for a while
    4: range(25),  # Bob
    5: range(24, 40),  # Bob, by a second tracklet before his first ended: no return
    6: range(12, 15),  # a lamp
}
SHOWN = np.array([ANN, ANN, ANN, BOB, BOB, NOBODY])


def table() -> Tracklets:
    return tracklets({name: {frame: box(100.0 * name) for frame in frames} for name, frames in PARTS.items()})


def truth(folder: Path) -> GroundTruth:
    present = [(frame, ANN) for frame in range(40) if not 10 <= frame < 20] + [(frame, BOB) for frame in range(40)]
    path = folder / "gt.txt"
    path.write_text("".join(f"{frame + 1},{person},{100 * person},0,40,100,1,1,1\n" for frame, person in present))
    return make_truth(path, read_rows(path), 40)


def test_a_return_is_a_tracklet_of_somebody_whose_tracklet_before_had_ended(tmp_path: Path) -> None:
    identities = np.array([1, 1, 2, 3, 3, 1])
    away, hidden = find_returns(truth(tmp_path), table(), SHOWN, identities)
    assert (away.person, away.tracklet_ids, away.away, away.rejoined) == (ANN, (1, 2), True, True)
    assert (hidden.person, hidden.tracklet_ids, hidden.away, hidden.rejoined) == (ANN, (2, 3), False, False)
    assert (away.gap_s, hidden.gap_s) == (11 / 10, 6 / 10)
    assert (away.glimpsed, hidden.glimpsed) == (False, True)  # 0.9 and 0.9 s; 0.9 and 0.4 s


def test_a_join_is_wrong_where_it_shows_two_people_and_not_known_where_nobody(tmp_path: Path) -> None:
    joins = find_joins(table(), SHOWN, np.array([1, 2, 3, 1, 4, 5]))
    joins += find_joins(table(), SHOWN, np.array([1, 1, 2, 3, 3, 1]))
    joins += find_joins(table(), np.full(6, NOBODY), np.array([1, 1, 2, 3, 4, 5]))
    assert [(join.tracklet_ids, join.wrong, join.known) for join in joins] == [
        ((1, 4), True, True),
        ((1, 6), False, False),
        ((6, 2), False, False),
        ((4, 5), False, True),
        ((1, 2), False, False),
    ]
    scores = count(truth(tmp_path), track_boxes(table(), 0, EVERYWHERE))
    assert row("7", [Measured([], joins, [], 10.0, scores, scores)])[5:7] == ["1 of 5 (20.0 %)", 3]


def test_a_tracklet_shows_whom_most_of_its_boxes_show_and_is_found_again_by_its_boxes() -> None:
    parts = table()
    people = np.full(len(parts), NOBODY)
    rows = {name: parts.detection_indices[parts.tracklet_ids == name] for name in PARTS}
    people[rows[1][:4]], people[rows[1][4:]] = BOB, ANN
    people[rows[5]] = BOB
    assert owners_in(parts, people).tolist() == [ANN, NOBODY, NOBODY, NOBODY, BOB, NOBODY]
    merged = relabel(parts, np.where(parts.tracklet_ids == 2, 1, parts.tracklet_ids))
    assert identities_of(parts, merged, len(parts)).tolist() == [1, 1, 3, 4, 5, 6]


def test_a_square_without_returns_has_a_row(tmp_path: Path) -> None:
    scores = count(truth(tmp_path), track_boxes(table(), 0, EVERYWHERE))
    measured = Measured([], [], [], 10.0, scores, scores)
    assert visits_row("7", [measured]) == ["7", *["0 of 0 (none)"] * 4]
    cells = row("7", [measured])
    assert cells[:7] == ["7", "0 of 0 (none)", "0 of 0 (none)", "0 of 0", "0 of 0", "0 of 0 (none)", 0]


# Boxes of (frame, person, identity). Ann is absent from the truth in 10-24, so for over a second, and missed in 30-34 alone.
BOXES = [
    *((frame, ANN, 1) for frame in range(10)),
    *((frame, ANN, 1) for frame in range(25, 29)),
    (29, ANN, 2),
    *((frame, ANN, 1) for frame in range(35, 40)),
    *((frame, BOB, 1) for frame in range(12, 20)),
    *((frame, BOB, 2) for frame in range(40, 60)),
    (5, NOBODY, 1),
]  # fmt: skip


def visits(folder: Path) -> list[Visit]:
    present = [(f, ANN) for f in (*range(10), *range(25, 60))] + [(f, BOB) for f in (*range(12, 20), *range(40, 60))]
    path = folder / "gt.txt"
    path.write_text("".join(f"{frame + 1},{person},{100 * person},0,40,100,1,1,1\n" for frame, person in present))
    frames, people, identities = np.array(sorted(BOXES), dtype=np.int64).T
    return find_visits(make_truth(path, read_rows(path), 60), 10.0, frames, people, identities)


def test_a_visit_ends_where_the_truth_misses_somebody_for_over_a_second(tmp_path: Path) -> None:
    assert visits(tmp_path) == [
        Visit(ANN, 0, 9, 10, 1, NOBODY, 0),
        Visit(ANN, 25, 39, 10, 1, 1, 10),
        Visit(BOB, 12, 19, 8, 1, NOBODY, 0),
        Visit(BOB, 40, 59, 20, 2, 1, 8),
    ]


def test_people_are_back_under_the_identity_they_had(tmp_path: Path) -> None:
    found = visits(tmp_path)
    assert [visit.back for visit in found] == [False, True, False, False]
    assert well_seen(found, 10.0) == [found[1]]  # Bob was seen for 0.8 s before
    assert [(one.person, other.person) for one, other in successions(found)] == [(ANN, BOB), (BOB, ANN)]


def test_visits_at_one_time_are_of_whom_most_boxes_show() -> None:
    alone, beside, himself = (
        Visit(ANN, 0, 20, 9, 1, NOBODY, 0),
        Visit(ANN, 30, 34, 5, 1, 1, 9),
        Visit(BOB, 33, 50, 18, 1, NOBODY, 0),
    )
    assert successions([beside, himself, alone]) == [(alone, himself)]
    back = Visit(ANN, 40, 70, 30, 1, 1, 9)  # and Bob shares her boxes
    assert successions([alone, beside, himself, back]) == [(alone, back)]
    elsewhere = dataclasses.replace(himself, identity=2)
    assert successions([alone, elsewhere, back]) == [(alone, back)]
    assert successions([alone, dataclasses.replace(back, first_frame=21)]) == [
        (alone, dataclasses.replace(back, first_frame=21))
    ]


def test_a_row_counts_visits_by_people(tmp_path: Path) -> None:
    scores = count(truth(tmp_path), track_boxes(table(), 0, EVERYWHERE))
    cells = visits_row("7", [Measured([], [], visits(tmp_path), 10.0, scores, scores)])
    assert cells[:4] == ["7", "1 of 2 (50.0 %)", "1 of 1 (100.0 %)", "2 of 2 (100.0 %)"]
    assert cells[4:] == ["0 of 1 (0.0 %)"]  # Bob came for 0.8 s
