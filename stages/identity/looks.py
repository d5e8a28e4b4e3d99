"""Whether two tracks look like one person, calibrated on the group itself without anybody's labels.

Within a camera, two who are seen together are different people and the two halves of a track are the same. Across cameras,
whoever stands in the same place at the same moment is the same, and far apart different, where cameras are calibrated; where
they are not, the tracks themselves say how far apart strangers are (nearly all pairs are strangers) and, by
expectation-maximization, how far apart friends. Both distances count as normal with one spread, so the log-odds are linear in
the distance (Fisher's linear discriminant). What is known beforehand weighs like a few pairs: a group of three tracks says
nothing wild.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import unit_distances
from stages.contracts.gallery import Gallery

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
MIN_SPREAD = 0.03  # of distances: no fewer than rounding and luck make
PRIOR_PAIRS = 4.0  # that what is known beforehand weighs
ROUNDS = 30  # of expectation and maximization
SURE_NATS = 8.0  # beyond which nats count logarithmically: two people may be dressed alike


@dataclass(frozen=True)
class Calibration:
    """Cosine distances of one person's tracks and of two people's: means, and the spread that both share."""

    same: float
    different: float
    spread: float

    def log_odds(self, distances: Array) -> Array:
        """Nats for one person: the logarithm of the ratio of two normal densities with equal spread, then damped."""
        middle = (self.same + self.different) / 2
        nats = (self.different - self.same) / self.spread**2 * (middle - distances)
        beyond = np.maximum(np.abs(nats) - SURE_NATS, 0.0)
        return np.asarray(np.sign(nats) * (np.minimum(np.abs(nats), SURE_NATS) + np.log1p(beyond)))


WITHIN = Calibration(same=0.10, different=0.40, spread=0.08)  # of mean features, as networks trained for Re-ID have them
SHIFT = 0.25  # share of what tells two people apart by which another camera changes one's looks


@dataclass(frozen=True, eq=False)
class Looks:
    """For pairs of T tracks (T, T), symmetric."""

    distances: Array  # cosine, of mean features; NaN where one has no view
    log_odds: Array  # of being one person against two; 0 where there is no distance


def compare_looks(galleries: list[Gallery], same: Mask, different: Mask, prior_log_odds: Array) -> Looks:
    """The looks of all tracks of the galleries, in their order.

    same and different (T, T) are pairs of which that is certain; prior_log_odds (T, T) of the others.
    """
    cameras = np.repeat(np.arange(len(galleries)), [len(gallery.tracklet_ids) for gallery in galleries])
    width = max(gallery.view_features.shape[1] for gallery in galleries)
    distances = unit_distances(np.concatenate([summed_views(gallery, width) for gallery in galleries]))
    pairs = np.triu(~np.isnan(distances), 1)
    own = cameras[:, None] == cameras[None, :]
    halves = np.concatenate([half_distances(gallery) for gallery in galleries])
    within = calibrate(halves, distances[pairs & own & different], np.zeros(0), np.zeros(0), WITHIN)
    open_pairs = pairs & ~own & ~same & ~different
    across = calibrate(
        distances[pairs & ~own & same], distances[pairs & ~own & different],
        distances[open_pairs], prior_log_odds[open_pairs], expected_across(within),
    )  # fmt: skip
    odds = np.where(own, within.log_odds(distances), across.log_odds(distances))
    return Looks(distances, np.where(np.isnan(odds), 0.0, odds))


def expected_across(within: Calibration) -> Calibration:
    """What is known of two cameras beforehand, from what each shows by itself."""
    return Calibration(within.same + SHIFT * (within.different - within.same), within.different, within.spread)


def calibrate(same: Array, different: Array, unknown: Array, prior_log_odds: Array, prior: Calibration) -> Calibration:
    """The calibration that fits distances of pairs that are certain, and unknown ones (N,) with prior log-odds (N,).

    Expectation-maximization of a mixture of two normal distributions (Dempster, Laird and Rubin 1977), with the prior as
    PRIOR_PAIRS pairs of either kind. Friends are never believed farther apart than strangers.
    """
    found = prior
    for _ in range(ROUNDS if len(unknown) else 1):
        share = 1 / (1 + np.exp(-np.clip(found.log_odds(unknown) + prior_log_odds, -50, 50)))
        values = np.concatenate([same, different, unknown])
        friends = np.concatenate([np.ones(len(same)), np.zeros(len(different)), share])
        mean_same, variance_same = _moments(values, friends, prior.same, prior.spread)
        mean_different, variance_different = _moments(values, 1 - friends, prior.different, prior.spread)
        spread = max(float(np.sqrt((variance_same + variance_different) / 2)), MIN_SPREAD)
        found = Calibration(min(mean_same, mean_different), mean_different, spread)
    return found


def _moments(values: Array, weights: Array, mean: float, spread: float) -> tuple[float, float]:
    """Weighted mean and variance with PRIOR_PAIRS pairs of the prior's."""
    total = PRIOR_PAIRS + float(weights.sum())
    centre = (PRIOR_PAIRS * mean + float(weights @ values)) / total
    squares = PRIOR_PAIRS * (spread**2 + (mean - centre) ** 2) + float(weights @ (values - centre) ** 2)
    return centre, squares / total


def summed_views(gallery: Gallery, width: int) -> Array:
    """(T, width) sum of each track's views; 0 where it has none, as all tracks of a camera without footage."""
    sums = np.zeros((len(gallery.tracklet_ids), width))
    if len(gallery.view_features):
        owners = np.searchsorted(gallery.tracklet_ids, gallery.view_tracklet_ids)
        np.add.at(sums, owners, gallery.view_features.astype(np.float64))
    return sums


def half_distances(gallery: Gallery) -> Array:
    """Distances between the two halves of each track that has four views or more."""
    found = []
    for name in gallery.tracklet_ids:
        views = gallery.view_features[gallery.view_tracklet_ids == name].astype(np.float64)
        if len(views) >= 4:
            middle = len(views) // 2
            found.append(unit_distances(np.stack([views[:middle].sum(axis=0), views[middle:].sum(axis=0)]))[0, 1])
    return np.array(found)
