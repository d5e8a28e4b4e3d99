"""Copies of sequences, with other mistakes to be made in the same scenes.

At a crossing little decides, and a changed parameter may put one right and another wrong by chance. What gains on most copies
too gains by more than that.
"""

import dataclasses
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.regions import EVERYWHERE
from tests.benchmarks.in_memory import Footage

STRIDE = 2
MISSING_FRAMES = 5  # that a box is missing for
MISSING_CELLS = 10  # parts of the picture, in x and in y, in each of which boxes are missing or not


def every_second(one: Footage, first: int) -> Footage:
    """Every second frame, from frame `first` on: people move twice as far between frames, and cross in half as many."""
    frames = np.arange(first, one.detections.num_frames, STRIDE)
    keep = np.isin(one.detections.frame_numbers, frames)
    detections = dataclasses.replace(
        _kept(one.detections, keep),
        num_frames=len(frames),
        fps=one.detections.fps / STRIDE,
        frame_numbers=((one.detections.frame_numbers[keep] - first) // STRIDE).astype(np.int32),
    )
    steps = np.concatenate([one.camera_motion.transforms, np.tile([[[0.0, 0, 1]]], (one.detections.num_frames, 1, 1))], axis=1)
    steps = steps[frames] @ np.where((frames > 0)[:, None, None], steps[frames - 1], np.eye(3))
    steps[0] = np.eye(3)
    return dataclasses.replace(
        one,
        detections=detections,
        camera_motion=CameraMotion(one.name, len(frames), steps[:, :2]),
        embeddings=_seen(one.embeddings, keep),
        truth=one.truth.within(range(first, one.detections.num_frames, STRIDE), EVERYWHERE),
    )


def missing(one: Footage, share: float, seed: int) -> Footage:
    """Without this share of the boxes, of whole regions for some frames, as where somebody is hidden."""
    table = one.detections
    x, y = (table.bboxes[:, :2] + table.bboxes[:, 2:]).T / 2
    columns, rows = (
        np.clip(place * MISSING_CELLS // size, 0, MISSING_CELLS - 1).astype(np.int64)
        for place, size in ((x, table.width_px), (y, table.height_px))
    )
    spans = -(-table.num_frames // MISSING_FRAMES)
    gone = np.random.default_rng(seed).random((spans, MISSING_CELLS, MISSING_CELLS)) < share
    keep = ~gone[table.frame_numbers // MISSING_FRAMES, rows, columns]
    return dataclasses.replace(one, detections=_kept(table, keep), embeddings=_seen(one.embeddings, keep))


def _kept(table: Detections, keep: NDArray[np.bool_]) -> Detections:
    columns = ("frame_numbers", "bboxes", "confidences", "class_ids")
    return dataclasses.replace(table, **{name: getattr(table, name)[keep] for name in columns})


def _seen(table: Embeddings, keep: NDArray[np.bool_]) -> Embeddings:
    """The embeddings of the detections kept, which are counted anew."""
    kept = keep[table.detection_indices]
    rows = (np.cumsum(keep) - 1)[table.detection_indices[kept]].astype(np.int32)
    return dataclasses.replace(table, num_detections=int(keep.sum()), detection_indices=rows, features=table.features[kept])


COPIES: dict[str, Callable[[Footage], Footage]] = {
    "every second frame": partial(every_second, first=0),
    "the other frames": partial(every_second, first=1),
    "5 % of the boxes missing": partial(missing, share=0.05, seed=1),
    "10 % of the boxes missing": partial(missing, share=0.1, seed=2),
}
