"""How much two looks say that they are one person's: a log-likelihood ratio in nats, learnt from each video without labels.

Features of one network crowd together in a corner of their space, and light and camera move that corner. So looks are compared
after taking out what all people of this video have in common (the centre) and shrinking the directions in which one person's
own views differ (within-class whitening; Hatch, Kajarekar and Stolcke 2006, "Within-class covariance normalization for
SVM-based speaker recognition"). What their cosine says the video itself shows: tracklets seen together are different people,
and parts of one tracklet some seconds apart are the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from stages.association.appearance import Views
from stages.association.cosines import Calibration, calibrate
from stages.association.thinning import stride

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

MAX_VIEWS = 8_000  # that the whitening is learnt from, spread over the video: more change nothing
MAX_PAIRS = 200_000  # of different people, spread over the video
SHRINKAGE = 1.0  # of the within-person covariance towards equal directions, in mean variances
LEAST_VARIANCE = 1e-6  # of a direction: all views may be equal
UNCENTRED = 3.0  # people's worth of doubt about the centre: two looks alone say nothing of what all have in common
COMMON = 4.0  # what all people share, in squared lengths of what tells them apart: where a video shows 2 to 10 people
VIEWS_DOUBT = 1.5  # views after which a mean look is half noise: they follow each other and are alike
CLARITY_POWER = 3  # of clarity: cosines of one person fall so, in the sample world's squares as in PETS and TUD
LEAST_SUPPORT = 0.5  # of two looks together that are an example of what cosines are like
BLOCK_S = 2.0  # seconds of one tracklet that count as one look of it ...
APART_S = 4.0  # ... and from the middle of one to that of another, compared as two looks of one person
MAX_PAIRS_A_STEP = 5_000  # of one person's parts, spread over the video
MEMORY_S = 60.0  # farther apart they are not compared


@dataclass(frozen=True, eq=False)
class Space:
    """Where looks are compared."""

    centre: Floats  # (D,)
    whitening: Floats  # (D, D)
    commonness: float  # cosine that different people have because the centre is not sure

    def moved(self, features: Floats) -> Floats:
        """(N, D) features in this space, of any length."""
        return np.asarray((features - self.centre) @ self.whitening)

    def directions(self, means: Floats) -> Floats:
        """(N, D) unit vectors of mean features (N, D); 0 for a mean of zeros."""
        blind = ~means.any(axis=1)
        moved = self.moved(means)
        lengths = np.linalg.norm(moved, axis=1)
        moved[blind] = 0
        moved /= np.where(lengths > 0, lengths, 1.0)[:, None]
        return np.asarray(moved)


@dataclass(frozen=True, eq=False)
class Looks:
    """The looks of T tracklets, and what their likeness says."""

    directions: Floats  # (T, D) unit vectors; 0: never seen
    supports: Array  # (T,) in [0, 1); 0: never seen
    space: Space
    calibration: Calibration

    def nats(self, first: Ints, second: Ints) -> Array:
        """(E,) log-likelihood ratios of pairs; 0 where one of the two was never seen."""
        cosines = np.einsum("ed,ed->e", self.directions[first], self.directions[second], dtype=np.float64)
        return self.calibration.nats(cosines, self.supports[first] * self.supports[second])

    def table(self, first: Ints, second: Ints) -> Array:
        """(A, B) of each with each."""
        cosines = (self.directions[first] @ self.directions[second].T).astype(np.float64)
        return self.calibration.nats(cosines, self.supports[first][:, None] * self.supports[second])


def support_of(counts: NDArray[np.integer], clarities: Array | float = 1.0) -> Array:
    """Root of the share of a mean of so many views that is the person and not noise; two looks' are multiplied.

    More views do not help against what hides somebody in all of them.
    """
    return np.asarray(clarities**CLARITY_POWER * np.sqrt(counts / (counts + VIEWS_DOUBT)))


@dataclass(frozen=True, eq=False)
class Blocks:
    """Parts of tracklets, some seconds each, sorted by tracklet and time."""

    owners: Ints  # (B,) tracklet
    numbers: Ints  # (B,) part of the video
    supports: Array  # (B,)
    weights: Array  # (B,)
    means: Floats  # (B, D)
    of_views: Ints  # (K,) each view's part


def learn_looks(views: Views, fps: float, together: Ints, pure: bool = True) -> Looks:
    """The looks of the tracklets of a video; together (P, 2): pairs of them known to be two people.

    Where tracklets may not be `pure`, how one person's views differ is learnt from those of a few seconds alone: over a whole
    tracklet a change of person would pass for one's own variety.
    """
    blocks = _blocks(views, fps)
    members = csr_array(
        (blocks.weights, (blocks.owners, np.arange(len(blocks.owners)))), (views.num_tracklets, len(blocks.owners))
    )
    totals = np.bincount(blocks.owners, blocks.weights, views.num_tracklets)
    means = ((members @ blocks.means) / np.where(totals > 0, totals, 1.0)[:, None]).astype(np.float32)
    supports = support_of(views.counts(), views.mean_clarities(views.tracklets, views.num_tracklets))
    variety = (means, views.tracklets) if pure else (blocks.means, blocks.of_views)
    space = learn_space(views, means, supports, *variety)
    directions = space.directions(means)
    same, people = _same_cosines(blocks, space)
    other = _other_cosines(directions, supports, together)
    return Looks(directions, supports, space, calibrate(same, people, other, space.commonness))


def learn_space(views: Views, means: Floats, supports: Array, middles: Floats, groups: Ints) -> Space:
    """The space of a video's looks, from mean features (T, D) of tracklets with supports (T,).

    Views vary about the `middles` (G, D) of their groups (K,).
    """
    trust = np.square(supports)
    dim = means.shape[1]
    centre = (trust @ means) / (trust.sum() + UNCENTRED)
    doubt = UNCENTRED / (trust.sum() + UNCENTRED)
    chosen = np.arange(0, len(views), stride(len(views), MAX_VIEWS))
    own = views.features(chosen) - middles[groups[chosen]]
    own *= np.sqrt(views.weights[chosen])[:, None].astype(np.float32)
    covariance = (own.T @ own).astype(np.float64) / max(float(views.weights[chosen].sum()), 1e-9)
    covariance += (SHRINKAGE * np.trace(covariance) / dim + LEAST_VARIANCE) * np.eye(dim)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T  # any square root will do: cosines know no rotation
    return Space(centre.astype(np.float32), whitening.astype(np.float32), COMMON * doubt**2 / (COMMON * doubt**2 + 1))


def _blocks(views: Views, fps: float) -> Blocks:
    numbers = views.frames // max(round(BLOCK_S * fps), 1)
    begins = (np.diff(views.tracklets, prepend=-1) != 0) | (np.diff(numbers, prepend=-1) != 0)
    groups, starts = np.cumsum(begins) - 1, np.flatnonzero(begins)
    count = len(starts)
    supports = support_of(np.bincount(groups, minlength=count), views.mean_clarities(groups, count))
    weights = np.bincount(groups, views.weights, count).astype(np.float64)
    return Blocks(views.tracklets[starts], numbers[starts], supports, weights, views.means(groups, count), groups)


def _same_cosines(blocks: Blocks, space: Space) -> tuple[Array, Ints]:
    """(N,) cosines between clear parts of one tracklet some seconds apart, at full support, and whose they are (N,)."""
    directions, supports = space.directions(blocks.means), blocks.supports
    cosines, whose = [np.zeros(0)], [np.zeros(0, np.int64)]
    for step in range(1, min(round(MEMORY_S / BLOCK_S), len(blocks.owners))):
        apart = (blocks.numbers[step:] - blocks.numbers[:-step]) * BLOCK_S
        pairs = np.flatnonzero((blocks.owners[:-step] == blocks.owners[step:]) & (apart >= APART_S) & (apart <= MEMORY_S))
        pairs = pairs[:: stride(len(pairs), MAX_PAIRS_A_STEP)]
        pairs = pairs[supports[pairs] * supports[pairs + step] > LEAST_SUPPORT]
        support = supports[pairs] * supports[pairs + step]
        cosines.append(np.einsum("nd,nd->n", directions[pairs], directions[pairs + step], dtype=np.float64) / support)
        whose.append(blocks.owners[pairs])
    return np.concatenate(cosines), np.concatenate(whose)


def _other_cosines(directions: Floats, supports: Array, together: Ints) -> Array:
    """(N,) cosines between people seen together, who both were seen well enough."""
    seen = together[(supports[together] ** 2 > LEAST_SUPPORT).all(axis=1)]
    seen = seen[:: stride(len(seen), MAX_PAIRS)]
    return np.asarray(np.einsum("nd,nd->n", directions[seen[:, 0]], directions[seen[:, 1]], dtype=np.float64))
