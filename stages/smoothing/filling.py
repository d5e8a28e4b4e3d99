"""Gaps in tracks, filled with lines between both ends that are straight as from a camera that stands still.

Weak detections that no track uses and that lie on such a line gain nothing in its place: measured, and left out. To fill no gap
whose line ends 0.4 body heights off where the motion on a side of it points gained 0.1 HOTA on MOT17 and lost 4.6 on
TUD-Stadtmitte.
"""

import numpy as np

from stages.association.still_view import StillView
from stages.contracts.tracklets import Tracklets, make_tracklets

FILLED_CONFIDENCE = 0.5  # of the weaker end: a filled box is a guess


def fill_gaps(tracklets: Tracklets, max_gap_frames: int, view: StillView) -> Tracklets:
    """The tracklets with the gaps of at most so many missing frames filled by linear interpolation in `view`.

    Filled rows have detection index -1 and half the confidence of the weaker end.
    """
    frames = tracklets.frame_numbers.astype(np.int64)
    bboxes = view.boxes(tracklets.bboxes, frames)
    same = np.diff(tracklets.tracklet_ids) == 0
    missing = np.where(same, np.diff(frames) - 1, 0)
    before = np.flatnonzero((missing > 0) & (missing <= max_gap_frames))
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
