"""The blocks of houses around the square, and the row of houses across the street behind them, as pieces."""

import numpy as np
from numpy.typing import NDArray

from stages.world.furniture import Point, cuboid, face
from stages.world.light import Sun
from stages.world.looks import Color, blend, color, palette
from stages.world.place import BLOCK_DEPTH_M, STREET_M, Block, Place
from stages.world.solids import Piece

Array = NDArray[np.float64]

HEIGHT_M = 8.5
BAY_M = 3.2  # a shop's width
WALLS = palette("e6cfae d9a98a c9d0c2 e3d9c6 b9c7cf dcb7a0 cfc3a5 a9b8a4")
AWNINGS = palette("c7573f 3f7f78 d9a441 4d6a94 8a4a5c")
GLASS, FRAME, CREAM, STONE = color("5d7682"), color("f1e9da"), color("f6f0e4"), color("a79c8c")


def block_pieces(block: Block, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    """A block: its walls, and a front with shops towards the square."""
    wall = WALLS[int(rng.integers(len(WALLS)))]
    pieces = cuboid((block.x1, block.y1, 0), (block.x2, block.y2, HEIGHT_M), wall, sun)
    pieces += cuboid((block.x1 - 0.03, block.y1 - 0.03, 0), (block.x2 + 0.03, block.y2 + 0.03, 0.45), STONE, sun)
    front = Front(block, sun)
    bays = max(1, round(front.length / BAY_M))
    for bay in range(bays):
        pieces += _shop(front, bay * front.length / bays, (bay + 1) * front.length / bays, sun, rng)
    return pieces


class Front:
    """The front of a block: rectangles on it, by metres from its left end and from the ground."""

    def __init__(self, block: Block, sun: Sun) -> None:
        east, north = block.inward
        self.normal, self.sun = (float(east), float(north), 0.0), sun
        self.length = block.x2 - block.x1 if north else block.y2 - block.y1
        x, y = (block.x2 if east > 0 else block.x1), (block.y2 if north > 0 else block.y1)
        self.origin = np.array([x, y, 0.0])
        self.along = np.array([1.0, 0.0, 0.0]) if north else np.array([0.0, 1.0, 0.0])

    def point(self, along: float, up: float, out: float) -> Point:
        """A point of the front, or `out` metres before it."""
        x, y, z = (self.origin + along * self.along + np.array(self.normal) * out + [0.0, 0.0, up]).tolist()
        return x, y, z

    def rectangle(self, left: float, right: float, low: float, high: float, tone: Color, out: float = 0.02) -> Piece:
        corners = [self.point(a, z, out) for a, z in ((left, low), (right, low), (right, high), (left, high))]
        return face(corners, self.normal, tone, self.sun)

    def awning(self, left: float, right: float, tones: tuple[Color, Color]) -> list[Piece]:
        """A striped one, 1.1 m deep, with its valance."""
        stripes = max(4, round((right - left) / 0.35))
        edges, (east, north, _), pieces = np.linspace(left, right, stripes + 1).tolist(), self.normal, []
        for k, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            corners = [self.point(a, 2.95, 0.02), self.point(b, 2.95, 0.02), self.point(b, 2.5, 1.1), self.point(a, 2.5, 1.1)]
            pieces.append(face(corners, (0.4 * east, 0.4 * north, 0.92), tones[k % 2], self.sun))
            pieces.append(self.rectangle(a, b, 2.28, 2.5, tones[k % 2], 1.1))
        return pieces


def _shop(front: Front, left: float, right: float, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    """A window or a door with what hangs above it, and two windows of the floor above."""
    tone = AWNINGS[int(rng.integers(len(AWNINGS)))]
    low, high = left + 0.3, right - 0.3
    pieces = [front.rectangle(low - 0.08, high + 0.08, 0.0, 2.95, FRAME)]
    door = low + (high - low) * (0.66 if rng.random() < 0.5 else 0.0)
    width = (high - low) * 0.34
    for a, b in ((low, door), (door + width, high)):
        if b - a > 0.3:
            pieces.append(front.rectangle(a + 0.06, b - 0.06, 0.55, 2.5, GLASS, 0.03))
            pieces.append(front.rectangle(a + 0.06, (a + b) / 2 - 0.1, 1.6, 2.5, blend(GLASS, CREAM, 0.22), 0.035))
    pieces.append(front.rectangle(door + 0.06, door + width - 0.06, 0.02, 2.3, blend(tone, (40, 40, 40), 0.35), 0.03))
    pieces.append(front.rectangle(door + 0.2, door + width - 0.2, 0.9, 2.1, GLASS, 0.035))
    if rng.random() < 0.7:
        pieces += front.awning(low - 0.05, high + 0.05, (tone, CREAM))
    else:
        pieces.append(front.rectangle(low, high, 2.5, 2.9, tone, 0.04))
    for share in (0.28, 0.72):
        middle = left + share * (right - left)
        pieces.append(front.rectangle(middle - 0.5, middle + 0.5, 3.9, 5.7, FRAME))
        pieces.append(front.rectangle(middle - 0.4, middle + 0.4, 4.0, 5.6, GLASS, 0.03))
    return pieces


def backdrop_pieces(place: Place, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    """The far side of the streets: plain fronts with windows, a little pale."""
    x, y = (half + BLOCK_DEPTH_M + STREET_M for half in (place.width_m / 2, place.depth_m / 2))
    pieces = []
    for block in (
        Block(-x, y, x, y + 1, (0, -1)),
        Block(-x, -y - 1, x, -y, (0, 1)),
        Block(x, -y, x + 1, y, (-1, 0)),
        Block(-x - 1, -y, -x, y, (1, 0)),
    ):
        front = Front(block, sun)
        for left in np.arange(0, front.length, 6.0).tolist():
            right = min(left + 6.0, front.length)
            wall = blend(WALLS[int(rng.integers(len(WALLS)))], color("c8d2d6"), 0.45)
            pieces.append(front.rectangle(left, right, 0, HEIGHT_M + 3, wall, 0.0))
            for a in np.arange(left + 0.8, right - 1.2, 1.9).tolist():
                for z in (0.9, 4.2, 7.4):
                    pieces.append(front.rectangle(a, a + 1.0, z, z + 1.7, blend(GLASS, wall, 0.35)))
    return pieces
