"""Heads: face, hair and what is worn on it, as pieces in body axes for a body of height 1."""

import numpy as np
from numpy.typing import NDArray

from stages.world.looks import Color, Hair, Look, blend
from stages.world.solids import Piece, ball, box

Array = NDArray[np.float64]

CENTER_Z = 0.928
HALF_AXES = (0.066, 0.058, 0.076)  # ahead, to the side, up
EYE = (52, 42, 40)
Cap = tuple[tuple[float, float], float]  # where the middle of a cap points to (back, up), cosine of its reach
CROWN: Cap = ((-0.2, 0.98), 0.42)
NAPE: Cap = ((-1.0, 0.1), 0.3)
HAIRLINE = (CROWN, NAPE)
# Caps of the head that are covered, and their size over the head's. Two convex caps leave ears and temples free.
COVERS: dict[Hair, tuple[tuple[Cap, ...], float]] = {
    "short": (HAIRLINE, 1.08),
    "long": ((((-0.3, 0.95), 0.4), ((-1.0, 0.0), 0.05)), 1.11),
    "bun": ((((-0.25, 0.97), 0.4), ((-1.0, 0.15), 0.25)), 1.06),
    "ponytail": ((((-0.25, 0.97), 0.38), ((-1.0, 0.15), 0.2)), 1.07),
    "curly": ((((-0.2, 0.98), 0.3), ((-1.0, 0.1), 0.05)), 1.27),
    "cap": ((((-0.08, 1.0), 0.3),), 1.12),
    "beanie": ((((-0.15, 0.99), 0.26),), 1.14),
    "headscarf": ((((-0.35, 0.94), 0.35), ((-1.0, -0.1), -0.3)), 1.14),
}


def head_pieces(look: Look) -> tuple[list[Piece], list[Piece]]:
    """Pieces of the head, and of what hangs behind it."""
    size = look.head
    half = (HALF_AXES[0] * size, HALF_AXES[1] * size, HALF_AXES[2] * size)
    points, normals = ball((0.006, 0.0, CENTER_Z), half)
    skull = [Piece(points, look.skin), Piece(points, _dim(look.skin, 0.9), normals, shade=True), *_ears(look, half)]
    pieces = [*skull, *_face(look, half)]
    behind = _behind(look, half)
    if look.hair == "bald":
        return pieces, behind
    worn = look.hair in ("cap", "beanie", "headscarf")
    tone = look.hat_color if worn else look.hair_color
    if look.hair in ("cap", "beanie"):
        pieces += _cover((NAPE,), 1.05, half, look.hair_color)
    pieces += _cover(*COVERS[look.hair], half, tone)
    if look.hair == "cap":
        brim = box((0.02, -0.045, CENTER_Z + 0.022), (0.125, 0.045, CENTER_Z + 0.032), 0.012)
        pieces.append(Piece(brim, _dim(tone), np.tile([0.8, 0.0, 0.6], (len(brim), 1))))
    return pieces, behind


def _cover(caps: tuple[Cap, ...], size: float, half: tuple[float, float, float], tone: Color) -> list[Piece]:
    points, normals = ball((0.0, 0.0, CENTER_Z + 0.002), (half[0] * size, half[1] * size, half[2] * size), 200)
    pieces = []
    for (back, up), reach in reversed(caps):
        kept = normals @ np.array([back, 0.0, up]) / np.hypot(back, up) > reach
        pieces += [Piece(points[kept], tone, normals[kept]), Piece(points[kept], _dim(tone, 0.87), normals[kept], shade=True)]
    return pieces


def _ears(look: Look, half: tuple[float, float, float]) -> list[Piece]:
    tone = blend(look.skin, (70, 80, 150), 0.12)
    return [
        Piece(points, tone, np.tile([0.0, side, 0.0], (len(points), 1)))
        for side in (-1.0, 1.0)
        for points in [ball((0.0, side * half[1], CENTER_Z - 0.004), (0.012, 0.01, 0.018), 14)[0]]
    ]


def _face(look: Look, half: tuple[float, float, float]) -> list[Piece]:
    """Two eyes and a smile."""
    pieces = [Piece(*_spot(half, angle, 0.02, 0.0085, 0.012)) for angle in (-0.42, 0.42)]
    smile = [_spot(half, angle, -0.5 + 0.35 * abs(angle) ** 1.5, 0.006, 0.005) for angle in (-0.3, -0.1, 0.1, 0.3)]
    points, normals = np.concatenate([s[0] for s in smile]), np.concatenate([s[2] for s in smile])
    cheeks = [_spot(half, angle, -0.28, 0.014, 0.011) for angle in (-0.75, 0.75)]
    blush = blend(look.skin, (110, 110, 235), 0.22)
    return [*(Piece(p, blush, n) for p, _, n in cheeks), *pieces, Piece(points, blend(look.skin, (60, 50, 140), 0.6), normals)]


def _spot(half: tuple[float, float, float], side: float, up: float, width: float, height: float) -> tuple[Array, Color, Array]:
    """A small ellipse on the face, `side` radians from the middle, `up` the sine of its elevation."""
    flat = np.sqrt(1 - up**2)
    unit = np.array([flat * np.cos(side), flat * np.sin(side), up])
    turn = np.arange(8) * np.pi / 4
    across = np.array([-np.sin(side), np.cos(side), 0.0])
    rim = np.outer(np.cos(turn) * width, across) + np.outer(np.sin(turn) * height, [0.0, 0.0, 1.0])
    points = np.array([0.006, 0.0, CENTER_Z]) + unit * np.array(half) * 1.02 + rim
    return points, EYE, np.tile(unit, (len(points), 1))


def _behind(look: Look, half: tuple[float, float, float]) -> list[Piece]:
    """Long hair, a bun, a ponytail or the end of a scarf."""
    if look.hair == "long":
        fall = [ball((-0.022, 0.0, CENTER_Z), (half[0] * 0.95, half[1] * 1.14, half[2]), 40)[0],
                ball((-0.045, 0.0, 0.79), (0.03, 0.068, 0.02), 24)[0]]  # fmt: skip
        return [Piece(np.concatenate(fall), _dim(look.hair_color, 0.93))]
    if look.hair == "bun":
        return [Piece(ball((-0.06, 0.0, CENTER_Z + 0.06), (0.034, 0.034, 0.034), 30)[0], look.hair_color)]
    if look.hair == "ponytail":
        tail = [ball((-0.078, 0.0, CENTER_Z + 0.03), (0.024, 0.026, 0.026), 20)[0],
                ball((-0.1, 0.0, CENTER_Z - 0.075), (0.012, 0.016, 0.02), 20)[0]]  # fmt: skip
        return [Piece(np.concatenate(tail), look.hair_color)]
    if look.hair == "headscarf":
        drape = [
            ball((-0.02, 0.0, CENTER_Z - 0.03), (0.07, 0.068, 0.05), 30)[0],
            ball((-0.01, 0.0, 0.815), (0.062, 0.085, 0.01), 24)[0],
        ]
        return [Piece(np.concatenate(drape), _dim(look.hat_color, 0.93))]
    return []


def _dim(tone: Color, share: float = 0.82) -> Color:
    blue, green, red = tone
    return round(blue * share), round(green * share), round(red * share)
