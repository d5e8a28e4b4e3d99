"""Tracks against ground truth under MOTChallenge's rules, by TrackEval and in memory.

TrackEval reads files, so here its data set class is fed arrays instead. Everything that decides a score stays the library's:
the matching with distractors, the rows that do not count, the IoU and the metrics. A fifth column carries each box's own id
through TrackEval's renumbering.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from trackeval.datasets import MotChallenge2DBox

from stages.contracts.tracklets import Tracklets
from stages.errors import DataError
from stages.regions import RegionParams, counted
from stages.scoring.across_cameras import IdentityMatches
from stages.scoring.tally import PER_ALPHA, SCALARS, Tally, metrics
from stages.scoring.truth import NUM_CLASSES, GroundTruth, Rules

MATCH_IOU = 0.5  # of TrackEval's Identity
MAX_BYTES = 8 * 2**30  # that a comparison may take: what every stage keeps to
FRAME_BYTES = 4000  # of a frame's lists and arrays in TrackEval, whoever is there
PAIR_BYTES = 16  # of a true box and a tracked one of the same frame: their similarity, before and after preprocessing
ID_PAIR_BYTES = 192  # of a true person and a track: HOTA's tables, one for each alpha and some more
ASSIGNED_BYTES = 24  # of two of all people and tracks: Identity's square tables of costs


@dataclass(frozen=True, eq=False)
class TrackBoxes:
    """M boxes sorted by frame, each id at most once in a frame."""

    frame_numbers: NDArray[np.int32]  # (M,) from 0
    ids: NDArray[np.int32]  # (M,) from 0
    bboxes: NDArray[np.float32]  # (M, 4) x1, y1, x2, y2 px


def track_boxes(tracklets: Tracklets, class_id: int, regions: RegionParams, ids: NDArray[np.int32] | None = None) -> TrackBoxes:
    """The boxes of one class, of people who stand where people count; under other ids (M,) where they are given."""
    rows = np.flatnonzero((tracklets.class_ids == class_id) & counted(tracklets.bboxes, regions))
    rows = rows[np.argsort(tracklets.frame_numbers[rows], kind="stable")]
    return TrackBoxes(
        tracklets.frame_numbers[rows], (tracklets.tracklet_ids if ids is None else ids)[rows], tracklets.bboxes[rows]
    )


def count(truth: GroundTruth, tracks: TrackBoxes) -> Tally:
    """What TrackEval counts for these tracks. No boxes on either side is a normal case."""
    data = what_counts(truth, tracks)
    results: dict[str, Any] = {}
    for metric in metrics():
        results |= metric.eval_sequence(data)
    return Tally({name: np.asarray(results[name], dtype=np.float64) for name in (*PER_ALPHA, *SCALARS)})


def count_identities(truth: GroundTruth, tracks: TrackBoxes) -> IdentityMatches:
    """The boxes of each true person, of each id of the tracks, and of each pair that TrackEval's Identity could match."""
    data = what_counts(truth, tracks)
    true, found, both = Counter[int](), Counter[int](), Counter[tuple[int, int]]()
    for people, boxes, similarity in zip(data["gt_dets"], data["tracker_dets"], data["similarity_scores"], strict=True):
        people, ids = truth.ids[people[:, 0]].tolist(), tracks.ids[boxes[:, 0]].tolist()
        true.update(people)
        found.update(ids)
        both.update((people[row], ids[column]) for row, column in np.argwhere(similarity >= MATCH_IOU))
    return IdentityMatches(true, found, both)


def check_size(truth: GroundTruth, tracks: TrackBoxes) -> None:
    """Raises DataError where TrackEval would take more than MAX_BYTES: it holds all frames, and tables of all pairs of ids."""
    seen, found = (np.bincount(side.frame_numbers, minlength=truth.num_frames) for side in (truth, tracks))
    people, ids = len(np.unique(truth.ids)), len(np.unique(tracks.ids))
    needed = FRAME_BYTES * truth.num_frames + PAIR_BYTES * int(seen.astype(np.int64) @ found)
    needed += ID_PAIR_BYTES * people * ids + ASSIGNED_BYTES * (people + ids) ** 2
    if needed > MAX_BYTES:
        raise DataError(
            f"ground truth: expected what TrackEval compares in {MAX_BYTES / 2**30:.0f} GB, got {truth.num_frames:,} frames, "
            f"{people:,} people and {ids:,} tracks, which take {needed / 2**30:.0f} GB: score a part as a sequence of its own"
        )


def what_counts(truth: GroundTruth, tracks: TrackBoxes) -> dict[str, Any]:
    """What TrackEval's metrics read, a list over frames for every column, after the rows that do not count are gone.

    In place of boxes, which no metric reads, `gt_dets` and `tracker_dets` hold (n, 1) row numbers of truth and tracks. Raises
    DataError like `check_size`.
    """
    check_size(truth, tracks)
    dataset = _MotChallengeArrays(truth.rules)
    data: dict[str, Any] = dataset.get_preprocessed_seq_data(dataset.raw_data(truth, tracks), "pedestrian")
    return data


class _MotChallengeArrays(MotChallenge2DBox):  # type: ignore[misc]
    """TrackEval's MOTChallenge data set without its files: what its methods read of `self`, and nothing else."""

    def __init__(self, rules: Rules) -> None:
        self.benchmark = rules
        self.do_preproc = True
        self.class_name_to_class_id = {"pedestrian": 1, "person_on_vehicle": 2, "static_person": 7, "distractor": 8,
                                       "reflection": 12}  # fmt: skip
        self.valid_class_numbers = list(range(1, NUM_CLASSES + 1))

    def raw_data(self, truth: GroundTruth, tracks: TrackBoxes) -> dict[str, Any]:
        """What `get_raw_seq_data` returns for files: a list over frames for every column."""
        frames = truth.num_frames
        gt_boxes = _per_frame(truth.frame_numbers, truth.bboxes.astype(np.float64), frames)
        track_boxes = _per_frame(tracks.frame_numbers, tracks.bboxes.astype(np.float64), frames)
        return {
            "seq": "sequence",
            "num_timesteps": frames,
            "gt_ids": _per_frame(truth.frame_numbers, _dense(truth.ids), frames),
            "gt_classes": _per_frame(truth.frame_numbers, truth.class_ids, frames),
            "gt_dets": _per_frame(truth.frame_numbers, np.arange(len(truth))[:, None], frames),
            "gt_extras": [{"zero_marked": marks} for marks in _per_frame(truth.frame_numbers, truth.considered, frames)],
            "tracker_ids": _per_frame(tracks.frame_numbers, _dense(tracks.ids), frames),
            "tracker_classes": _per_frame(tracks.frame_numbers, np.ones(len(tracks.ids), dtype=int), frames),
            "tracker_dets": _per_frame(tracks.frame_numbers, np.arange(len(tracks.ids))[:, None], frames),
            "tracker_confidences": _per_frame(tracks.frame_numbers, np.ones(len(tracks.ids)), frames),
            "similarity_scores": [
                self._calculate_box_ious(*pair, box_format="x0y0x1y1") for pair in zip(gt_boxes, track_boxes, strict=True)
            ],
        }


def _per_frame(frame_numbers: NDArray[np.int32], column: NDArray[Any], num_frames: int) -> list[NDArray[Any]]:
    """The column's (N, ...) rows frame by frame."""
    return np.split(column, np.searchsorted(frame_numbers, np.arange(1, num_frames))) if num_frames else []


def _dense(ids: NDArray[np.int32]) -> NDArray[np.intp]:
    """The ids (N,) numbered from 0 in their own order: TrackEval makes tables as long as the largest id."""
    return np.unique(ids, return_inverse=True)[1]
