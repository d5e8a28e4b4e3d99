"""Absences counted by people: who came into sight again, and under which identity.

A visit is the time in which a person has true boxes without missing them for more than ABSENCE_S; its identity is that of most
of the boxes then. Visits without a box are left out. Somebody is back where that is the identity of most of the person's boxes
before. Visits at one time in one identity are of people who share their boxes: they count as one, of whom has most of them. Two
that follow each other in one identity are wrong where they are of two people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stages.lineage import NOBODY
from stages.scoring.truth import GroundTruth

Ints = NDArray[np.int64]
ABSENCE_S = 1.0  # less is an occlusion
LONG_S = 1.0  # of boxes: who is seen for less is hardly known from it


@dataclass(frozen=True)
class Visit:
    """A person's time in sight, from the first box to the last, and what the tracks made of it."""

    person: int
    first_frame: int
    last_frame: int
    num_boxes: int
    identity: int
    before: int  # identity of most of the person's boxes before, NOBODY in the first visit
    boxes_before: int  # in the visit before

    @property
    def back(self) -> bool:
        return self.identity == self.before


def find_visits(truth: GroundTruth, fps: float, frames: Ints, people: Ints, identities: Ints) -> list[Visit]:
    """All visits, by person and time, of B boxes: frames, people (NOBODY: a false box) and identities (B,), sorted by frame."""
    visits = []
    for person in np.unique(people[people != NOBODY]).tolist():
        true = np.unique(truth.frame_numbers[truth.ids == person]).astype(np.int64)
        begins = true[np.diff(true, prepend=-np.inf) > ABSENCE_S * fps]
        rows = np.flatnonzero(people == person)
        number = np.searchsorted(begins, frames[rows], side="right")
        before: list[Ints] = []
        for part in np.split(rows, np.flatnonzero(np.diff(number)) + 1):
            usual, boxes_before = (_most(np.concatenate(before)), len(before[-1])) if before else (NOBODY, 0)
            first, last = int(frames[part[0]]), int(frames[part[-1]])
            visits.append(Visit(person, first, last, len(part), _most(identities[part]), usual, boxes_before))
            before.append(identities[part])
    return visits


def returned(visits: Sequence[Visit]) -> list[Visit]:
    """Those of people who were seen before."""
    return [visit for visit in visits if visit.boxes_before]


def well_seen(visits: Sequence[Visit], fps: float) -> list[Visit]:
    """Those with LONG_S of boxes on both sides of the absence."""
    return [visit for visit in visits if min(visit.num_boxes, visit.boxes_before) >= LONG_S * fps]


def lasting(visits: Sequence[Visit], fps: float) -> list[Visit]:
    """Those with LONG_S of boxes."""
    return [visit for visit in visits if visit.num_boxes >= LONG_S * fps]


def successions(visits: Sequence[Visit]) -> list[tuple[Visit, Visit]]:
    """Visits that follow each other in one identity, of those at one time the one with most boxes."""
    shown: list[Visit] = []
    identity, last_frame = NOBODY, -1
    for visit in sorted(visits, key=lambda visit: (visit.identity, visit.first_frame, visit.person)):
        if visit.identity == identity and visit.first_frame <= last_frame:
            shown[-1] = max(shown[-1], visit, key=lambda one: one.num_boxes)
            last_frame = max(last_frame, visit.last_frame)
        else:
            shown.append(visit)
            identity, last_frame = visit.identity, visit.last_frame
    return [(one, other) for one, other in pairwise(shown) if one.identity == other.identity]


def _most(values: Ints) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])
