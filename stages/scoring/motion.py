"""How boxes of tracklets move and overlap: what the tables of `analyze` are computed from. Linear in the boxes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.boxes import side_by_side
from stages.contracts.tracklets import Tracklets

Rows = NDArray[np.intp]
BLOCK = 1 << 18  # boxes compared at a time


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


def largest_overlaps(tracklets: Tracklets) -> NDArray[np.float64]:
    """(M,) largest IoU of each box with another tracklet's box of the same frame; 0 where it is alone.

    Some frames at a time: memory follows the boxes in those, not in the video.
    """
    order = np.lexsort((tracklets.bboxes[:, 0], tracklets.frame_numbers))
    frames = tracklets.frame_numbers[order]
    largest = np.zeros(len(order))
    first = 0
    while first < len(order):
        last = int(np.searchsorted(frames, frames[min(first + BLOCK, len(order)) - 1], side="right"))
        rows = order[first:last]
        largest[rows] = _overlaps_in_frames(frames[first:last], tracklets.bboxes[rows].astype(np.float64))
        first = last
    return largest


def _overlaps_in_frames(frames: NDArray[np.int32], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) largest IoU of each box (K, 4) with another of its frame; rows are sorted by frame and x1."""
    largest = np.zeros(len(frames))
    for left, right in side_by_side(frames, boxes[:, 0], boxes[:, 2]):
        overlaps = _paired_iou(boxes[left], boxes[right])
        largest[left] = np.maximum(largest[left], overlaps)
        largest[right] = np.maximum(largest[right], overlaps)
    return largest


def _paired_iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) IoU of each box of a (N, 4) with the box of b (N, 4) in the same row; 0 where both are empty."""
    sides = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0.0)
    intersection = sides.prod(axis=1)
    union = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - intersection
    return np.asarray(np.divide(intersection, union, out=np.zeros_like(union), where=union > 0))
