"""What the cosine of two looks says: nats for one person, by two normal densities that examples are fitted to.

Where the two densities coincide, nothing is said; and nobody is surer than the number of examples allows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

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
    """Densities of the cosine of two looks: normal, of one spread, with these means at full support."""

    same: float
    other: float
    variance: float
    most_nats: float  # for one person, beyond which nats count logarithmically: no density is known so far out ...
    least_nats: float  # ... and for two

    def nats(self, cosines: Array, support: Array) -> Array:
        """Log-likelihood ratios of one person over two of cosines, of any shape; 0 where support is 0.

        `support` in [0, 1] is the share of the one-person cosine that noise of few views leaves.
        """
        reach = self.same * support - self.other
        nats = np.maximum(reach, 0) / self.variance * (cosines - self.other - reach / 2)
        sure = np.clip(nats, self.least_nats, self.most_nats)
        beyond = nats - sure  # says little about how sure, but still who is likelier
        sure += np.sign(beyond) * np.log1p(np.abs(beyond))
        return np.asarray(np.round(np.where(support > 0, sure, 0.0), DECIMALS))


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
