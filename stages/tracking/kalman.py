"""The constant-velocity Kalman filter of SORT and ByteTrack, over many tracks at once.

State of one box: centre x, centre y, aspect (width / height), height, and their velocities per frame. Motion and noise never
mix the four, so the 8x8 filter is four independent 2x2 ones: a position, a velocity and the three entries of a symmetric
covariance, each an array (N, 4). Noise is proportional to the height (Wojke et al. 2017, "Simple online and realtime tracking
with a deep association metric", and its published code, which ByteTrack uses unchanged).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STD_POSITION = 1 / 20  # of the height
STD_VELOCITY = 1 / 160  # of the height, per frame
STD_ASPECT = 1e-2
STD_ASPECT_VELOCITY = 1e-5
STD_ASPECT_MEASURED = 1e-1


@dataclass
class KalmanState:
    """Filter states of N boxes; every array is (N, 4) over centre x, centre y, aspect, height."""

    position: Array
    velocity: Array
    var_position: Array
    covariance: Array
    var_velocity: Array

    @classmethod
    def empty(cls, capacity: int) -> "KalmanState":
        """Room for this many boxes."""
        return cls(*(np.zeros((capacity, 4)) for _ in range(5)))

    def take(self, rows: Any) -> "KalmanState":
        """A copy of some rows."""
        return KalmanState(*(array[rows] for array in self._arrays()))

    def put(self, rows: Any, state: "KalmanState") -> None:
        """Overwrites some rows."""
        for ours, theirs in zip(self._arrays(), state._arrays(), strict=True):
            ours[rows] = theirs

    def _arrays(self) -> tuple[Array, ...]:
        return self.position, self.velocity, self.var_position, self.covariance, self.var_velocity


def measurements(bboxes: NDArray[np.float32]) -> Array:
    """(N, 4) centre x, centre y, aspect, height of boxes (N, 4) x1, y1, x2, y2.

    Width and height are differences in float32, as published: a box passes through left-top-width-height in that type.
    """
    left_top = bboxes[:, :2].astype(np.float64)
    size = (bboxes[:, 2:] - bboxes[:, :2]).astype(np.float64)
    centre = left_top + size / 2
    return np.column_stack([centre, size[:, 0] / size[:, 1], size[:, 1]])


def boxes_of(position: Array) -> Array:
    """(N, 4) boxes x1, y1, x2, y2 of positions (N, 4)."""
    size = np.column_stack([position[:, 2] * position[:, 3], position[:, 3]])
    left_top = position[:, :2] - size / 2
    return np.concatenate([left_top, left_top + size], axis=1)


def initiate(measured: Array) -> KalmanState:
    """New states at rest: position noise twice, velocity noise ten times that of a step."""
    return KalmanState(
        measured.copy(),
        np.zeros_like(measured),
        _noise(measured, 2 * STD_POSITION, STD_ASPECT),
        np.zeros_like(measured),
        _noise(measured, 10 * STD_VELOCITY, STD_ASPECT_VELOCITY),
    )


def predict(state: KalmanState) -> KalmanState:
    """The states one frame later: x' = F x, P' = F P F^T + Q, with F adding the velocity to the position."""
    return KalmanState(
        state.position + state.velocity,
        state.velocity,
        state.var_position + 2 * state.covariance + state.var_velocity + _noise(state.position, STD_POSITION, STD_ASPECT),
        state.covariance + state.var_velocity,
        state.var_velocity + _noise(state.position, STD_VELOCITY, STD_ASPECT_VELOCITY),
    )


def update(state: KalmanState, measured: Array) -> KalmanState:
    """The states after measuring (N, 4): gain K = P H^T / S, x' = x + K (z - H x), P' = P - K S K^T."""
    innovation_var = state.var_position + _noise(state.position, STD_POSITION, STD_ASPECT_MEASURED)
    gain_position = state.var_position / innovation_var
    gain_velocity = state.covariance / innovation_var
    innovation = measured - state.position
    return KalmanState(
        state.position + gain_position * innovation,
        state.velocity + gain_velocity * innovation,
        state.var_position - gain_position * state.var_position,
        state.covariance - gain_position * state.covariance,
        state.var_velocity - gain_velocity * state.covariance,
    )


def _noise(position: Array, share_of_height: float, aspect: float) -> Array:
    """(N, 4) variances: (share * height)^2, and a constant for the aspect."""
    std = np.repeat(share_of_height * position[:, 3:], 4, axis=1)
    std[:, 2] = aspect
    return std * std
