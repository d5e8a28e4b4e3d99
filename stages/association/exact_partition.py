"""Correlation clustering of a few items to the optimum, as an integer program with cuts."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

FORBIDDEN = 1e6  # log-odds against a forbidden pair
MAX_NODES = 2000  # of branch and bound, for each set of cuts; a count and not a time, so that results repeat
MAX_CUTS = 2000  # added at once


def exact_partition(odds: Array, start: Ints) -> tuple[Ints, float]:
    """Labels (N,), the smallest item of each cluster, and a bound on the value: equal to it where the optimum is proved.

    odds (N, N) symmetric; -FORBIDDEN keeps a pair apart. `start` (N,) are labels to fall back on where the program is too hard.
    """
    count = len(odds)
    first, second = np.triu_indices(count, 1)
    weights = odds[first, second]
    number = np.zeros((count, count), np.int64)
    number[first, second] = number[second, first] = np.arange(len(first))
    forbidden = weights <= -FORBIDDEN
    cuts = np.zeros((0, 3), np.int64)  # variables a, b, c with x_a + x_b - x_c <= 1
    while True:
        found = milp(
            np.where(forbidden, 0.0, -weights),
            integrality=np.ones(len(weights), np.int64),
            bounds=Bounds(0, np.where(forbidden, 0.0, 1.0)),
            constraints=_constraints(cuts, len(weights)),
            options={"node_limit": MAX_NODES, "mip_rel_gap": 0.0},
        )
        bound = -float(found.mip_dual_bound) if found.mip_dual_bound is not None else float(weights[weights > 0].sum())
        if found.status != 0 or found.x is None:
            return start, bound
        joined = np.zeros((count, count), dtype=bool)
        joined[first, second] = joined[second, first] = found.x > 0.5
        violated = _violated(joined, number)
        if len(violated) == 0:
            np.fill_diagonal(joined, True)
            labels = joined.argmax(axis=1)
            return labels, float(weights[labels[first] == labels[second]].sum())
        cuts = np.concatenate([cuts, violated[:MAX_CUTS]])


def _constraints(cuts: Ints, count: int) -> LinearConstraint | tuple[()]:
    if len(cuts) == 0:
        return ()
    rows = np.repeat(np.arange(len(cuts)), 3)
    matrix = csr_array((np.tile([1.0, 1.0, -1.0], len(cuts)), (rows, cuts.ravel())), shape=(len(cuts), count))
    return LinearConstraint(matrix, -np.inf, 1.0)


def _violated(joined: NDArray[np.bool_], number: Ints) -> Ints:
    """(V, 3) variables of i~k, k~j and i~j wherever the first two are joined and the third is not."""
    paths = joined[:, :, None] & joined[None, :, :] & ~joined[:, None, :]
    i, k, j = np.nonzero(paths)
    below = i < j
    i, k, j = i[below], k[below], j[below]
    return np.stack([number[i, k], number[k, j], number[i, j]], axis=1)
