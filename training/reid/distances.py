"""How far apart crops of one person and of different people are: what limits of distances in the pipeline are set by."""

from dataclasses import dataclass

import numpy as np

from training.reid.crops import Crops
from training.reid.market import JUNK
from training.reid.ranking import Floats, blocks, distances

BINS = 2000  # of cosine distances from 0 to 2


@dataclass(frozen=True)
class Spread:
    """Mean and percentiles of cosine distances, to a thousandth."""

    mean: float
    p05: float
    p50: float
    p95: float


def spreads(query_features: Floats, gallery_features: Floats, query: Crops, gallery: Crops) -> dict[str, Spread]:
    """Of pairs of a query and a crop of another camera: of one person, and of different people of one sequence and of several.

    Kinds of which there is no pair are left out.
    """
    counts = {name: np.zeros(BINS, dtype=np.int64) for name in ("same_person", "same_sequence", "other_sequence")}
    for block in blocks(len(query), len(gallery)):
        apart = distances(query_features[block], gallery_features)
        asked = query.rows(block)
        same = asked.identity_ids[:, None] == gallery.identity_ids
        counted = (asked.camera_ids[:, None] != gallery.camera_ids) & (gallery.identity_ids != JUNK)
        near = asked.sequence_ids[:, None] == gallery.sequence_ids
        for name, pairs in (("same_person", same), ("same_sequence", ~same & near), ("other_sequence", ~same & ~near)):
            counts[name] += np.histogram(apart[pairs & counted], BINS, (0.0, 2.0))[0]
    return {name: _spread(bins) for name, bins in counts.items() if bins.any()}


def _spread(bins: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Spread:
    middles = (np.arange(BINS) + 0.5) * 2 / BINS
    shares = np.cumsum(bins) / bins.sum()
    p05, p50, p95 = (float(middles[np.searchsorted(shares, share)]) for share in (0.05, 0.5, 0.95))
    return Spread(float(middles @ bins / bins.sum()), p05, p50, p95)
