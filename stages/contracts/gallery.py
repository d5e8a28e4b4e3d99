"""A small appearance gallery per track: what `identify` compares across sequences without reading them whole."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.contracts.table import Table, column, expect


@dataclass(frozen=True, eq=False)
class Gallery(Table):
    """T tracks of one sequence and V views (unit vectors) of them, sorted by track."""

    SCHEMA: ClassVar[str] = "gallery/1"

    sequence: str
    model: str
    tracklet_ids: NDArray[np.int32] = column("i4", "T")  # ascending, from 1
    view_tracklet_ids: NDArray[np.int32] = column("i4", "V")
    view_features: NDArray[np.float16] = column("f2", "V", "D")

    def check_rows(self) -> None:
        expect((np.diff(self.tracklet_ids) > 0).all(), "tracklet_ids", "ascending ids, each once", self.tracklet_ids)
        known = np.isin(self.view_tracklet_ids, self.tracklet_ids)
        expect(known.all(), "view_tracklet_ids", "ids of tracklet_ids", self.view_tracklet_ids[~known][:1])
        expect((np.diff(self.view_tracklet_ids) >= 0).all(), "view_tracklet_ids", "rows sorted by track", "otherwise")
