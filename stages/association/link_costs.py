"""What it costs to link two boxes as one person: the misfit of the motion before with the motion after, in nats. Compiled code.

A nat is a unit of log-likelihood: a link cheaper by 3 is e^3 = 20 times as likely.
"""

from typing import NamedTuple

import numpy as np

from stages.association.two_filter import (
    BOTTOM,
    CENTRE_X,
    COVARIANCE,
    NONE,
    POSITION_NOISE,
    QUANTITIES,
    TOP,
    VALUE,
    VALUE_VARIANCE,
    VELOCITY,
    VELOCITY_NOISE,
    VELOCITY_VARIANCE,
    Array,
    Measured,
    States,
    carried,
)
from stages.compiled import compiled

DEGREES_OF_FREEDOM = 4.0  # of Student's t: people turn and stop, and detectors slip, more often than a Gaussian allows
REFERENCE = (
    10.0  # nats a quantity, (body heights * body heights per frame)^-1 in logarithms: the zero that ends are counted from
)
REACH = 0.5  # body heights that a linked box may be off at once ...
REACH_PER_FRAME = 0.05  # ... and body heights more with each frame: more than 1 m/s at any rate; only saves time
MIN_DETERMINANT = 1e-18  # body heights^4: of two states that know everything
FORBIDDEN = 1e9  # nats


class Prices(NamedTuple):
    """What chains pay for beside misfit."""

    end: float  # nats of a chain's beginning, and of its end
    miss: float  # nats of each frame without a box inside a chain
    max_gap: int  # frames from a box to the next of its chain, at most, where a link is made: the tracker's may be longer


@compiled
def link_cost(past: int, future: int, measured: Measured, states: States, noise: Array, prices: Prices) -> float:
    """Nats of going on from box `past` to box `future`; NONE for `future` ends a chain, for `past` begins one."""
    if past == NONE and future == NONE:
        return 0.0
    if past == NONE or future == NONE:
        return prices.end
    frames = measured.frames[future] - measured.frames[past]
    if frames <= 0:
        return FORBIDDEN
    cost = prices.miss * (frames - 1)
    for i in range(QUANTITIES):
        cost += misfit(past, future, i, frames, measured.heights[past], states, noise)
    return float(cost)


@compiled
def misfit(past: int, future: int, i: int, frames: int, height: float, states: States, noise: Array) -> float:
    """Nats of one quantity: minus the log density of Student's t, but for constants, at what parts the two filters' states.

    D = (x_B - x_F - g v_F, -v_B - v_F), with the backward filter's velocity turned round, has covariance
    S = F^g P_F F^g' + Q_g + P_B with P_B's cross term negated. For d = 2 dimensions and n degrees of freedom the density is
    |S|^(-1/2) (1 + D' S^-1 D / n)^(-(n + d) / 2) (Kotz and Nadarajah 2004, "Multivariate t distributions", equation 1.1).
    """
    position, velocity = height * noise[i, POSITION_NOISE], height * noise[i, VELOCITY_NOISE]
    a, b, c = carried(
        states.forward[past, i, VALUE_VARIANCE],
        states.forward[past, i, COVARIANCE],
        states.forward[past, i, VELOCITY_VARIANCE],
        frames,
        position * position,
        velocity * velocity,
    )
    a += states.backward[future, i, VALUE_VARIANCE]
    b -= states.backward[future, i, COVARIANCE]
    c += states.backward[future, i, VELOCITY_VARIANCE]
    apart = states.backward[future, i, VALUE] - states.forward[past, i, VALUE] - frames * states.forward[past, i, VELOCITY]
    turned = -states.backward[future, i, VELOCITY] - states.forward[past, i, VELOCITY]
    unit = height * height * height * height
    determinant = max(a * c - b * b, MIN_DETERMINANT * unit)
    squared = max((c * apart * apart - 2 * b * apart * turned + a * turned * turned) / determinant, 0.0)
    tail = 0.5 * (DEGREES_OF_FREEDOM + 2) * np.log(1 + squared / DEGREES_OF_FREEDOM)
    return float(tail + 0.5 * np.log(determinant / unit) + REFERENCE)


@compiled
def within_reach(past: int, future: int, measured: Measured) -> bool:
    """Whether a person could be at both: centre x, top and bottom within reach. Either may be NONE."""
    if past == NONE or future == NONE:
        return True
    limit = reach(measured.heights[past], measured.frames[future] - measured.frames[past])
    farthest = 0.0
    for i in (CENTRE_X, TOP, BOTTOM):
        farthest = max(farthest, abs(measured.values[future, i] - measured.values[past, i]))
    return farthest < limit


@compiled
def reach(height: float, frames: int) -> float:
    """Pixels that a box of this height may be off after so many frames."""
    return (REACH + REACH_PER_FRAME * frames) * height
