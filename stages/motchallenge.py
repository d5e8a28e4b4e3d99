"""MOTChallenge text files: 1-based frames, left-top-width-height boxes. The one place that knows them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.errors import DataError
from stages.number_lines import read_numbers

PART_ROWS = 1 << 16  # of a result file: written so many rows at a time, so that hours of video need no memory of their text
COLUMNS = range(7, 11)
MAX_COORDINATE = 1e7  # px; float32 keeps a pixel apart up to here
MAX_WHOLE = 2**31 - 2  # of a frame, an id or a class: int32


@dataclass(frozen=True, eq=False)
class MotRows:
    """N rows sorted by frame: of a det.txt, a gt.txt or a result file."""

    frame_numbers: NDArray[np.int32]  # (N,) from 0
    ids: NDArray[np.int32]  # (N,) -1 in a det.txt
    bboxes: NDArray[np.float32]  # (N, 4) x1, y1, x2, y2 px
    scores: NDArray[np.float32]  # (N,) confidence; in a gt.txt 0 marks a row that does not count
    class_ids: NDArray[np.int32]  # (N,) MOT17's classes; -1 in MOT15's ten columns and in results
    visibilities: NDArray[np.float32]  # (N,) 1 where the file does not say
    num_columns: int

    def __len__(self) -> int:
        return len(self.frame_numbers)


def read_rows(path: Path) -> MotRows:
    """The rows of a file with 7 to 10 columns: frame, id, left, top, width, height, score[, class, visibility].

    Only nine columns carry class and visibility (MOT16, MOT17, MOT20, DanceTrack); ten are MOT15's, with a world position.
    x2 = left + width is computed in float64 and rounded once to float32. Raises DataError naming the file and the line.
    """
    values, lines = read_numbers(path, COLUMNS, separator=",")
    columns = values.shape[1] if len(values) else 9
    bad = ~np.isfinite(values).all(axis=1) | (np.abs(np.delete(values, 1, axis=1)) > MAX_COORDINATE).any(axis=1)
    whole = values[:, [0, 1, 7]] if columns == 9 else values[:, :2]
    bad |= (whole % 1 != 0).any(axis=1) | (np.abs(whole) > MAX_WHOLE).any(axis=1)
    bad |= (values[:, 0] < 1) | (values[:, 4:6] < 0).any(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"{path}: line {lines[row]}: expected a whole frame number from 1, a whole id (and class), a finite box not "
            f"inverted, got {', '.join(f'{value:g}' for value in values[row])}"
        )
    values = values[np.argsort(values[:, 0], kind="stable")]
    bboxes = np.concatenate([values[:, 2:4], values[:, 2:4] + values[:, 4:6]], axis=1)
    with_class = columns == 9
    return MotRows(
        (values[:, 0] - 1).astype(np.int32),
        values[:, 1].astype(np.int32),
        bboxes.astype(np.float32),
        values[:, 6].astype(np.float32),
        values[:, 7].astype(np.int32) if with_class else np.full(len(values), -1, dtype=np.int32),
        values[:, 8].astype(np.float32) if with_class else np.ones(len(values), dtype=np.float32),
        columns,
    )


def format_tracks(
    frame_numbers: NDArray[Any], ids: NDArray[Any], bboxes: NDArray[Any], confidences: NDArray[Any]
) -> Iterator[str]:
    """A MOTChallenge result file, part by part: frame, id, left, top, width, height, score, -1, -1, -1; by frame, then id.

    Arrays of N rows as of `format_rows`, confidences (N,).
    """
    order = np.lexsort((ids, frame_numbers))
    for first in range(0, len(order), PART_ROWS):
        rows = order[first : first + PART_ROWS]
        tails = [f"{score:.4f},-1,-1,-1" for score in confidences[rows].tolist()]
        yield format_rows(frame_numbers[rows], ids[rows], bboxes[rows], tails, decimals=3)


def format_rows(
    frame_numbers: NDArray[Any], ids: NDArray[Any], bboxes: NDArray[Any], tails: Iterable[str], decimals: int
) -> str:
    """N lines: frame (from 1), id, left, top, width, height px with so many decimals, and the tail with all columns after.

    frame_numbers (N,) count from 0, bboxes (N, 4) are x1, y1, x2, y2 px.
    """
    corners = bboxes.astype(np.float64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    return "".join(
        f"{frame + 1},{identity},{','.join(f'{value:.{decimals}f}' for value in box)},{tail}\n"
        for frame, identity, box, tail in zip(frame_numbers.tolist(), ids.tolist(), boxes.tolist(), tails, strict=True)
    )
