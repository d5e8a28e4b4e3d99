"""Correlation clustering under exclusions: knows log-odds of pairs and forbidden pairs, knows nothing of tracklets.

Items are put into clusters such that the sum of the log-odds of all pairs inside a cluster is greatest and no forbidden pair
is inside one (Bansal, Blum and Chawla 2004, "Correlation clustering"). Items that no positive pair connects are independent of
each other. A small component is solved to the optimum as an integer program over its pairs, whose transitivity is added where
it is violated (Groetschel and Wakabayashi 1989, "A cutting plane algorithm for a clustering problem"). A large one is solved by
greedy additive contraction and moves (Keuper et al. 2015, "Efficient decomposition of image and mesh graphs by lifted
multicuts") and comes with a bound.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.association.exact_partition import FORBIDDEN, exact_partition
from stages.association.greedy_partition import greedy_partition, triangle_bound
from stages.errors import DataError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_EXACT = 24  # items of a component that is solved to the optimum
NO_PAIRS = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, eq=False)
class Partition:
    """Clusters of N items."""

    labels: Ints  # (N,) the smallest item of each one's cluster
    value: float  # sum of the log-odds of the pairs inside clusters
    bound: float  # that no partition can exceed; equal to `value` where the optimum is proved


def partition(count: int, pairs: Ints, odds: Array, apart: Ints = NO_PAIRS, together: Ints = NO_PAIRS) -> Partition:
    """The clusters of `count` items with the greatest sum of log-odds.

    pairs (E, 2) with odds (E,), each pair once; a pair that is not listed is worth 0. apart (A, 2): pairs that are in no common
    cluster; together (J, 2): pairs that are, whatever that costs. Raises DataError where the two contradict each other. Ties go
    to the smallest indices.
    """
    groups = _joined(count, together)
    home = groups[apart]
    clash = np.flatnonzero(home[:, 0] == home[:, 1])
    if len(clash):
        a, b = apart[clash[0]]
        raise DataError(f"items {a} and {b}: expected one cluster or two, got pairs that ask for both")
    number = int(groups.max(initial=-1)) + 1
    edges, weights = _summed(number, groups[pairs], odds)
    edges, weights = _without(number, edges, weights, home)
    inside = groups[pairs[:, 0]] == groups[pairs[:, 1]]
    fixed = float(odds[inside].sum())
    labels, value, bound = _by_component(number, edges, weights, home)
    found = labels[groups]
    first = np.full(number, count, np.int64)
    np.minimum.at(first, found, np.arange(count))
    return Partition(first[found], value + fixed, bound + fixed)


def _joined(count: int, together: Ints) -> Ints:
    """(N,) number of each item's group."""
    graph = coo_array((np.ones(len(together)), (together[:, 0], together[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64) if count else np.zeros(0, np.int64)


def _summed(count: int, pairs: Ints, odds: Array) -> tuple[Ints, Array]:
    """Pairs of different groups, each once and in order, with the sums of their odds."""
    pairs = np.sort(pairs, axis=1)
    different = pairs[:, 0] != pairs[:, 1]
    keys, index = np.unique(pairs[different, 0] * count + pairs[different, 1], return_inverse=True)
    edges = np.stack([keys // max(count, 1), keys % max(count, 1)], axis=1)
    return edges, np.bincount(index, odds[different], minlength=len(keys)).astype(np.float64)


def _without(count: int, edges: Ints, weights: Array, apart: Ints) -> tuple[Ints, Array]:
    """The edges that are not forbidden."""
    low, high = np.sort(apart, axis=1).T
    kept = ~np.isin(edges[:, 0] * count + edges[:, 1], low * count + high)
    return edges[kept], weights[kept]


def _by_component(count: int, edges: Ints, weights: Array, apart: Ints) -> tuple[Ints, float, float]:
    """Labels (N,), their value and its bound."""
    positive = edges[weights > 0]
    graph = coo_array((np.ones(len(positive)), (positive[:, 0], positive[:, 1])), shape=(count, count))
    number, component = connected_components(graph, directed=False) if count else (0, np.zeros(0, np.int64))
    order = np.argsort(component, kind="stable")
    place = np.empty(count, np.int64)
    limits = np.searchsorted(component[order], np.arange(number + 1))
    place[order] = np.arange(count) - limits[component[order]]
    inner_edges, edge_limits = _grouped(edges, component, number)
    inner_apart, apart_limits = _grouped(apart, component, number)
    labels, value, bound = np.arange(count), 0.0, 0.0
    for c in np.flatnonzero(np.diff(limits) > 1):
        items = order[limits[c] : limits[c + 1]]
        own = inner_edges[edge_limits[c] : edge_limits[c + 1]]
        out = apart[inner_apart[apart_limits[c] : apart_limits[c + 1]]]
        found, inner_bound = _solved(len(items), place[edges[own]], weights[own], place[out])
        labels[items] = items[found]
        value += float(weights[own][found[place[edges[own, 0]]] == found[place[edges[own, 1]]]].sum())
        bound += inner_bound
    return labels, value, bound


def _grouped(pairs: Ints, component: NDArray[np.integer], number: int) -> tuple[Ints, Ints]:
    """Rows of the pairs inside a component, sorted by it, and where each component's begin."""
    inside = np.flatnonzero(component[pairs[:, 0]] == component[pairs[:, 1]])
    rows = inside[np.argsort(component[pairs[inside, 0]], kind="stable")]
    return rows, np.searchsorted(component[pairs[rows, 0]], np.arange(number + 1))


def _solved(count: int, edges: Ints, weights: Array, apart: Ints) -> tuple[Ints, float]:
    """Labels (N,) of one component's items, the smallest of each cluster, and the bound."""
    labels = greedy_partition(count, edges, weights, apart)
    value = float(weights[labels[edges[:, 0]] == labels[edges[:, 1]]].sum())
    bound = triangle_bound(count, edges, weights, apart)
    if bound <= value + 1e-9:
        return labels, value
    if count <= MAX_EXACT:
        table = np.zeros((count, count))
        table[edges[:, 0], edges[:, 1]] = table[edges[:, 1], edges[:, 0]] = weights
        table[apart[:, 0], apart[:, 1]] = table[apart[:, 1], apart[:, 0]] = -FORBIDDEN
        return exact_partition(table, labels)
    return labels, bound
