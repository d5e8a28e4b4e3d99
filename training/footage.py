"""Annotated footage to train on: sequences as add_sequence makes them, or folders in MOTChallenge layout.

<sequence>/seqinfo.ini        size, rate and length
<sequence>/gt/gt.txt          who stands where
<sequence>/pixels/ or img1/   one video, or numbered pictures
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.errors import DataError
from stages.frames import read_frames
from stages.motchallenge import MotRows, read_rows
from stages.scoring.truth import check_fits
from stages.seqinfo import SequenceInfo, read_seqinfo

PICTURE_FOLDERS = ("pixels", "img1")  # of a sequence of ours, of MOTChallenge's
COLUMNS_WITH_CLASS = 9  # of a gt.txt of MOT16, MOT17, MOT20 and DanceTrack


@dataclass(frozen=True, eq=False)
class AnnotatedFootage:
    """A sequence's pixels and the rows of its ground truth, which fit its length."""

    info: SequenceInfo
    pixels: Path
    truth: Path  # whose name messages give
    rows: MotRows

    def pictures(self, frame_numbers: range) -> Iterator[NDArray[np.uint8]]:
        """The pictures (H, W, 3) BGR of these frames, which count from 0. Raises DataError like `read_frames`."""
        return read_frames(self.pixels, self.info, frame_numbers)

    def counting(self, class_ids: Sequence[int]) -> NDArray[np.bool_]:
        """(N,) whether a row counts: it is not marked with 0, and of one of the classes where the file has any."""
        with_class = self.rows.num_columns == COLUMNS_WITH_CLASS
        return (self.rows.scores > 0) & (np.isin(self.rows.class_ids, class_ids) | (not with_class))


def read_footage(sequence: Path) -> AnnotatedFootage:
    """The footage in a sequence's folder. Raises DataError for what is missing, and for rows that do not fit its length."""
    info = read_seqinfo(sequence / "seqinfo.ini")
    truth = sequence / "gt" / "gt.txt"
    rows = read_rows(truth)
    check_fits(truth, rows, info.num_frames)
    return AnnotatedFootage(info, _pixels(sequence), truth, rows)


def _pixels(sequence: Path) -> Path:
    for name in PICTURE_FOLDERS:
        if (sequence / name).is_dir():
            return sequence / name
    raise DataError(f"{sequence}: expected a folder {' or '.join(PICTURE_FOLDERS)} with a video or images, found none")
