"""Split: which tracklets changed person, and where."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.association.changepoints import ALONE_NATS, MET_NATS, at_border, changes, expected_changes, meetings
from stages.association.cosines import Calibration
from stages.association.likeness import support_of
from stages.split import Split, SplitParams, split
from tests.tables import box, embeddings_of, tracklets

SPLIT = SplitParams(enabled=True, min_odds=0.0, min_views=5)
CLEAR = Calibration(same=0.6, other=0.0, variance=0.02, most_nats=7.0, least_nats=-5.0)
DIM = 32
RED, BLUE, GREEN, WHITE = np.eye(DIM, dtype=np.float32)[:4]
Floats = NDArray[np.float32]


def standing(frames: Any, x: float = 100) -> dict[int, Any]:
    return {frame: box(x, 100, 40, 100) for frame in frames}


def video(looks: Floats, neighbour_x: float = 400.0) -> tuple[Any, Any]:
    """Tracklet 1 with these looks, one a frame, and bystanders who say what looks are worth; tracklet 11 stands at a place."""
    rng = np.random.default_rng(2)
    paths = {1: standing(range(len(looks)))} | {11 + k: standing(range(100), neighbour_x + 60 * k) for k in range(10)}
    colours = {11 + k: np.eye(DIM)[5 + k] + 0.1 * rng.normal(0, 1, (100, DIM)) for k in range(10)}
    table = tracklets(paths)
    return table, embeddings_of(table, colours | {1: looks + 0.1 * rng.normal(0, 1, (len(looks), DIM))})


def cuts_of(looks: Any, neighbour_x: float = 400.0) -> list[Split]:
    return split(*video(np.array(looks), neighbour_x), SPLIT)[1]


def test_who_changes_looks_for_good_where_another_is_near_is_cut_there() -> None:
    table, embeddings = video(np.array([RED] * 37 + [BLUE] * 63), neighbour_x=110)
    result, cuts = split(table, embeddings, SPLIT)
    (cut,) = cuts
    assert (cut.tracklet_id, cut.frame_number, cut.new_tracklet_id) == (1, 37, 21)
    assert (cut.views_before, cut.views_after, cut.at_meeting) == (37, 63, True)
    assert cut.odds_nats == pytest.approx(cut.looks_nats + MET_NATS)
    assert (result.tracklet_ids == 21).sum() == 63


def test_more_can_be_asked_for_and_the_odds_are_told_as_they_are() -> None:
    table, embeddings = video(np.array([RED] * 37 + [BLUE] * 63), neighbour_x=110)
    (cut,) = split(table, embeddings, SPLIT)[1]
    asked = [dataclasses.replace(SPLIT, min_odds=cut.odds_nats + more) for more in (-0.01, 0.01)]
    (again,) = split(table, embeddings, asked[0])[1]
    assert again.odds_nats == pytest.approx(cut.odds_nats)
    assert split(table, embeddings, asked[1])[1] == []


def test_of_two_cuts_each_has_the_views_of_its_own_sides() -> None:
    first, second = cuts_of([RED] * 30 + [BLUE] * 30 + [GREEN] * 40, neighbour_x=110)
    assert [(cut.frame_number, cut.views_before, cut.views_after) for cut in (first, second)] == [(30, 30, 30), (60, 30, 40)]
    assert (first.new_tracklet_id, second.new_tracklet_id) == (21, 22)


def test_twice_the_least_number_of_views_is_enough() -> None:
    table, embeddings = video(np.array([RED] * 40 + [BLUE] * 40), neighbour_x=110)
    assert [cut.frame_number for cut in split(table, embeddings, SplitParams(True, 0.0, 40))[1]] == [40]
    assert split(table, embeddings, SplitParams(True, 0.0, 41))[1] == []


def test_a_slow_change_and_a_short_disturbance_are_no_change_of_person() -> None:
    """Who turns from red to blue in 100 frames stays like before and after; four frames of blue change nothing for good."""
    angle = np.linspace(0, np.pi / 2, 100)[:, None]
    assert cuts_of(np.cos(angle) * RED + np.sin(angle) * BLUE, neighbour_x=110) == []
    assert cuts_of([RED] * 50 + [BLUE] * 4 + [RED] * 46, neighbour_x=110) == []


def test_how_one_persons_looks_vary_is_not_learnt_from_those_who_changed_person() -> None:
    """Three beside each other, each in red and then in blue: over whole tracklets that would be one person's variety."""
    table = tracklets({1 + k: standing(range(100), (110, 115, 120)[k] if k < 3 else 220 + 60 * k) for k in range(13)})
    rng = np.random.default_rng(2)
    looks = {1 + k: np.tile(np.eye(DIM)[2 + k], (100, 1)) for k in range(3, 13)}
    looks |= {name: np.array([RED] * 37 + [BLUE] * 63) for name in (1, 2, 3)}
    noisy = {name: look + 0.1 * rng.normal(0, 1, (100, DIM)) for name, look in looks.items()}
    cuts = split(table, embeddings_of(table, noisy), SPLIT)[1]
    assert [(cut.tracklet_id, cut.frame_number) for cut in cuts] == [(1, 37), (2, 37), (3, 37)]


def test_cars_say_nothing_of_how_unlike_people_are() -> None:
    table, embeddings = video(np.array([RED] * 37 + [BLUE] * 63), neighbour_x=110)
    cars = tracklets({name: standing(range(100), 60 * (name - 50)) for name in range(50, 58)})
    both = tracklets({t["tracklet_id"]: dict(zip(t["frame_numbers"].tolist(), map(tuple, t["bboxes"].tolist()), strict=True))
                      for one in (table, cars) for t in one.to_dicts()})  # fmt: skip
    both.class_ids[both.tracklet_ids >= 50] = 2
    looks = {name: embeddings.features[table.detection_indices[table.tracklet_ids == name]] for name in table.ids.tolist()}
    looks |= {name: np.eye(DIM)[name - 40] - np.eye(DIM)[31] for name in cars.ids.tolist()}
    (alone,), (beside,) = split(table, embeddings, SPLIT)[1], split(both, embeddings_of(both, looks), SPLIT)[1]
    assert beside == dataclasses.replace(alone, new_tracklet_id=58)


def test_switched_off_or_without_looks_tracklets_pass_through() -> None:
    table, embeddings = video(np.array([RED] * 37 + [BLUE] * 63), neighbour_x=110)
    assert split(table, embeddings, SplitParams(False, 0.0, 5)) == (table, [])
    assert split(table, embeddings_of(table, {}), SPLIT) == (table, [])


def found(looks: list[Floats], expected: float = MET_NATS, min_length: int = 5, clarities: Any = 1.0) -> list[int]:
    views, clear = np.array(looks), np.broadcast_to(np.asarray(clarities, dtype=np.float64), len(looks))
    cuts = changes(views, clear, clear**4, np.full(len(views), expected), CLEAR, min_length)
    return [cut.index for cut in cuts]


def test_each_of_three_people_is_found_and_each_needs_enough_views() -> None:
    assert found([RED] * 20 + [BLUE] * 20 + [GREEN] * 20) == [20, 40]
    assert found([RED] * 20 + [BLUE] * 20 + [GREEN] * 20 + [WHITE] * 20) == [20, 40, 60]
    assert found([RED] * 4 + [BLUE] * 30) == found([RED] * 30 + [BLUE] * 4) == []
    assert found([RED] * 4 + [BLUE] * 30, min_length=4) == [4]
    assert found([RED] * 30 + [BLUE] * 4, min_length=4) == [30]


def test_views_count_for_as_much_as_is_seen() -> None:
    """Five in red, then four in blue and one in red who is half hidden: the cosine is 1/16 in hypot(4, 1/16)."""
    looks, clear = np.array([RED] * 5 + [BLUE] * 4 + [RED]), np.array([1.0] * 9 + [0.5])
    (cut,) = changes(looks, clear, clear**4, np.full(10, MET_NATS), CLEAR, 5)
    support = support_of(np.array(5)) * support_of(np.array(5), (4 + 0.5 / 16) / (4 + 1 / 16))
    assert cut.looks_nats == pytest.approx(-CLEAR.nats(np.array(1 / 16 / np.hypot(4, 1 / 16)), support), abs=1e-5)
    assert cut.odds_nats == pytest.approx(cut.looks_nats + MET_NATS)


def test_cuts_are_the_same_however_many_are_looked_at_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.association.changepoints.BLOCK_CUTS", 7)
    assert found([RED] * 20 + [BLUE] * 20 + [GREEN] * 20) == [20, 40]


@pytest.mark.parametrize("met", [60, 80])
def test_of_two_changes_that_look_alike_the_likelier_one_is_it(met: int) -> None:
    """Both of two people are in one box for 20 views."""
    looks = np.array([RED] * 60 + [(RED + BLUE) / np.float32(2**0.5)] * 20 + [BLUE] * 60)
    expected = np.where(np.abs(np.arange(140) - met) < 5, MET_NATS, MET_NATS - 1)
    assert [cut.index for cut in changes(looks, np.ones(140), np.ones(140), expected, CLEAR, 5)] == [met]


def test_more_is_asked_for_where_nobody_was_near() -> None:
    tilted = np.float32(0.1) * RED + BLUE
    assert found([RED] * 20 + [tilted] * 20, MET_NATS) == [20]
    assert found([RED] * 20 + [tilted] * 20, -9.0) == []


def test_who_is_hardly_seen_is_not_taken_for_somebody_else() -> None:
    looks = [RED] * 50 + [BLUE] * 15
    assert found(looks) == [50]
    assert found(looks, clarities=[1.0] * 50 + [0.5] * 15) == []


def test_the_first_view_of_who_came_belongs_to_the_new_person_however_little_is_seen() -> None:
    """By all views it hardly matters on which side of the cut a view of little weight stands."""
    assert found([RED] * 200 + [BLUE] * 40, clarities=[1.0] * 200 + [0.6] + [1.0] * 39) == [200]


def test_the_cut_is_where_looks_change_and_not_where_a_meeting_made_it_likelier() -> None:
    """All views say "changed" at view 175 about as surely as at view 200; somebody was met at view 175."""
    looks = np.array([RED] * 200 + [BLUE] * 200)
    expected = np.where(np.abs(np.arange(400) - 175) < 5, MET_NATS, ALONE_NATS)
    (cut,) = changes(looks, np.ones(400), np.ones(400), expected, CLEAR, 5)
    assert cut.index == 200


def test_people_may_change_slowly_while_both_are_in_one_box() -> None:
    """30 views in which one fades into the other; the cut is somewhere in them."""
    share = np.linspace(0, 1, 30, dtype=np.float32)[:, None]
    (cut,) = found([RED] * 60 + list((1 - share) * RED + share * BLUE) + [BLUE] * 60)
    assert 60 <= cut <= 90


@pytest.mark.parametrize(
    ("bbox", "ends_there"),
    [
        pytest.param((-3, 100, 37, 200), True, id="left"),
        pytest.param((100, 0.9, 140, 100), True, id="above"),
        pytest.param((599, 100, 639.1, 200), True, id="right, but for less than a hundredth of a body"),
        pytest.param((100, 380, 140, 480), True, id="below"),
        pytest.param((100, 377, 140, 477), False, id="nearly below"),
        pytest.param((100, 100, 140, 200), False, id="inside"),
    ],
)
def test_who_is_at_the_border_may_be_exchanged_for_who_comes_in(bbox: Any, ends_there: bool) -> None:
    table = tracklets({1: standing(range(20)) | {20: bbox} | standing(range(21, 40))})
    assert at_border(table).tolist() == [frame == 20 and ends_there for frame in range(40)]
    near = [frame for frame in range(40) if ends_there and abs(frame - 20) <= 7]
    assert np.flatnonzero(expected_changes(table) == MET_NATS).tolist() == near


def test_meetings_and_gaps_by_hand() -> None:
    """At 10 frames/s: 1 and 2 overlap by half in frame 20; 3 is not seen from frame 51 to 54."""
    paths = {1: standing(range(100)), 2: standing(range(100), x=300), 3: standing([*range(51), *range(55, 100)], x=500)}
    paths[2][20] = box(110, 100, 40, 100)
    table = tracklets(paths)
    met = [(int(name), int(frame)) for name, frame in zip(table.tracklet_ids[meetings(table)],
                                                          table.frame_numbers[meetings(table)], strict=True)]  # fmt: skip
    assert met == [(1, 20), (2, 20)]
    expected = expected_changes(table)
    near = [(int(name), int(frame)) for name, frame in zip(table.tracklet_ids[expected == MET_NATS],
                                                           table.frame_numbers[expected == MET_NATS], strict=True)]  # fmt: skip
    assert near == [(name, frame) for name in (1, 2) for frame in range(13, 28)] + [
        (3, frame) for frame in [*range(48, 51), *range(55, 63)]
    ]
    assert set(expected.tolist()) == {MET_NATS, ALONE_NATS}


def test_a_short_gap_and_what_happens_to_others_make_no_change_likelier() -> None:
    """1 is not seen for two frames and ends; 2 begins later, and is at the border in the last frame of the video."""
    paths = {1: standing([*range(20), *range(22, 60)]), 2: standing(range(70, 100), x=300), 3: standing(range(100), x=500)}
    paths[2][99] = (600, 100, 640, 200)
    table = tracklets(paths)
    near = table.frame_numbers[expected_changes(table) == MET_NATS]
    assert near.tolist() == list(range(92, 100))
