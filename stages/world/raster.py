"""Solids to pixels: each piece's hull is filled on a canvas that is a few times finer than the picture (anti-aliasing)."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.world.camera import Camera
from stages.world.solids import Piece, Solids, table

Array = NDArray[np.float64]
Canvas = NDArray[np.uint8]  # (H, W), (H, W, 3) BGR or (H, W, 4) BGR and coverage

SUBPIXEL_BITS = 4  # OpenCV's fixed-point coordinates
NEAR_M = 0.5  # pieces nearer to the camera's plane are left out
MAX_COORDINATE = 30_000  # px of a canvas; OpenCV's fixed point holds it


def seen_solids(pieces: Sequence[Piece], eye: Array, sun: Array) -> Solids:
    """The pieces, given in world axes, as an eye (3,) sees them."""
    made = table(list(pieces))
    return Solids(made.points, made.kept(made.points, eye, sun), made.slices, made.casting)


def fill(canvas: Canvas, solids: Solids, camera: Camera, scale: float, origin: tuple[int, int] = (0, 0),
         value: tuple[int, ...] | None = None) -> None:  # fmt: skip
    """Fills the hulls of all pieces in order, in their colours or all with `value`.

    `scale` canvas pixels are one of the picture, whose pixel `origin` (x, y) is the canvas's first.
    """
    pixels, depths = camera.project(solids.points)
    coordinates = np.clip((pixels - origin) * scale, -MAX_COORDINATE, MAX_COORDINATE) - 0.5
    fixed = np.rint(coordinates * 2**SUBPIXEL_BITS).astype(np.int32)
    near = np.concatenate([[0], np.cumsum(depths <= NEAR_M)]).tolist()
    shown = np.concatenate([[0], np.cumsum(solids.kept)]).tolist()
    for start, stop, tone in solids.slices:
        count = shown[stop] - shown[start]
        if count > 2 and near[stop] == near[start]:
            points = fixed[start:stop] if count == stop - start else fixed[start:stop][solids.kept[start:stop]]
            cv2.fillConvexPoly(canvas, cv2.convexHull(points), value or (*tone, 255), cv2.LINE_8, SUBPIXEL_BITS)
