"""Evaluation by the protocol of Market-1501 (Zheng et al., Scalable Person Re-identification, ICCV 2015).

Each query ranks the gallery by distance. Left out are crops of the query's person by the query's camera, and junk (identity
-1); distractors (identity 0) stay and are wrong. All figures follow from the ranks of the right crops.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.reid.crops import Crops, Ints
from training.reid.market import JUNK

Floats = NDArray[np.float32]
BLOCK_VALUES = 2**25  # distances in memory at a time, 128 MiB


@dataclass(frozen=True)
class Scores:
    """Means over the queries that have a right crop in the gallery, in [0, 1]."""

    rank1: float
    rank5: float
    rank10: float
    mean_average_precision: float
    mean_inverse_negative_penalty: float  # Ye et al., Deep Learning for Person Re-identification, arXiv:2001.04193, eq. 9
    queries: int


def distances(queries: Floats, gallery: Floats) -> Floats:
    """(Q, G) cosine distances of unit features (Q, D) and (G, D), 0 to 2."""
    return np.asarray(1 - queries @ gallery.T, dtype=np.float32)


def blocks(queries: int, gallery: int) -> Iterator[slice]:
    """The queries in turns whose distances to the gallery fit into memory."""
    size = max(1, BLOCK_VALUES // max(gallery, 1))
    for first in range(0, queries, size):
        yield slice(first, min(first + size, queries))


def rank_all(query_features: Floats, gallery_features: Floats, query: Crops, gallery: Crops) -> list[Ints]:
    """For each query the ranks, from 1 and ascending, of the right crops; empty where there are none."""
    ranks: list[Ints] = []
    for block in blocks(len(query), len(gallery)):
        ranks += right_ranks(distances(query_features[block], gallery_features), query.rows(block), gallery)
    return ranks


def right_ranks(apart: NDArray[np.floating], query: Crops, gallery: Crops) -> list[Ints]:
    """`rank_all` of distances (Q, G). Of crops equally far, the one in an earlier row of the gallery comes first."""
    counts = gallery.identity_ids != JUNK
    ranks = []
    for row, identity, camera in zip(apart, query.identity_ids, query.camera_ids, strict=True):
        same = gallery.identity_ids == identity
        kept = np.flatnonzero(counts & ~(same & (gallery.camera_ids == camera)))
        ranks.append(_ranks(row[kept], np.flatnonzero(same[kept])))
    return ranks


def _ranks(apart: NDArray[np.floating], right: Ints) -> Ints:
    """Ranks from 1 of the `right` elements (R,) of distances (K,) in a stable ascending order."""
    ordered = np.sort(apart)
    nearer = np.searchsorted(ordered, apart[right], side="left")
    tied = np.searchsorted(ordered, apart[right], side="right") - nearer > 1
    for k in np.flatnonzero(tied):
        nearer[k] += np.count_nonzero(apart[: right[k]] == apart[right[k]])
    return np.sort(nearer) + 1


def summarize(ranks: list[Ints]) -> Scores:
    """The figures that follow from `rank_all`; all 0 where no query has a right crop."""
    found = [values for values in ranks if len(values)]
    if not found:
        return Scores(0.0, 0.0, 0.0, 0.0, 0.0, 0)
    first = np.array([values[0] for values in found])
    return Scores(
        rank1=float((first <= 1).mean()),
        rank5=float((first <= 5).mean()),
        rank10=float((first <= 10).mean()),
        mean_average_precision=float(np.mean([average_precision(values) for values in found])),
        mean_inverse_negative_penalty=float(np.mean([len(values) / values[-1] for values in found])),
        queries=len(found),
    )


def average_precision(ranks: Ints) -> float:
    """Mean precision at the ranks (R,) of the right crops; 0 where there are none."""
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks)) if len(ranks) else 0.0
