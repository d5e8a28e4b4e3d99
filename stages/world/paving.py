"""The ground as pieces: slabs of the square with bands of darker ones, and the streets around it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stages.world.looks import Color, blend, color, palette
from stages.world.place import BLOCK_DEPTH_M, STREET_M, Place
from stages.world.solids import Piece

Array = NDArray[np.float64]

SLAB_M, COBBLE_M = 1.0, 2.0
JOINT_M = 0.03
BAND_EVERY = 5  # slabs
SLABS = palette("d8cdbb d3c7b4 dcd2c2 cfc4b3")
BAND, STREET = color("b9a994"), color("aaa69d")
JOINT = color("a59a89")  # between tiles: the ground itself
WORN, WHITE = color("645a5a"), color("ffffff")


def paving_pieces(place: Place, rng: np.random.Generator) -> list[Piece]:
    """The streets' tiles, then the square's; between them the ground shows."""
    half = np.array([place.width_m, place.depth_m]) / 2
    reach = half + BLOCK_DEPTH_M + STREET_M

    def slab(column: int, row: int) -> Color:
        band = column % BAND_EVERY == 0 or row % BAND_EVERY == 0
        tone = BAND if band else SLABS[int(rng.integers(len(SLABS)))]
        return blend(tone, WORN, 0.07 * rng.random())

    streets = _tiles(-reach, reach, COBBLE_M, lambda column, row: blend(STREET, WHITE, 0.05 * rng.random()))
    return [*streets, *_tiles(-half, half, SLAB_M, slab)]


def _tiles(low: Array, high: Array, size_m: float, color_of: Callable[[int, int], Color]) -> list[Piece]:
    """Tiles of about this size that fill a rectangle, with joints between them."""
    columns, rows = np.round((high - low) / size_m).astype(int).tolist()
    step, joint = (high - low) / (columns, rows), JOINT_M / 2
    return [
        _tile(low + step * (i, j) + joint, low + step * (i + 1, j + 1) - joint, color_of(i, j))
        for i in range(columns)
        for j in range(rows)
    ]


def _tile(low: Array, high: Array, tone: Color) -> Piece:
    (x1, y1), (x2, y2) = low.tolist(), high.tolist()
    return Piece(np.array([[x1, y1, 0], [x2, y1, 0], [x2, y2, 0], [x1, y2, 0]]), tone)
