"""Where the final tracks lose a true person, and why: every ID switch and fragmentation that CLEAR counts, with its cause.

The cause is read off the frames between the two matches. It says what made following hard, or, where two people share a track,
which stage put them together.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.audit import read_audit
from stages.contracts.tracklets import Tracklets
from stages.errors import DataError
from stages.reid.crops import covered_shares
from stages.scoring.causes import CAUSES, Cause
from stages.scoring.challenge import TrackBoxes
from stages.scoring.matching import NOBODY, Break, Matching
from stages.scoring.truth import GroundTruth

HIDDEN_SHARE = 0.5  # of a body that others cover, above which a frame counts as occluded

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
    hidden = hidden_shares(truth)
    detected = {(int(f), int(p)) for f, p in zip(detection_frames, people, strict=True) if p != NOBODY}
    boxes = {(int(truth.frame_numbers[row]), int(truth.ids[row])): int(row) for row in np.flatnonzero(matching.counts)}
    seen = _sightings(truth, tracks, matching)
    lineage = _Lineage(levels, people)
    return [
        _mistake(truth, tracks, matching, found, hidden, detected, boxes, seen, lineage)
        for found in sorted(matching.breaks, key=lambda found: (truth.frame_numbers[found.after], truth.ids[found.after]))
    ]


def hidden_shares(truth: GroundTruth) -> NDArray[np.float64]:
    """(N,) share of each true box that cannot be seen: what the file says, or more where a nearer person's box covers it."""
    hidden = 1.0 - truth.visibilities.astype(np.float64)
    limits = np.searchsorted(truth.frame_numbers, np.arange(truth.num_frames + 1))
    for first, last in zip(limits[:-1].tolist(), limits[1:].tolist(), strict=True):
        if last - first > 1:
            hidden[first:last] = np.maximum(hidden[first:last], covered_shares(truth.bboxes[first:last].astype(np.float64)))
    return hidden


def _mistake(
    truth: GroundTruth,
    tracks: TrackBoxes,
    matching: Matching,
    found: Break,
    hidden: NDArray[np.float64],
    detected: set[tuple[int, int]],
    boxes: dict[tuple[int, int], int],
    seen: Mapping[int, list[tuple[int, int]]],
    lineage: "_Lineage",
) -> Mistake:
    person, last, frame = int(truth.ids[found.after]), *(int(truth.frame_numbers[row]) for row in (found.before, found.after))
    old, new = (int(tracks.ids[matching.track_rows[row]]) for row in (found.before, found.after))
    states = Counter(_state((f, person), hidden, detected, boxes) for f in range(last + 1, frame))
    intruder = _intruder(person, old, new, last, frame, seen) if found.switch else None
    if intruder is not None:
        cause: Cause = "wrong join"
    else:
        # the first of the most frequent; a switch from one frame to the next has none between
        cause = max(CAUSES, key=lambda name: states[name]) if states else "missed join"
    made_by = lineage.joined_by(intruder[0], person, intruder[1]) if intruder is not None else ""
    counts = (states["absence"], states["occlusion"], states["missed detection"], states["missed join"])
    return Mistake(frame, last, person, old, new, int(found.switch), int(found.fragmentation), cause, made_by, *counts)


def _state(
    place: tuple[int, int], hidden: NDArray[np.float64], detected: set[tuple[int, int]], boxes: dict[tuple[int, int], int]
) -> Cause:
    """Why a person was not followed in a frame; `place` is (frame, person)."""
    if place not in boxes:
        return "absence"
    if hidden[boxes[place]] > HIDDEN_SHARE:
        return "occlusion"
    return "missed join" if place in detected else "missed detection"


def _sightings(truth: GroundTruth, tracks: TrackBoxes, matching: Matching) -> dict[int, list[tuple[int, int]]]:
    """Track -> (frame, person) of its matches, by frame."""
    seen: dict[int, list[tuple[int, int]]] = {}
    for row in np.flatnonzero(matching.track_rows != NOBODY).tolist():
        track = int(tracks.ids[matching.track_rows[row]])
        seen.setdefault(track, []).append((int(truth.frame_numbers[row]), int(truth.ids[row])))
    return seen


def _intruder(
    person: int, old: int, new: int, last: int, frame: int, seen: Mapping[int, list[tuple[int, int]]]
) -> tuple[int, int] | None:
    """(track, other person) where the new track followed somebody else before, or the old one does after; None where not."""
    for moment, other in reversed(seen[new]):
        if moment < frame and other != person:
            return new, other
    for moment, other in seen[old]:
        if moment > last and other != person:
            return old, other
    return None


class _Lineage:
    """At which level two people first share a tracklet, by the detections that all levels have in common."""

    def __init__(self, levels: Mapping[str, Tracklets], people: NDArray[np.int64]) -> None:
        self.people = people
        self.owners = {level: _owners(tracklets, len(people)) for level, tracklets in levels.items()}

    def joined_by(self, track: int, person: int, other: int) -> str:
        """The stage whose tracklets are the first to hold boxes of both people that the final track holds."""
        mine = self.owners["final"] == track
        for level, owners in self.owners.items():
            shared = set(owners[mine & (self.people == person)].tolist()) & set(owners[mine & (self.people == other)].tolist())
            if shared - {NOBODY}:
                return MADE_BY[level]
        return ""


def _owners(tracklets: Tracklets, num_detections: int) -> NDArray[np.int64]:
    """(D,) the tracklet that claims each detection, NOBODY where none does."""
    owners = np.full(num_detections, NOBODY, dtype=np.int64)
    claimed = tracklets.detection_indices >= 0
    owners[tracklets.detection_indices[claimed]] = tracklets.tracklet_ids[claimed]
    return owners


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
