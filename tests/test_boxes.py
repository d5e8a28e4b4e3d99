"""Boxes of one frame: which lie side by side."""

import numpy as np

from stages.boxes import side_by_side


def test_rows_of_one_frame_that_reach_each_other_come_in_pairs_once() -> None:
    """Frame 0: 0 to 30 reaches those at 10 and 20, 10 to 15 nobody; frame 1: two that touch; frame 2: one alone."""
    frames = np.array([0, 0, 0, 0, 1, 1, 2])
    starts, ends = np.array([0.0, 10, 20, 31, 5, 8, 8]), np.array([30.0, 15, 25, 40, 8, 9, 9])
    found = [(int(a), int(b)) for left, right in side_by_side(frames, starts, ends) for a, b in zip(left, right, strict=True)]
    assert found == [(0, 1), (4, 5), (0, 2)]
    assert list(side_by_side(frames[:1], starts[:1], ends[:1])) == list(side_by_side(frames[:0], starts[:0], ends[:0])) == []
