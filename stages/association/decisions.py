"""What `merge` decided and why: a row for each pair that was joined, and for each that was refused though likely by itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.association.pair_odds import DECIMALS, Odds
from stages.params import Range

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NOBODY = -1
CORRECTED = "corrected"  # a decision that a person made
TEMPERS, OFFSETS = Range(0.01, 10), Range(-10, 10)  # that a Sureness may have


@dataclass(frozen=True)
class Decision:
    """One pair of tracklets, the earlier first.

    joined: they follow each other in one person; corrected: the same, because a person said so; refused: they are two people's
    though their odds were positive. `gain_nats` is how much the best choice with the pair joined has over the best one without
    it, as far as one exchange away, and `probability` that of being one person: 1 or 0 where a person said so.
    """

    decision: str
    tracklet_id: int
    other_tracklet_id: int
    merged_id: int
    other_merged_id: int
    probability: float
    gain_nats: float
    gap_s: float
    prior_nats: float
    looks_nats: float
    motion_nats: float
    stature_nats: float
    company_nats: float
    runner_up_tracklet_id: int | None  # who else one of the two could have been joined with; None: nobody plausible
    runner_up_nats: float | None  # odds of that pair


@dataclass(frozen=True)
class Sureness:
    """Log-odds of being one person for a gain: Platt (1999), "Probabilistic outputs for support vector machines".

    Evidence that hangs together, views of one moment and pairs of one person, counts in the gain again and again.
    """

    temper: float  # nats for each nat of the gain
    offset: float  # nats

    def probabilities(self, gains: Array) -> Array:
        """Of gains of any shape, nats; never quite 0 or 1."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.temper * gains + self.offset, -50, 50))))


def decisions(
    ids: NDArray[np.int32], merged: Ints, begins: Ints, odds: Odds, forced: Ints, apart: Ints, sureness: Sureness
) -> list[Decision]:
    """The decisions, in order of the tracklets' ids.

    ids and merged (T,) before and after, begins (T,) their first frames, odds of all pairs asked for; forced and apart (P, 2)
    positions of pairs that a person called the same, or two.
    """
    links = _links(merged, begins, odds)
    said = {(a, b): same for pairs, same in ((forced, 1.0), (apart, 0.0)) for a, b in np.sort(pairs, axis=1).tolist()}
    rivals = _rivals(len(ids), merged, odds)
    rows = []
    for e in np.lexsort((odds.second, odds.first)).tolist():
        first, second = int(odds.first[e]), int(odds.second[e])
        joined = merged[first] == merged[second]
        if (joined and links.nexts[first] != second) or (not joined and odds.total[e] <= 0):
            continue
        rival = [r for r in (*rivals[first], *rivals[second]) if r != e]
        best = max(rival, key=lambda r: (odds.total[r], -r), default=None)
        if joined:
            without = max((_exchange(r, odds, links, spare=first) for r in rival), default=0.0)
            gain = float(links.ties[first]) - max(without, 0.0)
        else:
            gain = _exchange(e, odds, links, spare=NOBODY)
        known = said.get((min(first, second), max(first, second)))
        rows.append(
            Decision(
                CORRECTED if known == 1 else "joined" if joined else "refused",
                int(ids[first]),
                int(ids[second]),
                int(merged[first]),
                int(merged[second]),
                float(sureness.probabilities(np.array(gain))) if known is None else known,
                gain,
                float(odds.gap_s[e]),
                float(odds.prior[e]),
                float(odds.looks[e]),
                float(odds.motion[e]),
                float(odds.stature[e]),
                float(odds.company[e]),
                None if best is None else int(ids[_other(best, odds, first, second)]),
                None if best is None else float(odds.total[best]),
            )
        )
    return rows


def _other(e: int, odds: Odds, first: int, second: int) -> int:
    """The one of pair e who is neither of the two."""
    return int(odds.second[e] if odds.first[e] in (first, second) else odds.first[e])


@dataclass(frozen=True, eq=False)
class Links:
    """Who follows whom in one person; (T,) by tracklet."""

    nexts: Ints  # NOBODY after the last
    befores: Ints  # NOBODY before the first
    ties: Array  # nats between all that is up to the tracklet and all that is after it


def _links(merged: Ints, begins: Ints, odds: Odds) -> Links:
    """The links, from when tracklets begin (T,) and the odds of all pairs inside people."""
    count = len(merged)
    links = Links(np.full(count, NOBODY), np.full(count, NOBODY), np.zeros(count))
    order = np.lexsort((begins, merged))
    follows = merged[order[1:]] == merged[order[:-1]]
    before, after = order[:-1][follows], order[1:][follows]
    links.nexts[before], links.befores[after] = after, before
    inside = merged[odds.first] == merged[odds.second]
    first, second, nats = odds.first[inside], odds.second[inside], odds.total[inside]
    change = np.bincount(first, nats, count) - np.bincount(second, nats, count)
    links.ties[order] = np.round(np.cumsum(change[order]), DECIMALS)
    return links


def _rivals(count: int, merged: Ints, odds: Odds) -> list[list[int]]:
    """For each tracklet the pairs with positive odds that were not joined."""
    rivals: list[list[int]] = [[] for _ in range(count)]
    for e in np.flatnonzero((merged[odds.first] != merged[odds.second]) & (odds.total > 0)).tolist():
        rivals[odds.first[e]].append(e)
        rivals[odds.second[e]].append(e)
    return rivals


def _exchange(e: int, odds: Odds, links: Links, spare: int) -> float:
    """Nats gained by joining pair e instead of its first's link to what follows and its second's to what is before.

    The link that begins at `spare` is cut already.
    """
    first, before = int(odds.first[e]), int(links.befores[odds.second[e]])
    cut = {link for link in (first, before) if link not in (NOBODY, spare)}
    return float(odds.total[e] - links.ties[sorted(cut)].sum())
