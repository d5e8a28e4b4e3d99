"""A person's look as pieces in body axes, for a body of height 1: what does not move with the gait.

Trunk and skirts are bands between elliptic sections, so that stripes and hems are bands of another colour; prints, buttons and
straps lie on the trunk's surface and show when they face the camera. Limbs move and are made in `posing`.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stages.world.head import head_pieces
from stages.world.looks import Color, Look, blend, color
from stages.world.solids import Piece, box, ring

Array = NDArray[np.float64]

# Sections of the trunk: height, half width, half depth.
TRUNK = np.array([
    [0.46, 0.082, 0.060], [0.52, 0.098, 0.068], [0.56, 0.096, 0.066], [0.63, 0.084, 0.058], [0.73, 0.103, 0.066],
    [0.785, 0.106, 0.062], [0.822, 0.088, 0.052], [0.85, 0.050, 0.042], [0.87, 0.036, 0.036],
])  # fmt: skip
AROUND = np.arange(20) * 2 * np.pi / 20
HEMS = {"tshirt": 0.53, "shirt": 0.515, "hoodie": 0.51, "jacket": 0.5, "coat": 0.34, "dress": 0.3}
FLARES = {"coat": 0.105, "dress": 0.135, "skirt": 0.125}
COLLAR = 0.845
BAND_HEIGHT = 0.032
SHADE = 0.8  # of a colour in the shade
WHITE = color("f6f3ec")


@dataclass(eq=False)
class Figure:
    """Pieces by the part of the body they belong to; each part's pieces in the order of drawing."""

    trunk: list[Piece] = field(default_factory=list)
    lower: list[Piece] = field(default_factory=list)
    head: list[Piece] = field(default_factory=list)
    behind_head: list[Piece] = field(default_factory=list)
    on_back: list[Piece] = field(default_factory=list)
    at_side: list[Piece] = field(default_factory=list)


def make_figure(look: Look) -> Figure:
    """The pieces of a look."""
    figure = Figure()
    hem, flared = HEMS[look.top], look.top in FLARES
    figure.lower += _bands(look, 0.46, 0.56, lambda z: look.bottom_color)
    if look.bottom == "skirt" and not flared:
        figure.lower += _flare(look, 0.36, 0.57, FLARES["skirt"], lambda z: look.bottom_color)
    clothes = _pattern_colors(look, hem)
    if flared:
        figure.lower += _flare(look, hem, 0.58, FLARES[look.top], clothes)
    figure.trunk += _bands(look, max(hem, 0.5), COLLAR, clothes)
    figure.trunk += _bands(look, COLLAR - 0.012, 0.885, lambda z: blend(look.skin, (60, 60, 90), 0.12))
    figure.trunk += _decoration(look, hem)
    figure.head, figure.behind_head = head_pieces(look)
    _add_bag(figure, look)
    return figure


def section(look: Look, z: float) -> tuple[float, float]:
    """Half width and half depth of the trunk at a height."""
    side, depth = (float(np.interp(z, TRUNK[:, 0], TRUNK[:, k])) for k in (1, 2))
    wide = look.build * float(np.interp(z, [0.55, 0.78, 0.84, 0.87], [2 - look.shoulders, look.shoulders, look.shoulders, 1]))
    loose = 1.06 if look.top in ("hoodie", "jacket", "coat") and z < 0.84 else 1.0
    return side * wide * loose, depth * look.build * loose


def _bands(look: Look, low: float, high: float, color_at) -> list[Piece]:  # type: ignore[no-untyped-def]
    """Bands of the trunk from a height up to another, lower ones first, each with its shade."""
    edges = np.linspace(low, high, max(2, round((high - low) / BAND_HEIGHT) + 1))
    return _stack([(z, *section(look, z)) for z in edges.tolist()], color_at)


def _flare(look: Look, low: float, high: float, half_width: float, color_at) -> list[Piece]:  # type: ignore[no-untyped-def]
    """A skirt from its hem up to the waist."""
    top_side, top_depth = section(look, high)
    edges = np.linspace(low, high, max(2, round((high - low) / BAND_HEIGHT) + 1))
    widths = np.interp(edges, [low, high], [half_width * look.build, top_side])
    depths = np.interp(edges, [low, high], [0.85 * half_width * look.build, top_depth])
    return _stack(list(zip(edges.tolist(), widths.tolist(), depths.tolist(), strict=True)), color_at)


def _stack(sections: list[tuple[float, float, float]], color_at) -> list[Piece]:  # type: ignore[no-untyped-def]
    pieces = []
    for below, above in zip(sections[:-1], sections[1:], strict=True):
        rings = [ring(*below, AROUND), ring(*above, AROUND)]
        points, normals = np.concatenate([rings[0][0], rings[1][0]]), np.concatenate([rings[0][1], rings[1][1]])
        tone: Color = color_at((below[0] + above[0]) / 2)
        pieces += [Piece(points, tone), Piece(points, shaded(tone), normals, shade=True)]
    return pieces


def shaded(tone: Color) -> Color:
    """The colour in the shade: darker and a little bluer."""
    blue, green, red = tone
    return round(blue * SHADE * 1.06), round(green * SHADE), round(red * SHADE * 0.97)


def _pattern_colors(look: Look, hem: float):  # type: ignore[no-untyped-def]
    """The colour of the clothes at each height."""

    def color_at(z: float) -> Color:
        second = {
            "stripes": round((z - hem) / BAND_HEIGHT) % 2 == 1,
            "band": 0.66 < z < 0.735,
            "block": z > 0.69,
        }.get(look.pattern, False)
        return look.pattern_color if second and look.top != "jacket" else look.top_color

    return color_at


def _decoration(look: Look, hem: float) -> list[Piece]:
    """What lies on the trunk's surface."""
    if look.top == "jacket":
        opening = _patch(look, (-0.3, 0.3), (hem, COLLAR), look.pattern_color)
        return [opening, _patch(look, (-0.04, 0.04), (0.7, 0.83), look.bottom_color)] if look.pattern == "print" else [opening]
    if look.top == "coat":
        return [_patch(look, (-0.05, 0.05), (0.5, COLLAR), shaded(look.top_color)),
                _patch(look, (-np.pi, np.pi), (0.595, 0.615), look.pattern_color)]  # fmt: skip
    if look.top == "hoodie":
        pocket = _patch(look, (-0.55, 0.55), (0.54, 0.61), shaded(look.top_color))
        return [pocket, *_print(look)]
    if look.pattern == "dots":
        spots = [(angle, z) for row, z in enumerate(np.arange(0.55, 0.82, 0.05)) for angle in
                 np.arange(9) * 2 * np.pi / 9 + 0.35 * (row % 2)]  # fmt: skip
        return [_patch(look, (angle - 0.1, angle + 0.1), (z - 0.009, z + 0.009), look.pattern_color) for angle, z in spots]
    if look.pattern == "pinstripes":
        return [_patch(look, (a - 0.035, a + 0.035), (max(hem, 0.5), 0.835), look.pattern_color) for a in np.arange(14) * 2 * np.pi / 14]
    buttons = [_patch(look, (-0.03, 0.03), (0.52, COLLAR), blend(look.top_color, WHITE, 0.35))] if look.top == "shirt" else []
    return [*buttons, *_print(look)]


def _print(look: Look) -> list[Piece]:
    """A print on chest and back."""
    if look.pattern != "print":
        return []
    return [_patch(look, (-0.42, 0.42), (0.675, 0.765), look.pattern_color),
            _patch(look, (np.pi - 0.5, np.pi + 0.5), (0.65, 0.77), look.pattern_color)]  # fmt: skip


def _patch(look: Look, angles: tuple[float, float], heights: tuple[float, float], tone: Color) -> Piece:
    """A piece of the trunk's surface between two angles and two heights."""
    steps = np.linspace(*angles, max(3, int((angles[1] - angles[0]) / 0.2)))
    levels = np.linspace(*heights, 4)
    rings = [ring(z, *(1.02 * half for half in section(look, z)), steps) for z in levels.tolist()]
    return Piece(np.concatenate([points for points, _ in rings]), tone, np.concatenate([normals for _, normals in rings]))


def _add_bag(figure: Figure, look: Look) -> None:
    if look.bag == "backpack":
        depth = section(look, 0.7)[1]
        sack = box((-depth - 0.085, -0.078, 0.6), (-depth + 0.01, 0.078, 0.825), 0.03)
        pocket = box((-depth - 0.105, -0.06, 0.61), (-depth - 0.06, 0.06, 0.69), 0.015)
        figure.on_back += [Piece(sack, look.bag_color), Piece(pocket, shaded(look.bag_color))]
        for side in (-1, 1):
            figure.trunk.append(_patch(look, (side * 0.72 - 0.12, side * 0.72 + 0.12), (0.66, 0.83), look.bag_color))
    elif look.bag == "shoulder":
        side = section(look, 0.53)[0]
        figure.at_side += [Piece(box((-0.07, side, 0.45), (0.07, side + 0.045, 0.545), 0.012), look.bag_color),
                           Piece(box((-0.072, side + 0.005, 0.515), (0.072, side + 0.05, 0.55), 0.01), shaded(look.bag_color))]  # fmt: skip
        for front in (0.0, np.pi):
            figure.trunk += _strap(look, front)


def _strap(look: Look, front: float) -> list[Piece]:
    """A strap from the right shoulder to the left hip, on the chest or (`front` pi) the back."""
    start, end = (-0.9, 1.2) if front == 0 else (np.pi + 0.9, np.pi - 1.2)
    angles, levels = np.linspace(start, end, 7), np.linspace(0.835, 0.54, 7)
    pieces = []
    for k in range(6):
        rings = [ring(z + shift, *(1.03 * half for half in section(look, z + shift)), np.array([angle]))
                 for angle, z in zip(angles[k : k + 2], levels[k : k + 2], strict=True) for shift in (-0.009, 0.009)]  # fmt: skip
        pieces.append(Piece(np.concatenate([p for p, _ in rings]), look.bag_color, np.concatenate([n for _, n in rings])))
    return pieces
