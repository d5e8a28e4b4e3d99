"""The colour of an identity: the same in the video, in crops and in charts."""

import math
from functools import lru_cache

import numpy as np

Color = tuple[int, int, int]  # BGR, as OpenCV draws

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
LIGHTNESSES = (0.75, 0.85, 0.65)  # of OKLCH: readable on dark and on bright footage
CHROMA = 0.17

# Ottosson, "A perceptual color space for image processing" (2020): OKLab to cube roots of LMS, LMS to linear sRGB.
OKLAB_TO_LMS = np.array([[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.291485548]])
LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.707614701],
    ]
)


@lru_cache(maxsize=4096)
def identity_color(identity_id: int) -> Color:
    """The colour of an identity, always the same: hues a golden section apart, so that neighbouring ids differ most."""
    hue = math.tau * (identity_id * GOLDEN_RATIO % 1)
    lightness = LIGHTNESSES[identity_id % len(LIGHTNESSES)]
    lms = (OKLAB_TO_LMS @ [lightness, CHROMA * math.cos(hue), CHROMA * math.sin(hue)]) ** 3
    linear = np.clip(LMS_TO_RGB @ lms, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    red, green, blue = (round(255 * float(channel)) for channel in srgb)
    return blue, green, red


def text_color(background: Color) -> Color:
    """Black or white, whichever stands out more from the background (WCAG 2.2 contrast ratio)."""
    blue, green, red = ((c / 255) ** 2.2 for c in background)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (0, 0, 0) if (luminance + 0.05) ** 2 > 0.05 * 1.05 else (255, 255, 255)


def css_color(color: Color) -> str:
    """`#rrggbb` of a colour."""
    blue, green, red = color
    return f"#{red:02x}{green:02x}{blue:02x}"
