"""How boxes of tracklets move: what the tables of `analyze` are computed from. Linear in the boxes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Steps:
    """K pairs of rows of the same tracklet, one after the other."""

    before: Rows  # (K,)
    after: Rows  # (K,)

    def lengths(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(K,) distances between the rows' points (M, 2), in the points' unit."""
        return np.asarray(np.linalg.norm(points[self.after] - points[self.before], axis=1))

    def heights_px(self, tracklets: Tracklets) -> NDArray[np.float64]:
        """(K,) mean height of the two boxes; a box counts as at least one pixel tall."""
        heights = np.maximum(box_heights(tracklets), 1.0)
        return (heights[self.before] + heights[self.after]) / 2

    def total(self, lengths: NDArray[np.float64], tracklets: Tracklets) -> NDArray[np.float64]:
        """(T,) sum of lengths (K,) for each tracklet of `tracklets.ids`."""
        ids = tracklets.ids
        owners = np.searchsorted(ids, tracklets.tracklet_ids[self.after])
        return np.bincount(owners, weights=lengths, minlength=len(ids)).astype(np.float64)  # integers where there are none


def box_heights(tracklets: Tracklets) -> NDArray[np.float64]:
    """(M,) px."""
    return (tracklets.bboxes[:, 3] - tracklets.bboxes[:, 1]).astype(np.float64)


def centres(tracklets: Tracklets) -> NDArray[np.float64]:
    """(M, 2) px."""
    boxes = tracklets.bboxes.astype(np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def every_step(tracklets: Tracklets) -> Steps:
    """From each box to the next of its tracklet."""
    return _steps(tracklets, np.arange(len(tracklets)))


def sampled_steps(tracklets: Tracklets, step_s: float) -> Steps:
    """From the first box of each interval of `step_s` seconds to the next interval's, and to the tracklet's last box.

    A path over every box would add up the detector's jitter: someone who stands still would walk.
    """
    offsets = tracklets.offsets()
    births = np.repeat(tracklets.frame_numbers[offsets[:-1]], np.diff(offsets))
    intervals = np.floor((tracklets.frame_numbers - births) / (tracklets.fps * step_s))
    sampled = np.diff(intervals, prepend=-1.0) != 0
    sampled[offsets[:-1]] = True
    sampled[offsets[1:] - 1] = True
    return _steps(tracklets, np.flatnonzero(sampled))


def _steps(tracklets: Tracklets, rows: Rows) -> Steps:
    same = np.diff(tracklets.tracklet_ids[rows]) == 0
    return Steps(rows[:-1][same], rows[1:][same])
