"""The boxes of somebody who is to be forgotten, as exclusions: all tracks of their identity, in every camera of the group."""

import numpy as np
from numpy.typing import NDArray

from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets
from stages.corrections.resolving import covering
from stages.corrections.rows import Place
from stages.exclusions import Exclusions
from stages.privacy.veil import person_regions

HOLD_S = 1.0  # before a stretch of boxes and after it: somebody is there before and after a tracker says so


def track_at(tracks: Tracklets, frame: int, bbox: NDArray[np.float64]) -> int | None:
    """The track that covers the box (4,) of a frame best, as for corrections; None where none does."""
    x1, y1, x2, y2 = bbox.tolist()
    row = covering(tracks, Place(frame, (x1, y1, x2, y2)))
    return None if row is None else int(tracks.tracklet_ids[row])


def exclusions_of_tracks(tracks: Tracklets, track_ids: NDArray[np.int32], detections: Detections, frames: range) -> Exclusions:
    """The boxes of these tracks, as smoothed and as detected, widened; `frames` are the clip's source frames.

    A box holds until the next frame of the clip, and a second beyond both ends of every stretch.
    """
    rows = np.flatnonzero(np.isin(tracks.tracklet_ids, track_ids))
    bboxes = tracks.bboxes[rows].astype(np.float64)
    seen = tracks.detection_indices[rows] >= 0
    found = detections.bboxes[tracks.detection_indices[rows[seen]]]
    bboxes[seen, :2] = np.minimum(bboxes[seen, :2], found[:, :2])
    bboxes[seen, 2:] = np.maximum(bboxes[seen, 2:], found[:, 2:])
    numbers, ids = tracks.frame_numbers[rows].astype(np.int64), tracks.tracklet_ids[rows]
    follows = (np.diff(numbers, prepend=-2) == 1) & (np.diff(ids, prepend=0) == 0)
    hold = round(HOLD_S * tracks.fps) * frames.step
    first = frames.start + numbers * frames.step
    last = first + frames.step - 1
    return Exclusions(
        np.maximum(np.where(follows, first, first - hold), 0),
        np.where(np.append(follows[1:], False), last, last + hold),
        person_regions(bboxes),
    )


def exclusion_of_box(frame: int, bbox: NDArray[np.float64], fps: float, frames: range) -> Exclusions:
    """One box (4,) of a frame of the clip, where nobody is tracked, held for a second."""
    hold = round(HOLD_S * fps) * frames.step
    first = frames.start + frame * frames.step
    return Exclusions(np.array([max(first - hold, 0)]), np.array([first + frames.step - 1 + hold]), person_regions(bbox[None]))
