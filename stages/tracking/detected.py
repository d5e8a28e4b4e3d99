"""The detections of a sequence as trackers see them: by score, and who was given one. Compiled code."""

from typing import NamedTuple

import numpy as np

from stages.compiled import compiled
from stages.tracking.lapjv import NONE, Ints
from stages.tracking.tracker import Float32s

LOW_THRESH = np.float32(0.1)  # a detection at or below is no second look worth


class Detected(NamedTuple):
    """N detections sorted by frame."""

    bboxes: Float32s  # (N, 4) x1, y1, x2, y2 px
    scores: Float32s  # (N,)


@compiled
def num_usable(scores: Float32s, thresh: np.float32) -> int:
    """How many detections can be claimed at most."""
    return int(np.sum(scores > min(thresh, LOW_THRESH)))


@compiled
def by_score(scores: Float32s, start: int, stop: int, thresh: np.float32) -> tuple[Ints, Ints]:
    """Detections with scores above the threshold, and those below it that are worth a second look."""
    high, low = np.empty(stop - start, np.int64), np.empty(stop - start, np.int64)
    num_high = num_low = 0
    for detection in range(start, stop):
        if scores[detection] > thresh:
            high[num_high] = detection
            num_high += 1
        elif LOW_THRESH < scores[detection] < thresh:
            low[num_low] = detection
            num_low += 1
    return high[:num_high], low[:num_low]


@compiled
def unclaimed(detections: Ints, chosen: Ints) -> Ints:
    """The detections that no track was given; `chosen` holds places in `detections`, or -1."""
    claimed = np.zeros(len(detections), np.bool_)
    for place in chosen:
        if place != NONE:
            claimed[place] = True
    free = np.empty_like(detections)
    count = 0
    for place in range(len(detections)):
        if not claimed[place]:
            free[count] = detections[place]
            count += 1
    return free[:count]


@compiled
def unmatched(pool: Ints, chosen: Ints) -> Ints:
    """The tracks that were given no detection; `chosen` may go on after the end of the pool."""
    left = np.empty_like(pool)
    count = 0
    for place in range(len(pool)):
        if chosen[place] == NONE:
            left[count] = pool[place]
            count += 1
    return left[:count]
