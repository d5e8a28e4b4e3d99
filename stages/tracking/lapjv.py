"""The linear assignment problem by shortest augmenting paths, in compiled code.

Jonker and Volgenant 1987, "A shortest augmenting path algorithm for dense and sparse linear assignment problems". Where several
assignments cost the same, the order of scans decides which one comes out; the scans here run in the order of the `lap` library,
with which the published ByteTrack associates. Tests hold both equal, ties included.
"""

import numpy as np
from numpy.typing import NDArray

from stages.compiled import compiled

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE = -1
UNREACHED = np.inf
ROW_REDUCTIONS = 2  # rounds of augmenting row reduction before paths are searched


@compiled
def lapjv(cost: Array) -> tuple[Ints, Array]:
    """(n,) the column of each row in an assignment of least total cost, and (n,) the columns' duals; `cost` (n, n) finite.

    No row has a reduced cost, cost less the column's dual, below that of its own column.
    """
    n = len(cost)
    column_of, row_of = np.full(n, NONE), np.full(n, NONE)
    duals = np.empty(n)  # of the columns: v in the paper
    free = _reduce_columns(cost, column_of, row_of, duals)
    for _ in range(ROW_REDUCTIONS):
        if len(free):
            free = _reduce_rows(cost, free, column_of, row_of, duals)
    for row in free:
        _augment(cost, row, column_of, row_of, duals)
    return column_of, duals


@compiled
def _reduce_columns(cost: Array, column_of: Ints, row_of: Ints, duals: Array) -> Ints:
    """Column reduction and reduction transfer; the rows left free, ascending.

    Each column goes to its cheapest row, the last column first; a row that got one column alone passes its slack on to it.
    """
    n = len(cost)
    cheapest = np.zeros(n, dtype=np.int64)
    duals[:] = cost[0]
    for row in range(1, n):
        for column in range(n):
            if cost[row, column] < duals[column]:
                duals[column] = cost[row, column]
                cheapest[column] = row
    once = np.ones(n, dtype=np.bool_)
    for column in range(n - 1, -1, -1):
        row = cheapest[column]
        if column_of[row] == NONE:
            column_of[row], row_of[column] = column, row
        else:
            once[row] = False
    free = np.empty(n, dtype=np.int64)
    num_free = 0
    for row in range(n):
        own = column_of[row]
        if own == NONE:
            free[num_free] = row
            num_free += 1
        elif once[row]:
            slack = UNREACHED
            for column in range(n):
                if column != own:
                    slack = min(slack, cost[row, column] - duals[column])
            duals[own] -= slack
    return free[:num_free]


@compiled
def _reduce_rows(cost: Array, free: Ints, column_of: Ints, row_of: Ints, duals: Array) -> Ints:
    """Augmenting row reduction: each free row takes its best column, whose former row becomes free; the rows still free.

    A row that was displaced is tried again at once while the duals strictly fall, and kept for the next round otherwise.
    """
    n, num_free = len(cost), len(free)
    still = free.copy()
    current = tried = num_still = 0
    while current < num_free:
        tried += 1
        row = still[current]
        current += 1
        best, second, least, next_least = _two_best(cost[row], duals)
        displaced = row_of[best]
        lowered = duals[best] - (next_least - least)
        if tried < current * n:
            falls = lowered < duals[best]
            if falls:
                duals[best] = lowered
            elif displaced != NONE and second != NONE:
                best = second
                displaced = row_of[best]
            if displaced != NONE:
                if falls:
                    current -= 1
                    still[current] = displaced
                else:
                    still[num_still] = displaced
                    num_still += 1
        elif displaced != NONE:
            still[num_still] = displaced
            num_still += 1
        column_of[row], row_of[best] = best, row
    return still[:num_still]


@compiled
def _two_best(costs: Array, duals: Array) -> tuple[int, int, float, float]:
    """The columns of the two least reduced costs of a row, the first ones where equal, and these costs."""
    best, second = 0, NONE
    least, next_least = costs[0] - duals[0], UNREACHED
    for column in range(1, len(costs)):
        reduced = costs[column] - duals[column]
        if reduced < next_least:
            if reduced >= least:
                second, next_least = column, reduced
            else:
                best, second = column, best
                least, next_least = reduced, least
    return best, second, least, next_least


@compiled
def _augment(cost: Array, start: int, column_of: Ints, row_of: Ints, duals: Array) -> None:
    """Assigns a free row along the shortest path to a free column (Dijkstra over reduced costs), and updates the duals.

    `order` holds the columns in three parts: [:ready] with final distances, [ready:scan_end] at the least distance and still
    to be scanned, the rest beyond it.
    """
    n = len(cost)
    order = np.arange(n)
    came_from = np.full(n, start)
    distance = cost[start] - duals
    scan = scan_end = ready = 0
    end = NONE
    while end == NONE:
        if scan == scan_end:
            ready = scan
            scan_end = _nearest(distance, order, scan)
            for k in range(scan, scan_end):
                if row_of[order[k]] == NONE:
                    end = order[k]
        if end == NONE:
            end, scan, scan_end = _scan(cost, distance, order, came_from, row_of, duals, scan, scan_end)
    least = distance[end]
    for k in range(ready):
        duals[order[k]] += distance[order[k]] - least
    while True:
        row = came_from[end]
        row_of[end] = row
        end, column_of[row] = column_of[row], end
        if row == start:
            return


@compiled
def _nearest(distance: Array, order: Ints, start: int) -> int:
    """Moves the columns of least distance among order[start:] to its front; where they end."""
    stop = start + 1
    least = distance[order[start]]
    for k in range(stop, len(order)):
        column = order[k]
        if distance[column] <= least:
            if distance[column] < least:
                stop = start
                least = distance[column]
            order[k], order[stop] = order[stop], column
            stop += 1
    return stop


@compiled
def _scan(
    cost: Array, distance: Array, order: Ints, came_from: Ints, row_of: Ints, duals: Array, scan: int, scan_end: int
) -> tuple[int, int, int]:
    """Goes on from every column at the least distance; a free column that is just as near, or NONE, and the new bounds."""
    while scan < scan_end:
        column = order[scan]
        scan += 1
        row, least = row_of[column], distance[column]
        shift = cost[row, column] - duals[column] - least
        for k in range(scan_end, len(order)):
            column = order[k]
            reduced = cost[row, column] - duals[column] - shift
            if reduced < distance[column]:
                distance[column] = reduced
                came_from[column] = row
                if reduced == least:
                    if row_of[column] == NONE:
                        return column, scan, scan_end
                    order[k], order[scan_end] = order[scan_end], column
                    scan_end += 1
    return NONE, scan, scan_end
