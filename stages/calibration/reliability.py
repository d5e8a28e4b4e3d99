"""How well probabilities hold: what was said beside what came true."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS = 10  # of one width
Z95 = 1.96  # standard deviations around the middle 95 % of a normal distribution
LEAST = 1e-12  # probability that a logarithm is taken of


def reliability(probabilities: Array, true: Bools) -> dict[int, tuple[float, float, int]]:
    """(mean probability, share that came true, number) of each tenth of [0, 1] with something in it, by the tenth from 0."""
    tenths = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    return {
        k: (float(probabilities[tenths == k].mean()), float(true[tenths == k].mean()), int((tenths == k).sum()))
        for k in np.unique(tenths).tolist()
    }


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of what may be true where such a share of so many came true (Wilson 1927)."""
    middle, shrunk = share + Z95**2 / (2 * count), 1 + Z95**2 / count
    reach = Z95 * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    return max((middle - reach) / shrunk, 0.0), min((middle + reach) / shrunk, 1.0)


def calibration_error(probabilities: Array, true: Bools) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht 2015): |said - true| over the tenths, by their share."""
    points = reliability(probabilities, true).values()
    return sum(abs(said - share) * count for said, share, count in points) / max(len(probabilities), 1)


def log_loss(probabilities: Array, true: Bools) -> float:
    """Mean nats by which what happened was a surprise."""
    return float(-np.log(np.maximum(np.where(true, probabilities, 1 - probabilities), LEAST)).mean())
