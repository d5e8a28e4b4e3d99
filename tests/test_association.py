"""Split and merge: who is one person, who never, and what the audit says."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.association.appearance import centroid_distances, spread, views_of
from stages.association.changepoints import changes
from stages.association.linking import _link_component, link
from stages.association.motion import MotionParams, coexisting, ends_of, motion_pairs
from stages.contracts.tracklets import Tracklets
from stages.merge import MergeParams, merge
from stages.split import SplitParams, split
from tests.tables import box, embeddings_of, tracklets

MOTION = MotionParams(max_speed=1.5, slack=0.5, max_height_ratio=2.0, window_s=0.5, horizon_s=2.0)
MERGE = MergeParams(
    enabled=True, max_cost=0.3, max_gap_s=3.0, misfit_cost=0.05, motion_only_gap_s=0.4, motion_only_misfit=0.25,
    motion=MOTION,
)  # fmt: skip
SPLIT = SplitParams(enabled=True, min_distance=0.3, min_views=5, window_views=10)
RED, BLUE, REDDISH = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.3, 0.0)


def standing(frames: Any, x: float = 100, height: float = 100) -> dict[int, Any]:
    return {frame: box(x, 100, 40, height) for frame in frames}


def people(table: Tracklets) -> list[list[int]]:
    """Frames of each id."""
    return [entry["frame_numbers"].tolist() for entry in table.to_dicts()]


def test_a_tracklet_that_changes_person_is_cut_at_the_change() -> None:
    table = tracklets({1: standing(range(40))})
    colours = [RED] * 17 + [BLUE] * 23
    result, cuts = split(table, embeddings_of(table, {1: colours}), SPLIT)
    assert people(result) == [list(range(17)), list(range(17, 40))]
    (cut,) = cuts
    assert (cut.tracklet_id, cut.frame_number, cut.new_tracklet_id, cut.views_before, cut.views_after) == (1, 17, 2, 17, 23)
    assert cut.distance_whole == pytest.approx(1, abs=1e-3)


def test_a_slow_change_and_a_short_disturbance_are_no_change_of_person() -> None:
    """Turning from red to blue over 60 frames never changes at once; five frames of blue change nothing for good."""
    table = tracklets({1: standing(range(60))})
    angle = np.linspace(0, np.pi / 3, 60)
    turning = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(60)])
    assert split(table, embeddings_of(table, {1: turning}), SPLIT)[1] == []
    disturbed = [RED] * 30 + [BLUE] * 4 + [RED] * 26
    assert split(table, embeddings_of(table, {1: disturbed}), SPLIT)[1] == []


def test_without_embeddings_or_switched_off_tracklets_pass_through() -> None:
    table = tracklets({1: standing(range(40))})
    assert split(table, embeddings_of(table, {}), SPLIT) == (table, [])
    off = SplitParams(False, 0.3, 5, 10)
    assert split(table, embeddings_of(table, {1: [RED] * 20 + [BLUE] * 20}), off) == (table, [])


def test_a_change_needs_enough_on_both_sides() -> None:
    features = np.array([RED] * 4 + [BLUE] * 30)
    assert changes(features, window=10, min_length=5, min_distance=0.9) == []
    assert [change.index for change in changes(features, window=10, min_length=4, min_distance=0.9)] == [4]


def test_three_people_in_one_tracklet_are_three() -> None:
    features = np.array([RED] * 20 + [BLUE] * 20 + [(0.0, 0.0, 1.0)] * 20)
    assert [change.index for change in changes(features, 10, 5, 0.3)] == [20, 40]


def test_looks_join_across_a_gap_and_the_audit_says_why() -> None:
    table = tracklets({1: standing(range(10)), 2: standing(range(25, 40), x=110), 3: standing(range(30, 40), x=300)})
    merged, joins = merge(table, embeddings_of(table, {1: RED, 2: REDDISH, 3: BLUE}), MERGE)
    assert people(merged) == [[*range(10), *range(25, 40)], list(range(30, 40))]
    (join,) = joins
    assert (join.tracklet_id, join.other_tracklet_id, join.merged_id) == (1, 2, 1)
    assert join.gap_s == pytest.approx(1.6)
    assert join.appearance_distance == pytest.approx(1 - 1 / np.hypot(1, 0.3), abs=1e-3)
    assert join.cost == pytest.approx(join.appearance_distance + 0.05 * join.misfit_heights, abs=1e-6)
    assert join.runner_up_cost > join.cost


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (standing(range(10)), standing(range(9, 20), x=300), "both are seen in frame 9"),
        (standing(range(10)), standing(range(12, 20), x=500), "four heights in 0.3 s"),
        (standing(range(10)), standing(range(12, 20), height=230), "more than twice as tall"),
        (standing(range(10)), standing(range(45, 60)), "3.6 s apart"),
    ],
)
def test_vetoes_overrule_equal_looks(first: Any, second: Any, why: str) -> None:
    table = tracklets({1: first, 2: second})
    merged, joins = merge(table, embeddings_of(table, {1: RED, 2: RED}), MERGE)
    assert len(merged.ids) == 2, why
    assert joins == []


def test_a_long_absence_is_bridged_by_what_lies_between() -> None:
    """1 and 3 are 4 s apart, too far for a join; both are near 2."""
    table = tracklets({1: standing(range(10)), 2: standing(range(25, 35)), 3: standing(range(50, 60))})
    merged, joins = merge(table, embeddings_of(table, {1: RED, 2: RED, 3: RED}), MERGE)
    assert len(merged.ids) == 1
    assert len(joins) == 2


def test_without_looks_motion_joins_over_short_gaps_alone() -> None:
    def walking(frames: Any, x: float = 100) -> dict[int, Any]:
        return {frame: box(x + 5 * frame) for frame in frames}

    near = tracklets({1: walking(range(10)), 2: walking(range(12, 20))})
    assert len(merge(near, embeddings_of(near, {}), MERGE)[0].ids) == 1
    off_course = tracklets({1: walking(range(10)), 2: walking(range(12, 20), x=60)})
    assert len(merge(off_course, embeddings_of(off_course, {}), MERGE)[0].ids) == 2
    later = tracklets({1: walking(range(10)), 2: walking(range(16, 20))})
    assert len(merge(later, embeddings_of(later, {}), MERGE)[0].ids) == 2


def test_nothing_to_merge_is_normal() -> None:
    table = tracklets({})
    assert merge(table, embeddings_of(table, {}), MERGE) == (table, [])


def test_motion_by_hand() -> None:
    """Walking 5 px a frame at height 100: from frame 9 (x = 145) to frame 12 (x = 160) is 15 px, as both ends predict."""
    table = tracklets({1: {f: box(100 + 5 * f) for f in range(10)}, 2: {f: box(100 + 5 * f) for f in range(12, 20)}})
    pairs = motion_pairs(ends_of(table, 0.5), table.fps, MOTION)
    assert pairs.gap_s[0, 1] == pairs.gap_s[1, 0] == pytest.approx(0.3)
    assert pairs.misfit[0, 1] == pytest.approx(0, abs=1e-6)
    assert not pairs.impossible.any()
    assert not coexisting(table).any()


def test_views_are_spread_evenly_and_means_are_distances() -> None:
    table = tracklets({1: standing(range(10)), 2: standing(range(3), x=300)})
    views = views_of(table, embeddings_of(table, {1: RED, 2: BLUE}))
    assert views.counts().tolist() == [10, 3]
    chosen = spread(views, 4)
    assert chosen.counts().tolist() == [4, 3]
    assert np.diff(chosen.rows[:4]).tolist() in ([3, 2, 3], [2, 3, 2], [3, 3, 2], [2, 3, 3])
    assert centroid_distances(views)[0, 1] == pytest.approx(1, abs=1e-6)


costs = st.integers(2, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.4, np.nan]), min_size=n, max_size=n), min_size=n, max_size=n),
        st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n),
    )
)


@settings(max_examples=200, deadline=None)
@given(costs)
def test_linking_never_joins_the_forbidden_nor_exceeds_the_gate(tables: Any) -> None:
    cost, apart = (np.triu(np.array(table), 1) for table in tables)
    cost, apart = cost + cost.T, (apart + apart.T).astype(bool)
    labels, joins = link(cost, apart, 0.25)
    same = labels[:, None] == labels[None, :]
    assert not (same & apart).any()
    assert len(joins) == len(cost) - len(np.unique(labels))
    assert all(join.cost <= 0.25 and join.cost <= join.runner_up + 1e-12 for join in joins)
    assert (labels <= np.arange(len(labels))).all()


def test_linking_averages_known_pairs_by_hand() -> None:
    """0-1 join at 0.1. Then 2 is at (0.2 + 0.4) / 2 = 0.3 from both: over the gate of 0.25. 3 knows 0 alone: 0.2."""
    unknown = np.nan
    cost = np.array([[0, 0.1, 0.2, 0.2], [0.1, 0, 0.4, unknown], [0.2, 0.4, 0, 0.9], [0.2, unknown, 0.9, 0]])
    labels, joins = link(cost, np.zeros((4, 4), bool), 0.25)
    assert labels.tolist() == [0, 0, 2, 0]
    assert [(join.first, join.second) for join in joins] == [(0, 1), (0, 3)]
    assert [join.cost for join in joins] == pytest.approx([0.1, 0.2])


def test_where_somebody_returns_says_less_the_longer_the_absence() -> None:
    """Leaves on the left, comes back after 6 s ten heights to the right: too far for motion at 1 s, no matter after 6."""
    far = dataclasses.replace(MERGE, max_gap_s=60.0, motion=dataclasses.replace(MOTION, max_speed=20.0))
    for start, expected in ((20, 2), (70, 1)):
        table = tracklets({1: standing(range(10)), 2: standing(range(start, start + 10), x=1100)})
        merged, _ = merge(table, embeddings_of(table, {1: RED, 2: RED}), far)
        assert len(merged.ids) == expected


def test_linking_is_the_same_in_components_as_all_at_once() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        cost = np.triu(np.where(rng.random((12, 12)) < 0.2, np.nan, rng.random((12, 12))), 1)
        cost = cost + cost.T
        apart = np.triu(rng.random((12, 12)) < 0.2, 1)
        apart = apart | apart.T
        labels, joins = link(cost, apart, 0.25)
        whole, all_joins = _link_component(cost, apart, 0.25)
        assert labels.tolist() == whole.tolist()
        assert sorted(join.cost for join in joins) == sorted(join.cost for join in all_joins)
