"""Corrections resolved to tracklets: whose box each one names, and what follows for cutting and joining.

Each stage resolves the rows that it honours against its own tracklets, in every run. A box that the tracker leaves out stands
for one nearby in time. Where even that is nobody's, nobody need be cut, told apart or deleted; to join or to call nobody is an
error that names file and line, as is a row that contradicts another or what is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.boxes import iou
from stages.command import log
from stages.contracts.tracklets import Tracklets, relabel
from stages.corrections.rows import Action, Correction, Place

MIN_IOU = 0.5  # of the box named and the box found
NEAR_S = 0.5  # so far from the frame named
END = 1 << 31  # after every frame


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
    """The row of the box that covers the place best, as `found_at`. Raises DataError where there is none."""
    row = found_at(tracklets, place, correction)
    if row is None:
        overlaps = _overlaps(tracklets, place, range(place.frame, place.frame + 1))[1]
        found = f"an IoU of {overlaps.max():.2f} at best" if len(overlaps) else "no box in that frame"
        box = ", ".join(f"{edge:g}" for edge in place.bbox)
        raise correction.refused(
            f"{correction.action} to name somebody who is seen in frame {place.frame} at {box} (IoU {MIN_IOU} or more)", found
        )
    return row


def found_at(tracklets: Tracklets, place: Place, correction: Correction, since: int = 0, until: int = END) -> int | None:
    """The row of the box that covers the place by MIN_IOU, in the frame nearest to its own within NEAR_S and since:until.

    None where there is none. Raises DataError where the video has no such frame.
    """
    if place.frame >= tracklets.num_frames:
        raise correction.refused(f"frames from 0 to {tracklets.num_frames - 1}", place.frame)
    reach = round(NEAR_S * tracklets.fps)
    return covering(tracklets, place, range(max(place.frame - reach, since), min(place.frame + reach + 1, until)))


def covering(tracklets: Tracklets, place: Place, frames: range | None = None) -> int | None:
    """The row of the box that covers the place by MIN_IOU, best in the nearest of `frames`, or in its own; None: none does."""
    rows, overlaps = _overlaps(tracklets, place, range(place.frame, place.frame + 1) if frames is None else frames)
    rows, overlaps = rows[overlaps >= MIN_IOU], overlaps[overlaps >= MIN_IOU]
    away = np.abs(tracklets.frame_numbers[rows] - place.frame)
    return int(rows[np.lexsort((-overlaps, away))[0]]) if len(rows) else None


def _overlaps(tracklets: Tracklets, place: Place, frames: range) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(K,) rows of the boxes in these frames, and their IoU with the place; inside the picture alone where that is more.

    Boxes that the border cuts are completed late, so a row may name the part that was detected, or the whole.
    """
    rows = np.flatnonzero((tracklets.frame_numbers >= frames.start) & (tracklets.frame_numbers < frames.stop))
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
        sides = _sides(tracklets, correction, other)
        if sides and ids[sides[0]] == ids[sides[1]]:
            ids[(ids == ids[sides[1]]) & (tracklets.frame_numbers >= other.frame)] = ids.max() + 1
    return relabel(tracklets, ids)


def _sides(tracklets: Tracklets, correction: Correction, other: Place) -> tuple[int, int] | None:
    """The rows before and after a cut, or of two who are different; None where one of the two is nobody's."""
    until, since = (other.frame, other.frame) if correction.action == "cut" else (END, 0)
    before = found_at(tracklets, correction.place, correction, until=until)
    after = found_at(tracklets, other, correction, since=since)
    return None if before is None or after is None else (before, after)


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
    """Pairs of ids (smaller, greater), sorted, of final tracks that rows of `different` and `cut` say are two people.

    Joining has checked these rows: one that names somebody whom `delete` took out since then says nothing.
    """
    found = set()
    for action in ("different", "cut"):
        for correction, other in _pairs(corrections, action):
            ids = [int(tracks.tracklet_ids[row]) for row in _sides(tracks, correction, other) or ()]
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
    gone = []
    for correction in corrections:
        if correction.action == "delete":
            row = found_at(tracklets, correction.place, correction)
            if row is None:
                log.info("%s: nobody is tracked there now: nobody to delete", correction.where)
            else:
                gone.append(int(tracklets.tracklet_ids[row]))
    return np.isin(tracklets.tracklet_ids, gone)


def noticed(tracklets: Tracklets, corrections: Sequence[Correction]) -> NDArray[np.bool_]:
    """(M,) rows of everybody whom a correction names, whatever it says of them."""
    places = [(place, row) for row in corrections for place in (row.place, row.other) if place is not None]
    rows = [found_at(tracklets, *named_place) for named_place in places]
    return np.isin(tracklets.tracklet_ids, [tracklets.tracklet_ids[row] for row in rows if row is not None])


def _pairs(corrections: Sequence[Correction], action: Action) -> list[tuple[Correction, Place]]:
    """The rows of an action that names two boxes, with the second."""
    return [(row, row.other) for row in corrections if row.action == action and row.other is not None]


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
