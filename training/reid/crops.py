"""What a Re-ID data set is: pictures of people, each with who, in which camera and in which sequence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Crops:
    """N crops. People of one sequence were in one place at one time."""

    paths: tuple[Path, ...]
    identity_ids: Ints  # (N,) -1: junk, 0: distractor
    camera_ids: Ints  # (N,)
    sequence_ids: Ints  # (N,)

    def __len__(self) -> int:
        return len(self.paths)

    def rows(self, chosen: NDArray[Any] | slice) -> "Crops":
        """The crops of these rows, of this mask (N,) or of this slice."""
        rows = np.arange(len(self))[chosen]
        paths = tuple(self.paths[row] for row in rows)
        return Crops(paths, self.identity_ids[rows], self.camera_ids[rows], self.sequence_ids[rows])
