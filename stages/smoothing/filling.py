"""Gaps in tracks, filled with straight lines between both ends.

Weak detections that no track uses and that lie on such a line gain nothing in its place: measured, and left out.
"""

import numpy as np

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
