"""Points near each other on the ground, and what they do to each other."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def norm(vectors: Array) -> Array:
    """(...) lengths of vectors (..., 2)."""
    return np.asarray(np.hypot(vectors[..., 0], vectors[..., 1]))


def close(points: Array, distance_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of points (n, 2) nearer than a distance, each pair both ways round."""
    x, y = points[:, 0], points[:, 1]
    near = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2 < distance_m**2
    np.fill_diagonal(near, False)
    one, other = np.nonzero(near)
    return one, other


def summed(rows: NDArray[np.int64], vectors: Array, count: int) -> Array:
    """(count, 2) sum of the vectors (m, 2) of each row."""
    return np.stack([np.bincount(rows, vectors[:, axis], count) for axis in (0, 1)], axis=1)


def apart(points: Array, distance_m: float) -> Array:
    """(n, 2) the points, those nearer than a distance pushed apart by half of what is missing."""
    one, other = close(points, distance_m)
    away = points[one] - points[other]
    distance = np.maximum(norm(away), 1e-6)
    return points + summed(one, away * (0.5 * (distance_m - distance) / distance)[:, None], len(points))
