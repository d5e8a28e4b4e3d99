"""What hides people where the camera stands still: scenery in front of them, which is there when they are not.

Behind a bush or under the crown of a tree a box is drawn around the whole person, and a network would take leaves for clothes.
Where a side of the box shows what the picture shows without people, nobody is seen there: blank, it misleads less. The picture
without people is the median over the video. Where light has changed, everything differs from it and nothing is blanked.
"""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.reid.crops import BLANK

Mask = NDArray[np.bool_]

SAMPLES = 25  # frames that the median is of
LEAST_DURATION_S = 15.0  # of a video in which people have walked on in most of them
ROWS = 64  # of the picture whose median is taken at once
LEAST_DIFFERENCE = 16  # levels of 255 in the clearest channel, mean over 3 x 3 px: more than noise and compression leave
LEAST_SHOWN = 0.06  # of a row or column that differs where somebody is seen in it
LEAST_SEEN = 0.1  # of a box that differs: where less does, they stand there most of the time
LEAST_HIDDEN = 0.15  # of a side: less may be air above the head
SMOOTHING = 16  # parts of a side: as long is the mean that a row or column is judged by


def sampled(num_frames: int, fps: float) -> range:
    """Numbers of at most SAMPLES frames, evenly spread; none where the video is so short that people stay where they are."""
    if num_frames < LEAST_DURATION_S * fps:
        return range(0)
    return range(0, num_frames, -(-num_frames // SAMPLES))


class Scenery:
    """The picture (H, W, 3) without people."""

    def __init__(self, frames: Iterable[NDArray[Any]]) -> None:
        stack = np.stack(list(frames))
        self.picture = np.empty(stack.shape[1:], np.uint8)
        middle = len(stack) // 2
        for first in range(0, stack.shape[1], ROWS):
            part = slice(first, first + ROWS)
            self.picture[part] = np.partition(stack[:, part], middle, axis=0)[middle]

    def hide(self, crop: NDArray[Any], window: NDArray[Any]) -> None:
        """Blanks the sides of a crop (h, w, 3) where scenery hides the person; window x1, y1, x2, y2 may leave the picture."""
        x1, y1, x2, y2 = window.tolist()
        behind = self.picture[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
        height, width = behind.shape[:2]
        top, left = max(-y1, 0), max(-x1, 0)
        inside = crop[top : top + height, left : left + width]
        differs = cv2.blur(cv2.absdiff(inside, behind).max(axis=2), (3, 3)) >= LEAST_DIFFERENCE
        if differs.mean() < LEAST_SEEN:
            return
        rows, columns = shown(differs, axis=1), shown(differs, axis=0)
        inside[: rows.start] = inside[rows.stop :] = BLANK
        inside[:, : columns.start] = inside[:, columns.stop :] = BLANK


def shown(differs: Mask, axis: int) -> slice:
    """The rows (axis 1) or columns (axis 0) between the first and the last in which somebody is seen."""
    shares = differs.mean(axis=axis)
    length = len(shares)
    part = max(1, length // SMOOTHING)
    seen = np.flatnonzero(np.convolve(shares, np.ones(part) / part, "same") >= LEAST_SHOWN)
    if len(seen) == 0:
        return slice(0, length)
    first, stop = int(seen[0]), int(seen[-1]) + 1
    return slice(first if first >= LEAST_HIDDEN * length else 0, stop if length - stop >= LEAST_HIDDEN * length else length)
