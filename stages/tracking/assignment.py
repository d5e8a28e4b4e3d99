"""One-to-one assignment under a limit: knows costs, knows nothing of tracks."""

from typing import Any

import lap
import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def assign(cost: NDArray[np.float64], limit: float) -> tuple[Rows, Rows, Rows, Rows]:
    """Pairs (rows, columns) of least total cost, no pair above `limit`; then the rows and the columns left over.

    Minimising the sum of (cost - limit) over chosen pairs is the published problem: leaving a row and a column alone costs
    `limit` together. So every cost is gated to min(cost - limit, 0) and an exact Jonker-Volgenant solution (`lap`) is cut
    where a pair gained nothing. All four arrays ascend (pairs by row).
    """
    num_rows, num_columns = cost.shape
    if cost.size == 0:
        none: Any = np.zeros(0, dtype=np.intp)
        return none, none, np.arange(num_rows), np.arange(num_columns)
    gated = np.minimum(cost - limit, 0.0)
    columns = np.asarray(lap.lapjv(gated, extend_cost=True, return_cost=False)[0], dtype=np.intp)
    rows = np.flatnonzero(columns >= 0)
    rows = rows[cost[rows, columns[rows]] <= limit]
    columns = columns[rows]
    return rows, columns, _others(num_rows, rows), _others(num_columns, columns)


def _others(count: int, taken: Rows) -> Rows:
    free = np.ones(count, dtype=bool)
    free[taken] = False
    return np.flatnonzero(free)
