"""Pairs of tracklets that share frames: they are two people for sure."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from stages.contracts.tracklets import Tracklets

Ints = NDArray[np.int64]


def frames_together(tracklets: Tracklets) -> tuple[Ints, Ints]:
    """(P, 2) positions of tracklets that share a frame, in order and both ways, each with itself too; (P,) how many frames."""
    position = tracklets.positions()
    shape = (len(tracklets.ids), tracklets.num_frames)
    seen = csr_array(coo_array((np.ones(len(position), np.int32), (position, tracklets.frame_numbers)), shape=shape))
    counts = (seen @ seen.T).tocoo()
    order = np.lexsort((counts.col, counts.row))
    pairs = np.stack([counts.row, counts.col], axis=1).astype(np.int64)
    return pairs[order], counts.data[order].astype(np.int64)


def seen_together(tracklets: Tracklets) -> Ints:
    """(P, 2) positions of tracklets that share a frame, the smaller first: they are two people."""
    pairs, _ = frames_together(tracklets)
    return pairs[pairs[:, 0] < pairs[:, 1]]
