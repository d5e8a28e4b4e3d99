"""Examples made of annotated footage."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from stages.errors import ParamsError
from stages.params import Range
from training.detector.examples import SPLITS, Example, Split
from training.footage import read_footage


@dataclass(frozen=True)
class FootageParams:
    """Which sequences are trained on, which stop the training in time, and which test it."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    class_ids: tuple[Annotated[int, Range(1, 1000)], ...]
    frame_stride: Annotated[int, Range(1, 100_000)]

    def __post_init__(self) -> None:
        seen: dict[str, Split] = {}
        for split in SPLITS:
            for name in getattr(self, split):
                if name in seen:
                    raise ParamsError(f"{split}: expected sequences of no other split, got {name}, which is in {seen[name]}")
                seen[name] = split


def read_sequence(folder: Path, params: FootageParams) -> Iterator[Example]:
    """Each n-th picture of a sequence, with the boxes of its ground truth.

    Boxes of other classes, and rows that the ground truth marks as not counting, have a visibility of -1: no labels, and
    whoever finds them makes no mistake. Raises DataError for what is missing, cannot be read or does not fit.
    """
    footage = read_footage(folder)
    rows = footage.rows
    visibilities = np.where(footage.counting(params.class_ids), rows.visibilities, -1.0)
    numbers = range(0, footage.info.num_frames, params.frame_stride)
    for number, picture in zip(numbers, footage.pictures(numbers), strict=True):
        here = rows.frame_numbers == number
        yield Example(f"{folder.name}_{number:06d}", picture, rows.bboxes[here].astype(np.float64), visibilities[here])
