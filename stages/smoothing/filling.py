"""Gaps in tracks, filled with lines between both ends that are straight as from a camera that stands still.

A gap is filled where the line is where the person was heading before it, or came from after it: else they stood, turned or
went another way unseen, or are two people, and a line between them hits nobody. Asked of both sides, TUD-Stadtmitte loses
4 HOTA, where people turn behind others. Weak detections that no track uses and that lie on such a line gain nothing in its
place: measured, and left out.
"""

import numpy as np
from numpy.typing import NDArray

from stages.association.motion import X, Y, ends_at
from stages.association.still_view import StillView
from stages.contracts.tracklets import Tracklets, make_tracklets, with_bboxes

FILLED_CONFIDENCE = 0.5  # of the weaker end: a filled box is a guess
STRAIGHT = 0.4  # body heights that a line's end may be off where the person was heading


def fill_gaps(tracklets: Tracklets, max_gap_frames: int, view: StillView) -> Tracklets:
    """The tracklets with straight gaps of at most so many missing frames filled by linear interpolation in `view`.

    Filled rows have detection index -1 and half the confidence of the weaker end.
    """
    frames = tracklets.frame_numbers.astype(np.int64)
    bboxes = view.boxes(tracklets.bboxes, frames)
    same = np.diff(tracklets.tracklet_ids) == 0
    missing = np.where(same, np.diff(frames) - 1, 0)
    before = np.flatnonzero((missing > 0) & (missing <= max_gap_frames))
    before = before[_straight(with_bboxes(tracklets, bboxes), before)]
    counts = missing[before]
    left = np.repeat(before, counts)
    step = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    share = (step / (np.repeat(counts, counts) + 1))[:, None]
    filled = view.back((1 - share) * bboxes[left] + share * bboxes[left + 1], frames[left] + step)
    weaker = np.minimum(tracklets.confidences[left], tracklets.confidences[left + 1])
    return make_tracklets(
        tracklets,
        np.concatenate([tracklets.tracklet_ids, tracklets.tracklet_ids[left]]),
        np.concatenate([tracklets.frame_numbers, frames[left] + step]),
        np.concatenate([tracklets.bboxes, filled]),
        np.concatenate([tracklets.confidences, weaker * FILLED_CONFIDENCE]),
        np.concatenate([tracklets.class_ids, tracklets.class_ids[left]]),
        np.concatenate([tracklets.detection_indices, np.full(len(left), -1)]),
    )


def _straight(seen: Tracklets, before: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(G,) whether one side of each gap points to the other; before (G,) is the last row ahead of each."""
    ends = ends_at(seen, before + 1, before)
    gaps = (ends.frames[0] - ends.frames[1])[:, None]
    off = (ends.places[0] - ends.places[1] - ends.velocities * gaps)[..., [X, Y]]
    return np.asarray((np.linalg.norm(off, axis=2) / ends.heights).min(axis=0) <= STRAIGHT)
