"""Ground truth of one sequence, and which of MOTChallenge's rules it asks for.

Nine columns are MOT17's (also MOT16's and DanceTrack's): classes, among them distractors that excuse a track, and rows marked
with 0 that do not count. Ten columns are MOT15's: no classes.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stages.errors import DataError
from stages.motchallenge import MotRows, read_rows
from stages.regions import RegionParams, counted
from stages.sequence_folder import holds_data

Rules = Literal["MOT15", "MOT17"]
NUM_CLASSES = 13  # MOT17's, from 1: pedestrian, person_on_vehicle, car, ..., reflection, crowd


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """N boxes sorted by frame; ids may start at 0."""

    rules: Rules
    num_frames: int
    frame_numbers: NDArray[np.int32]  # (N,) from 0
    ids: NDArray[np.int32]  # (N,)
    bboxes: NDArray[np.float32]  # (N, 4) x1, y1, x2, y2 px
    class_ids: NDArray[np.int32]  # (N,) MOT17's classes; -1 under MOT15's rules
    considered: NDArray[np.bool_]  # (N,) False: marked with 0 in the file
    visibilities: NDArray[np.float32]  # (N,) 1 where the file does not say

    def __len__(self) -> int:
        return len(self.frame_numbers)

    def within(self, frames: range, regions: RegionParams) -> "GroundTruth":
        """The boxes in these frames, counted anew from 0, of people who stand where people count."""
        keep = np.isin(self.frame_numbers, np.asarray(frames, dtype=np.int64)) & counted(self.bboxes, regions)
        return replace(
            self,
            num_frames=len(frames),
            frame_numbers=((self.frame_numbers[keep] - frames.start) // frames.step).astype(np.int32),
            ids=self.ids[keep],
            bboxes=self.bboxes[keep],
            class_ids=self.class_ids[keep],
            considered=self.considered[keep],
            visibilities=self.visibilities[keep],
        )


def load_truth(folder: Path, num_frames: int, frames: range, regions: RegionParams) -> GroundTruth | None:
    """The ground truth in a sequence's gt/ in these of its frames; None where the folder says that there is none."""
    return read_truth(folder / "gt.txt", num_frames).within(frames, regions) if holds_data(folder) else None


def read_truth(path: Path, num_frames: int) -> GroundTruth:
    """The ground truth in a gt.txt of a sequence with this many frames. Raises DataError like `make_truth`."""
    return make_truth(path, read_rows(path), num_frames)


def make_truth(path: Path, rows: MotRows, num_frames: int) -> GroundTruth:
    """The ground truth in the rows of a gt.txt; `path` is its name in messages.

    Raises DataError naming the file and the row's frame and id where it does not fit: a frame after the end, a negative id, an
    id twice in one frame, a class that MOT17 does not know, neither nine nor ten columns.
    """
    if rows.num_columns not in (9, 10):
        raise DataError(f"{path}: expected 9 columns (MOT17) or 10 (MOT15), got {rows.num_columns}")
    rules: Rules = "MOT17" if rows.num_columns == 9 else "MOT15"
    check_fits(path, rows, num_frames)
    if rules == "MOT17":
        unknown = (rows.class_ids < 1) | (rows.class_ids > NUM_CLASSES)
        refuse(path, rows, unknown, f"a class from 1 to {NUM_CLASSES}", rows.class_ids)
    considered = rows.scores.astype(np.int32) != 0  # TrackEval truncates too: 0.9 is 0
    return GroundTruth(
        rules, num_frames, rows.frame_numbers, rows.ids, rows.bboxes, rows.class_ids, considered, rows.visibilities
    )


def check_fits(path: Path, rows: MotRows, num_frames: int) -> None:
    """Raises DataError unless frames lie in the sequence, ids are from 0, and each is at most once in a frame."""
    refuse(path, rows, rows.frame_numbers >= num_frames, f"frames up to {num_frames}", rows.frame_numbers + 1)
    refuse(path, rows, rows.ids < 0, "an id of at least 0", rows.ids)
    order = np.lexsort((rows.ids, rows.frame_numbers))
    twice = np.zeros(len(rows), dtype=bool)
    twice[order[1:]] = (np.diff(rows.ids[order]) == 0) & (np.diff(rows.frame_numbers[order]) == 0)
    refuse(path, rows, twice, "each id once in a frame", "another row of it")


def refuse(path: Path, rows: MotRows, bad: NDArray[np.bool_], expectation: str, finding: Any) -> None:
    """Raises DataError for the first row of the mask (N,); `finding` is a text or the values (N,)."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        found = finding if isinstance(finding, str) else finding[row]
        raise DataError(
            f"{path}: row of frame {rows.frame_numbers[row] + 1}, id {rows.ids[row]}: expected {expectation}, got {found}"
        )
