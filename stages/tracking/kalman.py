"""The constant-velocity Kalman filter of SORT and ByteTrack, one track at a time in compiled code.

State of one box: centre x, centre y, aspect (width / height), height, and their velocities per frame. Motion and noise never
mix the four, so the published 8x8 filter is four independent filters of position and velocity. Noise is a share of the height
for x, y and the height itself, so these three have the same covariance; the aspect has its own (Wojke et al. 2017, "Simple
online and realtime tracking with a deep association metric", and its published code, which ByteTrack uses unchanged).

A track is a row of `states` (T, 14) float64: x, y, aspect, height; their velocities; for lengths the variance of a position,
its covariance with the velocity, the variance of the velocity; the same three for the aspect. Functions take the array and a
row number: views of rows cost compiled code several times what the arithmetic does.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.compiled import compiled

Array = NDArray[np.float64]

STD_POSITION = 1 / 20  # of the height
STD_VELOCITY = 1 / 160  # of the height, per frame
STD_ASPECT = 1e-2
STD_ASPECT_VELOCITY = 1e-5
STD_ASPECT_MEASURED = 1e-1

X, Y, A, H = 0, 1, 2, 3  # columns of a state; + 4: the velocity
LENGTH, ASPECT = 8, 11  # first columns of the covariances
STATE_SIZE = 14


@compiled
def box_of(states: Array, track: int, bboxes: NDArray[Any], row: int) -> None:
    """Writes the box x1, y1, x2, y2 of a track into `bboxes` (R, 4)."""
    height = states[track, H]
    width = states[track, A] * height
    left, top = states[track, X] - width / 2, states[track, Y] - height / 2
    bboxes[row, 0], bboxes[row, 1], bboxes[row, 2], bboxes[row, 3] = left, top, left + width, top + height


@compiled
def measured(bboxes: NDArray[np.float32], detection: int) -> tuple[float, float, float, float]:
    """Centre x, centre y, aspect, height of a detection's box x1, y1, x2, y2.

    Width and height are differences in float32, as published: a box passes through left-top-width-height in that type.
    """
    left, top = np.float64(bboxes[detection, 0]), np.float64(bboxes[detection, 1])
    width = np.float64(bboxes[detection, 2] - bboxes[detection, 0])
    height = np.float64(bboxes[detection, 3] - bboxes[detection, 1])
    return left + width / 2, top + height / 2, width / height, height


@compiled
def initiate(states: Array, track: int, measurement: tuple[float, float, float, float]) -> None:
    """A new state at rest: position noise twice, velocity noise ten times that of a step."""
    height = measurement[H]
    for i in range(4):
        states[track, i], states[track, 4 + i] = measurement[i], 0.0
    states[track, LENGTH] = _square(2 * STD_POSITION * height)
    states[track, LENGTH + 1] = 0.0
    states[track, LENGTH + 2] = _square(10 * STD_VELOCITY * height)
    states[track, ASPECT] = _square(STD_ASPECT)
    states[track, ASPECT + 1] = 0.0
    states[track, ASPECT + 2] = _square(STD_ASPECT_VELOCITY)


@compiled
def predict(states: Array, track: int) -> None:
    """The state one frame later: x' = F x, P' = F P F^T + Q, with F adding the velocity to the position."""
    height = states[track, H]
    for i in range(4):
        states[track, i] += states[track, 4 + i]
    predict_covariance(states, track, LENGTH, _square(STD_POSITION * height), _square(STD_VELOCITY * height))
    predict_covariance(states, track, ASPECT, _square(STD_ASPECT), _square(STD_ASPECT_VELOCITY))


@compiled
def update(states: Array, track: int, measurement: tuple[float, float, float, float]) -> None:
    """The state after a measurement z: gain K = P H^T / S, x' = x + K (z - H x), P' = P - K S K^T."""
    length = update_covariance(states, track, LENGTH, _square(STD_POSITION * states[track, H]))
    aspect = update_covariance(states, track, ASPECT, _square(STD_ASPECT_MEASURED))
    for i in range(4):
        gain, velocity_gain = aspect if i == A else length
        innovation = measurement[i] - states[track, i]
        states[track, i] += gain * innovation
        states[track, 4 + i] += velocity_gain * innovation


@compiled
def transform(states: Array, track: int, motion: Array) -> None:
    """The state seen by a camera that moved: `motion` (2, 3) maps a pixel of the frame before to this one.

    A similarity [[a, -b, tx], [b, a, ty]] turns x and y, whose covariances are equal and so stay apart, and scales lengths.
    """
    a, b = motion[0, 0], motion[1, 0]
    scale = np.sqrt(a * a + b * b)
    for first in (0, 4):  # the position, then the velocity
        x, y = states[track, first + X], states[track, first + Y]
        states[track, first + X], states[track, first + Y] = a * x - b * y, b * x + a * y
        states[track, first + H] *= scale
    states[track, X] += motion[0, 2]
    states[track, Y] += motion[1, 2]
    for i in range(3):
        states[track, LENGTH + i] *= scale * scale


@compiled
def predict_covariance(states: Array, track: int, kind: int, position_noise: float, velocity_noise: float) -> None:
    """P' = F P F^T + Q of a position and its velocity: three columns from `kind`."""
    position, mixed = states[track, kind], states[track, kind + 1]
    velocity = states[track, kind + 2]
    states[track, kind] = position + 2 * mixed + velocity + position_noise
    states[track, kind + 1] = mixed + velocity
    states[track, kind + 2] = velocity + velocity_noise


@compiled
def update_covariance(states: Array, track: int, kind: int, measurement_noise: float) -> tuple[float, float]:
    """P' = P - K S K^T of a position and its velocity: three columns from `kind`; the gains K of both."""
    position, mixed = states[track, kind], states[track, kind + 1]
    velocity = states[track, kind + 2]
    gain, velocity_gain = position / (position + measurement_noise), mixed / (position + measurement_noise)
    states[track, kind] = position - gain * position
    states[track, kind + 1] = mixed - gain * mixed
    states[track, kind + 2] = velocity - velocity_gain * mixed
    return gain, velocity_gain


@compiled
def _square(value: float) -> float:
    return value * value
