"""How far the whole picture moved beyond what was predicted, read from the boxes themselves. Compiled code.

People move each their own way, a camera moves all at once: the median over confident pairs of prediction and detection is the
camera's. It needs no pixels, and sees shifts alone.
"""

import numpy as np

from stages.compiled import compiled
from stages.tracking.assignment import assign
from stages.tracking.lapjv import NONE, Array
from stages.tracking.overlaps import BORDER_PX, overlaps, vertical_overlap

MIN_PAIRS = 4
MIN_OVERLAP = 0.2  # of a pair: IoU * vertical overlap


@compiled
def camera_shift(predicted: Array, detected: Array) -> tuple[float, float]:
    """Median of detected minus predicted centres (x, y px) over the best pairs of boxes (P, 4), (D, 4); 0, 0 of too few."""
    if len(predicted) < MIN_PAIRS or len(detected) < MIN_PAIRS:
        return 0.0, 0.0
    starts, columns, costs = overlaps(predicted, detected, BORDER_PX)
    for row in range(len(predicted)):
        for k in range(starts[row], starts[row + 1]):
            costs[k] = 1 - costs[k] * vertical_overlap(predicted, row, detected, columns[k])
    column_of = assign(starts, columns, costs, len(detected), 1 - MIN_OVERLAP)
    shifts = np.empty((2, len(predicted)))
    count = 0
    for row in range(len(predicted)):
        if column_of[row] != NONE:
            for axis in range(2):
                after = detected[column_of[row], axis] + detected[column_of[row], 2 + axis]
                shifts[axis, count] = (after - predicted[row, axis] - predicted[row, 2 + axis]) / 2
            count += 1
    if count < MIN_PAIRS:
        return 0.0, 0.0
    return float(np.median(shifts[0, :count])), float(np.median(shifts[1, :count]))
