"""Examples made of annotated footage: folders in MOTChallenge layout, `<sequence>/{seqinfo.ini,gt/gt.txt,img1/000001.jpg}`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np

from stages.errors import DataError, ParamsError
from stages.motchallenge import MotRows, read_rows
from stages.params import Range
from training.detector.examples import SPLITS, Example, Split

PICTURES = (".jpg", ".jpeg", ".png")


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
                    raise ParamsError(f"{split}: expected sequences that are in no other split, got {name}, which is in {seen[name]}")
                seen[name] = split


def read_footage(folder: Path, names: tuple[str, ...], params: FootageParams) -> Iterator[Example]:
    """Each n-th picture of the sequences, with the boxes of its ground truth.

    Boxes of other classes, and rows that the ground truth marks as not counting, have a visibility of 0: no labels, and whoever
    finds them makes no mistake. Raises DataError for what is missing or cannot be read.
    """
    for name in names:
        rows = read_rows(folder / name / "gt" / "gt.txt")
        pictures = list_pictures(folder / name)
        if len(rows) and int(rows.frame_numbers.max()) >= len(pictures):
            raise DataError(
                f"{folder / name / 'gt' / 'gt.txt'}: expected frames up to {len(pictures)}, the pictures there are, got "
                f"{int(rows.frame_numbers.max()) + 1}"
            )
        for number in range(0, len(pictures), params.frame_stride):
            yield _example(name, number, pictures[number], rows, params.class_ids)


def list_pictures(sequence: Path) -> list[Path]:
    """The pictures of a sequence in order, in img1/ or pixels/. Raises DataError where there are none."""
    for folder in (sequence / "img1", sequence / "pixels"):
        found = sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURES)
        if found:
            return found
    raise DataError(f"{sequence / 'img1'}: expected pictures ({', '.join(PICTURES)}), found none")


def _example(name: str, number: int, path: Path, rows: MotRows, class_ids: tuple[int, ...]) -> Example:
    picture = cv2.imread(str(path))
    if picture is None:
        raise DataError(f"{path}: expected a picture, got a file that cannot be read as one")
    here = rows.frame_numbers == number
    counts = (rows.scores[here] > 0) & (np.isin(rows.class_ids[here], class_ids) | (rows.num_columns != 9))
    visibilities = np.where(counts, rows.visibilities[here], 0.0)
    return Example(
        f"{name}_{number:06d}", np.asarray(picture, dtype=np.uint8), rows.bboxes[here].astype(np.float64), visibilities
    )
