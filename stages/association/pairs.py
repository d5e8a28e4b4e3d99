"""Pairs of tracklets that share frames: they are two people for sure."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, triu

from stages.contracts.tracklets import Tracklets

Ints = NDArray[np.int64]


def frames_together(tracklets: Tracklets) -> csr_array:
    """(T, T) how many frames show both of two tracklets."""
    position = np.searchsorted(tracklets.ids, tracklets.tracklet_ids)
    shape = (len(tracklets.ids), tracklets.num_frames)
    seen = csr_array(coo_array((np.ones(len(position), np.int32), (position, tracklets.frame_numbers)), shape=shape))
    return csr_array(seen @ seen.T)


def seen_together(tracklets: Tracklets) -> Ints:
    """(P, 2) positions of tracklets that share a frame, the smaller first: they are two people."""
    pairs = triu(frames_together(tracklets), k=1).tocoo()
    found = np.stack([pairs.row, pairs.col], axis=1).astype(np.int64)
    return found[np.lexsort((found[:, 1], found[:, 0]))]
