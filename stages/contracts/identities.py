"""Identities: which tracks of which sequences are the same person."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.contracts.table import Table, column, expect


@dataclass(frozen=True, eq=False)
class Identities(Table):
    """T tracks, each with one identity; tracks with equal `identity_ids` are one person."""

    SCHEMA: ClassVar[str] = "identities/1"

    sequences: NDArray[np.str_] = column("U", "T")
    tracklet_ids: NDArray[np.int32] = column("i4", "T")
    identity_ids: NDArray[np.int32] = column("i4", "T")  # from 1
    distances: NDArray[np.float32] = column("f4", "T")  # to the nearest other track of the identity; 0: alone

    def check_rows(self) -> None:
        pairs = set(zip(self.sequences.tolist(), self.tracklet_ids.tolist(), strict=True))
        expect(len(pairs) == len(self.tracklet_ids), "sequences, tracklet_ids", "each pair once", "a pair twice")
        expect(not len(self.identity_ids) or self.identity_ids.min() >= 1, "identity_ids", "ids from 1",
               self.identity_ids[:1])  # fmt: skip
