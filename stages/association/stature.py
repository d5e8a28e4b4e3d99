"""How tall people are beside each other: a log-likelihood ratio in nats that two tracklets show one person, by that alone.

A box is as high as the person is tall and as the place is near. How high the boxes of usual people are, wherever they stand, is
learnt from the video's own tracklets, so no camera need be calibrated: the logarithm of a height is a smooth surface over the
picture, plus the person's stature, plus noise (a mixed model; Henderson 1975, "Best linear unbiased estimation and prediction
under a selection model"). Stature is a soft biometric: it proves nobody to be the same, but tells many apart who dress alike
(Jain, Dass and Nandakumar 2004, "Soft biometric traits for personal recognition systems").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import clarities
from stages.association.thinning import stride
from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

WELL_SEEN = 0.95  # clarity from which a box is as high as the person
WHOLE = 0.1  # body heights from the picture's border, nearer to which a box may be cut off
LEAST_SHARE = 0.4  # of a tracklet's boxes: others are mostly hidden, or share their boxes with somebody
TOGETHER_S = 0.6  # views within it count as one: a step raises and lowers them all
BLOCK_S = 2.0  # parts of a tracklet, whose statures are compared
MAX_VIEWS = 20_000  # that the surface is learnt from, spread over the video
STEPS = 10  # of reweighting
TAILS = 4.0  # degrees of freedom of Student's t: some bend, or are hidden below
PRIOR_NOISE, PRIOR_WANDER, PRIOR_SPREAD = 0.02**2, 0.015**2, 0.05**2  # variances of logarithms of heights
PRIOR_PEOPLE = 10.0  # worth of examples that the priors are
PRIOR_SURFACE = 10.0  # standard deviation of a coefficient of it: hardly any belief
MISLED = 0.05  # share of comparisons in which one was bent, hidden or somebody else in part
DECIMALS = 6  # of nats


@dataclass(frozen=True, eq=False)
class Statures:
    """Statures of T tracklets: rows of sums that add up to those of people.

    The first column is the stature's precision; the others, times that, its logarithm and where it was measured, in P numbers
    whose squared distance is the surface's variance between two places. All in units of the spread of people's statures.
    """

    sums: Array  # (T, 2 + P); 0 where nobody was seen whole

    def nats(self, first: Ints, second: Ints) -> Array:
        """(E,) log-likelihood ratios of pairs; 0 where one of the two was never seen whole."""
        return compare(self.sums[first], self.sums[second])

    @property
    def most_nats(self) -> float:
        """The most that a pair could reach."""
        return float(np.log1p(self.sums[:, 0].max(initial=0.0)) / 2)


def compare(one: Array, other: Array) -> Array:
    """(E,) log-likelihood ratios of one person over two, of rows of sums (E, 2 + P)."""
    known = (one[:, 0] > 0) & (other[:, 0] > 0)
    precisions, others = (np.where(known, side[:, 0], 1.0) for side in (one, other))
    difference = one[:, 1:] / precisions[:, None] - other[:, 1:] / others[:, None]
    squared, surface = np.square(difference[:, 0]), np.square(difference[:, 1:]).sum(axis=1)
    same = 1 / precisions + 1 / others + surface  # variances of the difference
    two = same + 2
    nats = (squared / two - squared / same + np.log(two / same)) / 2
    nats = np.logaddexp(np.log1p(-MISLED) + nats, np.log(MISLED))
    return np.asarray(np.round(np.where(known, nats, 0.0), DECIMALS))


def unknown_statures(count: int) -> Statures:
    """Of so many tracklets, nobody's."""
    return Statures(np.zeros((count, 2)))


def learn_statures(tracklets: Tracklets) -> Statures:
    """The statures of a video's tracklets, of one class."""
    rows, count = _whole_views(tracklets), len(tracklets.ids)
    return Statures(_sums(tracklets, rows, count)) if len(rows) else unknown_statures(count)


def _whole_views(tracklets: Tracklets) -> Ints:
    """(K,) rows of detected boxes that show somebody clearly and whole, of tracklets that mostly do."""
    found = np.flatnonzero(tracklets.detection_indices >= 0)
    clear = found[clarities(tracklets.confidences[found].astype(np.float64)) >= WELL_SEEN]
    x1, y1, x2, y2 = tracklets.bboxes[clear].T.astype(np.float64)
    margin = WHOLE * (y2 - y1)
    inside = (x1 > margin) & (y1 > margin) & (x2 < tracklets.width_px - margin) & (y2 < tracklets.height_px - margin)
    rows = clear[inside].astype(np.int64)
    owners = tracklets.positions()
    shares = np.bincount(owners[rows], minlength=len(tracklets.ids)) / np.diff(tracklets.offsets())
    return np.asarray(rows[shares[owners[rows]] >= LEAST_SHARE])


def _log_heights(tracklets: Tracklets, rows: Ints) -> Array:
    boxes = tracklets.bboxes[rows].astype(np.float64)
    return np.asarray(np.log(np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)))


def _terms(tracklets: Tracklets, rows: Ints) -> Array:
    """(K, P) terms of the surface at people's feet: heights follow y, and bend towards the horizon."""
    x1, _, x2, bottom = tracklets.bboxes[rows].T.astype(np.float64)
    x, y = (x1 + x2) / (2 * tracklets.width_px) - 0.5, bottom / tracklets.height_px - 0.5
    return np.stack([np.ones_like(x), y, y**2, y**3, y**4, x, x * y, x**2], axis=1)


def _sums(tracklets: Tracklets, rows: Ints, count: int) -> Array:
    """(T, 2 + P) sums of T tracklets from the views in these rows (K,)."""
    owners = tracklets.positions()[rows]
    logs, terms = _log_heights(tracklets, rows), _terms(tracklets, rows)
    parts = tracklets.frame_numbers[rows].astype(np.int64) // max(round(BLOCK_S * tracklets.fps), 1)
    every = max(TOGETHER_S * tracklets.fps, 1.0)
    step = stride(len(owners), MAX_VIEWS)
    some = slice(None, None, step)
    surface, covariance, noise, spread = _fit(owners[some], logs[some], terms[some], count, max(every / step, 1.0))
    residuals = logs - terms @ surface
    statures, weights = _means(owners, residuals, noise, count)
    wander = _wander(owners, parts, residuals - statures[owners], weights, count)
    worths = np.bincount(owners, weights, count)
    seen = worths > 0
    worths[~seen] = 1.0
    places = _totals(owners, weights, terms, count) / worths[:, None]
    doubts = noise * every / worths + wander
    measured = np.column_stack([np.ones(count), statures / np.sqrt(spread), places @ np.linalg.cholesky(covariance / spread)])
    return np.asarray(np.where(seen, spread / doubts, 0.0)[:, None] * measured)


def _fit(owners: Ints, logs: Array, terms: Array, count: int, every: float) -> tuple[Array, Array, float, float]:
    """The surface's coefficients (P,), their covariance (P, P), and the variances of a view and of people's statures.

    `every` so many views count as one.
    """
    noise, spread, weights = PRIOR_NOISE, PRIOR_SPREAD, np.ones(len(logs))
    people = np.bincount(owners, minlength=count) > 0
    belief = np.diag(np.full(terms.shape[1], PRIOR_SURFACE**-2))
    for _ in range(STEPS):
        worths = weights / (noise * every)
        precisions = np.bincount(owners, worths, count) + 1 / spread
        weighted = terms * worths[:, None]
        shared = _totals(owners, worths, terms, count)
        totals = np.bincount(owners, worths * logs, count)
        covariance = np.linalg.inv(terms.T @ weighted + belief - shared.T @ (shared / precisions[:, None]))
        surface = covariance @ (weighted.T @ logs - shared.T @ (totals / precisions))
        statures = (totals - shared @ surface) / precisions
        squared = np.square(logs - terms @ surface - statures[owners])
        prior = PRIOR_PEOPLE * every
        noise = (float(weights @ squared) + prior * PRIOR_NOISE) / (float(weights.sum()) + prior)
        weights = _trust(squared / noise)
        spread = float((np.square(statures) + 1 / precisions)[people].sum()) + PRIOR_PEOPLE * PRIOR_SPREAD
        spread /= float(people.sum()) + PRIOR_PEOPLE
    return surface, (covariance + covariance.T) / 2, noise, spread


def _means(owners: Ints, residuals: Array, noise: float, count: int) -> tuple[Array, Array]:
    """(T,) logarithms of statures, 0 of who was not seen, and how much each view (K,) counts in them."""
    weights = np.ones(len(residuals))
    for _ in range(STEPS):
        totals = np.bincount(owners, weights, count)
        means = np.bincount(owners, weights * residuals, count) / np.where(totals > 0, totals, 1.0)
        weights = _trust(np.square(residuals - means[owners]) / noise)
    return means, weights


def _totals(owners: Ints, weights: Array, table: Array, count: int) -> Array:
    """(T, P) weighted sums of the rows of table (K, P) by tracklet; no second table is made, there are millions of rows."""
    return np.stack([np.bincount(owners, weights * column, count) for column in table.T], axis=1)


def _trust(squared: Array) -> Array:
    """How much views count whose squared deviations, in variances, are these: Student's weights."""
    return (TAILS + 1) / (TAILS + squared)


def _wander(owners: Ints, parts: Ints, deviations: Array, weights: Array, count: int) -> float:
    """Variance of one person's stature from one part of the video to another, mixed with what is believed of people."""
    begins = (np.diff(owners, prepend=-1) != 0) | (np.diff(parts, prepend=-1) != 0)
    groups, whose = np.cumsum(begins) - 1, owners[begins]
    means = np.bincount(groups, weights * deviations) / np.bincount(groups, weights)
    numbers = np.bincount(whose, minlength=count)
    long = numbers > 1
    variances = np.bincount(whose, np.square(means), count)[long] / (numbers[long] - 1)
    usual = float(np.median(variances)) if len(variances) else 0.0  # of a tracklet that changes person it is great
    return (len(variances) * usual + PRIOR_PEOPLE * PRIOR_WANDER) / (len(variances) + PRIOR_PEOPLE)
