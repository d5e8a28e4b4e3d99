"""Company: whether somebody walks beside the same person as before, a log-likelihood ratio in nats.

Who walks with somebody leaves and comes back with them (Qin and Shelton 2012, "Improving multi-target tracking via social
grouping"). So of two who are dressed alike the one whose companion is there again is likelier the one who returned.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from stages.association.pairs import frames_together
from stages.boxes import foot_points, side_by_side
from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

BESIDE, BEHIND = 0.8, 0.3  # body heights between the feet of people in company, in x and in y at most ...
MOSTLY = 0.7  # ... in this share of the frames that show both at least ...
LEAST_S = 1.0  # ... and for so many seconds, or half of a shorter tracklet: others pass by
MET_S = 0.5  # seconds side by side after which company is as likely as a chance meeting
STAYS = 0.92  # share of people who return in company whose companion seems the same ...
CHANCE = 0.05  # ... and of pairs of two people in company
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Company:
    """Who walks beside whom; T tracklets."""

    mates: Ints  # (T,) the tracklet that is longest beside each one; NOBODY: they walk alone
    trust: Array  # (T,) probability that it is company and not a chance meeting

    def known(self, first: Ints, second: Ints) -> NDArray[np.bool_]:
        """(E,) whether both of a pair are in company."""
        return np.asarray((self.mates[first] != NOBODY) & (self.mates[second] != NOBODY))

    def nats(self, first: Ints, second: Ints, alike: Array) -> Array:
        """(E,) ratios of pairs both in company; alike (E,): how likely their companions are one person."""
        trust = self.trust[first] * self.trust[second]
        ratio = alike * STAYS / CHANCE + (1 - alike) * (1 - STAYS) / (1 - CHANCE)
        return np.asarray(np.log1p(trust * (ratio - 1)))

    def most_nats(self, first: Ints) -> Array:
        """(N,) the most that `nats` could give."""
        return np.asarray(np.log1p(self.trust[first] * (STAYS / CHANCE - 1)))


def learn_company(tracklets: Tracklets) -> Company:
    """Who walks beside whom in the video."""
    count = len(tracklets.ids)
    owners = tracklets.positions()
    one, other, frames = _frames_side_by_side(tracklets, owners)
    long = frames >= np.minimum(LEAST_S * tracklets.fps, np.bincount(owners)[one] / 2)
    one, other, frames = one[long], other[long], frames[long]
    pairs, both = frames_together(tracklets)
    place = np.searchsorted(pairs @ [count, 1], one * count + other)  # who is beside somebody is in a frame with them
    mostly = frames >= MOSTLY * both[place]
    one, other, frames = one[mostly], other[mostly], frames[mostly]
    order = np.lexsort((-other, frames, one))  # of the longest company the first tracklet is written last
    mates, seconds = np.full(count, NOBODY), np.zeros(count)
    mates[one[order]], seconds[one[order]] = other[order], frames[order] / tracklets.fps
    return Company(mates, seconds / (seconds + MET_S))


def _frames_side_by_side(tracklets: Tracklets, owners: Ints) -> tuple[Ints, Ints, Ints]:
    """(P,) tracklets, who is ever beside them, and in how many frames; both ways."""
    x, y = foot_points(tracklets.bboxes).T
    heights = (tracklets.bboxes[:, 3] - tracklets.bboxes[:, 1]).astype(np.float64)
    order = np.lexsort((x, tracklets.frame_numbers))
    frames, owners = tracklets.frame_numbers[order], owners[order]
    x, y, heights = x[order], y[order], heights[order]
    widest = BESIDE * heights.max(initial=0.0)
    count = len(tracklets.ids)
    total = csr_array((count, count), dtype=np.int64)
    for left, right in side_by_side(frames, x, x + widest):
        tall = np.maximum(heights[left], heights[right])
        beside = (x[right] - x[left] <= BESIDE * tall) & (np.abs(y[right] - y[left]) <= BEHIND * tall)
        pair = owners[left[beside]], owners[right[beside]]
        total = total + csr_array((np.ones(len(pair[0]), np.int64), pair), shape=(count, count))
    pairs = (total + total.T).tocoo()
    return pairs.row.astype(np.int64), pairs.col.astype(np.int64), pairs.data
