"""Windows of people whom the picture's edge cuts off, completed to the whole person.

Every crop is scaled to one size, so that of somebody seen down to the knees would be stretched, and their shorts would be
trousers. How tall somebody is whose feet are outside follows from where their head is: where a camera looks at level ground,
height in pixels is a linear function of place, and the video's other boxes show which. What is outside stays blank.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from stages.contracts.detections import Detections

Array = NDArray[np.float64]

AT_EDGE = 0.01  # body heights, and at least 2 px, within which a box ends at the picture's edge
AT_EDGE_PX = 2.0
LEAST_CONFIDENCE = 0.5  # of a box that is learnt from
EXAMPLES = (50, 500)  # boxes needed, and learnt from: those between change nothing
MOST_DEVIATION = 0.15  # median, in body heights: where the line explains less, people are left as they are
MOST_GROWTH = 2.0  # of what is seen less than half of, the rest would be a guess


@dataclass(frozen=True)
class Figure:
    """How large people appear in a video."""

    intercept_px: float  # of height as a line over the upper edge's place ...
    slope: float
    aspect: float  # width by height

    def height_below(self, top: Array) -> Array:
        """(N,) px of people whose heads are there."""
        return self.intercept_px + self.slope * top

    def height_above(self, foot: Array) -> Array:
        """(N,) px of people who stand there."""
        return (self.intercept_px + self.slope * foot) / (1 + self.slope)


def completed(detections: Detections) -> Array:
    """(N, 4) boxes, which reach out of the picture where it cuts people off, and nowhere if heights follow no line."""
    limits = np.tile([detections.width_px, detections.height_px], 2)
    boxes = np.clip(detections.bboxes.astype(np.float64), 0, limits)
    cuts = _cuts(boxes, detections.width_px, detections.height_px)
    tall = boxes[:, 3] > boxes[:, 1]  # stored detections may have boxes of no height
    figure = learn_figure(boxes[(detections.confidences >= LEAST_CONFIDENCE) & ~cuts.any(axis=1) & tall])
    if figure is None:
        return boxes
    left, top, right, bottom = cuts.T
    x1, y1, x2, y2 = boxes.T.copy()
    seen_width, seen_height = x2 - x1, y2 - y1
    below, above = bottom & ~top, top & ~bottom
    height = np.where(below, figure.height_below(y1), np.where(above, figure.height_above(y2), seen_height))
    height = np.clip(height, seen_height, MOST_GROWTH * seen_height)
    width = np.clip(figure.aspect * height, seen_width, MOST_GROWTH * seen_width)
    return np.stack(
        [
            np.where(left & ~right, x2 - width, x1),
            np.where(above, y2 - height, y1),
            np.where(right & ~left, x1 + width, x2),
            np.where(below, y1 + height, y2),
        ],
        axis=1,
    )


def learn_figure(boxes: Array) -> Figure | None:
    """What whole boxes (N, 4) of some height show; None where they do not fit it or are too few.

    Heights follow a Theil-Sen line (Sen 1968).
    """
    least, most = EXAMPLES
    if len(boxes) < least:
        return None
    boxes = boxes[:: -(-len(boxes) // most)]
    tops, heights = boxes[:, 1], boxes[:, 3] - boxes[:, 1]
    slope, intercept = map(float, theilslopes(heights, tops)[:2])
    figure = Figure(intercept, slope, float(np.median((boxes[:, 2] - boxes[:, 0]) / heights)))
    deviation = float(np.median(np.abs(figure.height_below(tops) - heights) / heights))
    return figure if slope > 0 and deviation <= MOST_DEVIATION else None


def _cuts(boxes: Array, width_px: int, height_px: int) -> NDArray[np.bool_]:
    """(N, 4) whether a box ends at the picture's left, upper, right and lower edge."""
    margins = np.maximum(AT_EDGE * (boxes[:, 3] - boxes[:, 1]), AT_EDGE_PX)[:, None]
    return np.asarray(
        np.concatenate([boxes[:, :2] <= margins, boxes[:, 2:] >= np.array([width_px, height_px]) - margins], axis=1)
    )
