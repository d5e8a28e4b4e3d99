"""What somebody looked like up to a box, and what from a box on: the likelihood of any link between a past and a future.

As the two filters do with motion, one sum of views runs forwards along each chain of boxes and one backwards. Both forget, so
that an earlier or later mistake in the chain says little. Views are compressed to few dimensions first, because two sums are
kept for each box, and their likeness is learnt from the compressed ones. In part compiled code.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import CHUNK, Views, views_of
from stages.association.cosines import Calibration, nats_of
from stages.association.likeness import VIEWS_DOUBT, learn_looks
from stages.association.pairs import seen_together
from stages.association.thinning import stride
from stages.association.two_filter import NONE, Array, Chains, Ints
from stages.compiled import compiled
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets

Floats = NDArray[np.float32]
DIMENSIONS = 32  # in which people of one video differ; more change nothing
MAX_VIEWS = 8_000  # that these are found from
KEPT = 0.98  # of a sum when another view is added: some 50 views count, so that a pair long in one box is told apart
PAST, FUTURE = 0, 1  # columns of the counts
_nats = compiled(nats_of)


class Sightings(NamedTuple):
    """Views of N boxes, and what the cosine of two means of views says."""

    views: Ints  # (N,) row of `features`, or NONE
    features: Floats  # (K, D) in the space of the video's looks, not of unit length
    weights: Array  # (K,)
    calibration: Calibration

    def take(self, rows: Ints | slice) -> "Sightings":
        """Those of some boxes."""
        return self._replace(views=self.views[rows])

    @property
    def most_gain(self) -> float:
        """Nats that looks can add to an exchange of two links, at most."""
        if len(self.features) == 0:
            return 0.0
        return 2 * float(_nats(1.0, 1.0, self.calibration) - _nats(-1.0, 1.0, self.calibration))


class Sums(NamedTuple):
    """Weighted sums of views at N boxes; without any view, all tables are empty."""

    forward: Floats  # (N, D) of this box and those before it in its chain
    backward: Floats  # (N, D) of this box and those after it
    counts: Array  # (N, 2) views in each, the forgotten ones left out


def sightings_of(tracklets: Tracklets, embeddings: Embeddings) -> Sightings:
    """What is seen of the rows of tracklets that may have changed person; calibrated on the video itself."""
    views, rows = views_of(tracklets, embeddings), np.full(len(tracklets), NONE, np.int64)
    if len(views) == 0:
        return Sightings(rows, np.zeros((0, 1), np.float32), np.zeros(0), Calibration(0.0, 0.0, 1.0, 0.0, 0.0))
    rows[views.rows] = np.arange(len(views))
    small = compressed(views)
    looks = learn_looks(small, tracklets.fps, seen_together(tracklets), pure=False)
    return Sightings(rows, looks.space.moved(small.features(slice(None))), views.weights, looks.calibration)


def compressed(views: Views) -> Views:
    """The views in the directions in which they differ most, at most DIMENSIONS: principal components (Pearson 1901)."""
    chosen = views.features(np.arange(0, len(views), stride(len(views), MAX_VIEWS))).astype(np.float64)
    chosen -= chosen.mean(axis=0)
    basis = np.linalg.eigh(chosen.T @ chosen)[1][:, -DIMENSIONS:].astype(np.float32)
    parts = [views.features(slice(start, start + CHUNK)) @ basis for start in range(0, len(views), CHUNK)]
    table = np.concatenate(parts).astype(np.float16)
    return dataclasses.replace(views, places=np.arange(len(views)), table=table)


@compiled
def both_sums(sightings: Sightings, chains: Chains) -> Sums:
    """The sums at all boxes; rows are sorted by frame."""
    num = len(sightings.views) if len(sightings.features) else 0
    size = sightings.features.shape[1]
    sums = Sums(np.zeros((num, size), np.float32), np.zeros((num, size), np.float32), np.zeros((num, 2)))
    for row in range(num):
        look_back(sums, row, chains.befores[row], sightings)
        look_ahead(sums, num - 1 - row, chains.nexts[num - 1 - row], sightings)
    return sums


@compiled
def look_back(sums: Sums, row: int, source: int, sightings: Sightings) -> None:
    """Writes the forward sum at a box from that at the box before it in its chain, or NONE."""
    _add(sums.forward, sums.counts[:, PAST], row, source, sightings)


@compiled
def look_ahead(sums: Sums, row: int, source: int, sightings: Sightings) -> None:
    """Writes the backward sum at a box from that at the box after it, or NONE."""
    _add(sums.backward, sums.counts[:, FUTURE], row, source, sightings)


@compiled
def _add(table: Floats, counts: Array, row: int, source: int, sightings: Sightings) -> None:
    if len(counts) == 0:
        return
    view = sightings.views[row]
    kept = 1.0 if view == NONE else KEPT
    counts[row] = 0.0 if source == NONE else kept * counts[source]
    for d in range(table.shape[1]):
        table[row, d] = 0.0 if source == NONE else kept * table[source, d]
    if view != NONE:
        counts[row] += 1
        for d in range(table.shape[1]):
            table[row, d] += sightings.weights[view] * sightings.features[view, d]


@compiled
def look_nats(past: int, future: int, sums: Sums, sightings: Sightings) -> float:
    """Log-likelihood ratio of one person over two, of a link between two boxes; 0 where one has no view, or is NONE."""
    if past == NONE or future == NONE or len(sums.counts) == 0:
        return 0.0
    product = squared = squared_after = 0.0
    for d in range(sums.forward.shape[1]):
        x, y = float(sums.forward[past, d]), float(sums.backward[future, d])
        product += x * y
        squared += x * x
        squared_after += y * y
    if squared == 0 or squared_after == 0:
        return 0.0
    before, after = sums.counts[past, PAST], sums.counts[future, FUTURE]
    cosine = product / np.sqrt(squared * squared_after)
    support = np.sqrt(before / (before + VIEWS_DOUBT) * after / (after + VIEWS_DOUBT))
    return float(_nats(cosine, support, sightings.calibration))
