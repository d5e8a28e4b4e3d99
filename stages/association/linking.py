"""Clustering under exclusions: knows costs and forbidden pairs, knows nothing of tracklets.

Agglomerative clustering with average linkage (UPGMA, Sokal and Michener 1958): again and again the two nearest clusters join,
as long as they are no further apart than the gate and no pair between them is forbidden. A pair whose cost is unknown is left
out of the average, so two tracklets that say nothing of each other can still meet through a third.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Join:
    """One decision: `first` and `second` are the nearest pair between the two clusters that joined."""

    first: int
    second: int
    cost: float  # between the clusters
    runner_up: float  # the nearest other choice that the two had; infinity where there was none


def link(costs: NDArray[np.float64], forbidden: NDArray[np.bool_], gate: float) -> tuple[NDArray[np.int64], list[Join]]:
    """(T,) cluster labels (the smallest item of each cluster) and the joins, cheapest first.

    costs (T, T) symmetric, NaN where unknown; forbidden (T, T) symmetric. Ties go to the smallest indices. An average under
    the gate needs a pair under it, so each connected component of such pairs is a problem of its own.
    """
    labels = np.arange(len(costs))
    joins: list[Join] = []
    count, component = connected_components((costs <= gate) & ~forbidden, directed=False)
    sizes = np.bincount(component, minlength=count)
    for number in np.flatnonzero(sizes > 1):
        items = np.flatnonzero(component == number)
        inner, found = _link_component(costs[np.ix_(items, items)], forbidden[np.ix_(items, items)], gate)
        labels[items] = items[inner]
        for join in found:
            beyond = _runner_up_beyond(costs, forbidden, items, items[[join.first, join.second]])
            joins.append(Join(int(items[join.first]), int(items[join.second]), join.cost, min(join.runner_up, beyond)))
    return labels, sorted(joins, key=lambda join: join.cost)


def _runner_up_beyond(
    costs: NDArray[np.float64], forbidden: NDArray[np.bool_], items: NDArray[np.intp], pair: NDArray[np.intp]
) -> float:
    """The least cost from either of the pair to an item outside its component; infinity where there is none."""
    others = np.delete(np.arange(len(costs)), items)
    allowed = np.where(forbidden[np.ix_(pair, others)], np.inf, costs[np.ix_(pair, others)])
    return float(np.nanmin(allowed, initial=np.inf))


def _link_component(
    costs: NDArray[np.float64], forbidden: NDArray[np.bool_], gate: float
) -> tuple[NDArray[np.int64], list[Join]]:
    """`link` on all items at once."""
    count = len(costs)
    known = ~np.isnan(costs) & ~np.eye(count, dtype=bool)
    total, pairs, apart = np.where(known, costs, 0.0), known.astype(np.float64), forbidden.copy()
    average = _average(total, pairs, apart)
    pairwise = average.copy()
    labels = np.arange(count)
    joins: list[Join] = []
    while True:
        i, j = divmod(int(average.argmin()), count)
        cost = float(average[i, j])
        if not cost <= gate:
            return labels, joins
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


def _average(total: NDArray[np.float64], pairs: NDArray[np.float64], apart: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean cost of the known pairs; infinity where none is known or one is forbidden."""
    mean = np.divide(total, pairs, out=np.full_like(total, np.inf), where=pairs > 0)
    return np.where(apart, np.inf, mean)
