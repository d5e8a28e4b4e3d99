"""Where a tracklet changes person: binary segmentation with two witnesses, and an alibi where they leave it open.

A cut between two people changes the mean of everything before against everything after, and it changes it at once. A turn of
the body or a person in front does the second and not the first, a slow change of light the first and not the second, so the
weaker of both log-likelihood ratios counts. Binary segmentation: Scott and Knott 1974; reviewed in Truong et al. 2020,
"Selective review of offline change point detection methods", section 5.2.2.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.association.alibis import NO_ALIBI, Alibi
from stages.association.cosines import Calibration
from stages.association.likeness import support_of
from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MET_NATS, ALONE_NATS = -3.0, -6.0  # log-odds that people changed near a meeting, a gap or the border, and elsewhere
MEETING_IOU = 0.3
MEETING_S = 0.7  # so far around a meeting people may have changed
GAP_S = 0.3  # without a box
AT_BORDER = 0.01  # body heights from it


@dataclass(frozen=True)
class Change:
    """A cut before view `index`."""

    index: int
    odds_nats: float  # that the person changed there
    whole_nats: float  # log-likelihood ratio of two people over one, of all before and all after ...
    local_nats: float  # ... and of the windows next to the cut
    alibi: Alibi


def changes(
    looks: Floats,
    weights: Array,
    expected: Array,
    calibration: Calibration,
    window: int,
    min_length: int,
    alibi_of: Callable[[int, int, int], Alibi] = lambda *_: NO_ALIBI,
) -> list[Change]:
    """The cuts of K views (K, D) in a space of looks, not of unit length, in order; no segment shorter than `min_length`.

    weights (K,); expected (K,) log-odds of a change before each view. `window` views on each side are the local witness.
    alibi_of: of a segment's start, cut and stop, who else one part may be.
    """
    found: list[Change] = []
    segments = [(0, len(looks))]
    while segments:
        start, stop = segments.pop()
        part = slice(start, stop)
        best = _strongest(looks[part], weights[part], expected[part], calibration, window, min_length)
        if best is None:
            continue
        cut = start + best.index
        open_question = best.odds_nats <= 0 < min(best.whole_nats, best.local_nats)
        alibi = alibi_of(start, cut, stop) if open_question else NO_ALIBI
        if best.odds_nats + alibi.nats <= 0:
            continue
        odds = best.odds_nats + alibi.nats
        found.append(Change(cut, odds, best.whole_nats, best.local_nats, alibi))
        segments += [(start, cut), (cut, stop)]
    return sorted(found, key=lambda change: change.index)


def _strongest(
    looks: Floats, weights: Array, expected: Array, calibration: Calibration, window: int, min_length: int
) -> Change | None:
    """The likeliest cut; None where the segment is too short for one."""
    count = len(looks)
    cuts = np.arange(min_length, count - min_length + 1)
    if len(cuts) == 0:
        return None
    sums = np.zeros((count + 1, looks.shape[1]))
    np.cumsum(looks * weights[:, None], axis=0, out=sums[1:])
    before, after = np.maximum(cuts - window, 0), np.minimum(cuts + window, count)
    whole = _two_people(sums[cuts], sums[-1] - sums[cuts], cuts, count - cuts, calibration)
    local = _two_people(sums[cuts] - sums[before], sums[after] - sums[cuts], cuts - before, after - cuts, calibration)
    odds = np.minimum(whole, local) + expected[cuts]
    best = int(odds.argmax())
    return Change(int(cuts[best]), float(odds[best]), float(whole[best]), float(local[best]), NO_ALIBI)


def _two_people(a: Array, b: Array, count_a: Ints, count_b: Ints, calibration: Calibration) -> Array:
    """(N,) log-likelihood ratios of two people over one, of sums of looks (N, D) over so many views (N,)."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = np.divide((a * b).sum(axis=1), norms, out=np.ones_like(norms), where=norms > 0)
    return -calibration.nats(cosines, support_of(count_a) * support_of(count_b))


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
    order = np.lexsort((tracklets.bboxes[:, 0], tracklets.frame_numbers))
    frames, boxes = tracklets.frame_numbers[order], tracklets.bboxes[order].astype(np.float64)
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    met = np.zeros(len(order), dtype=bool)
    left, step = np.arange(len(order)), 0
    while len(left):  # from each box to the next ones on its right, as long as they begin before it ends
        step += 1
        left = left[left + step < len(order)]
        right = left + step
        near = (frames[left] == frames[right]) & (boxes[right, 0] < boxes[left, 2])
        left, right = left[near], right[near]
        low, high = np.maximum(boxes[left, :2], boxes[right, :2]), np.minimum(boxes[left, 2:], boxes[right, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        overlapping = shared >= MEETING_IOU * (areas[left] + areas[right] - shared)
        met[left[overlapping & (shared > 0)]] = met[right[overlapping & (shared > 0)]] = True
    result = np.zeros(len(order), dtype=bool)
    result[order] = met
    return result
