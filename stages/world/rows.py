"""Boxes of a whole sequence: ground truth and detections."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.world.seen import Seen

Array = NDArray[np.float64]

MIN_VISIBILITY = 0.05  # below it a person is not in the ground truth


@dataclass(frozen=True, eq=False)
class Rows:
    """N boxes sorted by frame; `ids` from 1 in the ground truth, -1 in detections."""

    frame_numbers: NDArray[np.int64]  # (N,) from 0
    ids: NDArray[np.int64]  # (N,)
    bboxes: Array  # (N, 4) x1, y1, x2, y2 px
    scores: Array  # (N,) visibility in the ground truth, confidence in detections


def ground_truth(frames: Sequence[Seen]) -> Rows:
    """The rows of everybody who is seen at all, frame by frame."""
    counts = [len(seen.identity_ids) for seen in frames]
    rows = Rows(
        np.repeat(np.arange(len(frames)), counts),
        np.concatenate([np.zeros(0, dtype=np.int64), *(seen.identity_ids for seen in frames)]),
        np.concatenate([np.zeros((0, 4)), *(seen.bboxes for seen in frames)]),
        np.concatenate([np.zeros(0), *(seen.visibilities for seen in frames)]),
    )
    kept = rows.scores >= MIN_VISIBILITY
    return Rows(rows.frame_numbers[kept], rows.ids[kept], rows.bboxes[kept], rows.scores[kept])
