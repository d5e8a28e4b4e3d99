"""Trees, kiosks, columns, benches, lamps, planters and fountains as pieces around the place where they stand."""

import numpy as np
from numpy.typing import NDArray

from stages.world.light import Sun
from stages.world.looks import Color, blend, color, palette
from stages.world.place import FOOTPRINTS, Thing
from stages.world.solids import Piece, ball, ring

Array = NDArray[np.float64]
Point = tuple[float, float, float]

AROUND = np.arange(28) * 2 * np.pi / 28
STONE, WOOD, IRON, CREAM = color("cfc6b6"), color("a8794f"), color("3d4448"), color("f6f0e4")
LEAVES = palette("5f8f5a 6b9b58 7fa95f 4f8460")
KIOSKS = palette("3f7f78 c9674a 4d6a94")
POSTERS = palette("d9a441 c7573f 3f7f8c e8e0cf 7f3342 8ea78a")
WATER, FOAM = color("8fc3d1"), color("f3fbfc")
FLOWERS = palette("e7a0ac f0d36b ffffff d97a5b")


def thing_pieces(thing: Thing, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    """The pieces of a thing in world axes, in an order that suits every camera above it but for leaves."""
    make = {"tree": _tree, "kiosk": _kiosk, "column": _column, "bench": _bench, "lamp": _lamp, "planter": _planter,
            "fountain": _fountain}[thing.kind]  # fmt: skip
    offset = np.array([thing.x, thing.y, 0.0])
    return [Piece(piece.points + offset, piece.color, piece.normals) for piece in make(thing, sun, rng)]


def cuboid(low: Point, high: Point, tone: Color, sun: Sun) -> list[Piece]:
    """The four sides and the top of an upright box, lit."""
    (x1, y1, z1), (x2, y2, z2) = low, high
    faces = [
        ((0, -1, 0), [(x1, y1, z1), (x2, y1, z1), (x2, y1, z2), (x1, y1, z2)]),
        ((0, 1, 0), [(x1, y2, z1), (x2, y2, z1), (x2, y2, z2), (x1, y2, z2)]),
        ((-1, 0, 0), [(x1, y1, z1), (x1, y2, z1), (x1, y2, z2), (x1, y1, z2)]),
        ((1, 0, 0), [(x2, y1, z1), (x2, y2, z1), (x2, y2, z2), (x2, y1, z2)]),
        ((0, 0, 1), [(x1, y1, z2), (x2, y1, z2), (x2, y2, z2), (x1, y2, z2)]),
    ]
    return [face(corners, normal, tone, sun) for normal, corners in faces]


def face(corners: list[Point], normal: Point, tone: Color, sun: Sun, seen_from: Point | None = None) -> Piece:
    """A flat piece, lit by its normal, and seen from there alone, or from where `seen_from` points to."""
    return Piece(
        np.array(corners, dtype=float),
        sun.lit(tone, normal),
        np.tile(np.array(seen_from or normal, dtype=float), (len(corners), 1)),
    )


def drum(radius: float, low: float, high: float, tone: Color, sun: Sun, top_radius: float | None = None) -> list[Piece]:
    """A cylinder, or a cone cut off: its side in stripes of light, and its top."""
    upper = radius if top_radius is None else top_radius
    (a, normals), (b, _) = ring(low, radius, radius, AROUND), ring(high, upper, upper, AROUND)
    pieces = []
    for k in range(len(AROUND)):
        corner = [k, (k + 1) % len(AROUND)]
        middle = normals[corner].mean(axis=0)
        pieces.append(
            Piece(np.concatenate([a[corner], b[corner]]), sun.lit(tone, tuple(middle.tolist())), np.tile(middle, (4, 1)))
        )
    return [*pieces, Piece(b, sun.lit(tone, (0, 0, 1)), np.tile([0.0, 0.0, 1.0], (len(b), 1)))]


def _leaves(
    center: Point, half: Point, sizes: tuple[float, float], count: int, sun: Sun, rng: np.random.Generator
) -> list[Piece]:
    """Balls of leaves within an ellipsoid, lighter towards the sun, the shaded ones first."""
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    offsets = directions * rng.uniform(0.35, 1.0, (count, 1)) ** 0.5
    bright = offsets @ sun.direction + 0.5 * offsets[:, 2]
    base = LEAVES[int(rng.integers(len(LEAVES)))]
    pieces = []
    for k in np.argsort(bright).tolist():
        radius = float(rng.uniform(*sizes))
        share = float(np.clip((bright[k] + 1.2) / 2.4, 0, 1))
        tone = blend(blend(base, (60, 55, 30), 0.5), blend(base, (150, 235, 225), 0.45), share)
        x, y, z = (np.array(center) + offsets[k] * half).tolist()
        pieces.append(Piece(ball((x, y, z), (radius, radius, 0.85 * radius), 36)[0], tone))
    return pieces


def _tree(thing: Thing, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    height = float(rng.uniform(3.3, 3.9))
    bed = Piece(ring(0.0, 0.62, 0.62, AROUND)[0], color("8a7a66"))
    trunk = drum(0.17, 0.0, height, color("7a5a44"), sun, 0.1)
    return [bed, *trunk, *_leaves((0.0, 0.0, height), (1.15, 1.15, 0.75), (0.45, 0.75), 46, sun, rng)]


def _kiosk(thing: Thing, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    x, y = thing.half_sides
    tone = KIOSKS[int(rng.integers(len(KIOSKS)))]
    plinth = cuboid((-x - 0.01, -y - 0.01, 0), (x + 0.01, y + 0.01, 0.25), blend(tone, IRON, 0.6), sun)
    counters = [piece for side in (-1, 1) for piece in _counter(x, side * (y + 0.015), side, tone, sun, rng)]
    roof = cuboid((-x - 0.15, -y - 0.15, 2.3), (x + 0.15, y + 0.15, 2.45), color("e9e2d3"), sun)
    return [*cuboid((-x, -y, 0), (x, y, 2.3), tone, sun), *plinth, *counters, *roof]


def _counter(x: float, y: float, side: int, tone: Color, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    """A kiosk's window at y, seen from its side alone: goods, a shelf and a striped awning."""
    outward: Point = (0, side, 0)
    shelf, edge = y + 0.2 * side, y + 0.75 * side

    def sheet(left: float, right: float, near: tuple[float, float], far: tuple[float, float], tone: Color, up: Point) -> Piece:
        """From (y, z) `near` to `far`."""
        corners: list[Point] = [(left, *near), (right, *near), (right, *far), (left, *far)]
        return face(corners, up, tone, sun, outward)

    pieces = [sheet(-0.85 * x, 0.85 * x, (y, 1.05), (y, 1.95), color("4a4038"), outward)]
    for k, goods in enumerate(rng.permutation(len(POSTERS)).tolist()):
        left = (-0.8 + 0.27 * k) * x
        pieces.append(sheet(left, left + 0.22 * x, (y, 1.1), (y, 1.45), POSTERS[goods], outward))
    pieces.append(sheet(-0.9 * x, 0.9 * x, (y, 1.05), (shelf, 1.05), WOOD, (0, 0, 1)))
    pieces.append(sheet(-0.9 * x, 0.9 * x, (shelf, 0.97), (shelf, 1.05), WOOD, outward))
    for k in range(8):
        stripe = tone if k % 2 else CREAM
        pieces.append(sheet((k / 4 - 1) * x, ((k + 1) / 4 - 1) * x, (y, 2.28), (edge, 2.0), stripe, (0, 0.35 * side, 0.93)))
    return pieces


def _column(thing: Thing, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    pieces = [*drum(0.62, 0, 0.25, STONE, sun), *drum(0.55, 0.25, 2.6, color("7f8f7a"), sun)]
    for k in range(7):
        for low, high in ((0.45, 1.4), (1.5, 2.45)):
            turn = k * 2 * np.pi / 7 + float(rng.uniform(0, 0.2)) + np.linspace(0, 0.72, 5)
            tone = POSTERS[int(rng.integers(len(POSTERS)))]
            rings = [ring(z, 0.56, 0.56, turn) for z in (low, high)]
            middle = tuple(rings[0][1][2].tolist())
            pieces.append(
                Piece(np.concatenate([r[0] for r in rings]), sun.lit(tone, middle), np.concatenate([r[1] for r in rings]))
            )
    return [*pieces, *drum(0.68, 2.6, 2.78, color("5f6f5c"), sun), *drum(0.6, 2.78, 3.1, color("6f8069"), sun, 0.12)]


def _bench(thing: Thing, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    x, y = thing.half_sides
    pieces = []
    for side in (-0.8, 0.8):
        pieces += cuboid((side * x - 0.05, -y, 0), (side * x + 0.05, y, 0.42), IRON, sun)
    for k in range(3):
        low = -y + k * y * 2 / 3
        pieces += cuboid((-x, low + 0.015, 0.42), (x, low + y * 2 / 3 - 0.015, 0.47), WOOD, sun)
    for z in (0.58, 0.74):
        pieces += cuboid((-x, y - 0.03, z), (x, y + 0.02, z + 0.11), WOOD, sun)
    return pieces


def _lamp(thing: Thing, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    globe = ball((0.0, 0.0, 3.75), (0.19, 0.19, 0.19), 60)[0]
    pole = [*drum(0.12, 0, 0.35, IRON, sun), *drum(0.055, 0.35, 3.5, IRON, sun), *drum(0.14, 3.5, 3.58, IRON, sun)]
    return [*pole, Piece(globe, color("f7f1de")), *drum(0.1, 3.92, 3.99, IRON, sun)]


def _planter(thing: Thing, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    x, y = thing.half_sides
    tub = [
        *cuboid((-x, -y, 0), (x, y, 0.5), color("b98f68"), sun),
        *cuboid((-x - 0.03, -y - 0.03, 0.43), (x + 0.03, y + 0.03, 0.52), STONE, sun),
    ]
    leaves = _leaves((0.0, 0.0, 0.6), (0.85 * x, 0.75 * y, 0.2), (0.16, 0.25), 34, sun, rng)
    bloom = FLOWERS[int(rng.integers(len(FLOWERS)))]
    spots = rng.uniform(-1, 1, (26, 2)) * [0.85 * x, 0.8 * y]
    return [
        *tub,
        *leaves,
        *(Piece(ball((a, b, float(rng.uniform(0.72, 0.86))), (0.05, 0.05, 0.04), 12)[0], bloom) for a, b in spots.tolist()),
    ]


def _fountain(thing: Thing, sun: Sun, rng: np.random.Generator) -> list[Piece]:
    radius = FOOTPRINTS["fountain"][0]
    water = [Piece(ring(0.46, r, r, AROUND)[0], tone) for r, tone in (
        (radius - 0.16, color("6ba9b8")), (radius - 0.22, WATER), (0.95, blend(WATER, FOAM, 0.35)), (0.6, WATER))]  # fmt: skip
    basin = [*drum(radius, 0, 0.1, blend(STONE, IRON, 0.2), sun), *drum(radius - 0.04, 0.1, 0.46, STONE, sun)]
    bowl = [*drum(0.2, 0.46, 1.1, STONE, sun, 0.16), *drum(0.35, 1.1, 1.25, STONE, sun, 0.75)]
    jet = [Piece(ball((0.0, 0.0, z), (r, r, 0.2), 16)[0], FOAM) for z, r in ((1.4, 0.1), (1.62, 0.07), (1.8, 0.045))]
    return [*basin, *water, *bowl, Piece(ring(1.25, 0.66, 0.66, AROUND)[0], WATER), *jet]
