"""Detections of one sequence: what the detector saw, frame by frame."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.contracts.table import Table, column, expect, first_row

MAX_FRAMES = 10**7  # as in seqinfo.ini; also what memory is taken for where something is counted by frame
MAX_SIZE_PX = 100_000


@dataclass(frozen=True, eq=False)
class Detections(Table):
    """N detections sorted by frame; a row number is a detection's lasting name (`detection_indices` elsewhere)."""

    SCHEMA: ClassVar[str] = "detections/1"

    sequence: str
    num_frames: int
    width_px: int
    height_px: int
    fps: float
    frame_numbers: NDArray[np.int32] = column("i4", "N")  # from 0
    bboxes: NDArray[np.float32] = column("f4", "N", 4)  # x1, y1, x2, y2 px
    confidences: NDArray[np.float32] = column("f4", "N")  # in [0, 1]
    class_ids: NDArray[np.int16] = column("i2", "N")

    def __len__(self) -> int:
        return len(self.frame_numbers)

    def check_rows(self) -> None:
        check_video(self)
        check_frames(self.frame_numbers, self.num_frames)
        unsorted = np.diff(self.frame_numbers) < 0
        expect(not unsorted.any(), "frame_numbers", "rows sorted by frame", f"a step back after {first_row(unsorted)}"
               if unsorted.any() else "")  # fmt: skip
        check_share("confidences", self.confidences)
        inverted = (self.bboxes[:, 2:] < self.bboxes[:, :2]).any(axis=1)
        expect(not inverted.any(), "bboxes", "x1 <= x2 and y1 <= y2", f"an inverted box in {first_row(inverted)}"
               if inverted.any() else "")  # fmt: skip

    def frame_offsets(self) -> NDArray[np.int64]:
        """(num_frames + 1,): rows of frame f are offsets[f]:offsets[f + 1]."""
        return np.searchsorted(self.frame_numbers, np.arange(self.num_frames + 1))


def check_video(table: Any) -> None:
    """Checks the scalars that detections and tracklets share."""
    expect(0 <= table.num_frames <= MAX_FRAMES, "num_frames", f"a number in [0, {MAX_FRAMES}]", table.num_frames)
    expect(0 < table.width_px <= MAX_SIZE_PX and 0 < table.height_px <= MAX_SIZE_PX, "width_px, height_px",
           f"pixels in [1, {MAX_SIZE_PX}]", f"{table.width_px} x {table.height_px}")  # fmt: skip
    expect(0 < table.fps < 1e4, "fps", "frames per second in (0, 10000)", table.fps)


def check_frames(frame_numbers: NDArray[np.int32], num_frames: int) -> None:
    """Checks that frame numbers (N,) lie in [0, num_frames)."""
    bad = (frame_numbers < 0) | (frame_numbers >= num_frames)
    expect(not bad.any(), "frame_numbers", f"frames in [0, {num_frames})", f"{frame_numbers[bad][:1]} in {first_row(bad)}"
           if bad.any() else "")  # fmt: skip


def check_share(name: str, values: NDArray[np.float32]) -> None:
    """Checks that values (N,) lie in [0, 1]."""
    bad = (values < 0) | (values > 1)
    expect(not bad.any(), name, "values in [0, 1]", f"{values[bad][:1].tolist()} in {first_row(bad)}" if bad.any() else "")
