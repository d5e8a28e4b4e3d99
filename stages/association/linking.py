"""Clustering under exclusions: knows costs and forbidden pairs, knows nothing of tracklets.

Agglomerative clustering with average linkage (UPGMA, Sokal and Michener 1958): again and again the two nearest clusters join,
as long as they are no further apart than the gate and no pair between them is forbidden. A pair whose cost is unknown is left
out of the average, so two tracklets that say nothing of each other can still meet through a third.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Join:
    """One decision: `first` and `second` are the nearest pair between the two clusters that joined."""

    first: int
    second: int
    cost: float  # between the clusters
    runner_up: float  # the nearest other choice that either cluster had; infinity where there was none


def link(costs: NDArray[np.float64], forbidden: NDArray[np.bool_], gate: float) -> tuple[NDArray[np.int64], list[Join]]:
    """(T,) cluster labels (the smallest item of each cluster) and the joins in order.

    costs (T, T) symmetric, NaN where unknown; forbidden (T, T) symmetric. Ties go to the smallest indices.
    """
    count = len(costs)
    known = ~np.isnan(costs) & ~np.eye(count, dtype=bool)
    total, pairs, apart = np.where(known, costs, 0.0), known.astype(np.float64), forbidden.copy()
    average = _average(total, pairs, apart)
    pairwise = average.copy()
    labels = np.arange(count)
    joins: list[Join] = []
    while count:
        i, j = divmod(int(average.argmin()), count)
        cost = float(average[i, j])
        if not cost <= gate:
            break
        first, second = np.flatnonzero(labels == i), np.flatnonzero(labels == j)
        between = pairwise[np.ix_(first, second)]
        a, b = divmod(int(between.argmin()), len(second))
        others = np.concatenate([np.delete(average[i], j), np.delete(average[j], i)])
        joins.append(Join(int(first[a]), int(second[b]), cost, float(others.min(initial=np.inf))))
        for table in (total, pairs, apart):
            table[i] += table[j]
            table[:, i] = table[i]
            table[j] = table[:, j] = 0
            table[i, i] = 0
        average[i] = average[:, i] = _average(total[i], pairs[i], apart[i])
        average[j] = average[:, j] = np.inf
        labels[labels == j] = i
    return labels, joins


def _average(total: NDArray[np.float64], pairs: NDArray[np.float64], apart: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean cost of the known pairs; infinity where none is known or one is forbidden."""
    mean = np.divide(total, pairs, out=np.full_like(total, np.inf), where=pairs > 0)
    return np.where(apart, np.inf, mean)
