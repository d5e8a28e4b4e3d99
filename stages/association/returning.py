"""How usual it is that somebody is seen again after some time, in nats.

A tracklet's end and another's beginning can be one person who is seen again, or somebody who never is and somebody who was not
seen before. Where people are hidden and come back, as many tracklets begin with somebody known as end with somebody seen again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]

AGAIN = 0.5  # share of tracklets whose person is seen again ...
SOON, SOON_S = 0.3, 1.0  # ... of which so many after an occlusion, exponential with this mean in seconds ...
LATER_S = 2.0  # ... and the others after an absence, log-uniform from here to the longest


@dataclass(frozen=True)
class Returning:
    """What is usual in one video."""

    births_per_s: float  # tracklets that begin in a second
    longest_s: float  # that an absence can be

    def nats(self, gap_s: Array) -> Array:
        """Log-odds, for gaps of any shape, that two tracklets so far apart in time are one person's, by that alone."""
        soon = SOON / SOON_S * np.exp(-gap_s / SOON_S)
        later = (1 - SOON) / ((gap_s + LATER_S) * np.log1p(self.longest_s / LATER_S))
        new_per_s = (1 - AGAIN) * self.births_per_s
        return np.asarray(np.log(AGAIN * (soon + later) / ((1 - AGAIN) * new_per_s)))


def learn_returning(tracklets: Tracklets, max_gap_s: float) -> Returning:
    """Counted are all tracklets but those that are there when the video begins."""
    first = tracklets.frame_numbers[tracklets.offsets()[:-1]]
    later = int((first > tracklets.fps).sum())
    duration_s = tracklets.num_frames / tracklets.fps
    return Returning((later + 1) / duration_s, max(min(max_gap_s, duration_s), 1.0))
