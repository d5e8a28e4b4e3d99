"""Which box matches which true person: track by track as CLEAR does, and detection by detection."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from stages.boxes import iou
from stages.contracts.detections import Detections
from stages.lineage import NOBODY
from stages.scoring.challenge import TrackBoxes, what_counts
from stages.scoring.truth import GroundTruth

MIN_IOU = 0.5  # of a match, as CLEAR has it
EPSILON = float(np.finfo("float").eps)


@dataclass(frozen=True)
class Break:
    """A place where a true person's track broke: row numbers of the true boxes matched before it and after it."""

    before: int
    after: int
    switch: bool  # another track goes on: what CLEAR counts as IDSW
    fragmentation: bool  # nobody followed the person in between: what CLEAR counts as Frag


@dataclass(frozen=True, eq=False)
class Matching:
    """What CLEAR matched (Bernardin & Stiefelhagen 2008, section 2.1.3, as TrackEval computes it)."""

    track_rows: NDArray[np.int64]  # (N,) row of the tracks that each true box is matched with; NOBODY: missed
    counts: NDArray[np.bool_]  # (N,) whether the true box counts
    breaks: tuple[Break, ...]  # by frame


@dataclass(frozen=True)
class FoundPeople:
    """How many true people a track matches in each of their boxes that count, in some of them, and in none."""

    throughout: int
    partly: int
    never: int


def match_tracks(truth: GroundTruth, tracks: TrackBoxes) -> Matching:
    """The matches of each frame: a pair that was matched in the frame before stays, then the greatest overlap counts."""
    data = what_counts(truth, tracks)
    track_rows = np.full(len(truth), NOBODY, dtype=np.int64)
    counts = np.zeros(len(truth), dtype=bool)
    latest: dict[int, int] = {}  # person -> row of the true box that was matched last
    running: dict[int, int] = {}  # person -> track that was matched in the frame before
    breaks = []
    for truth_part, track_part, overlaps in zip(data["gt_dets"], data["tracker_dets"], data["similarity_scores"], strict=True):
        rows, columns = truth_part.ravel(), track_part.ravel()
        counts[rows] = True
        if not len(rows) or not len(columns):
            continue  # TrackEval lets such a frame interrupt nothing
        people = truth.ids[rows].tolist()
        kept = np.array([running.get(person, NOBODY) for person in people])[:, None] == tracks.ids[columns][None, :]
        matched = {}
        for i, j in _assign(1000.0 * kept + overlaps, overlaps):
            row, person, track = int(rows[i]), people[i], int(tracks.ids[columns[j]])
            if person in latest:
                switch = track != tracks.ids[track_rows[latest[person]]]
                if switch or person not in running:
                    breaks.append(Break(latest[person], row, bool(switch), person not in running))
            track_rows[row], latest[person], matched[person] = columns[j], row, track
        running = matched
    return Matching(track_rows, counts, tuple(breaks))


def count_found(truth: GroundTruth, matching: Matching) -> FoundPeople:
    """How many of the people whose boxes count were found."""
    people = np.unique(truth.ids[matching.counts], return_inverse=True)[1]
    boxes = np.bincount(people)
    matched = np.bincount(people[matching.track_rows[matching.counts] != NOBODY], minlength=len(boxes))
    throughout, never = int((matched == boxes).sum()), int((matched == 0).sum())
    return FoundPeople(throughout, len(boxes) - throughout - never, never)


def match_detections(truth: GroundTruth, detections: Detections) -> NDArray[np.int64]:
    """(D,) the true person whom each detection shows, NOBODY where there is none: one to one in each frame, by overlap.

    People who do not count (distractors, boxes marked with 0) are nobody.
    """
    people = np.full(len(detections), NOBODY, dtype=np.int64)
    rows = np.flatnonzero(truth.considered & ((truth.class_ids == 1) | (truth.rules == "MOT15")))
    limits = np.searchsorted(truth.frame_numbers[rows], np.arange(truth.num_frames + 1))
    offsets = detections.frame_offsets()
    for frame in np.flatnonzero(np.diff(limits)).tolist():
        here = rows[limits[frame] : limits[frame + 1]]
        found = np.arange(offsets[frame], offsets[frame + 1])
        overlaps = iou(truth.bboxes[here], detections.bboxes[found])
        for i, j in _assign(overlaps, overlaps):
            people[found[j]] = truth.ids[here[i]]
    return people


def _assign(scores: NDArray[np.float64], overlaps: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (row, column) with the greatest sum of scores among those that overlap enough."""
    scores = np.where(overlaps < MIN_IOU - EPSILON, 0.0, scores)
    pairs = zip(*linear_sum_assignment(-scores), strict=True)
    return [(int(i), int(j)) for i, j in pairs if scores[i, j] > EPSILON]
