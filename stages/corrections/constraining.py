"""What corrections ask of cutting and joining: where tracklets are cut, and who is one person and who is two."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.command import log
from stages.contracts.tracklets import Tracklets, relabel
from stages.corrections.resolving import END, found_at, row_at
from stages.corrections.rows import Action, Correction, Place


@dataclass(frozen=True)
class Apart:
    """A cut: tracklet `before` (an id) ends its person's way in frame `last`, and `after` begins another's in frame `first`."""

    before: int
    after: int
    last: int
    first: int


@dataclass(frozen=True)
class Constraints:
    """What joining must respect: pairs of tracklets by their position in `Tracklets.ids`, as (smaller, greater), sorted."""

    must: list[tuple[int, int]]
    cannot: list[tuple[int, int]]


def cut_tracklets(tracklets: Tracklets, corrections: Sequence[Correction]) -> Tracklets:
    """The tracklets cut where a correction says that one person ends and another begins: just before its other box.

    The part before keeps its id, the part after gets a new one after the greatest.
    """
    ids = tracklets.tracklet_ids.copy()
    for correction, other in _pairs(corrections, "cut"):
        sides = _sides(tracklets, correction, other)
        if sides and ids[sides[0]] == ids[sides[1]]:
            ids[(ids == ids[sides[1]]) & (tracklets.frame_numbers >= other.frame)] = ids.max() + 1
    return relabel(tracklets, ids)


def apart_at_cuts(tracklets: Tracklets, corrections: Sequence[Correction]) -> list[Apart]:
    """The tracklets on both sides of every cut, of tracklets that are cut already."""
    ids, frames = tracklets.tracklet_ids, tracklets.frame_numbers
    found = [_sides(tracklets, *pair) for pair in _pairs(corrections, "cut")]
    return [Apart(*(int(of[row]) for of in (ids, frames) for row in sides)) for sides in found if sides]


def constraints(tracklets: Tracklets, corrections: Sequence[Correction]) -> Constraints:
    """Who must and who cannot be one person: rows of `same`, and rows of `different` and `cut`.

    Raises DataError where `same`, with all that follows from it, joins people seen in one frame or of two classes, or where
    `different` names two boxes of one tracklet or of people who are the same by other rows.
    """
    groups = _Groups(tracklets)
    must, cannot = set(), set()
    for correction, other in _pairs(corrections, "same"):
        pair = _resolved(tracklets, correction, other)
        groups.join(pair, correction)
        if pair[0] != pair[1]:
            must.add(pair)
    for action in ("different", "cut"):
        for correction, other in _pairs(corrections, action):
            sides = _sides(tracklets, correction, other)
            if sides is None:
                log.info("%s: nobody is tracked there now: nobody to tell apart", correction.where)
                continue
            pair = _positions(tracklets, sides)
            if pair[0] == pair[1]:
                frames = tracklets.frame_numbers[tracklets.tracklet_ids == tracklets.ids[pair[0]]]
                raise correction.refused(
                    f"{action} to name two tracklets", f"one, of frames {frames[0]} to {frames[-1]} (say where with cut)"
                )
            if groups.of[pair[0]] == groups.of[pair[1]]:
                raise correction.refused(f"{action} to agree with other rows", "two boxes that are the same person by `same`")
            cannot.add(pair)
    return Constraints(sorted(must), sorted(cannot))


def told_apart(tracks: Tracklets, corrections: Sequence[Correction]) -> list[tuple[int, int]]:
    """Pairs of ids (smaller, greater), sorted, of final tracks, with detected boxes, that rows of `different` and `cut` say
    are two people.

    Joining has checked these rows: one that names somebody whom `delete` took out since then says nothing.
    """
    found = set()
    for action in ("different", "cut"):
        for correction, other in _pairs(corrections, action):
            ids = [int(tracks.tracklet_ids[row]) for row in _sides(tracks, correction, other) or ()]
            if len(set(ids)) == 2:
                found.add((min(ids), max(ids)))
    return sorted(found)


def _pairs(corrections: Sequence[Correction], action: Action) -> list[tuple[Correction, Place]]:
    """The rows of an action that names two boxes, with the second."""
    return [(row, row.other) for row in corrections if row.action == action and row.other is not None]


def _sides(tracklets: Tracklets, correction: Correction, other: Place) -> tuple[int, int] | None:
    """The rows before and after a cut, or of two who are different; None where one of the two is nobody's."""
    until, since = (other.frame, other.frame) if correction.action == "cut" else (END, 0)
    before = found_at(tracklets, correction.place, correction, until=until)
    after = found_at(tracklets, other, correction, since=since)
    return None if before is None or after is None else (before, after)


def _resolved(tracklets: Tracklets, correction: Correction, other: Place) -> tuple[int, int]:
    """Positions in `Tracklets.ids` of both tracklets, the smaller first."""
    return _positions(tracklets, (row_at(tracklets, correction.place, correction), row_at(tracklets, other, correction)))


def _positions(tracklets: Tracklets, rows: tuple[int, int]) -> tuple[int, int]:
    """Positions in `Tracklets.ids` of the tracklets of two rows, the smaller first."""
    first, second = sorted(np.searchsorted(tracklets.ids, tracklets.tracklet_ids[list(rows)]).tolist())
    return first, second


class _Groups:
    """Tracklets that are one person by `same`."""

    def __init__(self, tracklets: Tracklets):
        self.tracklets = tracklets
        self.of = np.arange(len(tracklets.ids))  # (T,) a number a group

    def join(self, pair: tuple[int, int], correction: Correction) -> None:
        """Makes one group of the two that hold the pair. Raises DataError where they cannot be one person."""
        first, second = (self._rows(self.of[position]) for position in pair)
        if self.of[pair[0]] == self.of[pair[1]]:
            return
        together = np.intersect1d(self.tracklets.frame_numbers[first], self.tracklets.frame_numbers[second])
        if len(together):
            raise correction.refused("same to name one person", f"two who are both seen in frame {together[0]}")
        classes = self.tracklets.class_ids[[first[0], second[0]]].tolist()
        if classes[0] != classes[1]:
            raise correction.refused("same to name two boxes of one class", f"classes {classes[0]} and {classes[1]}")
        self.of[self.of == self.of[pair[1]]] = self.of[pair[0]]

    def _rows(self, group: int) -> NDArray[np.intp]:
        return np.flatnonzero(np.isin(self.tracklets.tracklet_ids, self.tracklets.ids[self.of == group]))
