"""Corrections resolved to tracklets: whose box each one names, and what follows for cutting and joining.

Each stage resolves the rows that it honours against its own tracklets, in every run. A row that names nobody, or that
contradicts another or what is seen, is an error that names file and line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.boxes import iou
from stages.contracts.tracklets import Tracklets, relabel
from stages.corrections.rows import Action, Correction, Place

MIN_IOU = 0.5  # of the box named and the box found


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


def row_at(tracklets: Tracklets, place: Place, correction: Correction) -> int:
    """The row of the box that covers the place best. Raises DataError where none does by MIN_IOU."""
    row = covering(tracklets, place)
    if row is None:
        overlaps = _overlaps(tracklets, place)[1]
        found = f"an IoU of {overlaps.max():.2f} at best" if len(overlaps) else "no box in that frame"
        box = ", ".join(f"{edge:g}" for edge in place.bbox)
        raise correction.refused(
            f"{correction.action} to name somebody who is seen in frame {place.frame} at {box} (IoU {MIN_IOU} or more)", found
        )
    return row


def covering(tracklets: Tracklets, place: Place) -> int | None:
    """The row of the box that covers the place best, None where none does by MIN_IOU."""
    rows, overlaps = _overlaps(tracklets, place)
    return int(rows[overlaps.argmax()]) if len(rows) and overlaps.max() >= MIN_IOU else None


def _overlaps(tracklets: Tracklets, place: Place) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(K,) rows of the boxes in the place's frame, and their IoU with it; inside the picture alone where that is more.

    Boxes that the border cuts are completed late, so a row may name the part that was detected, or the whole.
    """
    rows = np.flatnonzero(tracklets.frame_numbers == place.frame)
    named, found = np.array([place.bbox]), tracklets.bboxes[rows]
    picture = np.array([tracklets.width_px, tracklets.height_px] * 2)
    inside = iou(np.clip(named, 0, picture), np.clip(found, 0, picture))
    return rows, np.maximum(iou(named, found), inside)[0]


def cut_tracklets(tracklets: Tracklets, corrections: Sequence[Correction]) -> Tracklets:
    """The tracklets cut where a correction says that one person ends and another begins: just before its other box.

    The part before keeps its id, the part after gets a new one after the greatest.
    """
    ids = tracklets.tracklet_ids.copy()
    for correction, other in _pairs(corrections, "cut"):
        before, after = row_at(tracklets, correction.place, correction), row_at(tracklets, other, correction)
        if ids[before] == ids[after]:
            ids[(ids == ids[after]) & (tracklets.frame_numbers >= other.frame)] = ids.max() + 1
    return relabel(tracklets, ids)


def apart_at_cuts(tracklets: Tracklets, corrections: Sequence[Correction]) -> list[Apart]:
    """The tracklets on both sides of every cut, of tracklets that are cut already."""
    ids = tracklets.tracklet_ids
    return [
        Apart(
            int(ids[row_at(tracklets, correction.place, correction)]),
            int(ids[row_at(tracklets, other, correction)]),
            correction.place.frame,
            other.frame,
        )
        for correction, other in _pairs(corrections, "cut")
    ]


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
            pair = _resolved(tracklets, correction, other)
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
    """Pairs of ids (smaller, greater), sorted, of final tracks that rows of `different` and `cut` say are two people.

    Joining has checked these rows: one that names somebody whom `delete` took out since then says nothing.
    """
    found = set()
    for action in ("different", "cut"):
        for correction, other in _pairs(corrections, action):
            rows = [covering(tracks, place) for place in (correction.place, other)]
            ids = [int(tracks.tracklet_ids[row]) for row in rows if row is not None]
            if len(set(ids)) == 2:
                found.add((min(ids), max(ids)))
    return sorted(found)


def named(tracklets: Tracklets, corrections: Sequence[Correction]) -> dict[int, str]:
    """Id -> name of the people whom rows of `rename` name. Raises DataError where somebody has two names, or two have one."""
    names: dict[int, str] = {}
    for correction in corrections:
        if correction.action == "rename" and correction.name is not None:
            person = int(tracklets.tracklet_ids[row_at(tracklets, correction.place, correction)])
            if names.setdefault(person, correction.name) != correction.name:
                raise correction.refused("one name a person", f"{correction.name!r} for {names[person]!r}")
            if any(name == correction.name for other, name in names.items() if other != person):
                raise correction.refused(
                    "a name of one person alone", f"{correction.name!r} twice (are they the same? then add a row of `same`)"
                )
    return names


def deleted(tracklets: Tracklets, corrections: Sequence[Correction]) -> NDArray[np.bool_]:
    """(M,) rows of the people whom rows of `delete` name."""
    gone = {
        int(tracklets.tracklet_ids[row_at(tracklets, correction.place, correction)])
        for correction in corrections
        if correction.action == "delete"
    }
    return np.isin(tracklets.tracklet_ids, sorted(gone))


def noticed(tracklets: Tracklets, corrections: Sequence[Correction]) -> NDArray[np.bool_]:
    """(M,) rows of everybody whom a correction names, whatever it says of them."""
    places = [place for row in corrections for place in (row.place, row.other) if place is not None]
    rows = [covering(tracklets, place) for place in places]
    return np.isin(tracklets.tracklet_ids, [tracklets.tracklet_ids[row] for row in rows if row is not None])


def _pairs(corrections: Sequence[Correction], action: Action) -> list[tuple[Correction, Place]]:
    """The rows of an action that names two boxes, with the second."""
    return [(row, row.other) for row in corrections if row.action == action and row.other is not None]


def _resolved(tracklets: Tracklets, correction: Correction, other: Place) -> tuple[int, int]:
    """Positions in `Tracklets.ids` of both tracklets, the smaller first."""
    rows = [row_at(tracklets, place, correction) for place in (correction.place, other)]
    first, second = sorted(np.searchsorted(tracklets.ids, tracklets.tracklet_ids[rows]).tolist())
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
