"""Log-odds that two tracklets are one person's, in nats: what is usual, looks, motion, stature, and company.

    odds = prior(gap) + looks + motion(gap) + stature + company

The prior is what is usual (returning.py). Motion, of which sizes are a part, counts as far as the person may have walked on
unseen, and stature as far as that is not so: who turned, stopped or left may be wherever people get in that time. After a long
absence people come back by any entry, and their way says nothing. Company counts between people who were seen, as far as by all
else their companions are one person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from stages.association.company import Company
from stages.association.likeness import Looks
from stages.association.motion import Ends, Passage
from stages.association.reach import Reach
from stages.association.returning import Returning
from stages.association.stature import Statures
from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

UNSEEN_S = 4.0  # time constant in which a person hidden has left or turned
HORIZON_S = 12.0  # after which nobody is known by motion alone ...
REACH_S = 32.0  # ... and nobody is near or far any more
IMPOSSIBLE = -30.0  # nats: two tracklets that interlock, or a return that counts as somebody new
BLIND = -2.0  # nats where motion decides alone: what is easy the tracker and `rewire` have joined already ...
HARDLY = 0.25  # ... and less of it up to this support of two looks together
AT_EDGE = 0.05  # body heights from the picture's edge within which one crosses it ...
AHEAD_S = 0.5  # ... in so many seconds more
FLICKER_S = 0.5  # seconds that a detector may lose somebody at the edge
MOST_CANDIDATES = 12  # likeliest continuations of a tracklet that are looked at
DECIMALS = 6  # of nats
BLOCK = 256  # tracklets compared with all later ones at once


@dataclass(frozen=True, eq=False)
class Odds:
    """Log-odds of E pairs and what they are made of."""

    first: Ints  # (E,) the earlier
    second: Ints  # (E,)
    gap_s: Array  # below 0: they interlock
    prior: Array  # nats
    looks: Array
    motion: Array
    stature: Array
    company: Array
    total: Array

    def __len__(self) -> int:
        return len(self.first)

    def take(self, chosen: Ints | NDArray[np.bool_]) -> "Odds":
        return Odds(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def joined(self, other: "Odds") -> "Odds":
        return all_of([self, other])


def all_of(parts: Sequence[Odds]) -> Odds:
    """One table after the other; at least one."""
    return Odds(*(np.concatenate([getattr(part, name) for part in parts]) for name in Odds.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Acquaintance:
    """All that is known of a video's tracklets, asked pair by pair."""

    looks: Looks
    passage: Passage
    reach: Reach | None  # None: people may be anywhere
    statures: Statures
    company: Company | None  # None: nobody walks with anybody
    leaves: NDArray[np.bool_]  # (2, T) began, ended at the picture's edge
    fps: float
    returning: Returning
    max_gap_s: float
    returns_are_new: bool

    def odds(self, one: Ints, other: Ints) -> Odds:
        """Of pairs (E,) in any order."""
        odds = self._one_by_one(one, other)
        if self.company is None:
            return odds
        seen = (self.looks.supports[odds.first] > 0) & (self.looks.supports[odds.second] > 0)
        known = np.flatnonzero(seen & (odds.total > IMPOSSIBLE) & self.company.known(odds.first, odds.second))
        first, second = odds.first[known], odds.second[known]
        mate, other_mate = self.company.mates[first], self.company.mates[second]
        alike = np.where(mate == other_mate, 1.0, expit(self._one_by_one(mate, other_mate).total))
        odds.company[known] = self.company.nats(first, second, alike)
        return replace(odds, total=np.round(odds.total + odds.company, DECIMALS))

    def _one_by_one(self, one: Ints, other: Ints) -> Odds:
        """Of pairs (E,) in any order, whoever they walk with."""
        frames = self.passage.ends.frames
        swapped = frames[0, one] > frames[0, other]
        first, second = np.where(swapped, other, one), np.where(swapped, one, other)
        gap_s = (frames[0, second] - frames[1, first]) / self.fps
        looks = self.looks.nats(first, second)
        prior, motion, stature = np.zeros((3, len(first)))
        seen = (self.looks.supports[first] > 0) & (self.looks.supports[second] > 0)
        usual = np.flatnonzero((seen | (gap_s <= HORIZON_S)) & (gap_s > 0) & (gap_s <= self.max_gap_s))
        supports = self.looks.supports[first[usual]] * self.looks.supports[second[usual]]
        prior[usual] = self.returning.nats(gap_s[usual]) + BLIND * np.maximum(1 - supports / HARDLY, 0.0)
        stature[usual] = self.statures.nats(first[usual], second[usual])
        near = usual[gap_s[usual] <= REACH_S]
        walking = np.exp(-gap_s[near] / UNSEEN_S)
        going_on = np.log(walking) + self.passage.nats(first[near], second[near])
        motion[near] = np.logaddexp(going_on, np.log1p(-walking) + self._reach_nats(first[near], second[near], seen[near]))
        stature[near] *= 1 - walking  # their ways know sizes already
        total = np.round(prior + looks + motion + stature, DECIMALS)
        total[(gap_s <= 0) | self.is_new(first, second, gap_s)] = IMPOSSIBLE
        return Odds(first, second, gap_s, prior, looks, motion, stature, np.zeros(len(first)), total)

    def usual(self, odds: Odds) -> Array:
        """(E,) the prior of pairs that follow each other; the odds have 0 where nothing else is known of two."""
        unknown = (odds.prior == 0) & (odds.gap_s > 0)
        return np.where(unknown, np.round(self.returning.nats(np.maximum(odds.gap_s, 0.0)), DECIMALS), odds.prior)

    def _reach_nats(self, first: Ints, second: Ints, seen: NDArray[np.bool_]) -> Array:
        """(E,) what it says where somebody is seen again who did not go on as before; being near is no merit of the unseen."""
        if self.reach is None:
            return np.zeros(len(first))
        nats = self.reach.nats(first, second)
        return np.where(seen, nats, np.minimum(nats, 0.0))  # false boxes come again where they were

    def is_new(self, first: Ints, second: Ints, gap_s: Array) -> NDArray[np.bool_]:
        """Whether one left the picture, or the other came in, where who returns counts as somebody new."""
        return np.asarray(self.returns_are_new & (self.leaves[1, first] | self.leaves[0, second]) & (gap_s > FLICKER_S))

    def candidates(self) -> Odds:
        """The likeliest pairs with positive odds, a few for each tracklet; cost follows the pairs within the longest gap."""
        begins, ends = self.passage.ends.frames
        by_begin = np.argsort(begins, kind="stable")
        starts = begins[by_begin]
        by_end = np.argsort(ends, kind="stable")
        found = [self.odds(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        for k in range(0, len(by_end), BLOCK):
            rows = by_end[k : k + BLOCK]
            low = np.searchsorted(starts, ends[rows[0]], side="right")
            high = np.searchsorted(starts, ends[rows[-1]] + self.max_gap_s * self.fps, side="right")
            found.append(self._likely(rows, by_begin[low:high]))
        return _best(all_of(found), MOST_CANDIDATES)

    def _likely(self, rows: Ints, columns: Ints) -> Odds:
        """Pairs of a row and a later column with positive odds."""
        begins, ends = self.passage.ends.frames
        gap_s = (begins[columns][None, :] - ends[rows][:, None]) / self.fps
        possible = (gap_s > 0) & (gap_s <= self.max_gap_s)
        most = np.full(len(rows), self.statures.most_nats)
        most += self.reach.most_nats(rows, HORIZON_S) if self.reach else 0.0
        most += self.company.most_nats(rows) if self.company else 0.0
        hopeful = self.looks.table(rows, columns) + self.returning.nats(np.maximum(gap_s, 0)) > -most[:, None]
        row, column = np.nonzero(possible & (hopeful | (gap_s <= HORIZON_S)))
        odds = self.odds(rows[row], columns[column])
        return odds.take(odds.total > 0)


def _best(odds: Odds, limit: int) -> Odds:
    """The pairs among the `limit` likeliest of both its tracklets."""
    kept = np.ones(len(odds), dtype=bool)
    for side in (odds.first, odds.second):
        order = np.lexsort((odds.first, odds.second, -odds.total, side))
        starts = np.flatnonzero(np.diff(side[order], prepend=-1))
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
        kept[order[rank >= limit]] = False
    return odds.take(kept)


def at_edge(tracklets: Tracklets, ends: Ends) -> NDArray[np.bool_]:
    """(2, T) whether each tracklet came in, and left, over the picture's left, right or lower edge, as its ends point."""
    offsets = tracklets.offsets()
    ahead = AHEAD_S * tracklets.fps
    crossing = []
    for rows, velocities in ((offsets[:-1], -ends.velocities[0]), (offsets[1:] - 1, ends.velocities[1])):
        x1, y1, x2, y2 = tracklets.bboxes[rows].T.astype(np.float64)
        margin = AT_EDGE * (y2 - y1)
        moved_x, moved_y = velocities[:, 0] * ahead, velocities[:, 1] * ahead
        beyond_side = (x1 + moved_x < margin) | (x2 + moved_x > tracklets.width_px - margin)
        crossing.append(beyond_side | (y2 + moved_y > tracklets.height_px - margin))
    return np.stack(crossing)
