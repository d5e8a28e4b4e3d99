"""The two numbers that turn leads into probabilities, fitted to judged decisions."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from stages.association.decisions import OFFSETS, TEMPERS, Sureness
from stages.calibration.judging import Judged

START = (0.5, 0.0)
DECIMALS = 3  # of what goes into params.yaml
LEAST = 30  # decisions that a fit needs ...
LEAST_OF_EACH = 5  # ... of each outcome: "Relaxing the rule of ten events per variable" (Vittinghoff and McCulloch 2007)


def fitted(judged: Judged) -> Sureness:
    """The one with the least log loss, to three decimals.

    Targets are those of Platt (1999), section 2.2: a little less than sure, so that few decisions which are all right do not
    make it endless.
    """
    right = judged.one_person.sum()
    target = np.where(judged.one_person, (right + 1) / (right + 2), 1 / (len(judged) - right + 2))

    def loss(values: NDArray[np.float64]) -> float:
        log_odds = values[0] * judged.gains + values[1]
        return float(np.mean(np.logaddexp(0, log_odds) - target * log_odds))

    bounds = [(one.low, one.high) for one in (TEMPERS, OFFSETS)]
    found = minimize(loss, np.array(START), bounds=bounds)
    temper, offset = (round(float(value), DECIMALS) + 0.0 for value in found.x)  # + 0.0: of -0.0
    return Sureness(temper, offset)


def shortage(judged: Judged) -> str | None:
    """What is missing for a fit, None where nothing is."""
    one = int(judged.one_person.sum())
    if len(judged) >= LEAST and LEAST_OF_EACH <= one <= len(judged) - LEAST_OF_EACH:
        return None
    return (
        f"expected at least {LEAST} decisions, {LEAST_OF_EACH} about one person and {LEAST_OF_EACH} about two people among "
        f"them, got {len(judged)}: {one} and {len(judged) - one}"
    )
