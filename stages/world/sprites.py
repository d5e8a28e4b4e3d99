"""One person as a small picture: colours, coverage and the box around them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.world.camera import Camera
from stages.world.raster import NEAR_M, Canvas, fill
from stages.world.solids import Solids

Array = NDArray[np.float64]

FINE_BELOW_PX = ((90.0, 4), (240.0, 3))  # canvas pixels per pixel for people up to this height; larger ones 2
MAX_SIDE_PX = 4000  # somebody so large stands in the lens
FORM_SHADE = 0.2  # how much darker the edge away from the sun is
FORM_SHIFT = 0.035  # of the height: how wide that edge is
FEET_SHADE = 0.12  # how much darker feet are than heads


@dataclass(frozen=True, eq=False)
class Sprite:
    """A person's pixels, whether in the picture or not."""

    left: int
    top: int
    colors: Canvas  # (h, w, 3) BGR times coverage
    coverage: Canvas  # (h, w) 0 to 255
    bbox: Array  # (4,) x1, y1, x2, y2 px around what is drawn


def draw_sprite(solids: Solids, camera: Camera, sun_side: float) -> Sprite | None:
    """The solids as a sprite; None where they are nowhere near the picture.

    `sun_side` in [-1, 1]: the sun stands right (1) or left (-1) of the line from the person to the camera.
    """
    pixels, depths = camera.project(solids.points)
    if depths.min() < NEAR_M:
        return None
    shown = pixels[solids.kept]
    low, high = shown.min(axis=0), shown.max(axis=0)
    size = high - low
    if (high < 0).any() or low[0] > camera.width_px or low[1] > camera.height_px or size.max() > MAX_SIDE_PX:
        return None
    left, top = (int(v) for v in np.floor(low) - 1)
    width, height = (int(v) for v in np.ceil(high) + 1 - (left, top))
    fine = next((factor for limit, factor in FINE_BELOW_PX if size[1] < limit), 2)
    canvas: Canvas = np.zeros((height * fine, width * fine, 4), dtype=np.uint8)
    fill(canvas, solids, camera, fine, (left, top))
    small = np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    coverage = np.ascontiguousarray(small[..., 3])
    return Sprite(left, top, _formed(small[..., :3], coverage, sun_side), coverage, np.array([*low, *high]))


def _formed(colors: Canvas, coverage: Canvas, sun_side: float) -> Canvas:
    """The colours with soft shade on the side away from the sun and towards the feet."""
    height, width = coverage.shape
    shift = max(1.0, FORM_SHIFT * height)
    move = np.array([[1, 0, -sun_side * shift], [0, 1, 0.5 * shift]])
    side = 2 * int(1.3 * shift) + 1
    behind = cv2.warpAffine(cv2.blur(coverage, (side, side)), move, (width, height))
    edge = 1 - FORM_SHADE / 255 * (255 - behind.astype(np.float32))
    fall = 1 - FEET_SHADE * np.linspace(0, 1, height, dtype=np.float32)[:, None] ** 2
    return np.asarray(cv2.multiply(colors, cv2.merge([edge * fall] * 3), dtype=cv2.CV_8U), dtype=np.uint8)
