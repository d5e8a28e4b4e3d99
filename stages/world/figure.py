"""A person's look as pieces in body axes, for a body of height 1: all that does not move with the gait."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stages.world.head import head_pieces
from stages.world.looks import Color, Look, Top, blend, color
from stages.world.solids import Piece, box
from stages.world.trunk import BAND_HEIGHT, COLLAR, ColorAt, bands, flare, patch, ribbon, section, shaded

Array = NDArray[np.float64]

HEMS: dict[Top, float] = {"tshirt": 0.53, "shirt": 0.515, "hoodie": 0.51, "jacket": 0.5, "coat": 0.34, "dress": 0.3}
FLARES: dict[Top, float] = {"coat": 0.105, "dress": 0.135}  # half width of the hem
SKIRT_HEM, SKIRT_FLARE = 0.36, 0.125
HIPS, WAIST = 0.46, 0.58
CHEST_BAND, YOKE = (0.66, 0.735), 0.69
NECK_SHADE: Color = (60, 60, 90)
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
    hem, clothes = HEMS[look.top], _clothes(look)
    figure.lower += bands(look, HIPS, 0.56, lambda z: look.bottom_color)
    if look.bottom == "skirt" and look.top not in FLARES:
        figure.lower += flare(look, SKIRT_HEM, 0.57, SKIRT_FLARE, lambda z: look.bottom_color)
    if look.top in FLARES:
        figure.lower += flare(look, hem, WAIST, FLARES[look.top], clothes)
    figure.trunk += bands(look, max(hem, 0.5), COLLAR, clothes)
    figure.trunk += bands(look, COLLAR - 0.012, 0.885, lambda z: blend(look.skin, NECK_SHADE, 0.12))
    figure.trunk += _decoration(look)
    figure.head, figure.behind_head = head_pieces(look)
    _add_bag(figure, look)
    return figure


def _clothes(look: Look) -> ColorAt:
    """The colour of the top at each height."""

    def color_at(z: float) -> Color:
        second = (
            (look.pattern == "stripes" and round((z - HEMS[look.top]) / BAND_HEIGHT) % 2 == 1)
            or (look.pattern == "band" and CHEST_BAND[0] < z < CHEST_BAND[1])
            or (look.pattern == "block" and z > YOKE)
        )
        return look.pattern_color if second and look.top != "jacket" else look.top_color

    return color_at


def _decoration(look: Look) -> list[Piece]:
    """What lies on the trunk's surface: an open jacket, a belt, a pocket, buttons, and the pattern."""
    low = max(HEMS[look.top], 0.5)
    if look.top == "jacket":
        return [patch(look, (-0.3, 0.3), (low, COLLAR), look.pattern_color)]
    if look.top == "coat":
        return [patch(look, (-0.05, 0.05), (low, COLLAR), shaded(look.top_color)),
                patch(look, (-np.pi, np.pi), (0.595, 0.615), look.pattern_color)]  # fmt: skip
    pieces = []
    if look.top == "hoodie":
        pieces.append(patch(look, (-0.55, 0.55), (0.54, 0.61), shaded(look.top_color)))
    if look.top == "shirt":
        pieces.append(patch(look, (-0.03, 0.03), (low, COLLAR), blend(look.top_color, WHITE, 0.35)))
    return [*pieces, *_pattern(look, low)]


def _pattern(look: Look, low: float) -> list[Piece]:
    """Patterns that are no bands."""
    tone = look.pattern_color
    if look.pattern == "dots":
        rows = enumerate(np.arange(low + 0.04, 0.82, 0.05).tolist())
        spots = [(0.7 * k + 0.35 * (row % 2), z) for row, z in rows for k in range(9)]
        return [patch(look, (angle - 0.1, angle + 0.1), (z - 0.009, z + 0.009), tone) for angle, z in spots]
    if look.pattern == "pinstripes":
        return [patch(look, (0.45 * k - 0.035, 0.45 * k + 0.035), (low, 0.835), tone) for k in range(14)]
    if look.pattern == "print":
        chest = patch(look, (-0.42, 0.42), (0.675, 0.765), tone)
        return [chest, patch(look, (np.pi - 0.5, np.pi + 0.5), (0.65, 0.77), tone)]
    return []


def _add_bag(figure: Figure, look: Look) -> None:
    """A backpack, or a bag at the left hip on a strap from the right shoulder; totes hang from a hand (posing)."""
    if look.bag == "backpack":
        back = -section(look, 0.7)[1]
        sack = box((back - 0.085, -0.078, 0.6), (back + 0.01, 0.078, 0.825), 0.03)
        pocket = box((back - 0.105, -0.06, 0.61), (back - 0.06, 0.06, 0.69), 0.015)
        figure.on_back += [Piece(sack, look.bag_color), Piece(pocket, shaded(look.bag_color))]
        for side in (-0.72, 0.72):
            figure.trunk.append(patch(look, (side - 0.12, side + 0.12), (0.66, 0.83), look.bag_color))
    elif look.bag == "shoulder":
        hip = section(look, 0.53)[0]
        bag = box((-0.07, hip, 0.45), (0.07, hip + 0.045, 0.545), 0.012)
        flap = box((-0.072, hip + 0.005, 0.515), (0.072, hip + 0.05, 0.55), 0.01)
        figure.at_side += [Piece(bag, look.bag_color), Piece(flap, shaded(look.bag_color))]
        for angles in (np.linspace(-0.9, 1.2, 7), np.linspace(np.pi + 0.9, np.pi - 1.2, 7)):
            figure.trunk += ribbon(look, angles, np.linspace(0.835, 0.54, 7), look.bag_color, 0.009)
