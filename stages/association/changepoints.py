"""Where a tracklet changes person: binary segmentation, by all that is seen before a cut against all that is seen after it.

What hides somebody hides looks for a moment, and a part that is hardly seen says little, so neither is a change of person. All
views say whether somebody changed, and where it may have been; the views next to each such place say where it was.
Binary segmentation: Scott and Knott 1974; reviewed in Truong et al. 2020, "Selective review of offline change point detection
methods", section 5.2.2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.association.cosines import Calibration
from stages.association.likeness import support_of
from stages.boxes import largest_overlaps
from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MET_NATS, ALONE_NATS = -3.0, -6.0  # log-odds that people changed near a meeting, a gap or the border, and elsewhere
MEETING_IOU = 0.3
MEETING_S = 0.7  # so far around a meeting people may have changed
GAP_S = 0.3  # without a box
AT_BORDER = 0.01  # body heights from it
NEAR_VIEWS = 10  # on each side, that say at which view people changed
BLOCK_CUTS = 1_000  # looked at at a time: what lies between takes several times the views' memory


@dataclass(frozen=True)
class Change:
    """A cut before view `index`."""

    index: int
    odds_nats: float  # that the person changed there
    looks_nats: float  # log-likelihood ratio of two people over one, of all before and all after


@dataclass(frozen=True, eq=False)
class Sums:
    """Running sums over the K views of a tracklet, from 0 of none to K of all."""

    looks: Array  # (K + 1, D) times their weights
    weights: Array  # (K + 1,)
    clarities: Array  # (K + 1,) times their weights

    def nats(self, starts: int | Ints, cuts: Ints, stops: int | Ints, calibration: Calibration) -> Array:
        """(N,) log-likelihood ratios that views start:cut and cut:stop show two people over one."""
        starts, stops = np.broadcast_to(starts, cuts.shape), np.broadcast_to(stops, cuts.shape)
        blocks = [slice(first, first + BLOCK_CUTS) for first in range(0, max(len(cuts), 1), BLOCK_CUTS)]
        cosines = np.concatenate([self._cosines(starts[rows], cuts[rows], stops[rows]) for rows in blocks])
        return -calibration.nats(cosines, self._supports(starts, cuts) * self._supports(cuts, stops))

    def _cosines(self, starts: Ints, cuts: Ints, stops: Ints) -> Array:
        middle = self.looks[cuts]
        a, b = middle - self.looks[starts], self.looks[stops] - middle
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return np.asarray(np.divide((a * b).sum(axis=1), norms, out=np.ones_like(norms), where=norms > 0))

    def _supports(self, starts: Ints, stops: Ints) -> Array:
        clear = (self.clarities[stops] - self.clarities[starts]) / (self.weights[stops] - self.weights[starts])
        return support_of(np.asarray(stops - starts), clear)


def changes(
    looks: Floats, clarities: Array, weights: Array, expected: Array, calibration: Calibration, min_length: int
) -> list[Change]:
    """The cuts of K views (K, D) in a space of looks, not of unit length, in order; no segment shorter than `min_length`.

    clarities (K,) in [0, 1]; weights (K,) > 0; expected (K,) log-odds of a change before each view.
    """
    sums = Sums(_running(looks, weights[:, None]), _running(weights, 1.0), _running(clarities, weights))
    found: list[Change] = []
    segments = [(0, len(looks))]
    while segments:
        start, stop = segments.pop()
        cuts = np.arange(start + min_length, stop - min_length + 1)
        nats = sums.nats(start, cuts, stop, calibration)
        odds = nats + expected[cuts]
        likely = odds > 0
        if likely.any():
            cuts, nats, odds = cuts[likely], nats[likely], odds[likely]
            before, after = np.maximum(cuts - NEAR_VIEWS, start), np.minimum(cuts + NEAR_VIEWS, stop)
            best = int((odds + sums.nats(before, cuts, after, calibration)).argmax())
            cut = int(cuts[best])
            found.append(Change(cut, float(odds[best]), float(nats[best])))
            segments += [(start, cut), (cut, stop)]
    return sorted(found, key=lambda change: change.index)


def _running(values: Array | Floats, weights: Array | float) -> Array:
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.multiply(values, weights, out=sums[1:])
    return np.cumsum(sums, axis=0, out=sums)


def expected_changes(tracklets: Tracklets) -> Array:
    """(M,) log-odds that a person changed before each row, from what is seen of crossings, gaps and the border alone."""
    reach, gap = MEETING_S * tracklets.fps, GAP_S * tracklets.fps
    frames, ids = tracklets.frame_numbers.astype(np.int64), tracklets.tracklet_ids.astype(np.int64)
    after_gap = (np.diff(frames, prepend=0) > gap) & (np.diff(ids, prepend=-1) == 0)
    events = np.flatnonzero(meetings(tracklets) | at_border(tracklets) | after_gap)
    key = ids * (2 * tracklets.num_frames + round(reach) + 1) + frames
    nearest = np.full(len(key), np.inf)
    if len(events):
        place = np.searchsorted(key[events], key)
        for side in (np.maximum(place - 1, 0), np.minimum(place, len(events) - 1)):
            nearest = np.minimum(nearest, np.abs(key[events[side]] - key))
    return np.where(nearest <= reach, MET_NATS, ALONE_NATS)


def at_border(tracklets: Tracklets) -> NDArray[np.bool_]:
    """(M,) whether each box ends at the picture's border, where one leaves and another may come in at once."""
    size = np.array([tracklets.width_px, tracklets.height_px])
    margin = AT_BORDER * (tracklets.bboxes[:, 3:] - tracklets.bboxes[:, 1:2])
    return np.asarray(((tracklets.bboxes[:, :2] <= margin) | (tracklets.bboxes[:, 2:] >= size - margin)).any(axis=1))


def meetings(tracklets: Tracklets) -> NDArray[np.bool_]:
    """(M,) whether each box overlaps another of its frame by MEETING_IOU or more."""
    return np.asarray(largest_overlaps(tracklets.frame_numbers, tracklets.bboxes) >= MEETING_IOU)
