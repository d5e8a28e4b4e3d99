"""Crops of annotated footage, cut at the boxes of its ground truth.

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
from stages.params import Range
from stages.progress import progress
from training.footage import AnnotatedFootage, read_footage
from training.reid.cutting import CuttingParams, cut, encoded, jittered
from training.reid.market import TRAIN, crop_name


@dataclass(frozen=True)
class FootageParams:
    """Which sequences, which of their people, and how far apart a person's crops are."""

    sequences: tuple[str, ...]
    class_ids: tuple[Annotated[int, Range(1, 1000)], ...]
    frame_stride: Annotated[int, Range(1, 100_000)]
    min_crops: Annotated[int, Range(2, 100_000)]


def write_footage(folder: Path, given: Path, params: FootageParams, cutting: CuttingParams) -> None:
    """Writes the training folder of Market-1501's layout from the sequences under `given`, each one camera.

    Raises DataError for ground truth that does not fit its sequence, where nobody gives enough crops, or pixels are missing.
    """
    (folder / TRAIN).mkdir()
    before = 0
    for camera, name in enumerate(params.sequences, start=1):
        footage = read_footage(given / name)
        rows, chosen = footage.rows, chosen_rows(footage, params, cutting)
        if not len(chosen):
            raise DataError(f"{footage.truth}: expected people with {params.min_crops} or more crops, got none")
        people = {int(who): before + k for k, who in enumerate(np.unique(rows.ids[chosen]), start=1)}
        rng = np.random.default_rng([cutting.seed, camera])
        for row, content in _cut_all(footage, chosen, cutting, rng):
            identity = people[int(rows.ids[row])]
            path = folder / TRAIN / crop_name(identity, camera, camera, int(rows.frame_numbers[row]) + 1, 0)
            path.write_bytes(content)
        before += len(people)


def chosen_rows(footage: AnnotatedFootage, params: FootageParams, cutting: CuttingParams) -> NDArray[np.int64]:
    """Rows of a gt.txt that become crops: of people who are seen well, lie in the picture, and give `min_crops` of them."""
    rows, counts = footage.rows, footage.counting(params.class_ids)
    tall = rows.bboxes[:, 3] - rows.bboxes[:, 1] >= cutting.min_height_px
    chosen = counts & tall & (rows.visibilities >= cutting.min_visibility) & (rows.frame_numbers % params.frame_stride == 0)
    people, numbers = np.unique(rows.ids[chosen], return_counts=True)
    return np.flatnonzero(chosen & np.isin(rows.ids, people[numbers >= params.min_crops]))


def _cut_all(
    footage: AnnotatedFootage, chosen: NDArray[np.int64], cutting: CuttingParams, rng: np.random.Generator
) -> Iterator[tuple[int, bytes]]:
    """Each chosen row whose jittered box lies in the picture, with its crop."""
    rows = footage.rows
    numbers = np.unique(rows.frame_numbers[chosen])
    step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
    wanted = range(int(numbers[0]), int(numbers[-1]) + 1, step)
    for number, picture in zip(wanted, progress(footage.pictures(wanted), "reid_data", len(wanted)), strict=True):
        here = chosen[rows.frame_numbers[chosen] == number]
        for row, bbox in zip(here.tolist(), jittered(rows.bboxes[here], cutting.jitter, rng), strict=True):
            pixels_inside = cut(picture, bbox)
            if pixels_inside is not None:
                yield row, encoded(pixels_inside, cutting, rng)
