"""Axis-aligned boxes: x1, y1, x2, y2 in pixels, float arrays (N, 4)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 18  # boxes compared at a time


def iou(a: NDArray[Any], b: NDArray[Any], border_px: float = 0.0) -> NDArray[np.float64]:
    """(N, M) intersection over union of boxes a (N, 4) and b (M, 4); 0 where both are empty.

    `border_px` is added to every width and height: 1 counts a box's last pixel as inside, as ByteTrack's published IoU does.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(high - low + border_px, 0.0)
    intersection = sides[..., 0] * sides[..., 1]
    area_a = (a[:, 2] - a[:, 0] + border_px) * (a[:, 3] - a[:, 1] + border_px)
    area_b = (b[:, 2] - b[:, 0] + border_px) * (b[:, 3] - b[:, 1] + border_px)
    union = area_a[:, None] + area_b[None, :] - intersection
    return np.asarray(np.divide(intersection, union, out=np.zeros_like(union), where=union > 0))


def foot_points(bboxes: NDArray[Any]) -> NDArray[np.float64]:
    """(N, 2) middle of each box's lower edge, where a person stands."""
    return np.stack([(bboxes[:, 0] + bboxes[:, 2]) / 2, bboxes[:, 3]], axis=1).astype(np.float64)


def side_by_side(
    frames: NDArray[np.integer], starts: NDArray[np.floating], ends: NDArray[np.floating]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of rows of one frame of which the second starts where the first reaches, each pair once.

    frames, starts and ends (N,), sorted by frame and start: each row comes with the next one, then each with the one after
    that, as long as any reaches so far.
    """
    for step in range(1, len(frames)):
        left = np.flatnonzero((frames[step:] == frames[:-step]) & (starts[step:] <= ends[:-step]))
        if len(left) == 0:
            return
        yield left, left + step


def largest_overlaps(frame_numbers: NDArray[np.integer], bboxes: NDArray[Any]) -> NDArray[np.float64]:
    """(M,) largest IoU of each box (M, 4) with another of its frame (M,), in any order; 0 where it is alone.

    Some frames at a time: memory follows the boxes in those, not in the video.
    """
    order = np.lexsort((bboxes[:, 0], frame_numbers))
    frames = frame_numbers[order]
    largest = np.zeros(len(order))
    first = 0
    while first < len(order):
        last = int(np.searchsorted(frames, frames[min(first + BLOCK, len(order)) - 1], side="right"))
        rows = order[first:last]
        largest[rows] = _overlaps_in_frames(frames[first:last], bboxes[rows].astype(np.float64))
        first = last
    return largest


def _overlaps_in_frames(frames: NDArray[np.integer], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
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
