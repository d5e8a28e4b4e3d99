"""What the cosine of two looks says: nats for one person, by two densities that examples are fitted to.

One person's looks, if both are well seen, are as alike as the person allows, and the less is seen, the more chance decides. Of
two people most are unlike, and some are dressed alike. Where the two densities coincide, nothing is said; and nobody is surer
than the number of examples allows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

OWN_SPREAD = 0.05  # standard deviation of the cosine of one person's looks, all seen
ALIKE_SHARE, ALIKE_SPREAD = 0.05, 2.0  # of the pairs of people who may be dressed alike, and their spread over the others'
DECIMALS = 6  # of nats: the last digits of a matrix product depend on the number of threads


@dataclass(frozen=True)
class Prior:
    """What is believed of cosines before a video shows its own, and how firmly."""

    same: float = 0.6  # mean cosine of one person's looks
    spread: float = 0.17  # standard deviation of either kind
    people: float = 10.0  # worth of examples, for means and spread
    others: float = 1000.0  # worth of examples, for how sure one may be that two looks are one person's ...
    selves: float = 100.0  # ... and that they are not


PRIOR = Prior()


@dataclass(frozen=True)
class Calibration:
    """Densities of the cosine of two looks: of one person, whose mean at full support is `same`, and of two."""

    same: float
    other: float
    variance: float  # of two people's
    most_nats: float  # for one person, beyond which nats count logarithmically: no density is known so far out ...
    least_nats: float  # ... and for two

    def nats(self, cosines: Array, support: Array) -> Array:
        """Log-likelihood ratios of one person over two of cosines, of any shape; 0 where support is 0.

        `support` in [0, 1] is the share of the one-person cosine that noise of few views leaves.
        """
        expected = np.maximum(self.same * support, self.other)
        shown = (expected - self.other) / (1 - self.other)  # the rest is as alike as any two people's looks
        spread = self.variance * (1 - np.square(shown)) + np.square(OWN_SPREAD * shown)
        reached = np.minimum(cosines, expected)
        nats = _normal(reached - expected, spread) - self._of_two(reached)
        nats += np.sqrt(shown) * (self._of_two(reached) - self._of_two(cosines))  # more alike than expected speaks for one
        sure = np.clip(nats, self.least_nats, self.most_nats)
        beyond = nats - sure  # says little about how sure, but still who is likelier
        sure += np.sign(beyond) * np.log1p(np.abs(beyond))
        return np.asarray(np.round(np.where(support > 0, sure, 0.0), DECIMALS))

    def _of_two(self, cosines: Array) -> Array:
        """Log-density of the cosines of two people."""
        deviations = cosines - self.other
        usual = np.log1p(-ALIKE_SHARE) + _normal(deviations, self.variance)
        alike = np.log(ALIKE_SHARE) + _normal(deviations, ALIKE_SPREAD**2 * self.variance)
        return np.asarray(np.logaddexp(usual, alike))


def _normal(deviations: Array, variance: Array | float) -> Array:
    """Logarithm of a normal density but for what is common to all."""
    return np.asarray(-0.5 * (np.square(deviations) / variance + np.log(variance)))


def calibrate(same: Array, people: Ints, other: Array, commonness: float) -> Calibration:
    """The densities of cosines seen: same (N,) of one person each, whose number is in `people` (N,), and other (M,).

    Looks of one person are no independent examples: each person counts as one.
    """
    names, index = np.unique(people, return_inverse=True)
    own = np.bincount(index, same) / np.maximum(np.bincount(index), 1) if len(names) else np.zeros(0)
    prior_same, prior_other = commonness + (1 - commonness) * PRIOR.same, commonness
    same_mean = (own.sum() + PRIOR.people * prior_same) / (len(own) + PRIOR.people)
    other_mean = (other.sum() + PRIOR.people * prior_other) / (len(other) + PRIOR.people)
    deviations = np.square(other - other_mean).sum() + PRIOR.people * PRIOR.spread**2
    variance = deviations / (len(other) + PRIOR.people)
    return Calibration(
        float(min(same_mean, 1.0)),
        float(other_mean),
        float(variance),
        float(np.log(len(other) + PRIOR.others)),
        -float(np.log(len(own) + PRIOR.selves)),
    )
