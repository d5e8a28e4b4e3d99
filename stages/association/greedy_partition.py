"""Correlation clustering under exclusions, near the optimum in near linear time, and a bound on the optimum."""

import heapq

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDS = 20  # of moves over all items
LEAST_GAIN = 1e-9


def greedy_partition(count: int, edges: Ints, weights: Array, apart: Ints) -> Ints:
    """(N,) labels, the smallest item of each cluster: contraction, then moves of single items.

    edges (E, 2) with weights (E,), apart (A, 2) forbidden pairs; none in both.
    """
    graph: list[dict[int, float]] = [{} for _ in range(count)]
    for (a, b), weight in zip(edges.tolist(), weights.tolist(), strict=True):
        graph[a][b] = graph[b][a] = weight
    foes: list[set[int]] = [set() for _ in range(count)]
    for a, b in apart.tolist():
        foes[a].add(b)
        foes[b].add(a)
    labels = _contracted([dict(row) for row in graph], [set(row) for row in foes])
    for _ in range(ROUNDS):
        if not _moved(labels, graph, foes):
            break
    return _named(labels)


def _contracted(graph: list[dict[int, float]], foes: list[set[int]]) -> list[int]:
    """Labels after joining, again and again, the two clusters with the greatest positive sum between them; uses both up."""
    parent = list(range(len(graph)))
    queue = [(-weight, a, b) for a, row in enumerate(graph) for b, weight in row.items() if a < b and weight > 0]
    heapq.heapify(queue)
    while queue:
        negative, a, b = heapq.heappop(queue)
        if parent[a] != a or parent[b] != b or graph[a].get(b) != -negative or b in foes[a]:
            continue
        parent[b] = a
        del graph[a][b]
        for c, weight in graph[b].items():
            if c != a:
                del graph[c][b]
                graph[a][c] = graph[c][a] = graph[a].get(c, 0.0) + weight
                if graph[a][c] > 0:
                    heapq.heappush(queue, (-graph[a][c], min(a, c), max(a, c)))
        for c in foes[b]:
            foes[c].discard(b)
            foes[c].add(a)
            foes[a].add(c)
        graph[b], foes[b] = {}, set()
    for item in range(len(parent)):  # a parent is always smaller
        parent[item] = parent[parent[item]]
    return parent


def _moved(labels: list[int], graph: list[dict[int, float]], foes: list[set[int]]) -> bool:
    """One round of moves of single items to the cluster, or to one of their own, where they gain most; False: none gained."""
    free, any_moved = len(labels), False
    for item, row in enumerate(graph):
        sums: dict[int, float] = {}
        for other, weight in row.items():
            sums[labels[other]] = sums.get(labels[other], 0.0) + weight
        here = labels[item]
        barred = {labels[foe] for foe in foes[item]}
        best, gain = None, LEAST_GAIN
        for label, total in sorted(sums.items()):
            if label != here and label not in barred and total - sums.get(here, 0.0) > gain:
                best, gain = label, total - sums.get(here, 0.0)
        if -sums.get(here, 0.0) > gain:
            best, free = free, free + 1
        if best is not None:
            labels[item], any_moved = best, True
    return any_moved


def _named(labels: list[int]) -> Ints:
    """Labels by the smallest item of each cluster."""
    first: dict[int, int] = {}
    for item, label in enumerate(labels):
        first.setdefault(label, item)
    return np.array([first[label] for label in labels], dtype=np.int64)


def triangle_bound(count: int, edges: Ints, weights: Array, apart: Ints) -> float:
    """A sum that no partition exceeds: that of the positive pairs, less what triangles with one repelling pair cost for sure.

    In a triangle of two attracting pairs and a repelling one, at least one is against its will: the least of the three is lost,
    and each pair pays for as much as it has (Lange, Karrenbauer and Andres 2018, "Partial optimality and fast lower bounds for
    weighted correlation clustering", iterative cycle packing).
    """
    attraction: list[dict[int, float]] = [{} for _ in range(count)]
    repulsion = dict.fromkeys(map(tuple, np.sort(apart, axis=1).tolist()), np.inf)
    for (a, b), weight in zip(np.sort(edges, axis=1).tolist(), weights.tolist(), strict=True):
        if weight > 0:
            attraction[a][b] = attraction[b][a] = weight
        elif weight < 0:
            repulsion[a, b] = -weight
    lost = 0.0
    for (a, b), rest in sorted(repulsion.items()):
        for c in sorted(attraction[a].keys() & attraction[b].keys()):
            paid = min(rest, attraction[a][c], attraction[b][c])
            rest -= paid
            lost += paid
            for end in (a, b):
                attraction[end][c] -= paid
                attraction[c][end] -= paid
    return float(weights[weights > 0].sum()) - lost
