"""The sheets of one sequence: a contact sheet a person, both sides of a decision, the frames around a mistake."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stages.colors import identity_color
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.decisions import Decision
from stages.illustrating.moments import best_spread, view_quality
from stages.illustrating.shots import Mark, Sheet, Shot, Window, window_around
from stages.lineage import owners, owners_of
from stages.scoring.mistakes import Mistake
from stages.scoring.truth import GroundTruth

PERSON_TILE, PERSON_VIEWS = (80, 160), 8
SIDE_TILE, SIDE_VIEWS = (64, 128), 3
MISTAKE_TILE, MISTAKE_SHOTS = (200, 200), 4
WHITE = (255, 255, 255)


def people_sheets(tracks: Tracklets, split: Tracklets, limit: int) -> dict[int, Sheet]:
    """Final track -> its best views, for the `limit` tracks with most boxes; none of a track without any detection."""
    quality, offsets, ids = view_quality(tracks), tracks.offsets(), tracks.ids
    parts = owners_of(tracks.detection_indices, owners(split))
    sheets = {}
    for t in np.sort(np.argsort(-np.diff(offsets), kind="stable")[:limit]).tolist():
        rows = np.arange(offsets[t], offsets[t + 1])
        rows = best_spread(rows, parts[rows], quality[rows], PERSON_VIEWS)
        if len(rows):
            shots = tuple(_crop(tracks.frame_numbers[row], tracks.bboxes[row], PERSON_TILE) for row in rows)
            sheets[int(ids[t])] = Sheet(PERSON_TILE, (shots,))
    return sheets


def decision_sheet(decision: Decision, detections: Detections) -> Sheet:
    """A row a pair: views before the decision, then views after it."""
    rows = tuple(
        tuple(
            _crop(detections.frame_numbers[row], detections.bboxes[row], SIDE_TILE)
            for side in (pair.before, pair.after)
            for row in _side(side, detections)
        )
        for pair in decision.pairs
    )
    return Sheet(SIDE_TILE, rows)


def mistake_sheet(mistake: Mistake, truth: GroundTruth, tracks: Tracklets, identities: Identities) -> Sheet:
    """The place in the last frame that was right, in two between, and in the first matched again, with everybody's boxes."""
    mine = np.flatnonzero(truth.ids == mistake.person_id)
    known = truth.frame_numbers[mine]
    frames = (
        np.unique(np.rint(np.linspace(mistake.last_frame_number, mistake.frame_number, MISTAKE_SHOTS))).astype(int).tolist()
    )
    shots = []
    for frame in frames:
        bbox = _box([float(np.interp(frame, known, truth.bboxes[mine, k])) for k in range(4)])
        here = np.flatnonzero(tracks.frame_numbers == frame)
        names = identities.identities_of(tracks.sequence, tracks.tracklet_ids[here])
        marks = [
            Mark(_box(tracks.bboxes[row]), identity_color(int(name)), str(name), bool(tracks.detection_indices[row] < 0))
            for row, name in zip(here, names, strict=True)
        ]
        marks += [Mark(bbox, WHITE, "", frame not in known)]
        shots.append(Shot(frame, window_around(bbox, 1.0, 2.4), tuple(marks)))
    return Sheet(MISTAKE_TILE, (tuple(shots),))


def _side(rows: NDArray[np.int64], detections: Detections) -> NDArray[np.int64]:
    """Views of one side, spread over its time, the most confident of each stretch."""
    return best_spread(rows, np.zeros(len(rows), np.int64), detections.confidences[rows].astype(np.float64), SIDE_VIEWS)


def _crop(frame: int, bbox: Sequence[float] | NDArray[np.float32], tile: tuple[int, int]) -> Shot:
    return Shot(int(frame), window_around(_box(bbox), tile[0] / tile[1], 1.06))


def _box(values: Sequence[float] | NDArray[np.float32]) -> Window:
    x1, y1, x2, y2 = (float(value) for value in values)
    return x1, y1, x2, y2
