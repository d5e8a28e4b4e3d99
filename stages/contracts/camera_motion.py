"""Camera motion of one sequence: where the picture's pixels went from each frame to the next because the camera moved."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from stages.contracts.table import Table, column, expect, first_row
from stages.errors import ContractError

IDENTITY = np.eye(2, 3)
SIMILARITY_TOLERANCE = 1e-5  # of the four entries of rotation and scale: files carry six decimals
MIN_SCALE, MAX_SCALE = 0.1, 10.0  # no camera zooms farther between two frames that are kept


@dataclass(frozen=True, eq=False)
class CameraMotion(Table):
    """F similarities, one a frame: row f maps a pixel of frame f - 1 to frame f; row 0, which has no frame before, is the
    identity.

    x' = a x - b y + t_x and y' = b x + a y + t_y: a rotation, one scale and a translation. No affine map with shear or two
    scales: the Kalman filter's noise is equal in x and y, and only a similarity keeps the coordinates' filters independent.
    """

    SCHEMA: ClassVar[str] = "camera_motion/1"

    sequence: str
    num_frames: int
    transforms: NDArray[np.float64] = column("f8", "F", 2, 3)  # [[a, -b, t_x], [b, a, t_y]], t in px

    def check_rows(self) -> None:
        rows = self.transforms
        expect(len(rows) == self.num_frames, "transforms", f"a row for each of {self.num_frames} frames", f"{len(rows)} rows")
        expect((rows[:1] == IDENTITY).all(), "transforms", "the identity in row 0", rows[:1].tolist())
        skew = np.maximum(np.abs(rows[:, 0, 0] - rows[:, 1, 1]), np.abs(rows[:, 0, 1] + rows[:, 1, 0]))
        bad = skew > SIMILARITY_TOLERANCE
        expect(not bad.any(), "transforms", "similarities [[a, -b, tx], [b, a, ty]]",
               f"{rows[bad][0].tolist()} in {first_row(bad)}" if bad.any() else "")  # fmt: skip
        scales = np.hypot(rows[:, 0, 0], rows[:, 1, 0])
        bad = (scales < MIN_SCALE) | (scales > MAX_SCALE)
        expect(not bad.any(), "transforms", f"scales in [{MIN_SCALE:g}, {MAX_SCALE:g}]",
               f"{scales[bad][0]:g} in {first_row(bad)}" if bad.any() else "")  # fmt: skip

    @classmethod
    def load_of(cls, path: Path, sequence: str, num_frames: int) -> Self:
        """The motion in this file, of a sequence and so many frames. Raises as `load`, and ContractError for other frames."""
        motion = cls.load(path, sequence)
        if motion.num_frames != num_frames:
            raise ContractError(f"{path}: num_frames: expected the boxes' {num_frames}, got {motion.num_frames}")
        return motion

    @classmethod
    def still(cls, sequence: str, num_frames: int) -> Self:
        """The motion of a camera that does not move."""
        return cls(sequence, num_frames, np.tile(IDENTITY, (num_frames, 1, 1)))
