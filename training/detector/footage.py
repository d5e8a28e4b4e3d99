"""Examples made of annotated footage: folders in MOTChallenge layout, `<sequence>/{seqinfo.ini,gt/gt.txt,img1/000001.jpg}`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from stages.errors import DataError, ParamsError
from stages.images import IMAGE_SUFFIXES, list_images, read_image
from stages.motchallenge import read_rows
from stages.params import Range
from training.detector.examples import SPLITS, Example, Split

COLUMNS_WITH_CLASS = 9  # of a gt.txt of MOT16, MOT17, MOT20 and DanceTrack


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
    whoever finds them makes no mistake. Raises DataError for what is missing or cannot be read.
    """
    truth = folder / "gt" / "gt.txt"
    rows, pictures = read_rows(truth), list_pictures(folder)
    if len(rows) and int(rows.frame_numbers.max()) >= len(pictures):
        raise DataError(
            f"{truth}: expected frames up to {len(pictures)}, as there are pictures, got {rows.frame_numbers.max() + 1}"
        )
    for number in range(0, len(pictures), params.frame_stride):
        here = rows.frame_numbers == number
        counts = rows.scores[here] > 0
        if rows.num_columns == COLUMNS_WITH_CLASS:
            counts &= np.isin(rows.class_ids[here], params.class_ids)
        visibilities = np.where(counts, rows.visibilities[here], -1.0)
        bboxes = rows.bboxes[here].astype(np.float64)
        yield Example(f"{folder.name}_{number:06d}", read_image(pictures[number]), bboxes, visibilities)


def list_pictures(sequence: Path) -> list[Path]:
    """The pictures of a sequence by their number, in img1/ or pixels/. Raises DataError where there are none, or gaps."""
    for folder in (sequence / "img1", sequence / "pixels"):
        if folder.is_dir() and (found := list_images(folder)):
            return found
    raise DataError(f"{sequence / 'img1'}: expected pictures ({', '.join(sorted(IMAGE_SUFFIXES))}), found none")
