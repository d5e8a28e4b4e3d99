"""Convex pieces that everything is drawn from: points in space whose projected hull is filled with one colour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.world.looks import Color

Array = NDArray[np.float64]

SUNLESS = 0.15  # cosine between a surface and the sun below which it is in the shade


@dataclass(frozen=True, eq=False)
class Piece:
    """The hull of points (k, 3) in one colour.

    With `normals` (k, 3) it lies on a surface: only points that face the camera count. A piece that is `shade` also leaves out
    points in the light.
    """

    points: Array
    color: Color
    normals: Array | None = None
    shade: bool = False


@dataclass(frozen=True, eq=False)
class Solids:
    """Pieces somewhere in the world, in the order of drawing: the hulls of the `kept` points of each slice."""

    points: Array  # (P, 3) m
    kept: NDArray[np.bool_]  # (P,)
    slices: list[tuple[int, int, Color]]
    casting: list[tuple[int, int, Color]]  # those of the slices that cast shadows: bodies, not what lies on their surface


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces in one table, so that all their points are turned, lit and projected at once."""

    points: Array  # (P, 3)
    normals: Array  # (P, 3) 0 where a point always counts
    on_surface: NDArray[np.bool_]  # (P,)
    shade: NDArray[np.bool_]  # (P,)
    slices: list[tuple[int, int, Color]]

    @property
    def casting(self) -> list[tuple[int, int, Color]]:
        """The slices that are bodies."""
        return [one for one in self.slices if not self.on_surface[one[0]]]

    def kept(self, points: Array, eye: Array, sun: Array) -> NDArray[np.bool_]:
        """(P,) which of these points, standing where `points` (P, 3) says, count for an eye and a sun in the same axes."""
        facing = (self.normals * (eye - points)).sum(axis=1) > 0
        dark = self.normals @ sun < SUNLESS
        return np.asarray(~self.on_surface | (facing & (dark | ~self.shade)))


def table(pieces: list[Piece]) -> Pieces:
    """The pieces in one table."""
    counts = [len(piece.points) for piece in pieces]
    stops = np.cumsum(counts).tolist()
    normals = [np.zeros((len(piece.points), 3)) if piece.normals is None else piece.normals for piece in pieces]
    return Pieces(
        np.concatenate([np.zeros((0, 3)), *(piece.points for piece in pieces)]),
        np.concatenate([np.zeros((0, 3)), *normals]),
        np.repeat([piece.normals is not None for piece in pieces], counts).astype(bool),
        np.repeat([piece.shade for piece in pieces], counts).astype(bool),
        [(stop - count, stop, piece.color) for stop, count, piece in zip(stops, counts, pieces, strict=True)],
    )


def ring(z: float, half_side: float, half_depth: float, angles: Array) -> tuple[Array, Array]:
    """Points and outward normals (k, 3) of a body's section: an ellipse around the z axis, angle 0 ahead, pi / 2 left."""
    cos, sin = np.cos(angles), np.sin(angles)
    points = np.column_stack([half_depth * cos, half_side * sin, np.full(len(angles), z)])
    normals = np.column_stack([cos / half_depth, sin / half_side, np.zeros(len(angles))])
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def ball(center: tuple[float, float, float], half_axes: tuple[float, float, float], count: int = 90) -> tuple[Array, Array]:
    """Points and outward normals (count, 3) spread over an ellipsoid (a golden spiral)."""
    k = np.arange(count) + 0.5
    z, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    unit = np.column_stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z])
    normals = unit / half_axes
    return np.array(center) + unit * half_axes, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def box(low: tuple[float, float, float], high: tuple[float, float, float], cut: float = 0.0) -> Array:
    """(24, 3) corners of an upright box, each cut off by `cut`."""
    corners = []
    for signs in np.ndindex(2, 2, 2):
        corner = np.where(np.array(signs) == 0, low, high)
        inwards = np.where(np.array(signs) == 0, cut, -cut)
        corners += [corner + np.roll([0.0, 1.0, 1.0], axis) * inwards for axis in range(3)]
    return np.array(corners)


CIRCLE = np.column_stack([np.cos(np.arange(14) * 2 * np.pi / 14), np.sin(np.arange(14) * 2 * np.pi / 14)])
