"""Where the final tracks lose a true person, and why: every ID switch and fragmentation that CLEAR counts, with its cause.

The cause is read off the frames between the two matches. It says what made following hard, or, where two people share a track,
which stage put them together.
"""

import dataclasses
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.audit import read_audit
from stages.contracts.tracklets import Tracklets
from stages.errors import DataError
from stages.lineage import NOBODY, owners
from stages.reid.crops import covered_shares
from stages.scoring.causes import CAUSES, Cause
from stages.scoring.challenge import TrackBoxes
from stages.scoring.matching import Break, Matching
from stages.scoring.truth import GroundTruth

HIDDEN_SHARE = 0.5  # of a body that others cover, above which a frame counts as occluded
Stretch = tuple[int, int, int]  # first and last frame in which a track matches a person, and who it is
MADE_BY = {"raw": "track", "rewired": "rewire", "split": "split", "merged": "merge", "final": "smooth"}  # level -> its stage


@dataclass(frozen=True)
class Mistake:
    """One ID switch, fragmentation, or both, of the true person `person_id`.

    `frame_number` is the first frame matched again and `last_frame_number` the last before; between them so many frames were
    absent (no true box), occluded, undetected and unlinked (detected, in no matched track).
    """

    frame_number: int
    last_frame_number: int
    person_id: int
    previous_tracklet_id: int
    tracklet_id: int
    switch: int
    fragmentation: int
    cause: Cause
    made_by: str  # the stage that put two people into one track; empty for other causes
    absent: int
    occluded: int
    undetected: int
    unlinked: int


def find_mistakes(
    truth: GroundTruth,
    tracks: TrackBoxes,
    matching: Matching,
    people: NDArray[np.int64],
    detection_frames: NDArray[np.int32],
    levels: Mapping[str, Tracklets],
) -> list[Mistake]:
    """Every mistake by frame. `people` (D,) is whom each detection shows, `detection_frames` (D,) when."""
    shown = np.flatnonzero(people != NOBODY)
    detected = set(zip(detection_frames[shown].tolist(), people[shown].tolist(), strict=True))
    scene = _Scene(truth, tracks, matching, detected, people, {name: owners(t, len(people)) for name, t in levels.items()})
    in_order = sorted(matching.breaks, key=lambda found: (truth.frame_numbers[found.after], truth.ids[found.after]))
    return [scene.mistake(found) for found in in_order]


def hidden_shares(truth: GroundTruth) -> NDArray[np.float64]:
    """(N,) share of each true box that cannot be seen: what the file says, or more where a nearer person's box covers it."""
    hidden = 1.0 - truth.visibilities.astype(np.float64)
    limits = np.searchsorted(truth.frame_numbers, np.arange(truth.num_frames + 1))
    for first, last in zip(limits[:-1].tolist(), limits[1:].tolist(), strict=True):
        if last - first > 1:
            hidden[first:last] = np.maximum(hidden[first:last], covered_shares(truth.bboxes[first:last].astype(np.float64)))
    return hidden


@dataclass(frozen=True, eq=False)
class _Scene:
    """Who was where, who was detected, and which tracklets claim which detections."""

    truth: GroundTruth
    tracks: TrackBoxes
    matching: Matching
    detected: set[tuple[int, int]]  # (frame, person)
    people: NDArray[np.int64]  # (D,) whom each detection shows
    owners: Mapping[str, NDArray[np.int64]]  # level -> (D,) the tracklet of each detection

    @cached_property
    def hidden(self) -> dict[tuple[int, int], float]:
        """(frame, person) -> hidden share, for every true box that counts."""
        shares, rows = hidden_shares(self.truth), np.flatnonzero(self.matching.counts)
        places = zip(self.truth.frame_numbers[rows].tolist(), self.truth.ids[rows].tolist(), strict=True)
        return dict(zip(places, shares[rows].tolist(), strict=True))

    @cached_property
    def stretches(self) -> dict[int, list[Stretch]]:
        """Track -> whom it matches, one person after the other, by frame."""
        rows = np.flatnonzero(self.matching.track_rows != NOBODY)
        tracks = self.tracks.ids[self.matching.track_rows[rows]]
        order = np.argsort(tracks, kind="stable")
        tracks, frames, people = tracks[order], self.truth.frame_numbers[rows[order]], self.truth.ids[rows[order]]
        starts = _changes(tracks, people)
        found: dict[int, list[Stretch]] = {}
        for first, after in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
            stretch = int(frames[first]), int(frames[after - 1]), int(people[first])
            found.setdefault(int(tracks[first]), []).append(stretch)
        return found

    @cached_property
    def claims(self) -> dict[tuple[int, int], list[set[int]]]:
        """(final track, person) -> of each level, the tracklets that hold the boxes of the two."""
        final = self.owners["final"]
        rows = np.flatnonzero((final != NOBODY) & (self.people != NOBODY))
        rows = rows[np.lexsort((self.people[rows], final[rows]))]
        starts = _changes(final[rows], self.people[rows])
        return {
            (int(final[part[0]]), int(self.people[part[0]])): [set(np.unique(of[part]).tolist()) for of in self.owners.values()]
            for part in (rows[a:b] for a, b in zip(starts, [*starts[1:], len(rows)], strict=True))
        }

    def mistake(self, found: Break) -> Mistake:
        person = int(self.truth.ids[found.after])
        last, frame = (int(self.truth.frame_numbers[row]) for row in (found.before, found.after))
        old, new = (int(self.tracks.ids[self.matching.track_rows[row]]) for row in (found.before, found.after))
        states = Counter(self.state(between, person) for between in range(last + 1, frame))
        counts = (states["absence"], states["occlusion"], states["missed detection"], states["missed join"])
        # the first of the most frequent; a switch from one frame to the next has none between
        cause: Cause = max(CAUSES, key=lambda name: states[name]) if states else "missed join"
        made_by = ""
        if found.switch and (intruder := self.intruder(person, old, new, last, frame)):
            cause, made_by = "wrong join", self.joined_by(*intruder, person)
        return Mistake(frame, last, person, old, new, int(found.switch), int(found.fragmentation), cause, made_by, *counts)

    def state(self, frame: int, person: int) -> Cause:
        """Why the person was not followed in the frame."""
        if (frame, person) not in self.hidden:
            return "absence"
        if self.hidden[frame, person] > HIDDEN_SHARE:
            return "occlusion"
        return "missed join" if (frame, person) in self.detected else "missed detection"

    def intruder(self, person: int, old: int, new: int, last: int, frame: int) -> tuple[int, int] | None:
        """(track, other person) where the new track followed somebody else before, or the old one does after."""
        before = bisect_left(self.stretches[new], frame, key=itemgetter(0))
        after = bisect_right(self.stretches[old], last, key=itemgetter(1))
        near = [(new, other) for _, _, other in reversed(self.stretches[new][max(0, before - 2) : before])]
        near += [(old, other) for _, _, other in self.stretches[old][after : after + 2]]  # one of two is another person
        return next(((track, other) for track, other in near if other != person), None)

    def joined_by(self, track: int, other: int, person: int) -> str:
        """The stage whose tracklets are the first to hold boxes of both people that the final track holds."""
        mine, theirs = (self.claims.get((track, one), [set[int]()] * len(self.owners)) for one in (person, other))
        for level, own, foreign in zip(self.owners, mine, theirs, strict=True):
            if (own & foreign) - {NOBODY}:
                return MADE_BY[level]
        return ""


def _changes(*columns: NDArray[Any]) -> NDArray[np.int64]:
    """Rows (K,) in which one of the columns (N,) has another value than in the row before, the first among them."""
    changed = np.ones(len(columns[0]), dtype=bool)
    changed[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return np.flatnonzero(changed)


def worst_first(mistakes: Sequence[Mistake]) -> list[int]:
    """Numbers of the mistakes: switches before fragmentations, each by frame."""
    return sorted(range(len(mistakes)), key=lambda number: (-mistakes[number].switch, number))


def read_mistakes(path: Path) -> list[Mistake]:
    """The mistakes that `diagnose` wrote. Raises DataError where the file holds anything else."""
    fields = dataclasses.fields(Mistake)
    rows = read_audit(path, *(field.name for field in fields))
    try:
        values: list[dict[str, Any]] = [
            {field.name: int(row[field.name]) if field.type is int else row[field.name] for field in fields} for row in rows
        ]
        return [Mistake(**row) for row in values]
    except ValueError as error:
        raise DataError(f"{path}: expected the mistakes of a sequence, got: {error}") from error
