"""What `identify` compares across sequences without reading them whole: looks of each person, and where they stood when."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.contracts.table import Table, column, expect

MOMENTS_PER_S = 5  # of the clock that the cameras of a group share


@dataclass(frozen=True, eq=False)
class Gallery(Table):
    """T tracks of one sequence, V views (unit vectors) of them, C pairs who are two people, and P places on the ground.

    Without a calibrated camera, or with a clock that nobody knows, there are no places.
    """

    SCHEMA: ClassVar[str] = "gallery/2"

    sequence: str
    model: str
    tracklet_ids: NDArray[np.int32] = column("i4", "T")  # ascending, from 1
    class_ids: NDArray[np.int16] = column("i2", "T")
    names: NDArray[np.str_] = column("U", "T")  # given by hand; empty: none
    view_tracklet_ids: NDArray[np.int32] = column("i4", "V")
    view_features: NDArray[np.float16] = column("f2", "V", "D")
    coexisting: NDArray[np.int32] = column(
        "i4", "C", 2
    )  # seen in one frame, or told apart by hand: tracklet ids, the smaller first
    place_tracklet_ids: NDArray[np.int32] = column("i4", "P")
    place_moments: NDArray[np.int64] = column("i8", "P")  # of the group's clock, MOMENTS_PER_S a second
    places: NDArray[np.float32] = column("f4", "P", 2)  # metres on the ground

    def of_class(self, class_id: int) -> "Gallery":
        """What is known of the tracks of one class."""
        mine = self.class_ids == class_id
        ids = self.tracklet_ids[mine]
        views, places = np.isin(self.view_tracklet_ids, ids), np.isin(self.place_tracklet_ids, ids)
        return Gallery(
            self.sequence,
            self.model,
            ids,
            self.class_ids[mine],
            self.names[mine],
            self.view_tracklet_ids[views],
            self.view_features[views],
            self.coexisting[np.isin(self.coexisting, ids).all(axis=1)],
            self.place_tracklet_ids[places],
            self.place_moments[places],
            self.places[places],
        )

    def check_rows(self) -> None:
        expect((np.diff(self.tracklet_ids) > 0).all(), "tracklet_ids", "ascending ids, each once", self.tracklet_ids)
        for name in ("view_tracklet_ids", "coexisting", "place_tracklet_ids"):
            known = np.isin(getattr(self, name), self.tracklet_ids)
            expect(known.all(), name, "ids of tracklet_ids", getattr(self, name)[~known][:1])
        expect((np.diff(self.view_tracklet_ids) >= 0).all(), "view_tracklet_ids", "rows sorted by track", "otherwise")
        expect((self.coexisting[:, 0] < self.coexisting[:, 1]).all(), "coexisting", "the smaller id first", "otherwise")
        same = np.diff(self.place_tracklet_ids) == 0
        good = (np.diff(self.place_tracklet_ids) >= 0).all() and (np.diff(self.place_moments)[same] > 0).all()
        expect(good, "place_tracklet_ids, place_moments", "rows sorted by track and moment, each once", "otherwise")
