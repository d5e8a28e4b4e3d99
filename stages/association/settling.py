"""People as wholes: joins that pairs of tracklets alone do not show, and joins that are not sure enough.

Correlation clustering counts for each pair of a person's tracklets what is usual and where they walked, also where others lie
between the two: a glimpse of somebody behind a tree pays for every other sight of the person. Here a person's tracklets are a
chain in time, what is usual, motion and company count between neighbours alone, and looks and stature are those of the whole
person. Two people are joined as long as that is likelier, the likeliest first (Ward 1963, "Hierarchical grouping to optimize
an objective function"). Then people are parted where too little holds them together.
"""

import heapq
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import Views
from stages.association.likeness import support_of
from stages.association.pair_odds import IMPOSSIBLE, Acquaintance, Odds
from stages.association.stature import compare

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

DECIMALS = 6  # of nats


@dataclass(frozen=True, eq=False)
class Sights:
    """What was seen of T tracklets, in sums that add up to those of people."""

    directions: Array  # (T, D) looks, as long as the views weigh
    weights: Array  # (T,)
    clarities: Array  # (T,) times their weights
    counts: Ints  # (T,) views

    def whole(self, members: Ints) -> tuple[Array, float]:
        """The look (D,) of some tracklets of one person, not of unit length, and its support."""
        clarity = float(self.clarities[members].sum()) / max(float(self.weights[members].sum()), 1e-9)
        return self.directions[members].sum(axis=0), float(support_of(self.counts[members].sum(keepdims=True), clarity)[0])

    def growing(self, members: Ints) -> tuple[Array, Array]:
        """As `whole`, (n, D) and (n,), of the first of n tracklets, of the first two, and so on."""
        weights, clarities = np.cumsum(self.weights[members]), np.cumsum(self.clarities[members])
        supports = support_of(np.cumsum(self.counts[members]), clarities / np.maximum(weights, 1e-9))
        return np.cumsum(self.directions[members], axis=0), supports


def settle(known: Acquaintance, views: Views, labels: Ints, odds: Odds, apart: Ints) -> Ints:
    """The labels (T,) after all joins of people that pay; looked at are those with a likely pair of tracklets in `odds`.

    labels (T,): the first tracklet of each one's person; apart (A, 2): pairs of tracklets that are two people.
    """
    sights = _sights(known, views)
    people = {int(labels[rows[0]]): rows for rows in _groups(labels)}
    pairs = np.stack([odds.first, odds.second], axis=1)[odds.total > 0]
    likely, strangers = _neighbours(labels[pairs]), _neighbours(labels[apart])
    heap: list[tuple[float, int, int, int]] = []

    def weigh(one: int, other: int) -> None:
        gain = _gain(people[one], people[other], known, sights)
        if gain > 0:
            heapq.heappush(heap, (-gain, min(one, other), max(one, other), len(people[one]) + len(people[other])))

    for one in sorted(likely):
        for other in sorted(likely[one] - strangers.get(one, set())):
            if one < other:
                weigh(one, other)
    while heap:
        _, one, other, size = heapq.heappop(heap)
        if one not in people or other not in people or len(people[one]) + len(people[other]) != size:
            continue  # one of them has grown meanwhile
        people[one] = _in_time(np.concatenate([people[one], people.pop(other)]), known)
        for table in (likely, strangers):
            for third in table.pop(other, set()):
                table[third].discard(other)
                if third != one:
                    table[third].add(one)
                    table.setdefault(one, set()).add(third)
        for third in sorted(likely.get(one, set()) - strangers.get(one, set())):
            weigh(one, third)
    settled = np.empty(len(labels), np.int64)
    for name, rows in people.items():
        settled[rows] = name
    return settled


def part(known: Acquaintance, views: Views, labels: Ints, min_gain: float, forced: Ints) -> Ints:
    """The labels (T,) after parting people where fewer than `min_gain` nats tie all that came before to all that came after.

    The loosest tie goes first. Ties to tracklets without looks stay: they are asked for more evidence anyhow. So do ties across
    `forced` pairs (F, 2), which are one person whatever the odds.
    """
    sights, parted = _sights(known, views), labels.copy()
    todo = [_in_time(rows, known) for rows in _groups(labels) if len(rows) > 1]
    following = np.zeros(len(labels))  # nats of each tracklet's link to the next
    if todo:
        first, second = (np.concatenate([members[side] for members in todo]) for side in (slice(None, -1), slice(1, None)))
        following[first] = _links(first, second, known)
    while todo:
        members = todo.pop()
        ties = _ties(members, known, sights) + following[members[:-1]]
        for pair in forced[np.isin(forced, members).all(axis=1)]:
            one, last = np.flatnonzero(np.isin(members, pair))
            ties[one:last] = np.inf
        loosest = int(ties.argmin())
        if ties[loosest] < min_gain:
            for half in (members[: loosest + 1], members[loosest + 1 :]):
                parted[half] = half[0]
                if len(half) > 1:
                    todo.append(half)
    return parted


def in_chains(odds: Odds, labels: Ints, known: Acquaintance) -> Odds:
    """The odds with those inside people as `settle` has them: no prior and no motion but between neighbours."""
    nexts = np.full(len(labels), -1)
    for rows in _groups(labels):
        rows = _in_time(rows, known)
        nexts[rows[:-1]] = rows[1:]
    inside = (labels[odds.first] == labels[odds.second]) & (odds.total > IMPOSSIBLE)
    near, far = inside & (nexts[odds.first] == odds.second), inside & (nexts[odds.first] != odds.second)
    prior = np.where(near, known.usual(odds), odds.prior)
    prior, motion, company = (np.where(far, 0.0, nats) for nats in (prior, odds.motion, odds.company))
    total = np.where(inside, np.round(prior + odds.looks + motion + odds.stature + company, DECIMALS), odds.total)
    return replace(odds, prior=prior, motion=motion, company=company, total=total)


def _gain(one: Ints, other: Ints, known: Acquaintance, sights: Sights) -> float:
    """Nats by which two people (their tracklets in time) are likelier one; at most 0 where they cannot be."""
    across = known.odds(*(side.ravel() for side in np.meshgrid(one, other, indexing="ij")))
    if across.total.min() <= IMPOSSIBLE:
        return IMPOSSIBLE
    both = _in_time(np.concatenate([one, other]), known)
    (a, support_a), (b, support_b) = sights.whole(one), sights.whole(other)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    support = np.array(support_a * support_b if lengths > 0 else 0.0)
    looks = known.looks.calibration.nats(np.array(a @ b / max(lengths, 1e-12)), support)
    stature = compare(*(known.statures.sums[members].sum(axis=0, keepdims=True) for members in (one, other)))[0]
    return round(float(looks + stature) + _chain(both, known) - _chain(one, known) - _chain(other, known), DECIMALS)


def _ties(members: Ints, known: Acquaintance, sights: Sights) -> Array:
    """(n - 1,) nats by which all up to each of n tracklets looks like all after it; infinite where one side has no looks."""
    (before, support_before), (after, support_after) = sights.growing(members[:-1]), sights.growing(members[:0:-1])
    after, support_after = after[::-1], support_after[::-1]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    supports = np.where(lengths > 0, support_before * support_after, 0.0)
    cosines = np.einsum("nd,nd->n", before, after) / np.maximum(lengths, 1e-12)
    sums = known.statures.sums[members]
    stature = compare(np.cumsum(sums[:-1], axis=0), np.cumsum(sums[:0:-1], axis=0)[::-1])
    return np.where(supports > 0, np.round(known.looks.calibration.nats(cosines, supports) + stature, DECIMALS), np.inf)


def _chain(members: Ints, known: Acquaintance) -> float:
    """Nats of tracklets, in time, following each other."""
    return float(_links(members[:-1], members[1:], known).sum())


def _links(first: Ints, second: Ints, known: Acquaintance) -> Array:
    """(E,) nats of tracklets following each other, whatever they look like."""
    links = known.odds(first, second)
    return np.asarray(known.usual(links) + links.motion + links.company)


def _sights(known: Acquaintance, views: Views) -> Sights:
    count = views.num_tracklets
    weights = np.bincount(views.tracklets, views.weights, count).astype(np.float64)
    clarities = np.bincount(views.tracklets, views.weights * views.clarities, count).astype(np.float64)
    directions = known.looks.directions.astype(np.float64) * weights[:, None]
    return Sights(directions, weights, clarities, views.counts())


def _in_time(members: Ints, known: Acquaintance) -> Ints:
    return members[np.argsort(known.passage.ends.frames[0, members], kind="stable")]


def _groups(labels: Ints) -> list[Ints]:
    order = np.argsort(labels, kind="stable")
    return [rows for rows in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(rows)]


def _neighbours(pairs: Ints) -> dict[int, set[int]]:
    """Both ways; pairs of one name are none."""
    table: dict[int, set[int]] = {}
    for one, other in np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0).tolist():
        table.setdefault(one, set()).add(other)
        table.setdefault(other, set()).add(one)
    return table
