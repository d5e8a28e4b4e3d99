"""Re-ID embeddings of some of a sequence's detections."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.contracts.table import Table, column, expect, first_row

UNIT_TOLERANCE = 5e-3  # a unit vector rounded to float16, D up to some thousands

MAX_DETECTIONS = 2**31 - 1  # their rows are int32


@dataclass(frozen=True, eq=False)
class Embeddings(Table):
    """K unit vectors; a detection has one or none."""

    SCHEMA: ClassVar[str] = "embeddings/1"

    sequence: str
    num_detections: int
    model: str
    detection_indices: NDArray[np.int32] = column("i4", "K")  # row of detections_raw, ascending
    features: NDArray[np.float16] = column("f2", "K", "D")

    def __len__(self) -> int:
        return len(self.detection_indices)

    def check_rows(self) -> None:
        expect(0 <= self.num_detections <= MAX_DETECTIONS, "num_detections", f"a number in [0, {MAX_DETECTIONS}]",
               self.num_detections)  # fmt: skip
        indices = self.detection_indices
        bad = (indices < 0) | (indices >= self.num_detections)
        expect(not bad.any(), "detection_indices", f"rows in [0, {self.num_detections})", indices[bad][:1])
        bad = np.diff(indices) <= 0
        expect(not bad.any(), "detection_indices", "ascending rows, each once",
               f"otherwise after {first_row(bad)}" if bad.any() else "")  # fmt: skip
        norms = np.sqrt(np.einsum("kd,kd->k", self.features, self.features, dtype=np.float32))
        bad = np.abs(norms - 1) > UNIT_TOLERANCE
        expect(not bad.any(), "features", "unit length", f"{norms[bad][:1].tolist()} in {first_row(bad)}" if bad.any() else "")

    def rows_of(self, detection_indices: NDArray[np.int32]) -> NDArray[np.int64]:
        """(M,) row of each detection's embedding, -1 where there is none (or the index is -1).

        Raises ContractError for an index that these embeddings' detections do not have.
        """
        beyond = detection_indices >= self.num_detections
        expect(
            not beyond.any(), "detection_indices", f"rows of {self.num_detections} detections", detection_indices[beyond][:1]
        )
        rows = np.full(self.num_detections + 1, -1, dtype=np.int64)  # the last entry answers for -1
        rows[self.detection_indices] = np.arange(len(self))
        return rows[detection_indices]
