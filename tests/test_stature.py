"""Stature: how tall people are beside each other, wherever they stand."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from stages.association.appearance import views_of
from stages.association.pair_odds import HORIZON_S
from stages.association.pairs import seen_together
from stages.association.stature import (
    MISLED,
    PRIOR_WANDER,
    Statures,
    _fit,
    _trust,
    _wander,
    _whole_views,
    compare,
    learn_statures,
)
from stages.contracts.tracklets import Tracklets
from stages.merge import acquaint, merge
from tests.tables import box, embeddings_of, motionless, tracklets
from tests.test_merge import DIM, MERGE, RED, noisy

TALL, SHORT = 1.06, 0.94


def seen(stature: float, frames: range, near: float = 0.0, far: float = 1.0, seed: int = 0) -> dict[int, Any]:
    """Somebody who walks from one depth of a street, 0 near to 1 far, to another; boxes err by a hundredth of their height."""
    errors = np.random.default_rng(seed).normal(0, 0.01, len(frames))
    path = {}
    for frame, depth, error in zip(frames, np.linspace(near, far, len(frames)), errors, strict=True):
        foot = 420 - 220 * depth
        height = 0.5 * (foot - 60) * stature * np.exp(error)
        path[frame] = box(300 - 0.2 * height, foot - height, 0.4 * height, height)
    return path


def crowd(count: int = 12) -> dict[int, Any]:
    """People of all statures who walk along the street in all directions: ids from 101."""
    statures = np.linspace(0.9, 1.1, count)
    ends = np.random.default_rng(3).permutation(np.linspace(0, 1, 2 * count)).reshape(-1, 2)
    return {101 + k: seen(statures[k], range(300), ends[k][0], ends[k][1], k + 1) for k in range(count)}


def nats(paths: dict[int, Any], pairs: list[tuple[int, int]]) -> list[float]:
    table = tracklets(crowd() | paths, num_frames=2000)
    first, second = (np.searchsorted(table.ids, [pair[side] for pair in pairs]) for side in (0, 1))
    return list(learn_statures(table).nats(first, second))


def test_the_ratio_is_that_of_two_densities_of_a_difference() -> None:
    """Precision 4, logarithm 0.5, measured at (1, 0); precision 1, logarithm -0.1, measured at (1, 0.5)."""
    one, other = np.array([[4.0, 2.0, 4.0, 0.0]]), np.array([[1.0, -0.1, 1.0, 0.5]])
    same = 1 / 4 + 1 + 0.25
    usual, lucky = norm.pdf(0.6, scale=np.sqrt(same)), norm.pdf(0.6, scale=np.sqrt(same + 2))
    assert compare(one, other)[0] == pytest.approx(np.log((1 - MISLED) * usual / lucky + MISLED), abs=1e-6)
    assert compare(one, other) == compare(other, one)


def test_who_is_as_tall_may_be_the_same_and_who_is_not_is_not() -> None:
    paths = {1: seen(TALL, range(300, 400)), 2: seen(TALL, range(500, 600), 0.9, 0.2), 3: seen(SHORT, range(500, 600), 1, 0)}
    same, two, others = nats(paths, [(1, 2), (1, 3), (2, 3)])
    assert same > 0.8
    assert two < -2
    assert others < -2


def test_nobody_is_told_apart_for_sure() -> None:
    """One of them may have bent."""
    (giant,) = nats({1: seen(1.0, range(300, 400)), 2: seen(2.0, range(500, 600), 0.5, 1)}, [(1, 2)])
    assert giant == pytest.approx(np.log(MISLED), abs=1e-6)


def test_near_and_far_people_are_compared_as_far_as_others_have_stood_there() -> None:
    """How tall somebody looks who alone is so far away says nothing."""
    near = {k: seen(1 + 0.05 * (-1) ** k, range(300), 0, 0, k) for k in range(1, 9)}
    far = {11: seen(TALL, range(300, 400), 0.8, 0.8)}
    table = tracklets(near | far, num_frames=2000)
    one, eleven = (np.searchsorted(table.ids, [name]) for name in (1, 11))
    assert abs(learn_statures(table).nats(one, eleven)[0]) < 0.3
    others = {1: seen(SHORT, range(500, 600), 0.1, 0.1), 2: seen(TALL, range(500, 600), 0.1, 0.1)}
    short, tall = nats(far | others, [(1, 11), (2, 11)])
    assert short < -2
    assert tall > 0.8


def test_who_is_hidden_or_cut_off_is_not_measured() -> None:
    paths = {1: seen(TALL, range(300, 400)), 2: seen(TALL, range(500, 600)), 3: {600 + k: box(0, 100) for k in range(50)}}
    table = tracklets(crowd() | paths, num_frames=2000)
    table.confidences[table.tracklet_ids == 2] = 0.9
    one, hidden, cut = np.searchsorted(table.ids, [[1], [2], [3]])
    known = learn_statures(table)
    assert known.nats(one, hidden).tolist() == known.nats(hidden, one).tolist() == known.nats(one, cut).tolist() == [0.0]
    guessed = tracklets(crowd() | paths, num_frames=2000)
    guessed.detection_indices[guessed.tracklet_ids == 2] = -1  # nobody detected those boxes
    assert learn_statures(guessed).nats(one, hidden).tolist() == [0.0]


@pytest.mark.parametrize(("clear", "measured"), [(35, False), (39, False), (40, True), (45, True)])
def test_who_is_mostly_hidden_or_shares_a_box_is_not_measured_either(clear: int, measured: bool) -> None:
    """The few views that seem clear are wrong too often."""
    table = tracklets(crowd() | {1: seen(TALL, range(300, 400)), 2: seen(TALL, range(500, 600))}, num_frames=2000)
    table.confidences[np.flatnonzero(table.tracklet_ids == 2)[clear:]] = 0.9
    one, two = np.searchsorted(table.ids, [[1], [2]])
    assert (learn_statures(table).nats(one, two)[0] > 0.5) == measured


def test_who_is_within_a_tenth_of_their_height_of_any_border_may_be_cut_off() -> None:
    """Of a picture of 640 x 480 px; 10 px are too near."""
    whole = [(11, 11), (589, 369)]
    near = [(10, 11), (11, 10), (590, 369), (589, 370)]
    table = tracklets({1 + n: {0: box(*where)} for n, where in enumerate(whole + near)})
    assert table.tracklet_ids[_whole_views(table)].tolist() == [1, 2]


def at_twice_the_rate(table: Tracklets) -> Tracklets:
    """The same video with each picture twice."""
    paths = {int(path["tracklet_id"]): path for path in table.to_dicts()}
    twice = {
        name: {2 * f + k: tuple(edges) for f, edges in zip(path["frame_numbers"], path["bboxes"], strict=True) for k in (0, 1)}
        for name, path in paths.items()
    }
    return tracklets(twice, num_frames=2 * table.num_frames, fps=2 * table.fps)


@pytest.mark.parametrize("fewer", [False, True])
def test_twice_as_many_pictures_a_second_say_no_more(fewer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where, of so many, the surface is learnt from fewer."""
    table = tracklets(crowd() | {1: seen(TALL, range(300, 400))}, num_frames=2000)
    once = learn_statures(table).sums
    if fewer:
        monkeypatch.setattr("stages.association.stature.MAX_VIEWS", len(table))
    assert learn_statures(at_twice_the_rate(table)).sums == pytest.approx(once, rel=1e-6, abs=1e-9)


def test_who_is_not_measured_says_nothing_of_others() -> None:
    cut_off = {500 + k: {600 + k: box(0, 100)} for k in range(20)}
    alone, among = (learn_statures(tracklets(paths, num_frames=2000)).sums for paths in (crowd(), crowd() | cut_off))
    assert among[:12] == pytest.approx(alone)
    assert not among[12:].any()


def test_how_unlike_people_are_is_found_also_where_each_is_seen_twice_and_some_bend() -> None:
    """200 people, whose statures and views vary by 5 %; a tenth of the views are of who bends."""
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(200), 2)
    logs, bent = 5 + rng.normal(0, 0.05, 200)[owners] + rng.normal(0, 0.05, 400), rng.random(400) < 0.1
    surface, _, _, spread = _fit(owners, logs, np.ones((400, 1)), 200, 1.0)
    assert surface == pytest.approx([5], abs=0.01)
    assert np.sqrt(spread) == pytest.approx(0.05, abs=0.005)
    surface, _, noise, _ = _fit(owners, logs - 0.5 * bent, np.ones((400, 1)), 200, 1.0)
    assert surface == pytest.approx([5], abs=0.02), "as a mean it would be 0.05 less"
    assert np.sqrt(noise) < 0.1


def test_how_statures_wander_is_usual_of_who_was_seen_in_several_parts_of_the_video() -> None:
    """Means of parts: 0.3 and -0.1 of 0, 0.1 and -0.1 of 2, 0, 0.2 and -0.2 of 3; 1 was seen in one, and 4 changed person."""
    views = [
        (0, 0, 0.4, 1), (0, 0, 0.2, 1), (0, 1, -0.1, 1), (1, 1, 0.2, 1), (2, 1, 0.4, 1), (2, 1, 0.0, 3), (2, 2, -0.1, 1),
        (3, 0, 0.0, 1), (3, 1, 0.2, 1), (3, 2, -0.2, 1), (4, 2, 0.9, 1), (4, 3, -0.9, 1),
    ]  # fmt: skip
    owners, parts, deviations, weights = (np.array(column) for column in zip(*views, strict=True))
    usual = np.median([0.3**2 + 0.1**2, 2 * 0.1**2, 2 * 0.2**2 / 2, 2 * 0.9**2])
    expected = (4 * usual + 10 * PRIOR_WANDER) / 14
    assert _wander(owners, parts, deviations, weights.astype(np.float64), 5) == pytest.approx(expected)


def test_some_boxes_that_are_cut_by_a_bench_change_little() -> None:
    whole = {1: seen(TALL, range(300, 400)), 2: seen(TALL, range(500, 600))}
    partly = whole | {2: dict(whole[2])}
    for frame in range(520, 545):
        x1, y1, x2, y2 = partly[2][frame]
        partly[2][frame] = (x1, y1, x2, y2 - 0.3 * (y2 - y1))
    (before,), (after,) = nats(whole, [(1, 2)]), nats(partly, [(1, 2)])
    assert after > before - 0.3


def test_where_somebody_stood_is_where_they_stood_upright() -> None:
    """A quarter of the views, from farther up the street, are of a box that is too short."""
    upright = seen(TALL, range(500, 600), 0.3, 0.3)
    bent = seen(TALL, range(500, 525), 0.9, 0.9, 2)
    partly = upright | {f: (x1, y1 + 0.3 * (y2 - y1), x2, y2) for f, (x1, y1, x2, y2) in bent.items()}
    before, after = (
        learn_statures(tracklets(crowd() | {1: path}, num_frames=2000)).sums[0]
        for path in ({f: edges for f, edges in upright.items() if f >= 525}, partly)
    )
    assert after[2:] / after[0] == pytest.approx(before[2:] / before[0], rel=0.05)


def test_views_weigh_as_by_students_density_of_four_degrees_of_freedom() -> None:
    assert _trust(np.array([0.0, 1.0, 16.0])).tolist() == [1.25, 1.0, 0.25]


def test_where_people_bend_from_time_to_time_stature_says_little() -> None:
    """Everybody is a fifth shorter for every other three seconds."""
    paths = crowd() | {1: seen(TALL, range(300, 400)), 2: seen(SHORT, range(500, 600))}
    table = tracklets(paths, num_frames=2000)
    bent = table.frame_numbers // 30 % 2 == 1
    table.bboxes[bent, 1] += 0.2 * (table.bboxes[bent, 3] - table.bboxes[bent, 1])
    one, two = np.searchsorted(table.ids, [[1], [2]])
    assert -1 < learn_statures(table).nats(one, two)[0] < 0.3


def test_sums_of_tracklets_are_the_persons() -> None:
    """Three rows of one person as one row: as precise as all of them together."""
    rows = np.array([[2.0, 0.4, 2.0], [1.0, 0.1, 1.0], [3.0, 0.6, 3.0]])
    other = np.array([[5.0, 1.0, 5.0]])
    alone, together = compare(rows[:1], other), compare(rows.sum(axis=0, keepdims=True), other)
    assert 0 < alone[0] < together[0]
    assert Statures(rows).most_nats == pytest.approx(np.log(4) / 2)
    assert compare(rows[2:], rows[2:])[0] < Statures(rows).most_nats


def alike(statures: tuple[float, float]) -> tuple[Tracklets, dict[int, Any]]:
    """Two tracklets that look the same, among a crowd in which each looks otherwise; the second is shorter, if at all."""
    paths = crowd(6) | {1: seen(statures[0], range(430, 530)), 2: seen(statures[1], range(700, 800), 0.9, 0.1)}
    looks = {101 + k: noisy(np.eye(DIM)[3 + k], 300, k) for k in range(6)}
    looks |= {1: noisy(RED, 100), 2: noisy(RED, 100, 2)}
    return tracklets(paths, num_frames=2000), looks


def test_two_who_dress_alike_are_told_apart_by_their_stature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.association.returning.AGAIN", 0.005)  # so that looks alone hardly suffice
    joined = []
    for statures in ((TALL, TALL), (TALL, SHORT)):
        for counts in (True, False):
            table, looks = alike(statures)
            params = dataclasses.replace(MERGE, stature=counts)
            merged, audit = merge(table, embeddings_of(table, looks), motionless(table), params)
            joined.append(len(merged.ids) < len(table.ids))
            assert [abs(row.stature_nats) > 0.5 for row in audit if row.decision == "joined"] == [counts] * joined[-1]
    assert joined == [True, True, False, True]


def test_stature_alone_joins_nobody_after_an_absence() -> None:
    table, _ = alike((TALL, TALL))
    assert (700 - 529) / table.fps > HORIZON_S
    merged, _ = merge(table, embeddings_of(table, {}), motionless(table), MERGE)
    assert len(merged.ids) == len(table.ids)


def test_after_a_moment_motion_knows_how_tall_somebody_is() -> None:
    """Stature counts as far as ways do not: sizes at both ends are part of them."""
    paths = crowd(6) | {1: seen(TALL, range(430, 530)), 2: seen(TALL, range(532, 600)), 3: seen(TALL, range(900, 999))}
    table = tracklets(paths, num_frames=2000)
    looks = dict.fromkeys((1, 2, 3), RED)
    together, views = seen_together(table), views_of(table, embeddings_of(table, looks))
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    one, two, three = np.searchsorted(table.ids, [[1], [2], [3]])
    soon, later = known.odds(one, two), known.odds(one, three)
    assert 0 < soon.stature[0] < 0.1 * later.stature[0]
    assert later.stature == known.statures.nats(one, three)
    assert later.total[0] == pytest.approx((later.prior + later.looks + later.motion + later.stature)[0], abs=1e-6)


def test_a_video_without_anybody_has_no_statures() -> None:
    empty = tracklets({})
    assert learn_statures(empty).sums.shape[0] == 0
    assert learn_statures(empty).most_nats == 0.0
