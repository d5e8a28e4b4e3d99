"""What the cosine of two looks says: nats for one person, by two densities that examples are fitted to.

One person's looks, if both are well seen, are as alike as the person allows, and the less is seen, the more chance decides. Of
two people most are unlike, and some are dressed alike. Where the two densities coincide, nothing is said; and nobody is surer
than the number of examples allows.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Number = Any  # one number or an array of them

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


class Calibration(NamedTuple):
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
        nats = nats_of(cosines, support, self)
        return np.asarray(np.round(np.where(support > 0, nats, 0.0), DECIMALS))


def nats_of(cosine: Number, support: Number, known: Calibration) -> Number:
    """The ratios for support above 0, before rounding: of arrays, or compiled for one pair at a time."""
    other, variance = known.other, known.variance

    def normal(deviation: Number, variance: Number) -> Number:
        """Logarithm of a normal density but for what is common to all."""
        return -0.5 * (deviation * deviation / variance + np.log(variance))

    def of_two(cosine: Number) -> Number:
        """Log-density of the cosines of two people."""
        usual = np.log1p(-ALIKE_SHARE) + normal(cosine - other, variance)
        alike = np.log(ALIKE_SHARE) + normal(cosine - other, ALIKE_SPREAD**2 * variance)
        return np.logaddexp(usual, alike)

    expected = np.maximum(known.same * support, other)
    shown = (expected - other) / (1 - other)  # the rest is as alike as any two people's looks
    spread = variance * (1 - shown * shown) + (OWN_SPREAD * shown) ** 2
    reached = np.minimum(cosine, expected)
    nats = normal(reached - expected, spread) - of_two(reached)
    nats += np.sqrt(shown) * (of_two(reached) - of_two(cosine))  # more alike than expected speaks for one
    sure = np.minimum(np.maximum(nats, known.least_nats), known.most_nats)
    beyond = nats - sure  # says little about how sure, but still who is likelier
    return sure + np.sign(beyond) * np.log1p(np.abs(beyond))


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
