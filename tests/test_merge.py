"""Merge: who is one person, who never, and what the audit says."""

import dataclasses
import itertools
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, t

from stages.association.appearance import Views, clarities, spread, views_of
from stages.association.cosines import PRIOR, Calibration, calibrate
from stages.association.decisions import Sureness, decisions
from stages.association.likeness import (
    Blocks,
    Space,
    _blocks,
    _other_cosines,
    _same_cosines,
    learn_looks,
    learn_space,
    support_of,
)
from stages.association.motion import (
    ANYWHERE,
    KERNEL,
    MEDIAN_TO_SCALE,
    PRIOR_BELIEF_S,
    PRIOR_EXAMPLES,
    PRIOR_STRAY,
    Ends,
    Passage,
    Straying,
    ends_of,
    learn_passage,
    learn_straying,
)
from stages.association.pair_odds import FLICKER_S, UNSEEN_S, Odds, _best, at_edge
from stages.association.pairs import seen_together
from stages.association.partition import partition
from stages.association.reach import ASIDE, AWAY, ELSEWHERE, learn_reach
from stages.association.returning import Returning, learn_returning
from stages.contracts.tracklets import Tracklets
from stages.corrections.rows import HEADER
from stages.embed import no_embeddings
from stages.errors import DataError
from stages.merge import MergeParams, acquaint, main, merge, with_inside
from tests.conftest import ROOT
from tests.tables import box, embeddings_of, motionless, tracklets
from tests.test_rewire import detected

MERGE = MergeParams(
    enabled=True, max_gap_s=3600.0, reach=True, stature=True, company=True, settle=True, min_gain=1.4, temper=0.5, offset=0.0
)
DIM = 24
RED, BLUE, GREEN = np.eye(DIM)[:3]


def standing(frames: Any, x: float = 100, height: float = 100) -> dict[int, Any]:
    return {frame: box(x, 100, 40, height) for frame in frames}


def walking(frames: Any, x: float = 100, step: float = 5) -> dict[int, Any]:
    return {frame: box(x + step * frame) for frame in frames}


def people(table: Tracklets) -> list[list[int]]:
    """Frames of each id."""
    return [entry["frame_numbers"].tolist() for entry in table.to_dicts()]


def crowd(others: int = 6) -> tuple[dict[int, Any], dict[int, Any]]:
    """Bystanders, ids from 11, seen together all the time, each with a look of their own: what a video is calibrated by."""
    rng = np.random.default_rng(0)
    paths = {11 + k: standing(range(100), x=20 + 90 * k) for k in range(others)}
    return paths, {name: np.eye(DIM)[3 + int(name) - 11] + 0.1 * rng.normal(0, 1, (100, DIM)) for name in paths}


def noisy(look: Any, count: int, seed: int = 1) -> Any:
    return np.asarray(look) + 0.1 * np.random.default_rng(seed).normal(0, 1, (count, len(look)))


def test_who_looks_the_same_after_an_absence_is_one_person_and_the_audit_says_why() -> None:
    paths, looks = crowd()
    paths |= {1: standing(range(30), x=300), 2: standing(range(70, 100), x=500), 3: standing(range(60, 100), x=200)}
    looks |= {1: noisy(RED, 30), 2: noisy(RED, 30, 2), 3: noisy(BLUE, 40)}
    table = tracklets(paths)
    merged, audit = merge(table, embeddings_of(table, looks), motionless(table), MERGE)
    assert len(merged.ids) == len(table.ids) - 1
    (row,) = [row for row in audit if row.decision == "joined"]
    assert (row.tracklet_id, row.other_tracklet_id, row.merged_id) == (1, 2, 1)
    assert row.gap_s == pytest.approx(4.1)
    assert row.looks_nats > 3 > row.prior_nats
    odds = row.prior_nats + row.looks_nats + row.motion_nats + row.stature_nats + row.company_nats
    assert row.gain_nats == pytest.approx(odds, abs=1e-5)
    assert 0.5 < row.probability < 1
    assert (row.runner_up_tracklet_id, row.runner_up_nats) == (None, None), "nobody else looks like that"


def test_who_is_hardly_seen_is_not_told_apart_by_looks() -> None:
    """Found with half of the usual confidence, somebody is mostly hidden: looking otherwise says a quarter as much, or less."""
    nats = []
    for confidence in (1.0, 0.5):
        paths, looks = crowd()
        paths |= {1: standing(range(30), x=300), 2: standing(range(70, 100), x=310)}
        looks |= {1: noisy(RED, 30), 2: noisy(GREEN, 30)}
        table = tracklets(paths)
        table.confidences[table.tracklet_ids == 2] = confidence
        learnt = learn_looks(views_of(table, embeddings_of(table, looks)), table.fps, seen_together(table))
        nats.append(float(learnt.nats(np.array([0]), np.array([1]))[0]))
    assert nats[0] < 4 * nats[1] < 0


def test_how_clear_a_view_is_depends_on_the_videos_own_detector() -> None:
    """The 75th percentile is 0.8; from 0.95 of that on everybody is seen well."""
    assert clarities(np.array([0.38, 0.76, 0.8, 0.8, 0.9])) == pytest.approx([0.5, 1, 1, 1, 1])
    assert clarities(np.zeros(0)).shape == (0,)
    assert clarities(np.zeros(3)).tolist() == [0, 0, 0]


def test_who_looks_otherwise_is_not() -> None:
    paths, looks = crowd()
    paths |= {1: standing(range(30), x=300), 2: standing(range(70, 100), x=310)}
    looks |= {1: noisy(RED, 30), 2: noisy(GREEN, 30)}
    table = tracklets(paths)
    assert merge(table, embeddings_of(table, looks), motionless(table), MERGE)[0].ids.tolist() == list(range(1, 9))


def test_of_two_who_were_seen_together_the_likelier_returned() -> None:
    paths, looks = crowd()
    paths |= {1: standing(range(30), x=300), 2: standing(range(30), x=400), 3: standing(range(70, 100), x=350)}
    looks |= {1: noisy(RED, 30), 2: noisy(RED + 0.5 * BLUE, 30), 3: noisy(RED, 30, 3)}
    table = tracklets(paths)
    merged, audit = merge(table, embeddings_of(table, looks), motionless(table), MERGE)
    assert [*range(30), *range(70, 100)] in people(merged)
    joined = next(row for row in audit if row.decision == "joined")
    assert (joined.tracklet_id, joined.other_tracklet_id, joined.runner_up_tracklet_id) == (1, 3, 2)
    assert joined.runner_up_nats is not None
    assert joined.runner_up_nats > 0


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (standing(range(10)), standing(range(9, 20), x=300), "both are seen in frame 9"),
        (standing(range(0, 20, 2)), standing(range(1, 20, 2)), "they interlock"),
    ],
)
def test_who_is_seen_at_the_same_time_is_two_people(first: Any, second: Any, why: str) -> None:
    table = tracklets({1: first, 2: second})
    merged, _ = merge(table, embeddings_of(table, {1: RED, 2: RED}), motionless(table), MERGE)
    assert len(merged.ids) == 2, why


def test_what_all_have_in_common_makes_nobody_the_next_who_comes_by() -> None:
    """One at a time before one background: nothing in the video says for sure how alike two people are."""
    dress = [0, 1, 2, 3, 0]  # the last is the first again
    shared, varies = 2 * np.eye(DIM)[-1], 1 - np.eye(DIM)[-1]
    table = tracklets({1 + k: standing(range(30 * k, 30 * k + 25)) for k in range(len(dress))}, 150)
    looks = {1 + k: shared + varies * noisy(np.eye(DIM)[colour], 25, k) for k, colour in enumerate(dress)}
    nats = learn_looks(views_of(table, embeddings_of(table, looks)), table.fps, seen_together(table)).table(*[np.arange(5)] * 2)
    assert nats[0, 4] > 1.4 > 0 > max(nats[one, other] for one in range(4) for other in range(one))


def test_classes_never_mix() -> None:
    table = tracklets({1: walking(range(30)), 2: walking(range(32, 60))})
    table.class_ids[table.tracklet_ids == 2] = 1
    assert len(merge(table, embeddings_of(table, {}), motionless(table), MERGE)[0].ids) == 2


def test_cars_say_nothing_of_how_often_people_come_or_how_tall_they_are() -> None:
    paths, looks = crowd()
    paths |= {1: standing(range(100, 130), x=560), 2: standing(range(300, 330), x=560)}
    looks |= {1: noisy(RED, 30), 2: noisy(RED, 30, 2)}
    cars = {101 + k: walking(range(3 * k, 3 * k + 3), x=-50, step=2) for k in range(150)}
    tables = [tracklets(paths, num_frames=600), tracklets(paths | cars, num_frames=600)]
    tables[1].class_ids[tables[1].tracklet_ids > 100] = 2
    without, beside = (merge(table, embeddings_of(table, looks), motionless(table), MERGE)[1] for table in tables)
    assert [row for row in beside if row.tracklet_id <= 100] == without
    assert {(row.tracklet_id, row.other_tracklet_id) for row in without if row.decision == "joined"} >= {(1, 2)}


def test_cost_follows_the_tracklets_of_a_person_and_not_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside a person each is compared with the nearest before and after it alone, and the person stays whole."""
    monkeypatch.setattr("stages.merge.NEAREST", 2)
    paths, looks = crowd()
    back = {1 + k: standing(range(100 + 40 * k, 120 + 40 * k), x=560) for k in range(8)}
    looks |= {name: noisy(RED, 20, name) for name in back}
    table = tracklets(paths | back, num_frames=500)
    embeddings, none = embeddings_of(table, looks), np.zeros(0, np.int64)
    together, views = seen_together(table), views_of(table, embeddings)
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    labels = np.where(table.ids < 11, 0, np.arange(len(table.ids)))
    inside = with_inside(known, known.candidates().take(none), labels)
    assert sorted((inside.second - inside.first).tolist()) == [1] * 7 + [2] * 6
    whole = [100 + 40 * k + frame for k in range(8) for frame in range(20)]
    assert whole in people(merge(table, embeddings, motionless(table), MERGE)[0])


def test_the_audit_has_who_follows_whom_also_of_more_tracklets_than_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cut made has an id after all others, so ids are in no order of time."""
    monkeypatch.setattr("stages.merge.NEAREST", 2)
    monkeypatch.setattr("stages.association.pair_odds.MOST_CANDIDATES", 2)
    paths, looks = crowd()
    names = [4, 7, 1, 8, 3, 6, 2, 5]
    back = {name: standing(range(100 + 40 * k, 120 + 40 * k), x=560) for k, name in enumerate(names)}
    looks |= {name: noisy(RED, 20, name) for name in back}
    table = tracklets(paths | back, num_frames=500)
    audit = merge(table, embeddings_of(table, looks), motionless(table), MERGE)[1]
    joined = [(row.tracklet_id, row.other_tracklet_id) for row in audit if row.decision == "joined"]
    assert sorted(joined) == sorted(itertools.pairwise(names))


# Positions of two tracklets, and the odds that they are one person's. Of 0, 1 and 2 one follows the other, as 4 does 3.
PAIRS = {(4, 5): 0.5, (3, 2): 5, (2, 5): 2, (0, 1): 4, (1, 2): 3, (0, 2): 1, (3, 4): 6, (0, 4): 2, (1, 4): -5, (1, 5): 0,
         (6, 7): 1, (6, 5): -3}  # fmt: skip


def test_who_was_joined_or_not_by_how_much_and_who_came_second_by_hand() -> None:
    """4 + 1 nats tie 0 to what follows, 3 + 1 nats 1, and 6 nats 3. Instead of 3-4, 3-2 would gain 5 and cost the 4 of 1-2."""
    (first, second), total = np.array(list(PAIRS)).T, np.array(list(PAIRS.values()), dtype=float)
    none = np.zeros(len(total))
    odds = Odds(first, second, none, none, none, none, none, none, total)
    ids, merged = np.array([3, 5, 7, 11, 13, 17, 19, 23], np.int32), np.array([1, 1, 1, 2, 2, 3, 4, 4])
    begins = np.array([0, 10, 20, 5, 30, 40, 50, 60])
    rows = decisions(ids, merged, begins, odds, np.array([[1, 0]]), np.array([[5, 2]]), Sureness(0.5, 0.0))
    told = [(row.decision, row.tracklet_id, row.other_tracklet_id, row.gain_nats, row.runner_up_tracklet_id) for row in rows]
    assert told == [
        ("corrected", 3, 5, 5, 13),  # 0-4 would gain 2, and cost the 6 of 3-4
        ("refused", 3, 13, 2 - 5 - 6, 17),
        ("joined", 5, 7, 4 - 2, 11),  # 2-5 costs nothing
        ("refused", 7, 17, 2, 11),
        ("refused", 11, 7, 5 - 6 - 4, 17),
        ("joined", 11, 13, 6 - 1, 7),
        ("refused", 13, 17, 0.5, 7),  # 2-5 has as much as 0-4, and is the earlier in the table
        ("joined", 19, 23, 1, None),
    ]
    assert [row.runner_up_nats for row in rows] == [2, 0.5, 5, 5, 2, 5, 2, None]
    assert {place: row.probability for place, row in enumerate(rows) if row.probability in (0, 1)} == {0: 1, 3: 0}
    assert rows[2].probability == pytest.approx(1 / (1 + np.exp(-0.5 * 2)))


def test_without_looks_motion_joins_who_walks_on_behind_something() -> None:
    near = tracklets({1: walking(range(40)), 2: walking(range(48, 90))})
    assert len(merge(near, embeddings_of(near, {}), motionless(near), MERGE)[0].ids) == 1
    off_course = tracklets({1: walking(range(40)), 2: walking(range(48, 90), x=-100)})
    assert len(merge(off_course, embeddings_of(off_course, {}), motionless(off_course), MERGE)[0].ids) == 2
    much_later = tracklets({1: walking(range(20)), 2: walking(range(80, 100), x=-200)}, num_frames=1000)
    assert len(merge(much_later, embeddings_of(much_later, {}), motionless(much_later), MERGE)[0].ids) == 2


def test_where_nobody_was_embedded_motion_decides_without_a_warning() -> None:
    near = tracklets({1: walking(range(40)), 2: walking(range(48, 90))})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        merged, _ = merge(near, no_embeddings(detected(near)), motionless(near), MERGE)
    assert len(merged.ids) == 1


def test_motion_is_the_same_whichever_way_time_runs() -> None:
    ways = {1: walking(range(40)), 2: walking(range(48, 90), x=110), 3: standing(range(20, 60), x=400)}
    back = {name: {100 - frame: place for frame, place in way.items()} for name, way in ways.items()}
    there, again = learn_passage(tracklets(ways)), learn_passage(tracklets(back, num_frames=101))
    one, two, three = (np.array([k]) for k in range(3))
    assert there.nats(one, two) == pytest.approx(again.nats(two, one), abs=0.5)
    assert there.nats(one, two) > there.nats(three, two) + 1


def test_going_on_by_hand() -> None:
    """0 ends 100 px tall at (100, 300), walking 5 px a frame, of which 0.8 count; 1 begins 4 frames later, 90 px tall."""
    places = np.array([[[0, 0, 0], [130, 310, np.log(90)]], [[100, 300, np.log(100)], [0, 0, 0]]])
    velocities = np.array([[[0, 0, 0], [4, 2, 0]], [[5, 0, 0.01], [0, 0, 0]]])
    spread = np.array([0.1, 0.2, 0.3])
    straying = Straying(np.array([1.0, 4.0]), np.full((2, 3), 0.8), np.tile(spread, (2, 1)))
    passage = Passage(
        Ends(np.array([[0, 24], [20, 40]]), places, velocities), straying, np.array([0, -9.0]), np.array([-8.0, 0])
    )
    step = places[0, 1] - places[1, 0]
    forward = t(4, scale=spread * [100, 100, 1]).logpdf(step - 3.2 * velocities[1, 0]).sum() + 9
    backward = t(4, scale=spread * [90, 90, 1]).logpdf(step - 3.2 * velocities[0, 1]).sum() + 8
    assert passage.nats(np.array([0]), np.array([1])) == pytest.approx((forward + backward) / 2)


def test_people_begin_where_others_do_or_anywhere() -> None:
    """Feet of two 100 px tall, 60 px apart; of one's beginning the other's is the evidence, and not its own."""
    passage = learn_passage(tracklets({1: standing(range(10)), 2: standing(range(20, 30), x=160)}))
    kernel = norm.pdf(60, scale=KERNEL[0] * 100) * norm.pdf(0, scale=KERNEL[1] * 100) * norm.pdf(0, scale=KERNEL[2])
    expected = np.log((kernel + ANYWHERE / (640 * 480 * 3)) / (2 + ANYWHERE))
    assert passage.begins == pytest.approx([expected] * 2, abs=1e-5)
    assert passage.stops == pytest.approx([expected] * 2, abs=1e-5)


def test_an_end_is_half_a_second_of_its_own_boxes() -> None:
    """At 10 frames/s five frames more; 1 is there for the last three frames of the video, and 2 from its first."""
    there = {frame: box(100 + 60 * (frame in (5, 14))) for frame in range(20)}
    table = tracklets({1: {97: box(300), 98: box(310), 99: box(320)}, 2: there})
    ends = ends_of(table)
    slopes = [np.polyfit(range(6), [0, 0, 0, 0, 0, 60], 1)[0], np.polyfit(range(6), [60, 0, 0, 0, 0, 0], 1)[0]]
    assert ends.velocities[:, 1, 0] == pytest.approx(slopes)
    assert ends.velocities[:, 0, 0] == pytest.approx([10, 10])


def test_how_often_people_come_is_counted_from_the_second_second_on() -> None:
    """In ten seconds one of three begins then, and one more is believed to."""
    table = tracklets({1: standing(range(5)), 2: standing(range(5, 30), x=300), 3: standing(range(50, 60))})
    assert learn_returning(table, 3600.0) == Returning(births_per_s=0.2, longest_s=10.0)
    assert [learn_returning(table, longest).longest_s for longest in (4.0, 0.2)] == [4.0, 1.0]


def spots(xs: dict[int, float], begins: dict[int, int]) -> Tracklets:
    """People who stand for a second each, 100 px tall."""
    return tracklets({name: standing(range(begins[name], begins[name] + 10), x=x) for name, x in xs.items()}, num_frames=999)


def test_nobody_gets_farther_than_people_get() -> None:
    """Beginnings 1, 3 and 8 body heights from where 1 ended, each 2 seconds after; the kernels are made by hand."""
    table = spots({1: 100, 2: 200, 3: 400, 4: 900}, {1: 0, 2: 29, 3: 29, 4: 29})
    reach = learn_reach(ends_of(table), table.fps)
    away = np.array([0, 1, 3, 8])  # the first box of 1 itself is a beginning, too
    kernel = np.exp(-np.square(away / (ASIDE + 2 * AWAY)) / 2)
    by_hand = np.log((1 - ELSEWHERE) * kernel / kernel.mean() + ELSEWHERE)
    assert reach.nats(np.zeros(3, np.int64), np.arange(1, 4)) == pytest.approx(by_hand[1:], abs=1e-6)
    assert by_hand[1] > 0 > -2 > by_hand[3]
    at_most = reach.most_nats(np.zeros(1, np.int64), 2.0)
    assert at_most == pytest.approx(-np.log(kernel.mean()), abs=1e-6)
    child = tracklets({1: standing(range(10)), 2: {600: box(200, 150, height=50)}}, num_frames=999)
    nearness = np.exp(
        -np.square([0, 100]) / (100 * np.array([100, 50])) / (2 * (ASIDE + np.array([[32.0], [59.1]]) * AWAY) ** 2)
    )
    after_a_minute = np.log((1 - ELSEWHERE) * nearness[1, 1] / nearness[0].mean() + ELSEWHERE)
    found = learn_reach(ends_of(child), child.fps).nats(np.array([0]), np.array([1]))
    assert found == pytest.approx(after_a_minute, abs=1e-6), "in body heights of both"


def test_nobody_crosses_the_picture_in_two_seconds() -> None:
    """In thirty they do; what motion says stands in the audit."""
    said = []
    for gap, x, params in (
        (20, 1400, MERGE),
        (20, 380, MERGE),
        (300, 1400, MERGE),
        (20, 1400, dataclasses.replace(MERGE, reach=False)),
    ):
        paths, looks = crowd(others=12)
        paths |= {1: standing(range(30), x=300), 2: standing(range(30 + gap, 60 + gap), x=x)}
        looks |= {1: noisy(RED, 30), 2: noisy(RED, 30, 2)}
        table = tracklets(paths, num_frames=60 + max(gap, 40))
        _, audit = merge(table, embeddings_of(table, looks), motionless(table), params)
        said += [row.motion_nats for row in audit if (row.tracklet_id, row.other_tracklet_id) == (1, 2)]
    far, near, later, for_all_that = said
    assert far < -2.5 < -0.5 < near
    assert abs(later) < 0.5
    assert for_all_that > -1


def test_to_be_near_is_no_merit_of_who_was_never_seen() -> None:
    """False boxes come again where they were."""
    table = spots({1: 100, 2: 130, 3: 1200, 4: 1700}, {1: 0, 2: 90, 3: 90, 4: 90})
    known = acquaint(
        table, views_of(table, no_embeddings(detected(table))), motionless(table), seen_together(table), MERGE, "same_person"
    )
    one, two, far = (np.array([k]) for k in (0, 1, 2))
    assert known.reach is not None
    assert known.reach.nats(one, two) > 0.5
    assert known.odds(one, two).motion <= np.logaddexp(known.passage.nats(one, two) - 8.1 / UNSEEN_S, 0.0)
    assert known.odds(one, far).motion < -0.5


def test_nothing_is_said_of_who_was_not_seen_after_twelve_seconds_and_of_anybody_after_the_longest_absence() -> None:
    """After 1, 2 comes 12.0 s and 3 12.1 s later, both unseen; 4 12.1 s, 5 20.0 s and 6 20.1 s later, and they are seen."""
    begins = {1: 0, 2: 129, 3: 130, 4: 130, 5: 209, 6: 210}
    table = spots({1: 100, 2: 120, 3: 180, 4: 240, 5: 300, 6: 360}, begins)
    views = views_of(table, embeddings_of(table, {name: noisy(RED, 10, name) for name in (1, 4, 5, 6)}))
    params = dataclasses.replace(MERGE, max_gap_s=20.0, company=False)
    known = acquaint(table, views, motionless(table), seen_together(table), params, "same_person")
    odds = known.odds(np.zeros(5, np.int64), np.arange(1, 6))
    assert odds.gap_s.tolist() == [12.0, 12.1, 12.1, 20.0, 20.1]
    usual, moved = (nats != 0 for nats in (odds.prior, odds.motion))
    assert usual.tolist() == moved.tolist() == [True, False, True, True, False]
    assert (odds.stature != 0).tolist() == usual.tolist()
    assert (odds.looks != 0).tolist() == [False, False, True, True, True]
    assert odds.total[1] == 0
    assert odds.total[4] == pytest.approx(odds.looks[4], abs=1e-6)
    swapped = known.odds(np.arange(1, 6), np.zeros(5, np.int64))
    assert swapped.total.tolist() == odds.total.tolist(), "in any order"


@pytest.mark.parametrize(("returns", "expected"), [("same_person", 7), ("new_person", 8)])
def test_who_left_the_picture_and_returned_is_whom_the_sequence_says(returns: Any, expected: int) -> None:
    paths, looks = crowd()
    paths |= {1: walking(range(31), x=300, step=10), 2: walking(range(70, 100), x=600 + 700, step=-10)}
    looks |= {1: noisy(RED, 31), 2: noisy(RED, 30, 2)}
    table = tracklets(paths)
    assert at_edge(table, ends_of(table))[:, :2].tolist() == [[False, True], [True, False]]
    assert len(merge(table, embeddings_of(table, looks), motionless(table), MERGE, returns)[0].ids) == expected


def test_the_stage_reads_whether_who_returned_is_somebody_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 leaves over the left edge, and 2 comes in there a second later."""
    monkeypatch.chdir(tmp_path)
    table = tracklets({1: walking(range(20), x=100, step=-5), 2: walking(range(30, 50), x=-145, step=5)})
    table.save(Path("tracklets.npz"))
    embeddings_of(table, {}).save(Path("embeddings.npz"))
    motionless(table).save(Path("motion.npz"))
    Path("corrections.csv").write_text(HEADER)
    options = {"sequence": "hall", "pins": ROOT / "constraints/numerics.txt", "tracklets": "tracklets.npz",
               "embeddings": "embeddings.npz", "camera-motion": "motion.npz", "corrections": "corrections.csv",
               "merged": "merged.npz", "merges": "merges.csv", "timings": "t.json"}  # fmt: skip
    argv = ["merge", *(str(text) for name, value in options.items() for text in (f"--{name}", value))]
    monkeypatch.setattr("sys.argv", argv)
    found = []
    for returns in ("same_person", "new_person"):
        sections = {"merge": dataclasses.asdict(MERGE), "sequences": {"hall": {"returns": returns}}}
        Path("params.yaml").write_text(json.dumps(sections))  # JSON is YAML
        main()
        found.append(len(Tracklets.load(Path("merged.npz"), "hall").ids))
    assert found == [1, 2]


def test_one_comes_and_goes_by_the_sides_and_below() -> None:
    def moving(x: float, y: float, dx: float, dy: float) -> dict[int, Any]:
        return {frame: box(x + dx * frame, y + dy * frame) for frame in range(10)}

    ways = [
        moving(36, 100, -4, 0),
        moving(0, 200, 4, 0),
        moving(300, 340, 0, 4),
        moving(400, 36, 0, -4),
        moving(500, 200, 0, 0),
    ]
    table = tracklets(dict(enumerate(ways, 1)))
    came, left = at_edge(table, ends_of(table)).tolist()
    assert came == [False, True, False, False, False]
    assert left == [True, False, True, False, False]


def test_who_counts_as_somebody_new_left_or_came_in_and_was_away_for_a_moment() -> None:
    table = spots({1: 100, 2: 300}, {1: 0, 2: 90})
    blind = views_of(table, no_embeddings(detected(table)))
    known = acquaint(table, blind, motionless(table), seen_together(table), MERGE, "new_person")
    one, two, away_s = np.array([0]), np.array([1]), np.array([FLICKER_S])
    for left, came in itertools.product((False, True), repeat=2):
        asked = dataclasses.replace(known, leaves=np.array([[False, came], [left, False]]))
        assert asked.is_new(one, two, away_s + 0.1).tolist() == [left or came]
        assert not asked.is_new(one, two, away_s).any(), "lost at the edge"


def test_a_pair_is_among_the_likeliest_of_both() -> None:
    pairs = {(0, 2): 5.0, (1, 2): 4.0, (0, 3): 1.0, (1, 3): 2.0}
    (first, second), total = np.array(list(pairs)).T, np.array(list(pairs.values()))
    none = np.zeros(4)
    odds = Odds(first, second, none, none, none, none, none, none, total)
    assert [(kept.first.tolist(), kept.second.tolist()) for kept in (_best(odds, 1), _best(odds, 2))] == [
        ([0], [2]), (first.tolist(), second.tolist())
    ]  # fmt: skip


def test_the_longest_absence_is_a_parameter_and_what_lies_between_bridges_it() -> None:
    paths, looks = crowd()
    paths |= {1: standing(range(20), x=300), 2: standing(range(35, 55), x=300), 3: standing(range(70, 100), x=300)}
    looks |= {1: noisy(RED, 20), 3: noisy(RED, 30, 2)}
    short = dataclasses.replace(MERGE, max_gap_s=3.0)
    table = tracklets({name: path for name, path in paths.items() if name != 2})
    assert len(merge(table, embeddings_of(table, looks), motionless(table), short)[0].ids) == 8
    table = tracklets(paths)
    assert len(merge(table, embeddings_of(table, looks | {2: noisy(RED, 20, 3)}), motionless(table), short)[0].ids) == 7


def test_what_must_and_cannot_be_is() -> None:
    table = tracklets({1: walking(range(40)), 2: walking(range(48, 90)), 3: standing(range(50, 60), x=600)})
    nothing = embeddings_of(table, {})
    assert len(merge(table, nothing, motionless(table), MERGE, cannot=[(0, 1)])[0].ids) == 3
    merged, audit = merge(table, nothing, motionless(table), MERGE, must=[(0, 2)])
    assert [*range(40), *range(50, 60)] in people(merged)
    assert [(row.decision, row.probability) for row in audit if row.decision == "corrected"] == [("corrected", 1.0)]
    off = dataclasses.replace(MERGE, enabled=False)
    assert len(merge(table, nothing, motionless(table), off, must=[(0, 2)])[0].ids) == 2
    assert merge(table, nothing, motionless(table), off) == (table, [])
    with pytest.raises(DataError, match="expected one cluster or two"):
        merge(table, nothing, motionless(table), MERGE, must=[(1, 2)])


def test_what_a_person_said_of_one_class_says_nothing_of_another() -> None:
    """People 2 and 4 walk on behind something; cars 1 and 3 stand at two places."""
    cars = {1: standing(range(20), x=500), 3: standing(range(50, 60), x=100)}
    table = tracklets(cars | {2: walking(range(40)), 4: walking(range(48, 90))})
    table.class_ids[np.isin(table.tracklet_ids, list(cars))] = 2
    one_car, one_person = [*range(20), *range(50, 60)], [*range(40), *range(48, 90)]

    def ways(**said: Any) -> list[list[int]]:
        return sorted(people(merge(table, embeddings_of(table, {}), motionless(table), MERGE, **said)[0]))

    assert ways() == sorted([one_person, *(list(cars[name]) for name in cars)])
    assert ways(must=[(0, 2)]) == sorted([one_person, one_car])
    assert ways(must=[(0, 2)], cannot=[(1, 3)]) == sorted([one_car, list(range(40)), list(range(48, 90))])
    assert ways(cannot=[(0, 1), (1, 2), (2, 3)]) == ways(), "a person and a car are two in any case"


def test_where_merging_is_off_a_person_joins_those_alone_whom_a_row_names() -> None:
    """1 and 2 walk on behind something, as merging would find; 3 and 4 stand at two places."""
    spot = {3: standing(range(20), x=500), 4: standing(range(50, 60), x=600)}
    table = tracklets({1: walking(range(40)), 2: walking(range(48, 90))} | spot)
    off = dataclasses.replace(MERGE, enabled=False)
    merged, audit = merge(table, embeddings_of(table, {}), motionless(table), off, must=[(2, 3)])
    assert people(merged) == [[*range(40)], [*range(48, 90)], [*range(20), *range(50, 60)]]
    assert [(row.decision, row.tracklet_id, row.other_tracklet_id) for row in audit] == [("corrected", 3, 4)]


def test_nothing_to_merge_is_normal() -> None:
    table = tracklets({})
    assert merge(table, embeddings_of(table, {}), motionless(table), MERGE) == (table, [])


def test_a_partition_that_is_not_proved_the_best_is_said_with_its_bound(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table = tracklets({1: standing(range(20)), 2: standing(range(30, 50))}, 50)
    known = table, no_embeddings(detected(table)), motionless(table), MERGE
    with caplog.at_level("INFO", logger="retrace"):
        merge(*known)
        assert not caplog.messages, "two tracklets are solved to the optimum"
        monkeypatch.setattr("stages.merge.partition", lambda *args: dataclasses.replace(partition(*args), bound=1000.0))
        merge(*known)
    assert caplog.messages[0].endswith("nats, and by 1000.0 at most")


KNOWN = Calibration(same=0.6, other=0.0, variance=0.04, most_nats=4.0, least_nats=-2.0)


def of_two(cosine: float) -> float:
    """Density in KNOWN: of 20 pairs of people one may be dressed alike, with a spread of 0.4 instead of 0.2."""
    return float(0.95 * norm.pdf(cosine, 0, 0.2) + 0.05 * norm.pdf(cosine, 0, 0.4))


def test_nats_by_hand() -> None:
    """All seen, 0.6 is expected of one person, with a variance of 0.04 x (1 - 0.36) + 0.0025 x 0.36 = 0.0265.

    Beyond 0.6, the nats grow by the root of 0.6 times what the density of two people falls by. Seen by half, 0.3 is expected.
    """
    found = KNOWN.nats(np.array([0.3, 0.5, 0.7, 0.7]), np.array([1.0, 1.0, 1.0, 0.0]))
    at = {cosine: np.log(norm.pdf(cosine, 0.6, np.sqrt(0.0265)) / of_two(cosine)) for cosine in (0.3, 0.5, 0.6)}
    beyond = at[0.6] + np.sqrt(0.6) * np.log(of_two(0.6) / of_two(0.7)) - 4
    assert beyond > 0
    assert found.tolist() == pytest.approx([at[0.3], at[0.5], 4 + np.log1p(beyond), 0], abs=1e-6)
    half = np.log(norm.pdf(0.1, 0.3, np.sqrt(0.04 * (1 - 0.09) + 0.0025 * 0.09)) / of_two(0.1))
    assert KNOWN.nats(np.array([0.1]), np.array([0.5])).tolist() == pytest.approx([half], abs=1e-6)


@pytest.mark.parametrize("support", [0.01, 0.2, 0.5, 0.8, 1.0])
def test_the_more_alike_the_likelier_one_person(support: float) -> None:
    nats = KNOWN.nats(np.linspace(-1, 1, 201), np.full(201, support))
    assert (np.diff(nats) > 0).all()


def test_who_is_seen_well_and_only_half_alike_may_be_somebody_dressed_alike() -> None:
    known = KNOWN._replace(same=0.95)
    fully, hidden = known.nats(np.array([0.55, 0.55]), np.array([0.95, 0.6]))
    assert hidden > 2.5 > 1 > fully


def test_how_one_persons_views_differ_is_not_learnt_from_who_changed_person() -> None:
    """1 is in red and then in blue; so over the whole tracklet red and blue would be one person's variety."""
    paths, looks = crowd()
    paths |= {name: standing(range(60), x=560 + 60 * name) for name in (1, 2, 3)}
    looks |= {1: np.concatenate([noisy(RED, 30), noisy(BLUE, 30)]), 2: noisy(RED, 60, 2), 3: noisy(BLUE, 60, 3)}
    table = tracklets(paths)
    views, together = views_of(table, embeddings_of(table, looks)), seen_together(table)
    cosines = [
        np.prod(learn_looks(views, table.fps, together, pure).directions[[1, 2]], axis=0).sum() for pure in (True, False)
    ]
    assert cosines[0] > cosines[1] + 0.1


@pytest.mark.parametrize(("limit", "learnt"), [(8_000, [0, 1, 2, 3]), (2, [0, 2])])
def test_the_space_of_looks_is_that_of_weighted_views_about_their_middles(
    limit: int, learnt: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four views of two tracklets, all of which or every other are learnt from."""
    monkeypatch.setattr("stages.association.likeness.MAX_VIEWS", limit)
    seen, weights = np.array([[0.6, 0.8], [1, 0], [0, 1], [0.8, 0.6]]), np.array([1, 0.25, 0.5, 0.25])
    owners, rows = np.array([0, 0, 1, 1]), np.arange(4)
    views = Views(owners, rows, rows, np.ones(4), weights, rows, seen.astype(np.float16), 2)
    means, supports = np.array([[0.68, 0.64], [0.2, 0.9]], np.float32), np.array([0.8, 0.5])
    space = learn_space(views, means, supports, means, owners)
    assert space.centre == pytest.approx((0.64 * means[0] + 0.25 * means[1]) / 3.89)
    assert space.commonness == pytest.approx(4 * (3 / 3.89) ** 2 / (4 * (3 / 3.89) ** 2 + 1))
    own = (seen - means[owners])[learnt]
    within = own.T @ (weights[learnt][:, None] * own) / weights[learnt].sum()
    within += (np.trace(within) / 2 + 1e-6) * np.eye(2)
    whitening = space.whitening.astype(np.float64)
    assert np.linalg.inv(whitening @ whitening.T) == pytest.approx(within, rel=1e-2)


def test_who_was_never_seen_or_looks_as_all_do_has_no_direction() -> None:
    space = Space(np.array([0.5, 0.5], np.float32), np.eye(2, dtype=np.float32), 0.0)
    means = np.array([[0, 0], [0.5, 0.5], [0.5, 1]], np.float32)
    assert space.directions(means).tolist() == [[0, 0], [0, 0], [0, 1]]


PLAIN = Space(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), 0.0)


def test_two_seconds_of_a_tracklet_are_one_look_of_it() -> None:
    """At 10 frames/s; of weights 1 and 3 the views (1, 0) and (0, 1), as clear as 0.4 and 0.8, make the first look of 0."""
    frames, owners, rows = np.array([5, 19, 20, 19, 70]), np.array([0, 0, 0, 1, 1]), np.arange(5)
    clarities, weights = np.array([0.4, 0.8, 1, 0.5, 1]), np.array([1.0, 3, 1, 1, 1])
    table = np.array([[1, 0], [0, 1], [1, 0], [1, 0], [1, 0]], np.float16)
    parts = _blocks(Views(owners, rows, frames, clarities, weights, rows, table, 2), 10.0)
    assert [parts.owners.tolist(), parts.numbers.tolist()] == [[0, 0, 1, 1], [0, 1, 0, 3]]
    assert [parts.weights.tolist(), parts.of_views.tolist()] == [[4, 1, 1, 1], [0, 0, 1, 2, 3]]
    assert parts.means.tolist() == [[0.25, 0.75], [1, 0], [1, 0], [1, 0]]
    assert parts.supports == pytest.approx(support_of(np.array([2, 1, 1, 1]), np.array([0.7, 1, 0.5, 1])))


def test_one_persons_looks_are_compared_from_four_seconds_to_a_minute_apart_where_both_are_clear() -> None:
    """Parts of two seconds: 0, 1, 2 and 32 of one tracklet, all clear but part 34; 40 of another."""
    directions = np.array([[1, 0], [0.6, 0.8], [0, 1], [0.8, 0.6], [1, 0], [1, 0]], np.float32)
    owners, numbers = np.array([0, 0, 0, 0, 0, 1]), np.array([0, 1, 2, 32, 34, 40])
    supports = np.array([0.9, 0.8, 0.9, 0.8, 0.6, 0.9])
    blocks = Blocks(owners, numbers, supports, np.ones(6), directions, np.arange(6))
    cosines, whose = _same_cosines(blocks, PLAIN)
    assert cosines == pytest.approx([0.6 / 0.72, 0.0])  # parts 2 and 32, 0 and 2
    assert whose.tolist() == [0, 0]
    long = Blocks(np.zeros(40, np.int64), np.arange(40), np.ones(40), np.ones(40), np.ones((40, 2), np.float32), np.arange(40))
    assert len(_same_cosines(long, PLAIN)[0]) == sum(40 - step for step in range(2, 30))


def test_of_many_parts_of_one_person_some_of_all_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.association.likeness.MAX_PAIRS_A_STEP", 2)
    angles = np.array([0, 0.1, 0.3, 0.7, 1.5, 3.1])
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    blocks = Blocks(np.zeros(6, np.int64), np.arange(6), np.full(6, 0.9), np.ones(6), directions, np.arange(6))
    cosines, _ = _same_cosines(blocks, PLAIN)
    one, other = np.array([(0, 2), (2, 4), (0, 3), (2, 5), (0, 4), (1, 5), (0, 5)]).T
    assert cosines == pytest.approx(np.cos(angles[one] - angles[other]) / 0.81)


def test_strangers_are_examples_where_both_are_clear_and_of_many_some_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    directions, supports = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32), np.array([0.8, 0.8, 0.6])
    pairs = np.array([[0, 1], [0, 2], [1, 2], [1, 0], [1, 1]])
    assert _other_cosines(directions, supports, pairs) == pytest.approx([0.6, 0.6, 1])
    monkeypatch.setattr("stages.association.likeness.MAX_PAIRS", 2)
    assert _other_cosines(directions, supports, pairs) == pytest.approx([0.6, 1])


def test_where_strangers_are_as_alike_as_one_person_next_to_nothing_is_said() -> None:
    rng = np.random.default_rng(3)
    cosines = np.clip(rng.normal(0.6, 0.1, 400), -1, 1)
    blurred = calibrate(cosines, np.arange(400) % 40, cosines, commonness=0.0)
    assert np.abs(blurred.nats(np.linspace(0.3, 0.9, 7), np.ones(7))).max() < 0.8
    clear = calibrate(cosines, np.arange(400) % 40, cosines - 0.6, commonness=0.0)
    assert clear.nats(np.array([0.6]), np.ones(1)) > clear.most_nats


def test_the_densities_are_those_of_examples_and_of_what_is_believed_before() -> None:
    """A person is one example, however often compared: (0.8 + 0.5 + 10 x 0.68) / 12, with 0.68 = 0.2 + 0.8 x 0.6."""
    other = np.array([0.1, 0.2, 0.3])
    known = calibrate(np.array([0.8, 0.8, 0.8, 0.5]), np.array([4, 4, 4, 9]), other, commonness=0.2)
    assert known.same == pytest.approx(8.1 / 12)
    assert known.other == pytest.approx((0.6 + 10 * 0.2) / 13)
    assert known.variance == pytest.approx((0.01 + 0.01 + 10 * PRIOR.spread**2) / 13)
    assert (known.most_nats, known.least_nats) == pytest.approx((np.log(1003), -np.log(102)))
    assert calibrate(np.full(99, 1.4), np.arange(99), other, commonness=0.2).same == 1, (
        "of cosines of parts that are hardly seen"
    )


def test_more_views_are_more_support() -> None:
    assert support_of(np.array([0, 1, 6])).tolist() == pytest.approx([0, np.sqrt(1 / 2.5), np.sqrt(6 / 7.5)])


def test_unseen_looks_say_nothing() -> None:
    paths, looks = crowd()
    table = tracklets(paths | {1: standing(range(100), x=600)})
    found = learn_looks(views_of(table, embeddings_of(table, looks)), table.fps, seen_together(table))
    assert found.nats(np.array([0, 1]), np.array([1, 2]))[0] == 0
    assert found.table(np.array([0, 1]), np.array([1, 2]))[1, 1] < 0


def test_views_are_spread_evenly_and_means_weighted() -> None:
    table = tracklets({1: standing(range(10)), 2: standing(range(3), x=300)})
    views = views_of(table, embeddings_of(table, {1: RED, 2: BLUE}))
    assert views.counts().tolist() == [10, 3]
    chosen = spread(views, 4)
    assert chosen.counts().tolist() == [4, 3]
    assert np.diff(chosen.rows[:4]).tolist() in ([3, 2, 3], [2, 3, 2], [3, 3, 2], [2, 3, 3])
    confidences = table.confidences.copy()
    confidences[9] = 0.475  # half of 0.95, so its weight is 0.5 ** 4 + 0.001
    half = views_of(dataclasses.replace(table, confidences=confidences), embeddings_of(table, {1: RED, 2: BLUE}))
    groups = np.array([0] * 9 + [2] * 4)
    means = half.means(groups, 4)
    assert means[0] == pytest.approx(RED)
    assert means[2] == pytest.approx((0.0635 * RED + 3 * 1.001 * BLUE) / (0.0635 + 3.003), abs=1e-6)
    assert not means[[1, 3]].any()


def test_means_are_the_same_however_many_views_are_unpacked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    table = tracklets({1: standing(range(10)), 2: standing(range(3), x=300)})
    views = views_of(table, embeddings_of(table, {1: noisy(RED, 10), 2: BLUE}))
    whole = views.means(views.tracklets, 2)
    monkeypatch.setattr("stages.association.appearance.CHUNK", 4)
    assert views.means(views.tracklets, 2) == pytest.approx(whole, abs=1e-6)


def test_seen_together_by_hand() -> None:
    table = tracklets({4: standing(range(5)), 6: standing([4, 9], x=200), 9: standing(range(5, 9), x=300)})
    assert seen_together(table).tolist() == [[0, 1]]


def test_nobody_strays_into_another_tracklet_of_a_short_video() -> None:
    """All stand, one beside the other, for less than the longest lag: what is believed beforehand is left as it is."""
    standing_row = {k: standing(range(50), x=60 * k) for k in range(1, 9)}
    spreads = [learn_straying(tracklets(standing_row, num_frames)).spread[-1] for num_frames in (50, 1000)]
    assert spreads[0].tolist() == spreads[1].tolist()


def test_how_far_one_strays_by_hand() -> None:
    """One walks 0.05 body heights a frame for 100 frames at 10 frames/s; from the fourth on there is half a window before."""
    way = learn_straying(tracklets({1: walking(range(100))}))
    seconds, examples = way.lags / 10, 97 - way.lags
    shown, expected = examples / (examples + PRIOR_EXAMPLES), np.exp(-seconds / PRIOR_BELIEF_S)
    belief = shown + (1 - shown) * expected
    assert way.belief[:, 0] == pytest.approx(belief, abs=0.02)
    assert way.belief[:, 1] == pytest.approx(expected), "who does not move says nothing"
    left_over = MEDIAN_TO_SCALE * 0.05 * way.lags * (1 - way.belief[:, 0])
    before = PRIOR_STRAY[0] + PRIOR_STRAY[1] * seconds[:, None]
    assert way.spread[:, 0] == pytest.approx(shown * left_over + (1 - shown) * before[:, 0], rel=0.05)
    assert way.spread[:, 1] == pytest.approx(np.maximum((1 - shown) * before[:, 1], PRIOR_STRAY[0, 1] / 2))


def test_people_who_walk_straight_stray_less_than_they_walk() -> None:
    """5 px a frame at 10 frames/s and a height of 100 px: the velocity is believed, and little is left over."""
    way = learn_straying(tracklets({k: walking(range(100), x=20 * k) for k in range(1, 9)}))
    belief, spread = way.after(np.array([10.0, 20.0]))
    assert (belief[:, 0] > 0.9).all()
    assert (spread[:, 0] < 0.15).all()
    less, farther = way.after(np.array([2 * way.lags[-1]]))
    assert farther == pytest.approx(2 * way.spread[-1:])
    assert less == pytest.approx(way.belief[-1:] / 2)
