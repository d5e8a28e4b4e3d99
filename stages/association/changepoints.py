"""Where a sequence of unit vectors changes for good: binary segmentation with two witnesses.

A cut between two people changes the mean of everything before against everything after, and it changes it at once. A turn of
the body does the second and not the first, a slow change of light the first and not the second, so the smaller of both
distances counts. Binary segmentation: Scott and Knott 1974; reviewed in Truong et al. 2020, "Selective review of offline
change point detection methods", section 5.2.2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A cut before element `index`: cosine distance between the means of all before and after, and of the windows."""

    index: int
    whole: float
    local: float


def changes(features: NDArray[Any], window: int, min_length: int, min_distance: float) -> list[Change]:
    """The cuts of unit vectors (K, D), by index; no segment shorter than `min_length`.

    `window` elements on each side make the local distance. A cut needs both distances at or above `min_distance`.
    """
    found: list[Change] = []
    segments = [(0, len(features))]
    while segments:
        start, stop = segments.pop()
        best = _strongest(features[start:stop].astype(np.float64), window, min_length)
        if best is None or min(best.whole, best.local) < min_distance:
            continue
        cut = start + best.index
        found.append(Change(cut, best.whole, best.local))
        segments += [(start, cut), (cut, stop)]
    return sorted(found, key=lambda change: change.index)


def _strongest(features: Array, window: int, min_length: int) -> Change | None:
    """The cut with the greatest smaller distance; None where the segment is too short for one."""
    count = len(features)
    cuts = np.arange(min_length, count - min_length + 1)
    if len(cuts) == 0:
        return None
    sums = np.concatenate([np.zeros((1, features.shape[1])), np.cumsum(features, axis=0)])
    whole = _distance(sums[cuts], sums[-1] - sums[cuts])
    before, after = np.maximum(cuts - window, 0), np.minimum(cuts + window, count)
    local = _distance(sums[cuts] - sums[before], sums[after] - sums[cuts])
    best = int(np.minimum(whole, local).argmax())
    return Change(int(cuts[best]), float(whole[best]), float(local[best]))


def _distance(a: Array, b: Array) -> Array:
    """(N,) cosine distance between rows of a and b (N, D); 0 where one of them vanishes."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    similarity = np.divide((a * b).sum(axis=1), norms, out=np.ones_like(norms), where=norms > 0)
    return np.asarray(1 - similarity)
