"""The rows of data/exclusions/<sequence>.csv: where and when somebody was who is forgotten.

A row counts frames of the source and pixels of the source, never of a clip, and names no tracklet: it holds whatever the clip,
the detector and the tracker become. `detect` drops what it finds there, and whatever shows or embeds pixels blurs them there.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import exclusive, write_text
from stages.errors import DataError
from stages.seqinfo import MAX_FRAMES

FOLDER = Path("data/exclusions")  # as dvc.yaml has it
HEADER = "first_frame,last_frame,x1,y1,x2,y2\n"
WHOLE = r"[0-9]{1,9}"
EDGE = r"-?[0-9]{1,6}(?:\.[0-9]{0,2})?"
ROW = re.compile(rf"({WHOLE}),({WHOLE}),({EDGE}),({EDGE}),({EDGE}),({EDGE})")
MAX_BYTES = 10**9
MIN_IOU = 0.3  # of a detection and an excluded box: low, since another detector may draw its boxes otherwise
MIN_CONTAINED = 0.6  # share of a detection inside an excluded box: half a person is a person


@dataclass(frozen=True, eq=False)
class Exclusions:
    """E boxes, each in all source frames from `first_frames` to `last_frames`, both included."""

    first_frames: NDArray[np.int64]  # (E,)
    last_frames: NDArray[np.int64]  # (E,)
    bboxes: NDArray[np.float64]  # (E, 4) x1, y1, x2, y2 px

    def __len__(self) -> int:
        return len(self.bboxes)

    def within(self, frames: range) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Numbers (K,), ascending, of the clip's frames and the boxes (K, 4) excluded there; `frames` are its source frames."""
        first = np.maximum(-((frames.start - self.first_frames) // frames.step), 0)
        last = np.minimum((self.last_frames - frames.start) // frames.step, len(frames) - 1)
        counts = np.maximum(last - first + 1, 0)
        steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        numbers = np.repeat(first, counts) + steps
        order = np.argsort(numbers, kind="stable")
        return numbers[order], np.repeat(self.bboxes, counts, axis=0)[order]


def exclusions_file(sequence: str) -> Path:
    """Where the exclusions of a sequence are, from the project's root."""
    return FOLDER / f"{sequence}.csv"


def read_exclusions(path: Path) -> Exclusions:
    """The rows of the file. Raises DataError naming file and line where one is no exclusion."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: expected at most {MAX_BYTES:,} bytes, got {path.stat().st_size:,}")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file with the line {HEADER.strip()}, found none") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8 text, got: {error.reason}") from error
    if not lines or lines[0] != HEADER.strip():
        raise DataError(f"{path}: line 1: expected {HEADER.strip()}, got {lines[0][:80] if lines else ''!r}")
    rows = np.array([_parsed(line, f"{path}: line {number}") for number, line in enumerate(lines[1:], 2)]).reshape(-1, 6)
    return Exclusions(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2:])


def append_exclusions(path: Path, added: Exclusions) -> None:
    """Adds rows at the end of the file, which is made where there is none.

    Raises DataError where the file is no file of exclusions: then it stays as it is.
    """
    with exclusive(f"exclusions@{path.stem}"):
        if path.exists():
            read_exclusions(path)
        text = path.read_text(encoding="utf-8-sig") if path.exists() else HEADER
        write_text(path, text + ("" if text.endswith("\n") else "\n") + format_exclusions(added))


def format_exclusions(exclusions: Exclusions) -> str:
    """A line a row, edges to a hundredth of a pixel."""
    columns = (exclusions.first_frames, exclusions.last_frames, exclusions.bboxes)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return "".join(f"{first},{last},{','.join(f'{edge:.2f}' for edge in bbox)}\n" for first, last, bbox in rows)


def excluded_rows(frame_numbers: NDArray[np.int32], bboxes: NDArray[np.float32], exclusions: Exclusions,
                  frames: range) -> NDArray[np.bool_]:  # fmt: skip
    """(N,) which of the boxes (N, 4), sorted by frame of the clip, show somebody who is forgotten.

    Those that overlap an excluded box of their frame by MIN_IOU, or lie in it by MIN_CONTAINED of their area. Whoever stands at
    the same place at that moment goes with them: nobody can say from boxes alone who is who.
    """
    numbers, taken = exclusions.within(frames)
    first = np.searchsorted(frame_numbers, numbers, side="left")
    counts = np.searchsorted(frame_numbers, numbers, side="right") - first
    rows = np.repeat(first, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    mine, theirs = bboxes[rows].astype(np.float64), np.repeat(taken, counts, axis=0)
    shared = _area(np.concatenate([np.maximum(mine[:, :2], theirs[:, :2]), np.minimum(mine[:, 2:], theirs[:, 2:])], axis=1))
    own = _area(mine)
    joint = own + _area(theirs) - shared
    excluded = np.zeros(len(bboxes), dtype=np.bool_)
    excluded[rows[(shared > 0) & ((shared >= MIN_IOU * joint) | (shared >= MIN_CONTAINED * own))]] = True
    return excluded


def _area(bboxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) px², 0 of an inverted box."""
    return np.asarray(np.maximum(bboxes[:, 2:] - bboxes[:, :2], 0).prod(axis=1))


def _parsed(line: str, where: str) -> tuple[float, ...]:
    """The numbers of a line, checked."""
    cells = ROW.fullmatch(line)
    if cells is None:
        raise DataError(f"{where}: expected two frames and four edges in px, got {line[:80]!r}")
    first, last, x1, y1, x2, y2 = (float(cell) for cell in cells.groups())
    if not first <= last < MAX_FRAMES:
        raise DataError(f"{where}: expected first_frame <= last_frame < {MAX_FRAMES}, got {first:.0f} and {last:.0f}")
    if not (x1 < x2 and y1 < y2):
        raise DataError(f"{where}: expected a box with x1 < x2 and y1 < y2, got {x1:g}, {y1:g}, {x2:g}, {y2:g}")
    return first, last, x1, y1, x2, y2
