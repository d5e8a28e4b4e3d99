"""The trunk of a body of height 1: bands between elliptic sections, and patches on its surface.

Stripes are bands of another colour; prints, buttons and straps are patches, which show when they face the camera.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stages.world.looks import Color, Look
from stages.world.solids import Piece, ring

Array = NDArray[np.float64]
ColorAt = Callable[[float], Color]  # colour at a height

# Sections of the trunk: height, half width, half depth.
SECTIONS = np.array([
    [0.46, 0.082, 0.060], [0.52, 0.098, 0.068], [0.56, 0.096, 0.066], [0.63, 0.084, 0.058], [0.73, 0.103, 0.066],
    [0.785, 0.106, 0.062], [0.822, 0.088, 0.052], [0.85, 0.050, 0.042], [0.87, 0.036, 0.036],
])  # fmt: skip
COLLAR = 0.845
BAND_HEIGHT = 0.032
AROUND = np.arange(20) * 2 * np.pi / 20
LOOSE = 1.06  # width of a jacket over that of a shirt
ABOVE_SKIN = 1.02  # a patch lies a little outside the bands
SHADE = 0.8  # of a colour in the shade


def section(look: Look, z: float) -> tuple[float, float]:
    """Half width and half depth of the trunk at a height."""
    side, depth = (float(np.interp(z, SECTIONS[:, 0], SECTIONS[:, k])) for k in (1, 2))
    wide = float(np.interp(z, [0.55, 0.78, 0.84, 0.87], [2 - look.shoulders, look.shoulders, look.shoulders, 1]))
    size = look.build * (LOOSE if look.top in ("hoodie", "jacket", "coat") and z < COLLAR else 1.0)
    return side * wide * size, depth * size


def bands(look: Look, low: float, high: float, color_at: ColorAt) -> list[Piece]:
    """The trunk from a height up to another, lower bands first, each with its shade."""
    return _stack([(z, *section(look, z)) for z in _levels(low, high)], color_at)


def flare(look: Look, low: float, high: float, half_width: float, color_at: ColorAt) -> list[Piece]:
    """A skirt from its hem, so wide, up to the waist."""
    waist, hem = section(look, high), (half_width * look.build, 0.85 * half_width * look.build)
    levels = _levels(low, high)
    widths, depths = (np.interp(levels, [low, high], [hem[k], waist[k]]).tolist() for k in (0, 1))
    return _stack(list(zip(levels, widths, depths, strict=True)), color_at)


def patch(look: Look, angles: tuple[float, float], heights: tuple[float, float], tone: Color) -> Piece:
    """The trunk's surface between two angles (0 ahead, pi / 2 left) and two heights."""
    steps = np.linspace(*angles, max(3, int((angles[1] - angles[0]) / 0.2)))
    rings = [_surface(look, z, steps) for z in np.linspace(*heights, 4).tolist()]
    return Piece(np.concatenate([points for points, _ in rings]), tone, np.concatenate([normals for _, normals in rings]))


def ribbon(look: Look, angles: Array, heights: Array, tone: Color, half_width: float) -> list[Piece]:
    """A narrow ribbon on the trunk's surface through (k,) angles and heights."""
    pieces = []
    for k in range(len(angles) - 1):
        ends = [
            _surface(look, heights[i] + shift, angles[i : i + 1]) for i in (k, k + 1) for shift in (-half_width, half_width)
        ]
        pieces.append(Piece(np.concatenate([p for p, _ in ends]), tone, np.concatenate([n for _, n in ends])))
    return pieces


def shaded(tone: Color) -> Color:
    """The colour in the shade: darker and a little bluer."""
    blue, green, red = tone
    return round(blue * SHADE * 1.06), round(green * SHADE), round(red * SHADE * 0.97)


def _surface(look: Look, z: float, angles: Array) -> tuple[Array, Array]:
    side, depth = section(look, z)
    return ring(z, ABOVE_SKIN * side, ABOVE_SKIN * depth, angles)


def _levels(low: float, high: float) -> list[float]:
    levels: list[float] = np.linspace(low, high, max(2, round((high - low) / BAND_HEIGHT) + 1)).tolist()
    return levels


def _stack(sections: list[tuple[float, float, float]], color_at: ColorAt) -> list[Piece]:
    """A band between each two sections (height, half width, half depth), and the part of it that is in the shade."""
    pieces = []
    for below, above in zip(sections[:-1], sections[1:], strict=True):
        lower, upper = ring(*below, AROUND), ring(*above, AROUND)
        points, normals = np.concatenate([lower[0], upper[0]]), np.concatenate([lower[1], upper[1]])
        tone = color_at((below[0] + above[0]) / 2)
        pieces += [Piece(points, tone), Piece(points, shaded(tone), normals, shade=True)]
    return pieces
