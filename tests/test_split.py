"""Split: who changed person, and who did not."""

from typing import Any

import numpy as np
import pytest

from stages.association.changepoints import changes
from stages.contracts.tracklets import Tracklets
from stages.split import SplitParams, split
from tests.tables import box, embeddings_of, tracklets

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
