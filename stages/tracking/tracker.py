"""What a tracker is: a function from the boxes of one class in one sequence to rows that name a track each."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stages.tracking.lapjv import Array, Ints

Float32s = NDArray[np.float32]


class TrackRows(NamedTuple):
    """M rows of output, by frame: which track (numbered by birth, from 0) claimed which detection, and its filtered box."""

    tracks: Ints  # (M,)
    detections: Ints  # (M,) row in the input
    bboxes: Float32s  # (M, 4) the filter's posterior, x1, y1, x2, y2 px


class Tracker(Protocol):
    """`byte_track` or `oc_sort`, its settings given; nothing is kept from one call to the next.

    bboxes (N, 4) float32 x1, y1, x2, y2 px and scores (N,) float32, sorted by frame; rows of frame f are
    frame_offsets[f]:frame_offsets[f + 1] (F + 1,). A box must have a positive height. `transforms` (F, 2, 3) map a pixel of
    the frame before to frame f.
    """

    def __call__(self, bboxes: Float32s, scores: Float32s, frame_offsets: Ints, fps: float, transforms: Array) -> TrackRows: ...
