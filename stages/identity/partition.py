"""Correlation clustering: the partition of items whose pairs inside the parts have the greatest sum of log-odds.

Bansal, Blum and Chawla 2004, "Correlation clustering". Greedy additive edge contraction (Keuper et al. 2015, "Efficient
decomposition of image and mesh graphs by lifted multicuts", section 4.1) finds a partition, and moves of one item, exchanges of
two and unions of two parts improve it until none gains. Each component that positive log-odds connect is a problem of its own.
Knows log-odds, knows nothing of tracks.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
NEVER = 1e6  # nats that a forbidden pair costs, and a demanded one gains: more than all evidence together
LEAST_GAIN = 1e-9  # nats; rounding must not keep the search going


def partition(log_odds: Array, forbidden: NDArray[np.bool_], demanded: Sequence[tuple[int, int]] = ()) -> Labels:
    """(T,) the part of each item, numbered in the order of their first items.

    log_odds (T, T) symmetric, finite; forbidden (T, T) symmetric pairs that are never in one part; demanded pairs, of which
    none is forbidden with all that follows, always are. Ties go to the smallest numbers.
    """
    weights = np.where(forbidden, -NEVER, log_odds)
    for i, j in demanded:
        weights[i, j] = weights[j, i] = NEVER
    np.fill_diagonal(weights, 0.0)
    _, component = connected_components(weights > 0, directed=False)
    labels = np.zeros(len(weights), dtype=np.int64)
    for number in range(component.max(initial=-1) + 1):
        items = np.flatnonzero(component == number)
        inner = weights[np.ix_(items, items)]
        labels[items] = items[0] + _improved(inner, _contracted(inner)) * len(weights)
    return _numbered(labels)


def standing(log_odds: Array, forbidden: NDArray[np.bool_], labels: Labels) -> tuple[Labels, Array]:
    """What came second for each item by itself: (T,) the other part, -1 for one of its own, and (T,) nats that staying gains.

    The nats are NaN where there is no other part that may be and that anything speaks of.
    """
    weights = np.where(forbidden, -NEVER, log_odds)
    np.fill_diagonal(weights, 0.0)
    everyone = np.arange(len(labels))
    gains = _gains(weights, labels)
    own = gains[everyone, labels]
    gains[_gains((weights != 0).astype(np.float64), labels) == 0] = -np.inf  # nothing speaks of it
    gains[gains < -NEVER / 2] = -np.inf
    gains[everyone, labels] = -np.inf
    gains[:, -1] = np.where(np.bincount(labels)[labels] > 1, 0.0, -np.inf)
    second = gains.argmax(axis=1)
    best = gains[everyone, second]
    margins = own - np.where(np.isfinite(best), best, np.nan)
    return np.where(second == gains.shape[1] - 1, -1, second), margins


def _contracted(weights: Array) -> Labels:
    """Parts from joining, again and again, the two whose pairs sum up to most, while that is more than 0."""
    sums = weights.copy()
    np.fill_diagonal(sums, -np.inf)
    labels = np.arange(len(weights))
    while len(labels):
        i, j = divmod(int(sums.argmax()), len(labels))
        if not sums[i, j] > LEAST_GAIN:
            break
        i, j = min(i, j), max(i, j)
        sums[i] += sums[j]
        sums[:, i] = sums[i]
        sums[i, i] = -np.inf
        sums[j] = sums[:, j] = -np.inf
        labels[labels == j] = i
    return _numbered(labels)


def _improved(weights: Array, labels: Labels) -> Labels:
    """The partition after the best move, exchange or union, again and again until none gains."""
    while len(labels):
        gain, better = max(
            (_best_move(weights, labels), _best_exchange(weights, labels), _best_union(weights, labels)), key=lambda x: x[0]
        )
        if not gain > LEAST_GAIN:
            break
        labels = _numbered(better)
    return labels


def _gains(weights: Array, labels: Labels) -> Array:
    """(T, P + 1) sum of each item's log-odds with each part, itself left out; the last column is a part still empty."""
    members = np.zeros((len(labels), (labels.max() if len(labels) else -1) + 2))
    members[np.arange(len(labels)), labels] = 1.0
    return np.asarray(weights @ members)


def _best_move(weights: Array, labels: Labels) -> tuple[float, Labels]:
    """The best move of one item to another part or one of its own."""
    gains = _gains(weights, labels)
    gains = gains - gains[np.arange(len(labels)), labels][:, None]
    item, part = divmod(int(gains.argmax()), gains.shape[1])
    better = labels.copy()
    better[item] = part
    return float(gains[item, part]), better


def _best_exchange(weights: Array, labels: Labels) -> tuple[float, Labels]:
    """The best exchange of two items of different parts."""
    gains = _gains(weights, labels)
    gains = gains - gains[np.arange(len(labels)), labels][:, None]
    into = gains[:, labels]  # (T, T): of item i, moved to the part of item j
    both = into + into.T - 2 * weights
    both[labels[:, None] == labels[None, :]] = -np.inf
    i, j = divmod(int(both.argmax()), len(labels))
    better = labels.copy()
    better[i], better[j] = labels[j], labels[i]
    return float(both[i, j]), better


def _best_union(weights: Array, labels: Labels) -> tuple[float, Labels]:
    """The best union of two parts."""
    members = np.zeros((len(labels), labels.max() + 1))
    members[np.arange(len(labels)), labels] = 1.0
    sums = members.T @ weights @ members
    np.fill_diagonal(sums, -np.inf)
    i, j = divmod(int(sums.argmax()), len(sums))
    return float(sums[i, j]), np.where(labels == max(i, j), min(i, j), labels)


def _numbered(labels: Labels) -> Labels:
    """The same partition, numbered from 0 in the order of first items."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.int64)
