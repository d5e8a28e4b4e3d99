"""One-to-one assignment under a limit: knows costs, knows nothing of tracks. Compiled code.

The published problem is `lap.lapjv(cost, extend_cost=True, cost_limit=limit)`: pairs of least total cost, where leaving a row
and a column alone costs `limit` together. Costs are sparse here: a pair that is not given costs 1, too much under a limit
below 1. Mostly every row's cheapest column is nobody else's, and that is the answer. Otherwise the pairs under the limit fall
into components that share no row and no column, and each is a small dense problem. Where equal costs leave a choice, the
published problem is solved as it stands, because its order of scans is the published choice.
"""

import numpy as np
from numpy.typing import NDArray

from stages.compiled import compiled
from stages.tracking.lapjv import NONE, Array, Ints, lapjv

Bools = NDArray[np.bool_]

MISSING_COST = 1.0  # of a pair that is not given: no overlap
TIE = 1e-12  # of costs that count as equal


@compiled
def assign(starts: Ints, columns: Ints, costs: Array, num_columns: int, limit: float) -> Ints:
    """(R,) the column of each row, or -1.

    Pairs of row r are starts[r]:starts[r + 1] of `columns` (K,), each once and in any order, and of `costs` (K,), all below 1.
    """
    num_rows = len(starts) - 1
    if num_rows == 0 or num_columns == 0:
        return np.full(num_rows, NONE)
    if limit >= MISSING_COST or _on_limit(costs, limit):
        return _assign_as_published(starts, columns, costs, num_columns, limit)
    column_of, contested = _cheapest(starts, columns, costs, num_columns, limit)
    if np.any(contested) and not _settle(starts, columns, costs, num_columns, limit, column_of, contested):
        return _assign_as_published(starts, columns, costs, num_columns, limit)
    return column_of


@compiled
def _cheapest(starts: Ints, columns: Ints, costs: Array, num_columns: int, limit: float) -> tuple[Ints, Bools]:
    """(R,) each row's cheapest column under the limit, or -1; whether another row wants it or another column is as cheap."""
    num_rows = len(starts) - 1
    column_of, contested = np.full(num_rows, NONE), np.zeros(num_rows, dtype=np.bool_)
    wanted_by = np.full(num_columns, NONE)
    for row in range(num_rows):
        least = limit
        for k in range(starts[row], starts[row + 1]):
            if costs[k] < least:
                contested[row] = column_of[row] != NONE and least - costs[k] <= TIE
                least, column_of[row] = costs[k], columns[k]
            elif costs[k] - least <= TIE:
                contested[row] = True
        wanted = column_of[row]
        if wanted != NONE:
            if wanted_by[wanted] == NONE:
                wanted_by[wanted] = row
            else:
                contested[row] = contested[wanted_by[wanted]] = True
    return column_of, contested


@compiled
def _settle(
    starts: Ints, columns: Ints, costs: Array, num_columns: int, limit: float, column_of: Ints, contested: Bools
) -> bool:
    """Solves the components in which a row is contested, into `column_of`; False where one has several best solutions."""
    first_row, next_row = _components(starts, columns, costs, num_columns, limit)
    place = np.full(num_columns, NONE)
    for first in first_row:
        if _any_listed(first, next_row, contested):
            rows = _listed(first, next_row)
            members, gains = _gains(rows, starts, columns, costs, limit, place)
            chosen, duals = lapjv(gains)
            if not _is_unique(gains, chosen, duals):
                return False
            for i in range(len(rows)):
                gained = chosen[i] < len(members) and gains[i, chosen[i]] < 0
                column_of[rows[i]] = members[chosen[i]] if gained else NONE
    return True


@compiled
def _components(starts: Ints, columns: Ints, costs: Array, num_columns: int, limit: float) -> tuple[Ints, Ints]:
    """Rows that share columns under the limit, directly or through others (union-find), as linked lists in ascending order.

    (R,) the first row of the component that is named after its first row, and (R,) the row after each row; -1: none.
    """
    num_rows = len(starts) - 1
    parent, taker = np.arange(num_rows), np.full(num_columns, NONE)
    first_row, next_row = np.full(num_rows, NONE), np.full(num_rows, NONE)
    for row in range(num_rows):
        for k in range(starts[row], starts[row + 1]):
            if costs[k] < limit:
                if taker[columns[k]] == NONE:
                    taker[columns[k]] = row
                a, b = _root(parent, row), _root(parent, taker[columns[k]])
                parent[max(a, b)] = min(a, b)
    for row in range(num_rows - 1, -1, -1):
        root = _root(parent, row)
        next_row[row] = first_row[root]
        first_row[root] = row
    return first_row, next_row


@compiled
def _root(parent: Ints, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@compiled
def _any_listed(first: int, following: Ints, flags: Bools) -> bool:
    """Whether a member of a linked list is flagged."""
    row = first
    while row != NONE:
        if flags[row]:
            return True
        row = following[row]
    return False


@compiled
def _listed(first: int, following: Ints) -> Ints:
    """The members of a linked list."""
    count, row = 0, first
    while row != NONE:
        count, row = count + 1, following[row]
    rows = np.empty(count, dtype=np.int64)
    row = first
    for i in range(count):
        rows[i] = row
        row = following[row]
    return rows


@compiled
def _gains(rows: Ints, starts: Ints, columns: Ints, costs: Array, limit: float, place: Ints) -> tuple[Ints, Array]:
    """The columns (C,) of a component in order of their first pair, and the square matrix of cost - limit, 0 where no pair.

    A best complete assignment of this matrix, without its zeros, is a best one under the limit. `place` (all -1) is scratch.
    """
    members = np.empty(np.sum(starts[rows + 1] - starts[rows]), dtype=np.int64)
    num_members = 0
    for row in rows:
        for k in range(starts[row], starts[row + 1]):
            if costs[k] < limit and place[columns[k]] == NONE:
                place[columns[k]] = num_members
                members[num_members] = columns[k]
                num_members += 1
    size = max(len(rows), num_members)
    gains = np.zeros((size, size))
    for i in range(len(rows)):
        for k in range(starts[rows[i]], starts[rows[i] + 1]):
            if costs[k] < limit:
                gains[i, place[columns[k]]] = costs[k] - limit
    place[members[:num_members]] = NONE
    return members[:num_members], gains


@compiled
def _is_unique(gains: Array, column_of: Ints, duals: Array) -> bool:
    """Whether every other assignment is worse by more than TIE, apart from which row goes to which column without a pair.

    Row i could take row k's column at no cost where the reduced costs are equal; another solution is a cycle of such moves.
    """
    n = len(gains)
    moves = np.empty((n, n), dtype=np.bool_)
    for i in range(n):
        own = gains[i, column_of[i]] - duals[column_of[i]]
        for k in range(n):
            moves[i, k] = k != i and gains[i, column_of[k]] - duals[column_of[k]] - own <= TIE
    reaches = moves.copy()
    for via in range(n):
        for i in range(n):
            if reaches[i, via]:
                for k in range(n):
                    reaches[i, k] |= reaches[via, k]
    for i in range(n):
        for k in range(n):
            if moves[i, k] and reaches[k, i] and min(gains[i, column_of[i]], gains[i, column_of[k]]) < 0:
                return False
    return True


@compiled
def _on_limit(costs: Array, limit: float) -> bool:
    """Whether a cost lies on the limit: taking that pair or not is the same."""
    for cost in costs:  # noqa: SIM110 (compiled code knows no generators)
        if abs(cost - limit) <= TIE:
            return True
    return False


@compiled
def _assign_as_published(starts: Ints, columns: Ints, costs: Array, num_columns: int, limit: float) -> Ints:
    """(R,) the column of each row, or -1, by the square problem of all rows and columns, and partners for leaving alone."""
    num_rows = len(starts) - 1
    size = num_rows + num_columns
    extended = np.full((size, size), limit / 2)
    extended[num_rows:, num_columns:] = 0.0
    extended[:num_rows, :num_columns] = MISSING_COST
    for row in range(num_rows):
        for k in range(starts[row], starts[row + 1]):
            extended[row, columns[k]] = costs[k]
    column_of = lapjv(extended)[0][:num_rows]
    for row in range(num_rows):
        if column_of[row] >= num_columns:
            column_of[row] = NONE
    return column_of
