"""How well probabilities hold: what was said beside what came true."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS = 10  # of one width
LEAST = 1e-12  # probability that a logarithm is taken of


def reliability(probabilities: Array, true: Bools) -> dict[int, tuple[float, float, int]]:
    """(mean probability, share that came true, number) of each tenth of [0, 1] with something in it, by the tenth from 0."""
    tenths = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    return {
        k: (float(probabilities[tenths == k].mean()), float(true[tenths == k].mean()), int((tenths == k).sum()))
        for k in np.unique(tenths).tolist()
    }


def calibration_error(probabilities: Array, true: Bools) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht 2015): |said - true| over the tenths, by their share."""
    points = reliability(probabilities, true).values()
    return sum(abs(said - share) * count for said, share, count in points) / max(len(probabilities), 1)


def log_loss(probabilities: Array, true: Bools) -> float:
    """Mean nats by which what happened was a surprise."""
    return float(-np.log(np.maximum(np.where(true, probabilities, 1 - probabilities), LEAST)).mean())
