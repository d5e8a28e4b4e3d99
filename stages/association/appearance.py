"""Appearance of tracklets: their embeddings, how much each is worth, and a small gallery of views."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets

DECIMALS = 9  # of a distance: the last digits of a matrix product depend on the number of threads
CHUNK = 20_000  # views whose features are unpacked at once
WELL_SEEN_PERCENTILE, CLEAR = 75, 0.95  # of a video's confidences, and the share of it that still is clear
WEIGHT_POWER = 4  # of clarity
LEAST_WEIGHT = 1e-3  # of a view of confidence 0, which must not leave a tracklet without any weight


@dataclass(frozen=True, eq=False)
class Views:
    """The embedded rows of T tracklets: K views sorted by tracklet and frame."""

    tracklets: NDArray[np.int64]  # (K,) position of the view's tracklet in `Tracklets.ids`
    rows: NDArray[np.int64]  # (K,) row of the tracklets table
    frames: NDArray[np.int64]  # (K,)
    clarities: NDArray[np.float64]  # (K,) in [0, 1]: who is hidden, cut off or blurred is found with less confidence
    weights: NDArray[np.float64]  # (K,) in means: little of who is not seen clearly
    places: NDArray[np.int64]  # (K,) row of `table`
    table: NDArray[np.float16]  # (N, D) unit vectors, not copied: those of a long video fill gigabytes
    num_tracklets: int

    def __len__(self) -> int:
        return len(self.rows)

    def features(self, chosen: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, D) features of some views."""
        return self.table[self.places[chosen]].astype(np.float32)

    def counts(self) -> NDArray[np.int64]:
        """(T,) views of each tracklet."""
        return np.bincount(self.tracklets, minlength=self.num_tracklets)

    def means(self, groups: NDArray[np.int64], count: int) -> NDArray[np.float32]:
        """(count, D) weighted mean feature of each group of views, not normalised; 0 for a group without any.

        groups (K,) in [0, count), ascending.
        """
        sums = np.zeros((count, self.table.shape[1]), np.float32)
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            first, last = int(groups[part][0]), int(groups[part][-1])
            weights = self.weights[part].astype(np.float32)
            shape = (last - first + 1, len(weights))
            members = csr_array((weights, (groups[part] - first, np.arange(len(weights)))), shape=shape)
            sums[first : last + 1] += members @ self.features(part)
        totals = np.bincount(groups, self.weights, count)
        return np.asarray(sums / np.where(totals > 0, totals, 1.0)[:, None].astype(np.float32))

    def mean_clarities(self, groups: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """(count,) weighted mean clarity of each group of views, as in `means`; 0 for a group without any."""
        totals = np.bincount(groups, self.weights, count)
        return np.asarray(np.bincount(groups, self.weights * self.clarities, count) / np.where(totals > 0, totals, 1.0))

    def take(self, chosen: NDArray[np.bool_]) -> "Views":
        """Some of the views of the same tracklets."""
        return Views(
            self.tracklets[chosen],
            self.rows[chosen],
            self.frames[chosen],
            self.clarities[chosen],
            self.weights[chosen],
            self.places[chosen],
            self.table,
            self.num_tracklets,
        )


def views_of(tracklets: Tracklets, embeddings: Embeddings) -> Views:
    """All views of the tracklets."""
    found = embeddings.rows_of(tracklets.detection_indices)
    rows = np.flatnonzero(found >= 0)
    clear = clarities(tracklets.confidences[rows].astype(np.float64))
    return Views(
        tracklets.positions()[rows],
        rows,
        tracklets.frame_numbers[rows].astype(np.int64),
        clear,
        clear**WEIGHT_POWER + LEAST_WEIGHT,
        found[rows],
        embeddings.features,
        len(tracklets.ids),
    )


def clarities(confidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) confidences as shares, up to 1, of what this video's detector has for people who are seen well."""
    usual = CLEAR * float(np.percentile(confidences, WELL_SEEN_PERCENTILE)) if len(confidences) else 1.0
    return np.minimum(confidences / max(usual, 1e-9), 1.0)


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
    return views.take(chosen)
