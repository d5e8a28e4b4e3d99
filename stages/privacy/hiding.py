"""Regions of a picture made unrecognisable for good: few large cells, and those blurred into each other.

What is left of a region is the mean colour of at most 3 cells across its shorter side, however many pixels it had: a face of
150 px keeps 9 colours. That cannot be undone, for the pixels are gone, and not replaced by others that stand for them; the grid
is fixed to the person, so that further frames show the same cells again and not parts of them. Colours of clothes stay visible.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

CELLS = 3  # across the shorter side
MAX_ASPECT = 3  # cells across the longer side, at most CELLS times this
MIN_CELL_PX = 4  # a smaller cell would leave small people as they are


def hide(picture: NDArray[np.uint8], region: NDArray[Any]) -> None:
    """Overwrites the region x1, y1, x2, y2 px, whole pixels around it included, of the picture (H, W, 3)."""
    limits = np.tile([picture.shape[1], picture.shape[0]], 2)
    outward = np.concatenate([np.floor(region[:2]), np.ceil(region[2:])])
    x1, y1, x2, y2 = np.clip(outward, 0, limits).astype(int).tolist()
    if x2 <= x1 or y2 <= y1:
        return
    width, height = x2 - x1, y2 - y1
    cells = _cells(width, height), _cells(height, width)
    mosaic = cv2.resize(picture[y1:y2, x1:x2], cells, interpolation=cv2.INTER_AREA)
    picture[y1:y2, x1:x2] = cv2.resize(mosaic, (width, height), interpolation=cv2.INTER_LINEAR)


def _cells(side_px: int, other_px: int) -> int:
    """Cells along a side: CELLS along the shorter one, square ones along the longer."""
    wanted = round(CELLS * min(max(side_px / other_px, 1.0), MAX_ASPECT))
    return max(1, min(wanted, side_px // MIN_CELL_PX))
