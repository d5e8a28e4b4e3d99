"""Local-linear regression of a track's boxes over time.

Cleveland 1979, "Robust locally weighted regression and smoothing scatterplots", without the robustness step and with a
Gaussian weight. Centre and log size are regressed, so a size stays positive. On the frame grid every sum of the normal
equations is a convolution, and the cost is linear in the track's boxes: gaps that nothing reaches across are cut short.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REACH = 4.0  # standard deviations of the Gaussian that are summed
MIN_SIZE_PX = 1.0


def smooth_boxes(bboxes: Array, weights: Array, frames: NDArray[np.int64], sigma_frames: float) -> Array:
    """(N, 4) smoothed boxes of one track.

    bboxes (N, 4) x1, y1, x2, y2 px, weights (N,) positive, frames (N,) ascending; `sigma_frames` is the standard deviation
    of the time weight.
    """
    size = np.maximum(bboxes[:, 2:] - bboxes[:, :2], MIN_SIZE_PX)
    values = np.column_stack([(bboxes[:, :2] + bboxes[:, 2:]) / 2, np.log(size)])
    fitted = _local_linear(values, weights, frames, sigma_frames)
    half = np.exp(fitted[:, 2:]) / 2
    return np.concatenate([fitted[:, :2] - half, fitted[:, :2] + half], axis=1)


def _local_linear(values: Array, weights: Array, frames: NDArray[np.int64], sigma_frames: float) -> Array:
    """(N, C) intercepts of the weighted straight line around each frame, by the closed 2x2 normal equations."""
    reach = int(np.ceil(REACH * sigma_frames))
    grid = np.cumsum(np.minimum(np.diff(frames, prepend=frames[0]), reach + 1))
    lag = np.arange(-reach, reach + 1)
    gaussian = np.exp(-0.5 * (lag / sigma_frames) ** 2)
    length = int(grid[-1]) + 1

    def sums(column: Array, power: int) -> Array:
        """Sum over neighbours of weight * column * (t_neighbour - t)^power, at the track's own frames."""
        dense = np.zeros(length)
        dense[grid] = weights * column
        # convolution flips its kernel: the neighbour's lag is the kernel's argument with the other sign
        return np.asarray(np.convolve(dense, gaussian * (-lag) ** power)[reach : reach + length][grid])

    ones = np.ones(len(grid))
    s0, s1, s2 = (sums(ones, power) for power in range(3))
    determinant = s0 * s2 - s1 * s1
    lonely = determinant <= 1e-9 * s0 * s0  # no second frame in reach: the weighted mean is the point itself
    determinant = np.where(lonely, 1.0, determinant)
    columns = []
    for column in values.T:
        t0, t1 = sums(column, 0), sums(column, 1)
        columns.append(np.where(lonely, t0 / s0, (s2 * t0 - s1 * t1) / determinant))
    return np.column_stack(columns)
