"""Identities: which tracks of a camera group are the same person."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.contracts.table import Table, column, expect


@dataclass(frozen=True, eq=False)
class Identities(Table):
    """T tracks of the cameras of one group, each with one identity; tracks with equal `identity_ids` are one person."""

    SCHEMA: ClassVar[str] = "identities/2"

    sequences: NDArray[np.str_] = column("U", "T")
    tracklet_ids: NDArray[np.int32] = column("i4", "T")
    identity_ids: NDArray[np.int32] = column("i4", "T")  # from 1
    names: NDArray[np.str_] = column("U", "T")  # given by hand, in whichever camera; empty: none
    distances: NDArray[np.float32] = column("f4", "T")  # of looks, to the nearest other track of the identity; 0: alone

    def check_rows(self) -> None:
        pairs = set(zip(self.sequences.tolist(), self.tracklet_ids.tolist(), strict=True))
        expect(len(pairs) == len(self.tracklet_ids), "sequences, tracklet_ids", "each pair once", "a pair twice")
        expect(not len(self.identity_ids) or self.identity_ids.min() >= 1, "identity_ids", "ids from 1",
               self.identity_ids[:1])  # fmt: skip

    def rows_of(self, sequence: str, tracklet_ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """(M,) rows of tracks (M,) of one sequence. Raises ContractError where one has none."""
        rows = np.flatnonzero(self.sequences == sequence)
        rows = rows[np.argsort(self.tracklet_ids[rows])]
        known = self.tracklet_ids[rows]
        place = np.minimum(np.searchsorted(known, tracklet_ids), max(len(known) - 1, 0))
        lacking = known[place] != tracklet_ids if len(known) else np.ones(len(tracklet_ids), dtype=bool)
        expect(not lacking.any(), f"identities of {sequence}", "one for each track", f"none for {tracklet_ids[lacking][:1]}")
        return rows[place] if len(tracklet_ids) else np.zeros(0, dtype=np.int64)

    def identities_of(self, sequence: str, tracklet_ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """(M,) identity of tracks (M,) of one sequence. Raises ContractError where one has none."""
        return self.identity_ids[self.rows_of(sequence, tracklet_ids)]

    def of(self, sequence: str) -> "Identities":
        """The rows of one sequence."""
        return self.take(self.sequences == sequence)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Identities":
        """Some of the rows."""
        return Identities(
            self.sequences[rows], self.tracklet_ids[rows], self.identity_ids[rows], self.names[rows], self.distances[rows]
        )
