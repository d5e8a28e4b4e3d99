"""Appearance of tracklets: their embeddings, how much each is worth, and a small gallery of views."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets

DECIMALS = 9  # of a distance: the last digits of a matrix product depend on the number of threads
LEAST_WEIGHT = 1e-3  # of a view of confidence 0, which must not leave a tracklet without any weight


@dataclass(frozen=True, eq=False)
class Views:
    """The embedded rows of T tracklets: K views sorted by tracklet and frame."""

    tracklets: NDArray[np.int64]  # (K,) position of the view's tracklet in `Tracklets.ids`
    rows: NDArray[np.int64]  # (K,) row of the tracklets table
    frames: NDArray[np.int64]  # (K,)
    features: NDArray[np.float32]  # (K, D) unit vectors
    weights: NDArray[np.float64]  # (K,) confidence squared: who is hidden, cut off or blurred is found with less of it
    num_tracklets: int

    def counts(self) -> NDArray[np.int64]:
        """(T,) views of each tracklet."""
        return np.bincount(self.tracklets, minlength=self.num_tracklets)


def views_of(tracklets: Tracklets, embeddings: Embeddings) -> Views:
    """All views of the tracklets."""
    found = embeddings.rows_of(tracklets.detection_indices)
    rows = np.flatnonzero(found >= 0)
    return Views(
        np.searchsorted(tracklets.ids, tracklets.tracklet_ids[rows]),
        rows,
        tracklets.frame_numbers[rows].astype(np.int64),
        embeddings.features[found[rows]].astype(np.float32),
        np.square(tracklets.confidences[rows].astype(np.float64)) + LEAST_WEIGHT,
        len(tracklets.ids),
    )


def group_means(
    features: NDArray[np.float32], weights: NDArray[np.float64], groups: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """(count, D) weighted mean feature of each group, not normalised; 0 for a group without any.

    features (K, D), weights (K,) above 0 and groups (K,) in [0, count), ascending.
    """
    means = np.zeros((count, features.shape[1]))
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    if len(starts):
        sums = np.add.reduceat(features * weights[:, None].astype(np.float32), starts, axis=0)
        means[groups[starts]] = sums / np.add.reduceat(weights, starts)[:, None]
    return means


def unit_distances(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, T) cosine distance in [0, 2] between rows of features (T, D); NaN for rows of zeros."""
    lengths = np.linalg.norm(features, axis=1)
    blind = lengths == 0
    units = features / np.where(blind, 1.0, lengths)[:, None]
    distances = np.round(1 - units @ units.T, DECIMALS)
    distances[blind, :] = np.nan
    distances[:, blind] = np.nan
    return distances


def spread(views: Views, limit: int) -> Views:
    """At most `limit` views of each tracklet, evenly spread over its own views."""
    counts = views.counts()
    starts = np.cumsum(counts) - counts
    position = np.arange(len(views.rows)) - starts[views.tracklets]
    count = counts[views.tracklets]
    kept = np.minimum(count, limit)
    # view p of n is kept when it begins a new one of the `kept` equal parts
    chosen = (position * kept) // count != ((position - 1) * kept) // count
    return Views(
        views.tracklets[chosen],
        views.rows[chosen],
        views.frames[chosen],
        views.features[chosen],
        views.weights[chosen],
        views.num_tracklets,
    )
