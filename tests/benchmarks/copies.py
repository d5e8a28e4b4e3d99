"""Copies of sequences, with other mistakes to be made in the same scenes.

At a crossing little decides, and a changed parameter puts some right and others wrong by chance. What gains over many copies
gains by more than that.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.regions import EVERYWHERE
from tests.benchmarks.in_memory import Footage

MISSING_FRAMES = 5  # that a box is missing for
MISSING_CELLS = 10  # parts of the picture, in x and in y, in each of which boxes are missing or not


def every(one: Footage, stride: int, first: int) -> Footage:
    """Every second or third frame, from frame `first` on: people move farther between frames, and cross in fewer."""
    frames = np.arange(first, one.detections.num_frames, stride)
    keep = np.isin(one.detections.frame_numbers, frames)
    detections = dataclasses.replace(
        _kept(one.detections, keep),
        num_frames=len(frames),
        fps=one.detections.fps / stride,
        frame_numbers=((one.detections.frame_numbers[keep] - first) // stride).astype(np.int32),
    )
    steps = np.concatenate([one.camera_motion.transforms, np.tile([[[0.0, 0, 1]]], (one.detections.num_frames, 1, 1))], axis=1)
    since = np.tile(np.eye(3), (len(frames), 1, 1))  # the frame before that is kept
    for skipped in range(stride):
        since[1:] = since[1:] @ steps[frames[1:] - skipped]
    return dataclasses.replace(
        one,
        detections=detections,
        camera_motion=CameraMotion(one.name, len(frames), since[:, :2]),
        embeddings=_seen(one.embeddings, keep),
        truth=one.truth.within(range(first, one.detections.num_frames, stride), EVERYWHERE),
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
    **{f"every frame of {n} from {k}": partial(every, stride=n, first=k) for n in (2, 3) for k in range(n)},
    **{
        f"{share:.0%} missing, seed {seed}": partial(missing, share=share, seed=seed)
        for share in (0.05, 0.1, 0.2)
        for seed in (1, 2)
    },
}


def copies(footage: Sequence[Footage]) -> list[Footage]:
    """All copies of all sequences, each named after both."""
    return [dataclasses.replace(made(one), name=f"{one.name}, {kind}") for one in footage for kind, made in COPIES.items()]
