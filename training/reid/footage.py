"""Crops of annotated footage: folders in MOTChallenge layout, cut at the boxes of their ground truth.

Ground truth names people within a sequence, so each sequence counts as a camera of its own with people of its own. That is
enough to learn from; a test across cameras needs people whom several cameras saw, and other data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from stages.errors import DataError
from stages.frames import read_frames
from stages.motchallenge import MotRows, read_rows
from stages.params import Range
from stages.progress import progress
from stages.scoring.truth import check_fits
from stages.seqinfo import SequenceInfo, read_seqinfo
from training.reid.cutting import CuttingParams, cut, encoded, jittered
from training.reid.market import TRAIN, crop_name

PICTURE_FOLDERS = ("pixels", "img1")  # of a sequence of ours, of MOTChallenge's


@dataclass(frozen=True)
class FootageParams:
    """Which sequences, which of their people, and how far apart a person's crops are."""

    sequences: tuple[str, ...]
    class_ids: tuple[Annotated[int, Range(1, 1000)], ...]
    frame_stride: Annotated[int, Range(1, 100_000)]
    min_crops: Annotated[int, Range(2, 100_000)]


def write_footage(folder: Path, footage: Path, params: FootageParams, cutting: CuttingParams) -> None:
    """Writes the training folder of Market-1501's layout from the sequences under `footage`, each one camera.

    Raises DataError for ground truth that does not fit its sequence, where nobody gives enough crops, or pixels are missing.
    """
    (folder / TRAIN).mkdir()
    before = 0
    for camera, name in enumerate(params.sequences, start=1):
        info = read_seqinfo(footage / name / "seqinfo.ini")
        truth = footage / name / "gt" / "gt.txt"
        rows = read_rows(truth)
        check_fits(truth, rows, info.num_frames)
        chosen = chosen_rows(rows, params, cutting)
        if not len(chosen):
            raise DataError(f"{truth}: expected people with {params.min_crops} or more crops, got none")
        people = {int(who): before + k for k, who in enumerate(np.unique(rows.ids[chosen]), start=1)}
        rng = np.random.default_rng([cutting.seed, camera])
        for row, content in _cut_all(_pictures(footage / name), info, rows, chosen, cutting, rng):
            identity = people[int(rows.ids[row])]
            path = folder / TRAIN / crop_name(identity, camera, camera, int(rows.frame_numbers[row]) + 1, 0)
            path.write_bytes(content)
        before += len(people)


def chosen_rows(rows: MotRows, params: FootageParams, cutting: CuttingParams) -> NDArray[np.int64]:
    """Rows of a gt.txt that become crops: of people who are seen well, lie in the picture, and give `min_crops` of them."""
    counts = (rows.scores > 0) & (np.isin(rows.class_ids, params.class_ids) | (rows.num_columns != 9))
    tall = rows.bboxes[:, 3] - rows.bboxes[:, 1] >= cutting.min_height_px
    chosen = counts & tall & (rows.visibilities >= cutting.min_visibility) & (rows.frame_numbers % params.frame_stride == 0)
    people, numbers = np.unique(rows.ids[chosen], return_counts=True)
    return np.flatnonzero(chosen & np.isin(rows.ids, people[numbers >= params.min_crops]))


def _pictures(sequence: Path) -> Path:
    for name in PICTURE_FOLDERS:
        if (sequence / name).is_dir():
            return sequence / name
    raise DataError(f"{sequence}: expected a folder {' or '.join(PICTURE_FOLDERS)} with a video or images, found none")


def _cut_all(
    pixels: Path, info: SequenceInfo, rows: MotRows, chosen: NDArray[np.int64], cutting: CuttingParams, rng: np.random.Generator
) -> Iterator[tuple[int, bytes]]:
    """Each chosen row whose jittered box lies in the picture, with its crop."""
    numbers = np.unique(rows.frame_numbers[chosen])
    step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
    wanted = range(int(numbers[0]), int(numbers[-1]) + 1, step)
    for number, picture in zip(wanted, progress(read_frames(pixels, info, wanted), "reid_data", len(wanted)), strict=True):
        here = chosen[rows.frame_numbers[chosen] == number]
        for row, bbox in zip(here.tolist(), jittered(rows.bboxes[here], cutting.jitter, rng), strict=True):
            pixels_inside = cut(picture, bbox)
            if pixels_inside is not None:
                yield row, encoded(pixels_inside, cutting, rng)
