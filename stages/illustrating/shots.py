"""A shot: a part of one frame that becomes one tile of a sheet, with marks drawn on it; a sheet is one picture file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from stages.colors import Color
from stages.drawing import CANVAS_GREY, Picture, draw_box, draw_dashed_box, draw_label

LABEL_PX = 13
Window = tuple[float, float, float, float]  # x1, y1, x2, y2 px of the frame


@dataclass(frozen=True)
class Mark:
    """A box on a frame, x1, y1, x2, y2 px, with a label or none; dashed where nobody was detected."""

    bbox: Window
    color: Color
    label: str
    dashed: bool


@dataclass(frozen=True)
class Shot:
    """The window of a frame, and what is drawn where it shows them."""

    frame_number: int
    window: Window
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """Rows of shots of one size; a row may be shorter than others."""

    tile: tuple[int, int]  # width, height px
    rows: tuple[tuple[Shot, ...], ...]


@dataclass
class Album:
    """Sheets by name, filled frame by frame."""

    sheets: Mapping[str, Sheet]
    pictures: dict[str, Picture] = field(default_factory=dict)
    wanted: dict[int, list[tuple[str, int, int]]] = field(default_factory=dict)  # frame -> (sheet, row, column)

    def __post_init__(self) -> None:
        for name, sheet in self.sheets.items():
            columns, (width, height) = max(map(len, sheet.rows)), sheet.tile
            self.pictures[name] = np.full((height * len(sheet.rows), width * columns, 3), CANVAS_GREY, dtype=np.uint8)
            for r, row in enumerate(sheet.rows):
                for c, shot in enumerate(row):
                    self.wanted.setdefault(shot.frame_number, []).append((name, r, c))

    def add(self, frame_number: int, picture: Picture) -> None:
        """Puts what sheets show of this frame into its places."""
        for name, r, c in self.wanted.get(frame_number, ()):
            sheet = self.sheets[name]
            width, height = sheet.tile
            self.pictures[name][r * height : (r + 1) * height, c * width : (c + 1) * width] = tile_of(
                picture, sheet.rows[r][c], sheet.tile
            )


def tile_of(picture: Picture, shot: Shot, size: tuple[int, int]) -> Picture:
    """The shot's window of the picture, scaled to (width, height), with its marks; grey where it leaves the picture."""
    corner, far = np.array(shot.window).reshape(2, 2)
    scale = np.array(size) / (far - corner)
    seen = np.clip(np.rint([corner, far]), 0, [picture.shape[1], picture.shape[0]]).astype(int)
    (left, top), (right, bottom) = seen.tolist()
    (x1, y1), (x2, y2) = np.clip(np.rint((seen - corner) * scale), 0, size).astype(int).tolist()
    tile = np.full((size[1], size[0], 3), CANVAS_GREY, dtype=np.uint8)
    if right > left and bottom > top and x2 > x1 and y2 > y1:
        shrinks = x2 - x1 < right - left
        filter_ = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC  # averaging where many pixels become one
        tile[y1:y2, x1:x2] = cv2.resize(picture[top:bottom, left:right], (x2 - x1, y2 - y1), interpolation=filter_)
    boxes = [((np.array(mark.bbox).reshape(2, 2) - corner) * scale).ravel() for mark in shot.marks]
    for mark, bbox in zip(shot.marks, boxes, strict=True):
        (draw_dashed_box if mark.dashed else draw_box)(tile, bbox, mark.color, 1)
    for mark, bbox in zip(shot.marks, boxes, strict=True):
        if mark.label:
            draw_label(tile, mark.label, bbox, mark.color, LABEL_PX)
    return tile


def window_around(bbox: Window, aspect: float, margin: float) -> Window:
    """The window of this aspect (width / height) around a box, `margin` times as large as it must be."""
    x1, y1, x2, y2 = bbox
    height = margin * max(y2 - y1, (x2 - x1) / aspect, 2.0)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - height * aspect / 2, y - height / 2, x + height * aspect / 2, y + height / 2
