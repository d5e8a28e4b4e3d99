"""Marks on a picture: boxes, labels, trails and a caption, on arrays (H, W, 3) uint8 BGR that are drawn on in place.

Sizes follow the picture's height, so that a mark has the same weight at 360 lines and at 1080. OpenCV's built-in scalable font
needs no font file, so the same text gives the same pixels everywhere.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.colors import Color, text_color

CANVAS_GREY = 40  # where there is no picture
Picture = NDArray[np.uint8]  # (H, W, 3) BGR

REACH_PX = 16  # how far outside the picture a mark is still drawn


@dataclass(frozen=True)
class Weights:
    """Width of lines and height of text in pixels, for pictures of one height."""

    line_px: int
    text_px: int


def weights_for(height_px: int) -> Weights:
    """Weights that look alike at every resolution: 1 px lines and 10 px text at 360 lines, 3 px and 27 px at 1080."""
    return Weights(max(1, round(height_px / 320)), max(10, round(height_px / 40)))


def draw_box(picture: Picture, bbox: NDArray[Any], color: Color, line_px: int) -> None:
    """Draws a box x1, y1, x2, y2 px."""
    x1, y1, x2, y2 = _within_reach(picture, bbox.reshape(2, 2)).ravel().tolist()
    cv2.rectangle(picture, (x1, y1), (x2, y2), color, line_px)


def draw_dashed_box(picture: Picture, bbox: NDArray[Any], color: Color, line_px: int) -> None:
    """Draws a box x1, y1, x2, y2 px with dashed lines: nobody detected it."""
    x1, y1, x2, y2 = _within_reach(picture, bbox.reshape(2, 2)).ravel().tolist()
    dash = 4 * line_px
    for x in range(x1, x2, 2 * dash):
        for y in (y1, y2):
            cv2.line(picture, (x, y), (min(x + dash, x2), y), color, line_px)
    for y in range(y1, y2, 2 * dash):
        for x in (x1, x2):
            cv2.line(picture, (x, y), (x, min(y + dash, y2)), color, line_px)


def draw_trail(picture: Picture, points: NDArray[Any], color: Color, line_px: int) -> None:
    """Draws a line through points (K, 2) px."""
    cv2.polylines(picture, [_within_reach(picture, points)], False, color, line_px, cv2.LINE_AA)


def draw_label(picture: Picture, text: str, bbox: NDArray[Any], color: Color, text_px: int) -> None:
    """Writes on a plate at the box's upper left corner, above the box or, at the upper border, in it.

    A box wholly outside the picture gets none.
    """
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (float(edge) for edge in bbox)
    if x2 < 0 or y2 < 0 or x1 >= width or y1 >= height:
        return
    pad, (text_width, plate_height) = _plate(text, text_px)
    left = int(np.clip(round(x1), 0, max(0, width - text_width - 2 * pad)))
    top = int(np.clip(round(y1) - plate_height, 0, max(0, height - plate_height)))
    right, bottom = left + text_width + 2 * pad, top + plate_height
    cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), color, cv2.FILLED)
    _write(picture, text, left + pad, bottom, text_px, text_color(color))


def draw_caption(picture: Picture, text: str, text_px: int) -> None:
    """Writes on a darkened plate in the lower left corner."""
    height = picture.shape[0]
    pad, (text_width, plate_height) = _plate(text, text_px)
    plate = picture[max(0, height - plate_height) :, : text_width + 2 * pad]
    plate //= 3
    _write(picture, text, pad, height, text_px, (255, 255, 255))


def _within_reach(picture: Picture, points: NDArray[Any]) -> NDArray[np.int32]:
    """(K, 2) whole pixels, pulled to just outside the picture: a stray coordinate must not cost a million dashes."""
    height, width = picture.shape[:2]
    return np.asarray(np.clip(np.rint(points), -REACH_PX, [width + REACH_PX, height + REACH_PX]), dtype=np.int32)


@lru_cache(maxsize=1)
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


def _plate(text: str, text_px: int) -> tuple[int, tuple[int, int]]:
    """Padding, and (width of the text, height of its plate), in pixels."""
    pad = max(2, text_px // 5)
    width = cv2.getTextSize((0, 0), text, (0, 0), _font(), text_px, 600)[2]
    return pad, (int(width), text_px + pad)


def _write(picture: Picture, text: str, left: int, bottom: int, text_px: int, color: Color) -> None:
    """Writes into a plate that ends at `bottom`; capitals and digits reach up to about 0.75 of the text's size."""
    baseline = bottom - round((text_px + max(2, text_px // 5) - 0.75 * text_px) / 2)
    cv2.putText(picture, text, (left, baseline), color, _font(), text_px, 600)
