"""What people look like: proportions, clothes with colours and patterns, hair, bags.

The palette is muted, and each scene has a fashion: a few colours that most people there wear, so that colours alone do not
tell who is who; pattern, cut, hair and bag do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
T = TypeVar("T")

Color = tuple[int, int, int]  # BGR
Top = Literal["tshirt", "shirt", "hoodie", "jacket", "coat", "dress"]
Bottom = Literal["trousers", "shorts", "skirt"]
Pattern = Literal["plain", "stripes", "band", "block", "print", "dots", "pinstripes"]
Hair = Literal["short", "long", "bun", "ponytail", "curly", "cap", "beanie", "headscarf", "bald"]
Bag = Literal["none", "backpack", "shoulder", "tote"]


def color(text: str) -> Color:
    """BGR of RRGGBB."""
    return int(text[4:], 16), int(text[2:4], 16), int(text[:2], 16)


def blend(one: Color, other: Color, share: float) -> Color:
    """The colour between two, `share` of the way to the other."""
    blue, green, red = (round(a + share * (b - a)) for a, b in zip(one, other, strict=True))
    return blue, green, red


def palette(text: str) -> tuple[Color, ...]:
    return tuple(color(one) for one in text.split())


SKINS = palette("f3cfb3 e8b996 d69f79 b97d55 8f5a3a 6a4230")
LIGHT_SKINS = 3  # darker skins have the first hair colour
HAIRS = palette("2b2320 3b2a22 5a3d2b 7d5735 b98a4e 8c8c8c d8d4cc 7a3b22")
TOPS = palette("34435f 3c4149 f1ead9 dfa33c c7663f 33807b 8ea78a cf8b8a 7cabc9 7f3342 9a9fa2 a497c2")
TOP_WEIGHTS = np.array([4, 4, 4, 1, 1, 2, 2, 1, 2, 2, 3, 1]) / 27
BOTTOMS = palette("4b6487 2e3b52 2c2d33 c6b28e 777b80 5f6247")
BOTTOM_WEIGHTS = np.array([4, 4, 4, 2, 2, 1]) / 17
SHOES = palette("f2efe9 2a2a2e 8a5a3b c9c4b8 b5483a")
BAGS = palette("b5483a 3d5a6c d9a441 59462f 2f3136 6f8f6a")
TOP_KINDS: dict[Top, float] = {"tshirt": 0.28, "shirt": 0.2, "hoodie": 0.16, "jacket": 0.16, "coat": 0.1, "dress": 0.1}
BOTTOM_KINDS: dict[Bottom, float] = {"trousers": 0.72, "shorts": 0.16, "skirt": 0.12}
PATTERNS: dict[Pattern, float] = {
    "plain": 0.34, "stripes": 0.16, "band": 0.1, "block": 0.12, "print": 0.14, "dots": 0.07, "pinstripes": 0.07,
}  # fmt: skip
HAIR_KINDS: dict[Hair, float] = {
    "short": 0.3, "long": 0.19, "bun": 0.08, "ponytail": 0.12, "curly": 0.1, "cap": 0.08, "beanie": 0.05, "headscarf": 0.04,
    "bald": 0.04,
}  # fmt: skip
BAG_KINDS: dict[Bag, float] = {"none": 0.42, "backpack": 0.24, "shoulder": 0.18, "tote": 0.16}


FASHION_SHARE = 0.96  # of clothes in the colours of the scene's fashion


@dataclass(frozen=True)
class Fashion:
    """The colours that most people of a scene wear."""

    tops: tuple[Color, ...]
    bottoms: tuple[Color, ...]
    bags: tuple[Color, ...]
    shoes: tuple[Color, ...]
    hairs: tuple[Color, ...]


@dataclass(frozen=True)
class Look:
    """One person's looks; they stay when the person leaves and returns, and are the same for every camera."""

    build: float  # width of the body, 1 is average
    shoulders: float  # width of the shoulders over that of the hips, 1 is average
    head: float  # size of the head, 1 is average
    skin: Color
    hair: Hair
    hair_color: Color
    hat_color: Color
    top: Top
    top_color: Color
    pattern: Pattern
    pattern_color: Color
    bottom: Bottom
    bottom_color: Color
    shoe_color: Color
    bag: Bag
    bag_color: Color


def make_fashion(seed: int) -> Fashion:
    """The fashion of the scene with this seed."""
    rng = np.random.default_rng([seed, 5])

    def some(colors: tuple[Color, ...], count: int, weights: Array | None = None) -> tuple[Color, ...]:
        return tuple(colors[k] for k in rng.choice(len(colors), count, replace=False, p=weights))

    return Fashion(some(TOPS, 3, TOP_WEIGHTS), some(BOTTOMS, 2, BOTTOM_WEIGHTS), some(BAGS, 2), some(SHOES, 2), some(HAIRS, 3))


def make_look(seed: int, identity_id: int, fashion: Fashion) -> Look:
    """The looks of a person of the scene with this seed."""
    rng = np.random.default_rng([seed, 2, identity_id])

    def kind(chances: Mapping[T, float]) -> T:
        kinds, shares = list(chances), np.array(list(chances.values()))
        return kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]

    def one(colors: tuple[Color, ...]) -> Color:
        return colors[int(rng.integers(len(colors)))]

    def worn(fashionable: tuple[Color, ...], others: tuple[Color, ...]) -> Color:
        return one(fashionable if rng.random() < FASHION_SHARE else others)

    top_color = worn(fashion.tops, TOPS)
    others = tuple(other for other in fashion.tops if other != top_color)
    skin = int(rng.integers(len(SKINS)))
    return Look(
        build=float(rng.uniform(0.9, 1.16)),
        shoulders=float(rng.uniform(0.9, 1.08)),
        head=float(rng.uniform(0.96, 1.06)),
        skin=SKINS[skin],
        hair=kind(HAIR_KINDS),
        hair_color=worn(fashion.hairs, HAIRS) if skin < LIGHT_SKINS else HAIRS[0],
        hat_color=worn(fashion.bags, BAGS),
        top=kind(TOP_KINDS),
        top_color=top_color,
        pattern=kind(PATTERNS),
        pattern_color=one(others),
        bottom=kind(BOTTOM_KINDS),
        bottom_color=worn(fashion.bottoms, BOTTOMS),
        shoe_color=worn(fashion.shoes, SHOES),
        bag=kind(BAG_KINDS),
        bag_color=worn(fashion.bags, BAGS),
    )
