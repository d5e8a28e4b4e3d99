"""Gaps in tracks, filled: straight lines between both ends, and unused detections that lie on them.

A detection too weak to be tracked is still better evidence than a line, so where one that no track uses overlaps an
interpolated box well, it takes that box's place.
"""

import numpy as np
from numpy.typing import NDArray

from stages.boxes import iou
from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets, make_tracklets

FILLED_CONFIDENCE = 0.5  # of the weaker end: a filled box is a guess


def fill_gaps(tracklets: Tracklets, max_gap_frames: int) -> Tracklets:
    """The tracklets with every gap of at most so many missing frames filled by linear interpolation.

    Filled rows have detection index -1 and half the confidence of the weaker end.
    """
    same = np.diff(tracklets.tracklet_ids) == 0
    missing = np.where(same, np.diff(tracklets.frame_numbers) - 1, 0)
    before = np.flatnonzero((missing > 0) & (missing <= max_gap_frames))
    counts = missing[before]
    left = np.repeat(before, counts)
    step = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    share = (step / (np.repeat(counts, counts) + 1))[:, None]
    bboxes = (1 - share) * tracklets.bboxes[left] + share * tracklets.bboxes[left + 1]
    weaker = np.minimum(tracklets.confidences[left], tracklets.confidences[left + 1])
    return make_tracklets(
        tracklets,
        np.concatenate([tracklets.tracklet_ids, tracklets.tracklet_ids[left]]),
        np.concatenate([tracklets.frame_numbers, tracklets.frame_numbers[left] + step]),
        np.concatenate([tracklets.bboxes, bboxes]),
        np.concatenate([tracklets.confidences, weaker * FILLED_CONFIDENCE]),
        np.concatenate([tracklets.class_ids, tracklets.class_ids[left]]),
        np.concatenate([tracklets.detection_indices, np.full(len(left), -1)]),
    )


def adopt_detections(tracklets: Tracklets, detections: Detections, min_iou: float) -> Tracklets:
    """The tracklets with filled boxes replaced by unused detections of their class that overlap by at least `min_iou`.

    Within a frame the best overlap chooses first; a detection serves once.
    """
    bboxes, confidences = tracklets.bboxes.copy(), tracklets.confidences.copy()
    indices = tracklets.detection_indices.copy()
    unused = np.ones(len(detections), dtype=bool)
    unused[indices[indices >= 0]] = False
    filled = np.flatnonzero(indices < 0)
    filled = filled[np.argsort(tracklets.frame_numbers[filled], kind="stable")]
    offsets = detections.frame_offsets()
    frames, starts = np.unique(tracklets.frame_numbers[filled], return_index=True)
    for frame, rows in zip(frames, np.split(filled, starts[1:]), strict=False):
        candidates = np.arange(offsets[frame], offsets[frame + 1])
        candidates = candidates[unused[candidates]]
        overlap = iou(bboxes[rows], detections.bboxes[candidates])
        overlap[tracklets.class_ids[rows][:, None] != detections.class_ids[candidates][None, :]] = 0
        for row, column in _best_first(overlap, min_iou):
            indices[rows[row]] = candidates[column]
    adopted = filled[indices[filled] >= 0]
    bboxes[adopted] = detections.bboxes[indices[adopted]]
    confidences[adopted] = detections.confidences[indices[adopted]]
    return make_tracklets(
        tracklets, tracklets.tracklet_ids, tracklets.frame_numbers, bboxes, confidences, tracklets.class_ids, indices
    )


def _best_first(overlap: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of overlap (R, C) at or above `least`, the greatest first, each row and column once."""
    pairs: list[tuple[int, int]] = []
    overlap = overlap.copy()
    while overlap.size and overlap.max() >= max(least, 1e-9):
        row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
        pairs.append((int(row), int(column)))
        overlap[row, :] = overlap[:, column] = 0
    return pairs
