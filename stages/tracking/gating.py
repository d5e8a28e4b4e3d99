"""Assignment by overlap, gated afterwards: what SORT and OC-SORT do with an IoU threshold. Compiled code.

Pairs of row r are starts[r]:starts[r + 1] of `columns` and `ious`, as `overlaps` gives them: only those that overlap at all.
"""

import numpy as np

from stages.compiled import compiled
from stages.tracking.assignment import assign
from stages.tracking.lapjv import NONE, Array, Ints
from stages.tracking.overlaps import overlaps

NO_BORDER = 0.0  # px; this IoU takes a box as it is


@compiled
def only_overlaps(starts: Ints, columns: Ints, ious: Array, num_columns: int, threshold: float) -> tuple[Ints, bool]:
    """(P,) each track's only overlap above the threshold, or -1, and whether there are such and nobody has to choose."""
    chosen, taken = np.full(len(starts) - 1, NONE), np.zeros(num_columns, np.bool_)
    found = False
    for row in range(len(chosen)):
        for k in range(starts[row], starts[row + 1]):
            if ious[k] > threshold:
                if chosen[row] != NONE or taken[columns[k]]:
                    return chosen, False
                chosen[row] = columns[k]
                taken[columns[k]] = found = True
    return chosen, found


@compiled
def without_rival(starts: Ints, columns: Ints, ious: Array, num_columns: int, margin: float) -> Ints:
    """(R,) the column that a row has in every complete assignment of greatest gain, or -1 where that is not certain.

    The gain is IoU and a term for every pair, which exchanges partners at a difference of at most `margin`: a pair that
    overlaps by more than the margin and the next best overlaps of its row and of its column gains by joining.
    """
    row_best, row_next = np.zeros(len(starts) - 1), np.zeros(len(starts) - 1)
    column_best, column_next = np.zeros(num_columns), np.zeros(num_columns)
    for row in range(len(starts) - 1):
        for k in range(starts[row], starts[row + 1]):
            column = columns[k]
            row_next[row] = max(row_next[row], min(row_best[row], ious[k]))
            row_best[row] = max(row_best[row], ious[k])
            column_next[column] = max(column_next[column], min(column_best[column], ious[k]))
            column_best[column] = max(column_best[column], ious[k])
    certain = np.full(len(starts) - 1, NONE)
    for row in range(len(starts) - 1):
        for k in range(starts[row], starts[row + 1]):
            column = columns[k]
            if ious[k] == row_best[row] == column_best[column] and ious[k] > margin + row_next[row] + column_next[column]:
                certain[row] = column
    return certain


@compiled
def most_overlap(boxes: Array, corners: Array, threshold: float) -> Ints:
    """(B,) for each box the detection, by place, of the assignment with the greatest sum of IoU, or -1."""
    if len(boxes) == 0 or len(corners) == 0:
        return np.full(len(boxes), NONE)
    starts, columns, ious = overlaps(boxes, corners, NO_BORDER)
    if not np.any(ious > threshold):
        return np.full(len(boxes), NONE)
    return gated(assign(starts, columns, -ious, len(corners), 0.0), starts, columns, ious, threshold)


@compiled
def gated(column_of: Ints, starts: Ints, columns: Ints, ious: Array, threshold: float) -> Ints:
    """(R,) the columns of the assigned pairs that overlap at least as much as the threshold, -1 in place of the others."""
    kept = np.full(len(starts) - 1, NONE)
    for row in range(len(kept)):
        for k in range(starts[row], starts[row + 1]):
            if columns[k] == column_of[row] and ious[k] >= threshold:
                kept[row] = columns[k]
    return kept
