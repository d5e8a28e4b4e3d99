"""People whom the picture's border cuts, in boxes as large as the whole person.

A detector that sees half a person draws half a box. MOTChallenge's ground truth since MOT16 (Milan et al. 2016, annotation
rules) has the whole: boxes reach beyond the picture. How large somebody is the same track says, from when they were seen whole.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets, with_bboxes

Array = NDArray[np.float64]
AtBorder = Literal["seen", "whole"]  # boxes end where the picture ends, or are as large as the person

NEAR = 0.03  # of a box's height: a side so near the border ends there
REMEMBERED_S = 1.0  # of boxes nearest in time, whose median says how large somebody is: over steps, and whatever hid a part
MAX_BEYOND_PX = 2.0  # that boxes of a detector which ends them at the border reach beyond it


def complete_at_border(tracklets: Tracklets) -> Tracklets:
    """The tracklets with boxes that end at the picture's border grown beyond it, to the size of the person.

    A box cut below or above becomes as high as the same person's boxes nearest in time that nothing cuts, and one cut at a side
    as wide, in proportion to its height. Tracklets that are cut in every frame stay as they are. So does everything where a box
    reaches beyond the picture: the detector has completed its boxes itself.
    """
    bboxes = tracklets.bboxes.astype(np.float64)
    size = np.array([tracklets.width_px, tracklets.height_px], dtype=np.float64)
    if (bboxes[:, :2] < -MAX_BEYOND_PX).any() or (bboxes[:, 2:] > size + MAX_BEYOND_PX).any():
        return tracklets
    near = NEAR * (bboxes[:, 3] - bboxes[:, 1])[:, None]
    cut = np.concatenate([bboxes[:, :2] <= near, bboxes[:, 2:] >= size - near], axis=1)
    offsets = tracklets.offsets()
    for a, b in zip(offsets[:-1], offsets[1:], strict=True):
        rows = a + np.flatnonzero(cut[a:b].any(axis=1))
        whole = a + np.flatnonzero(~cut[a:b].any(axis=1))
        if len(rows) and len(whole):
            sizes = _nearest_sizes(bboxes[whole], tracklets.frame_numbers[whole], tracklets.frame_numbers[rows],
                                   max(round(REMEMBERED_S * tracklets.fps), 1))  # fmt: skip
            bboxes[rows] = _grown(bboxes[rows], cut[rows], sizes)
    return with_bboxes(tracklets, bboxes)


def _nearest_sizes(bboxes: Array, frames: NDArray[np.int32], wanted: NDArray[np.int32], count: int) -> Array:
    """(K, 2) width and height: medians of the `count` boxes (N, 4), of ascending frames (N,), nearest to wanted frames (K,)."""
    sizes = bboxes[:, 2:] - bboxes[:, :2]
    found = np.empty((len(wanted), 2))
    for k, (frame, place) in enumerate(zip(wanted, np.searchsorted(frames, wanted), strict=True)):
        low = max(place - count, 0)
        order = np.argsort(np.abs(frames[low : place + count] - frame), kind="stable")[:count]
        found[k] = np.median(sizes[low + order], axis=0)
    return found


def _grown(bboxes: Array, cut: NDArray[np.bool_], sizes: Array) -> Array:
    """(K, 4) boxes whose cut sides (K, 4) move outward to sizes (K, 2): where two opposite ones are cut the lower, and neither
    of left and right."""
    x1, y1, x2, y2 = bboxes.T
    left, above, right, below = cut.T
    width, height = sizes.T
    missing = np.maximum(height - (y2 - y1), 0.0)
    y1, y2 = np.where(above & ~below, y1 - missing, y1), np.where(below, y2 + missing, y2)
    missing = np.maximum(width * (y2 - y1) / height - (x2 - x1), 0.0)
    x1, x2 = np.where(left & ~right, x1 - missing, x1), np.where(right & ~left, x2 + missing, x2)
    return np.stack([x1, y1, x2, y2], axis=1)
