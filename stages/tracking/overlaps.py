"""Which boxes of two lists overlap, and by how much. Compiled code."""

import numpy as np

from stages.compiled import compiled
from stages.tracking.lapjv import Array, Ints

BORDER_PX = 1.0  # for ByteTrack, whose published IoU counts a box's last pixel as inside
FEW = 16  # columns up to which an insertion sort is faster than a general one


@compiled
def overlaps(rows: Array, columns: Array, border_px: float) -> tuple[Ints, Ints, Array]:
    """All pairs of boxes with an IoU above 0: starts (R + 1,), columns (K,) and IoU (K,).

    rows (R, 4), columns (C, 4), C at least 1, x1, y1, x2, y2 px, and every side is `border_px` longer; pairs of row r are
    starts[r]:starts[r + 1]. Columns are visited from left to right within reach, so the cost follows the number of boxes on
    the same upright stripe.
    """
    num_rows = len(rows)
    order, lefts, widest = _from_left_to_right(columns)
    reach = np.empty((num_rows, 2), dtype=np.int64)
    for row in range(num_rows):
        reach[row, 0] = np.searchsorted(lefts, rows[row, 0] - widest - border_px)
        reach[row, 1] = np.searchsorted(lefts, rows[row, 2] + border_px)
    room = np.sum(reach[:, 1] - reach[:, 0])
    starts, found, ious = np.empty(num_rows + 1, dtype=np.int64), np.empty(room, dtype=np.int64), np.empty(room)
    count = 0
    for row in range(num_rows):
        starts[row] = count
        for place in range(reach[row, 0], reach[row, 1]):
            iou = overlap(rows, row, columns, order[place], border_px)
            if iou > 0:
                found[count], ious[count] = order[place], iou
                count += 1
    starts[num_rows] = count
    return starts, found[:count], ious[:count]


@compiled
def overlap(a: Array, i: int, b: Array, j: int, border_px: float) -> float:
    """Intersection over union of box i of a (N, 4) and box j of b (M, 4), every side so much longer."""
    width = min(a[i, 2], b[j, 2]) - max(a[i, 0], b[j, 0]) + border_px
    height = min(a[i, 3], b[j, 3]) - max(a[i, 1], b[j, 1]) + border_px
    if width <= 0 or height <= 0:
        return 0.0
    return float(width * height / (_area(a, i, border_px) + _area(b, j, border_px) - width * height))


@compiled
def vertical_overlap(a: Array, i: int, b: Array, j: int) -> float:
    """Share of the height that box i of a (N, 4) and box j of b (M, 4) cover together that both cover, without the border."""
    shared = min(a[i, 3], b[j, 3]) - max(a[i, 1], b[j, 1])
    return float(max(shared / (max(a[i, 3], b[j, 3]) - min(a[i, 1], b[j, 1])), 0.0))


@compiled
def _area(boxes: Array, row: int, border_px: float) -> float:
    return float((boxes[row, 2] - boxes[row, 0] + border_px) * (boxes[row, 3] - boxes[row, 1] + border_px))


@compiled
def _from_left_to_right(boxes: Array) -> tuple[Ints, Array, float]:
    """(N,) rows of `boxes` by their left edge, these edges, and the greatest width; N at least 1."""
    n = len(boxes)
    order, lefts, widest = np.arange(n), np.empty(n), 0.0
    if n > FEW:
        order = np.argsort(boxes[:, 0])
    for place in range(n):
        row = order[place]
        left = boxes[row, 0]
        while place > 0 and lefts[place - 1] > left:
            order[place], lefts[place] = order[place - 1], lefts[place - 1]
            place -= 1
        order[place], lefts[place] = row, left
        widest = max(widest, boxes[row, 2] - left)
    return order, lefts, widest
