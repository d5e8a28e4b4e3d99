"""Two-filter smoothing: what the past of a box says of its motion, and what its future says. Compiled code.

Four quantities of a box, centre x, top, bottom and width, move by themselves, each with a constant velocity but for noise. A
filter that runs forwards in time leaves at each box the state given that box and all before it in its chain; one that runs
backwards the state given that box and all after it. Where a Rauch-Tung-Striebel smoother passes once forwards and corrects on
its way back, two filters (Fraser and Potter 1969, "The optimum linear smoother as a combination of two optimum linear
filters") give the likelihood of ANY link between a past and a future without filtering anew.

A state is a row of (N, 4, 5) float64: for each quantity its value, its velocity per frame (the backward filter's: per frame
backwards), and the variance of the value, its covariance with the velocity and the variance of the velocity.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.compiled import compiled

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE = -1  # no box
CENTRE_X, TOP, BOTTOM, WIDTH = 0, 1, 2, 3
QUANTITIES = 4
VALUE, VELOCITY, VALUE_VARIANCE, COVARIANCE, VELOCITY_VARIANCE = 0, 1, 2, 3, 4
STATE_SIZE = 5
POSITION_NOISE, VELOCITY_NOISE, MEASUREMENT_NOISE = 0, 1, 2  # columns of the noise (4, 3): standard deviations, body heights
INNOVATION_TAILS = 3.0  # degrees of freedom of Student's t: tracklets still hold identity switches, so tails are heavy
FIRST_VELOCITIES = 10.0  # a first velocity's standard deviation, in those of one frame's change of velocity ...
FIRST_VELOCITY = 0.005  # ... and body heights per frame on top, for people who hardly ever change theirs


class Measured(NamedTuple):
    """N boxes as the filters see them."""

    values: Array  # (N, 4) centre x, top, bottom, width; px
    heights: Array  # (N,) body heights, px: the unit of all noise
    blur: Array  # (N,) by which measurement noise is multiplied: 1 for a sure detection, more for a doubtful or a small one
    frames: Ints  # (N,)


class Chains(NamedTuple):
    """N boxes linked into chains, one a person."""

    nexts: Ints  # (N,) row of the next box of the same person, or NONE
    befores: Ints  # (N,) row of the one before, or NONE


class States(NamedTuple):
    """What both filters say at N boxes."""

    forward: Array  # (N, 4, 5)
    backward: Array  # (N, 4, 5)


@compiled
def both_filters(measured: Measured, chains: Chains, noise: Array) -> States:
    """The states at all boxes; rows are sorted by frame. noise (4, 3)."""
    num = len(measured.frames)
    states = States(np.zeros((num, QUANTITIES, STATE_SIZE)), np.zeros((num, QUANTITIES, STATE_SIZE)))
    for row in range(num):
        filter_box(states.forward, row, chains.befores[row], measured, noise, False)
        last = num - 1 - row
        filter_box(states.backward, last, chains.nexts[last], measured, noise, False)
    return states


@compiled
def filter_box(states: Array, row: int, source: int, measured: Measured, noise: Array, robust: bool) -> None:
    """Writes the state at a box, from the state at the box `source` that comes before it in the filter's direction.

    A robust filter is moved less by outliers; one whose states are compared must not be, or a wrong box would excuse itself.
    """
    for i in range(QUANTITIES):
        if source == NONE:
            _start(states, row, i, measured, noise)
        else:
            _carry(states, row, i, source, abs(measured.frames[row] - measured.frames[source]), measured, noise)
            spread = measured.heights[source] * measured.blur[row] * noise[i, MEASUREMENT_NOISE]
            variance = spread * spread
            if robust:
                innovation = measured.values[row, i] - states[row, i, VALUE]
                variance *= doubt(innovation * innovation / (states[row, i, VALUE_VARIANCE] + variance))
            _correct(states, row, i, measured.values[row, i], variance)


@compiled
def doubt(squared: float) -> float:
    """By which an outlier's measurement variance grows: the inverse of Student's weight (n + 1) / (n + e^2 / S), at least 1."""
    return max((INNOVATION_TAILS + squared) / (INNOVATION_TAILS + 1), 1.0)


@compiled
def first_velocity_variance(velocity_noise: float, height: float) -> float:
    """Of a velocity that nothing is known of yet, (px per frame)^2."""
    spread = (FIRST_VELOCITIES * velocity_noise + FIRST_VELOCITY) * height
    return spread * spread


@compiled
def _start(states: Array, row: int, i: int, measured: Measured, noise: Array) -> None:
    """At rest where it was measured."""
    height = measured.heights[row]
    spread = height * measured.blur[row] * noise[i, MEASUREMENT_NOISE]
    states[row, i, VALUE], states[row, i, VELOCITY] = measured.values[row, i], 0.0
    states[row, i, VALUE_VARIANCE], states[row, i, COVARIANCE] = spread * spread, 0.0
    states[row, i, VELOCITY_VARIANCE] = first_velocity_variance(noise[i, VELOCITY_NOISE], height)


@compiled
def carried(
    a: float, b: float, c: float, frames: int, position_noise: float, velocity_noise: float
) -> tuple[float, float, float]:
    """Variance, covariance, velocity's variance [[a, b], [b, c]] after so many frames of constant velocity and noise.

    n times P <- F P F' + Q with F = [[1, 1], [0, 1]] and Q = diag(p, q) gives a + 2 n b + n^2 c + n p + q (n-1) n (2n-1) / 6,
    b + n c + q n (n-1) / 2 and c + n q. `position_noise` p and `velocity_noise` q are variances a frame.
    """
    n = float(frames)
    value = a + 2 * n * b + n * n * c + n * position_noise + velocity_noise * (n - 1) * n * (2 * n - 1) / 6
    return value, b + n * c + velocity_noise * n * (n - 1) / 2, c + n * velocity_noise


@compiled
def _carry(states: Array, row: int, i: int, source: int, frames: int, measured: Measured, noise: Array) -> None:
    """Writes what the state at `source` predicts so many frames on."""
    position, velocity = (
        measured.heights[source] * noise[i, POSITION_NOISE],
        measured.heights[source] * noise[i, VELOCITY_NOISE],
    )
    a, b, c = states[source, i, VALUE_VARIANCE], states[source, i, COVARIANCE], states[source, i, VELOCITY_VARIANCE]
    a, b, c = carried(a, b, c, frames, position * position, velocity * velocity)
    states[row, i, VALUE] = states[source, i, VALUE] + frames * states[source, i, VELOCITY]
    states[row, i, VELOCITY] = states[source, i, VELOCITY]
    states[row, i, VALUE_VARIANCE], states[row, i, COVARIANCE], states[row, i, VELOCITY_VARIANCE] = a, b, c


@compiled
def _correct(states: Array, row: int, i: int, value: float, variance: float) -> None:
    """The state after a measurement: gain K = P H' / S, x <- x + K (z - H x), P <- P - K H P."""
    a, b = states[row, i, VALUE_VARIANCE], states[row, i, COVARIANCE]
    innovation, total = value - states[row, i, VALUE], a + variance
    gain, velocity_gain = a / total, b / total
    states[row, i, VALUE] += gain * innovation
    states[row, i, VELOCITY] += velocity_gain * innovation
    states[row, i, VALUE_VARIANCE] = a - gain * a
    states[row, i, COVARIANCE] = b - gain * b
    states[row, i, VELOCITY_VARIANCE] -= velocity_gain * b
