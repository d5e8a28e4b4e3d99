"""SORT's constant-velocity Kalman filter, which OC-SORT uses: centre, area and aspect, one track at a time in compiled code.

State of one box: centre x, centre y, area (px^2), aspect (width / height), and the velocities per frame of the first three.
Bewley et al. 2016, "Simple online and realtime tracking", section 3.2; the noise is that of its published code, the same
for boxes of all sizes. It never mixes the four, so the published 7x7 filter is three small filters of position and velocity,
of which x and y have the same covariance, and one of the aspect alone.

A track is a row of `states` (T, 14) float64: x, y, area, aspect; velocities of x, y, area; for the centre the variance of a
position, its covariance with the velocity, the variance of the velocity; the same three for the area; the aspect's variance.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.compiled import compiled
from stages.tracking.kalman import predict_covariance, update_covariance
from stages.tracking.lapjv import Array

VARIANCE_AT_BIRTH = 10.0
VELOCITY_VARIANCE_AT_BIRTH = 10_000.0  # nothing is known of it
CENTRE_NOISE = AREA_NOISE = ASPECT_NOISE = 1.0  # variances added by a step
CENTRE_VELOCITY_NOISE = 0.01
AREA_VELOCITY_NOISE = 0.0001
CENTRE_MEASURED = 1.0  # variances of a measurement
AREA_MEASURED = ASPECT_MEASURED = 10.0

X, Y, AREA, ASPECT = 0, 1, 2, 3  # columns of a state
VELOCITY = 4  # of x, y and the area
CENTRE_COVARIANCE, AREA_COVARIANCE, ASPECT_VARIANCE = 7, 10, 13  # first columns
STATE_SIZE = 14


@compiled
def box_of(states: Array, track: int, bboxes: NDArray[Any], row: int) -> None:
    """Writes the box x1, y1, x2, y2 of a track into `bboxes` (R, 4); NaN where the area is not positive."""
    width = np.sqrt(states[track, AREA] * states[track, ASPECT])
    height = states[track, AREA] / width
    bboxes[row, 0], bboxes[row, 2] = states[track, X] - width / 2, states[track, X] + width / 2
    bboxes[row, 1], bboxes[row, 3] = states[track, Y] - height / 2, states[track, Y] + height / 2


@compiled
def measured(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Centre x, centre y, area, aspect of a box x1, y1, x2, y2."""
    width, height = box[2] - box[0], box[3] - box[1]
    return box[0] + width / 2, box[1] + height / 2, width * height, width / height


@compiled
def initiate(states: Array, track: int, measurement: tuple[float, float, float, float]) -> None:
    """A new state at rest."""
    for i in range(4):
        states[track, i] = measurement[i]
    for i in range(VELOCITY, CENTRE_COVARIANCE):
        states[track, i] = 0.0
    for first in (CENTRE_COVARIANCE, AREA_COVARIANCE):
        states[track, first] = VARIANCE_AT_BIRTH
        states[track, first + 1] = 0.0
        states[track, first + 2] = VELOCITY_VARIANCE_AT_BIRTH
    states[track, ASPECT_VARIANCE] = VARIANCE_AT_BIRTH


@compiled
def predict(states: Array, track: int) -> None:
    """The state one frame later: x' = F x, P' = F P F^T + Q, with F adding the velocity to the position."""
    for i in range(3):
        states[track, i] += states[track, VELOCITY + i]
    predict_covariance(states, track, CENTRE_COVARIANCE, CENTRE_NOISE, CENTRE_VELOCITY_NOISE)
    predict_covariance(states, track, AREA_COVARIANCE, AREA_NOISE, AREA_VELOCITY_NOISE)
    states[track, ASPECT_VARIANCE] += ASPECT_NOISE


@compiled
def keep_area(states: Array, track: int) -> None:
    """An area that would not stay positive in the next frame no longer changes."""
    if states[track, AREA] + states[track, VELOCITY + AREA] <= 0:
        states[track, VELOCITY + AREA] = 0.0


@compiled
def update(states: Array, track: int, measurement: tuple[float, float, float, float]) -> None:
    """The state after a measurement z: gain K = P H^T / S, x' = x + K (z - H x), P' = P - K S K^T."""
    centre = update_covariance(states, track, CENTRE_COVARIANCE, CENTRE_MEASURED)
    area = update_covariance(states, track, AREA_COVARIANCE, AREA_MEASURED)
    for i in range(3):
        gain, velocity_gain = area if i == AREA else centre
        innovation = measurement[i] - states[track, i]
        states[track, i] += gain * innovation
        states[track, VELOCITY + i] += velocity_gain * innovation
    gain = states[track, ASPECT_VARIANCE] / (states[track, ASPECT_VARIANCE] + ASPECT_MEASURED)
    states[track, ASPECT] += gain * (measurement[ASPECT] - states[track, ASPECT])
    states[track, ASPECT_VARIANCE] -= gain * states[track, ASPECT_VARIANCE]


@compiled
def transform(states: Array, track: int, motion: Array) -> None:
    """The state seen by a camera that moved: `motion` (2, 3) maps a pixel of the frame before to this one.

    A similarity [[a, -b, tx], [b, a, ty]] turns x and y, whose covariances are equal and so stay apart, and scales areas by
    a^2 + b^2.
    """
    a, b = motion[0, 0], motion[1, 0]
    scale = a * a + b * b
    for first in (0, VELOCITY):
        x, y = states[track, first + X], states[track, first + Y]
        states[track, first + X], states[track, first + Y] = a * x - b * y, b * x + a * y
        states[track, first + AREA] *= scale
    states[track, X] += motion[0, 2]
    states[track, Y] += motion[1, 2]
    for i in range(3):
        states[track, CENTRE_COVARIANCE + i] *= scale
        states[track, AREA_COVARIANCE + i] *= scale * scale
