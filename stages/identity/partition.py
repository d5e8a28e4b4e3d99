"""The partition of a camera group's tracks, and what came second for each. Knows log-odds, knows nothing of tracks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stages.association import partition as clustering

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
NEVER = 1e6  # nats that a forbidden pair costs: more than all evidence together


def partition(log_odds: Array, forbidden: NDArray[np.bool_], demanded: Sequence[tuple[int, int]] = ()) -> Labels:
    """(T,) the part of each item, numbered in the order of their first items.

    log_odds (T, T) symmetric, finite; forbidden (T, T) symmetric pairs that are never in one part; demanded pairs, of which
    none is forbidden with all that follows, always are.
    """
    first, second = np.nonzero(np.triu((log_odds != 0) & ~forbidden, 1))
    pairs = np.stack([first, second], axis=1)
    apart = np.argwhere(np.triu(forbidden, 1))
    together = np.array(demanded, dtype=np.int64).reshape(-1, 2)
    found = clustering.partition(len(log_odds), pairs, log_odds[first, second], apart, together)
    return np.asarray(np.unique(found.labels, return_inverse=True)[1], dtype=np.int64)


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


def _gains(weights: Array, labels: Labels) -> Array:
    """(T, P + 1) sum of each item's log-odds with each part, itself left out; the last column is a part still empty."""
    members = np.zeros((len(labels), (labels.max() if len(labels) else -1) + 2))
    members[np.arange(len(labels)), labels] = 1.0
    return np.asarray(weights @ members)
