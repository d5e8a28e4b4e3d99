"""Appearance of tracklets: their embeddings, their distances, and a small gallery of views."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets

DECIMALS = 9  # of a distance: the last digits of a matrix product depend on the number of threads


@dataclass(frozen=True, eq=False)
class Views:
    """The embedded rows of T tracklets: K views sorted by tracklet and frame."""

    tracklets: NDArray[np.int64]  # (K,) position of the view's tracklet in `Tracklets.ids`
    rows: NDArray[np.int64]  # (K,) row of the tracklets table
    features: NDArray[np.float32]  # (K, D) unit vectors
    num_tracklets: int

    def counts(self) -> NDArray[np.int64]:
        """(T,) views of each tracklet."""
        return np.bincount(self.tracklets, minlength=self.num_tracklets)

    def means(self) -> NDArray[np.float32]:
        """(T, D) mean feature of each tracklet, not normalised; 0 where it has no view."""
        counts = self.counts()
        means = np.zeros((self.num_tracklets, self.features.shape[1]), dtype=np.float32)
        seen = np.flatnonzero(counts)
        if len(seen):
            starts = (np.cumsum(counts) - counts)[seen]
            means[seen] = np.add.reduceat(self.features, starts, axis=0) / counts[seen, None]
        return means


def views_of(tracklets: Tracklets, embeddings: Embeddings) -> Views:
    """All views of the tracklets."""
    found = embeddings.rows_of(tracklets.detection_indices)
    rows = np.flatnonzero(found >= 0)
    features = embeddings.features[found[rows]].astype(np.float32)
    return Views(np.searchsorted(tracklets.ids, tracklets.tracklet_ids[rows]), rows, features, len(tracklets.ids))


def centroid_distances(views: Views) -> NDArray[np.float64]:
    """(T, T) cosine distance between the tracklets' mean features; NaN where one of the two has no view.

    The mean of all pairwise distances would be 1 - <mean, mean>; dividing by both lengths takes out how varied each tracklet
    is in itself, so that blurred little people are not all far from each other.
    """
    return unit_distances(views.means().astype(np.float64))


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
    return Views(views.tracklets[chosen], views.rows[chosen], views.features[chosen], views.num_tracklets)
