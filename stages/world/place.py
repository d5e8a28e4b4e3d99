"""The square: an open ground between eight blocks of houses, streets around them, and things that stand in the way.

Each side has two blocks with a gap between them, and the corners are open. Whoever leaves turns behind a block, out of
everybody's sight.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.errors import ParamsError
from stages.world.scene import Kind, SceneParams

Array = NDArray[np.float64]

BLOCK_DEPTH_M = 4.0
GAP_M = 5.0  # in the middle of a side
CORNER_M = 3.0  # open between the corner and the first house
STREET_M = 6.0  # behind the blocks
HIDEAWAY_M = 4.5  # how far behind a block somebody waits
BORDER_M = 2.8  # of the open ground that stays free of things
PASSAGE_M = 1.4  # between where people keep out of two things
MOUTH_FREE_M = 2.2  # around where people come and go
TRIES = 400
# Half of each thing's footprint east and north, and the radius that people keep their centre out of, in metres.
FOOTPRINTS: dict[Kind, tuple[float, float, float]] = {
    "tree": (0.3, 0.3, 0.6),
    "kiosk": (1.3, 1.0, 1.95),
    "column": (0.6, 0.6, 0.95),
    "bench": (0.9, 0.3, 1.2),
    "lamp": (0.12, 0.12, 0.4),
    "planter": (0.9, 0.45, 1.25),
    "fountain": (1.7, 1.7, 2.0),
}


@dataclass(frozen=True)
class Thing:
    """Something that stands on the ground at (x, y)."""

    kind: Kind
    x: float
    y: float

    @property
    def half_sides(self) -> tuple[float, float]:
        return FOOTPRINTS[self.kind][:2]

    @property
    def keep_out(self) -> float:
        return FOOTPRINTS[self.kind][2]

    def distance(self, point: Array) -> float:
        """Metres on the ground from a point to its middle."""
        return float(np.hypot(self.x - point[0], self.y - point[1]))


@dataclass(frozen=True)
class Block:
    """A block of houses; `inward` is the unit vector from its front to the square."""

    x1: float
    y1: float
    x2: float
    y2: float
    inward: tuple[int, int]

    def faces(self, point: Array) -> bool:
        """Whether its front is seen from there: cameras look over the houses that they hang on."""
        east, north = self.inward
        front = (self.x2 if east > 0 else self.x1, self.y2 if north > 0 else self.y1)
        return bool((point[0] - front[0]) * east + (point[1] - front[1]) * north > 0)

    def distance(self, point: Array) -> float:
        """Metres on the ground from a point to its nearest corner or side."""
        return float(np.hypot(*(np.clip(point[:2], [self.x1, self.y1], [self.x2, self.y2]) - point[:2])))


@dataclass(frozen=True, eq=False)
class Place:
    """Everything that does not move."""

    width_m: float
    depth_m: float
    blocks: tuple[Block, ...]
    things: tuple[Thing, ...]
    gates: Array  # (G, 3, 2) ways in: hidden behind a block, around its corner, on the border of the square


def make_place(params: SceneParams) -> Place:
    """The square of a scene; the same for the same seed. Raises ParamsError where its things find no room."""
    width, depth = params.area_m
    rng = np.random.default_rng([params.seed, 0])
    gates = _gates(width, depth)
    return Place(width, depth, _blocks(width, depth), _things(params.occluders, width, depth, gates[:, 2], rng), gates)


def _sides(width: float, depth: float) -> list[tuple[Array, Array, float, float]]:
    """Of each side: outward normal, tangent, distance of the side from the middle, half its length."""
    return [
        (np.array([0.0, 1.0]), np.array([1.0, 0.0]), depth / 2, width / 2),
        (np.array([0.0, -1.0]), np.array([1.0, 0.0]), depth / 2, width / 2),
        (np.array([1.0, 0.0]), np.array([0.0, 1.0]), width / 2, depth / 2),
        (np.array([-1.0, 0.0]), np.array([0.0, 1.0]), width / 2, depth / 2),
    ]


def _blocks(width: float, depth: float) -> tuple[Block, ...]:
    blocks = []
    for normal, tangent, distance, half in _sides(width, depth):
        for sign in (-1, 1):
            one = normal * distance + tangent * sign * GAP_M / 2
            other = normal * (distance + BLOCK_DEPTH_M) + tangent * sign * (half - CORNER_M)
            (x1, y1), (x2, y2) = np.minimum(one, other).tolist(), np.maximum(one, other).tolist()
            blocks.append(Block(x1, y1, x2, y2, (-int(normal[0]), -int(normal[1]))))
    return tuple(blocks)


def _gates(width: float, depth: float) -> Array:
    """Through the gap of each side and turning either way; past each end of each side and turning behind its houses."""
    gates = []
    for normal, tangent, distance, half in _sides(width, depth):
        street = normal * (distance + BLOCK_DEPTH_M + 0.3 * STREET_M)
        for sign in (-1, 1):
            gates.append([street + tangent * sign * HIDEAWAY_M, street, normal * (distance - 0.5)])
            elbow = street + tangent * sign * (half - 1.0)
            mouth = normal * (distance - 0.8) + tangent * sign * (half - 1.0)
            gates.append([elbow - tangent * sign * HIDEAWAY_M, elbow, mouth])
    return np.array(gates)


def _things(kinds: tuple[Kind, ...], width: float, depth: float, mouths: Array, rng: np.random.Generator) -> tuple[Thing, ...]:
    half = np.array([width, depth]) / 2 - BORDER_M
    placed: list[Thing] = []
    for kind in kinds:
        tries = (Thing(kind, *rng.uniform(-half, half).round(2).tolist()) for _ in range(TRIES))
        found = next((thing for thing in tries if _has_room(thing, placed, mouths)), None)
        if found is None:
            raise ParamsError(
                f"occluders: expected things that find room in {width:g} x {depth:g} m, "
                f"got no room for {kind} after {', '.join(thing.kind for thing in placed) or 'nothing'}"
            )
        placed.append(found)
    return tuple(placed)


def _has_room(thing: Thing, placed: list[Thing], mouths: Array) -> bool:
    """Whether people can pass between it and everything else, and in and out."""
    apart = [thing.distance(np.array([other.x, other.y])) - other.keep_out for other in placed]
    to_mouths = np.hypot(*(mouths - [thing.x, thing.y]).T)
    return min(apart, default=np.inf) > thing.keep_out + PASSAGE_M and to_mouths.min() > thing.keep_out + MOUTH_FREE_M
