"""Which boxes of two lists overlap, and by how much. Compiled code."""

import numpy as np

from stages.compiled import compiled
from stages.tracking.lapjv import Array, Ints

BORDER_PX = 1.0  # the published IoU counts a box's last pixel as inside
FEW = 16  # columns up to which an insertion sort is faster than a general one


@compiled
def overlaps(rows: Array, columns: Array) -> tuple[Ints, Ints, Array]:
    """All pairs of boxes with an IoU above 0: starts (R + 1,), columns (K,) and IoU (K,).

    rows (R, 4), columns (C, 4), C at least 1, x1, y1, x2, y2 px; pairs of row r are starts[r]:starts[r + 1]. Columns are
    visited from left to right within reach, so the cost follows the number of boxes on the same upright stripe.
    """
    num_rows = len(rows)
    order, lefts, widest = _from_left_to_right(columns)
    reach = np.empty((num_rows, 2), dtype=np.int64)
    for row in range(num_rows):
        reach[row, 0] = np.searchsorted(lefts, rows[row, 0] - widest - BORDER_PX)
        reach[row, 1] = np.searchsorted(lefts, rows[row, 2] + BORDER_PX)
    room = np.sum(reach[:, 1] - reach[:, 0])
    starts, found, ious = np.empty(num_rows + 1, dtype=np.int64), np.empty(room, dtype=np.int64), np.empty(room)
    count = 0
    for row in range(num_rows):
        starts[row] = count
        for place in range(reach[row, 0], reach[row, 1]):
            iou = overlap(rows, row, columns, order[place])
            if iou > 0:
                found[count], ious[count] = order[place], iou
                count += 1
    starts[num_rows] = count
    return starts, found[:count], ious[:count]


@compiled
def overlap(a: Array, i: int, b: Array, j: int) -> float:
    """Intersection over union of box i of a (N, 4) and box j of b (M, 4), every side one pixel longer."""
    width = min(a[i, 2], b[j, 2]) - max(a[i, 0], b[j, 0]) + BORDER_PX
    height = min(a[i, 3], b[j, 3]) - max(a[i, 1], b[j, 1]) + BORDER_PX
    if width <= 0 or height <= 0:
        return 0.0
    return float(width * height / (_area(a, i) + _area(b, j) - width * height))


@compiled
def _area(boxes: Array, row: int) -> float:
    return float((boxes[row, 2] - boxes[row, 0] + BORDER_PX) * (boxes[row, 3] - boxes[row, 1] + BORDER_PX))


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
