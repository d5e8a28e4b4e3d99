"""People who are seen briefly and found doubtfully: mostly nobody, or a part of somebody who has a track of their own."""

import numpy as np
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets, by_class

USUAL_PERCENTILE = 75  # of a class's confidences in a video
FLEETING, DOUBTFUL = 0.85, 0.7  # of what is usual, in the mean of a track of one box, and of one not brief any more


def doubtful(tracklets: Tracklets, shortest_s: float) -> NDArray[np.bool_]:
    """(M,) rows of tracklets of less than so many seconds' boxes, whose mean confidence is low for their class in this video.

    The fewer boxes there are, the surer they must be.
    """
    found = np.zeros(len(tracklets), dtype=bool)
    for rows, mine in by_class(tracklets):
        found[rows] = _doubtful(mine, shortest_s)
    return found


def _doubtful(tracklets: Tracklets, shortest_s: float) -> NDArray[np.bool_]:
    counts = np.diff(tracklets.offsets())
    confidences = tracklets.confidences.astype(np.float64)
    means = np.add.reduceat(confidences, tracklets.offsets()[:-1]) / counts
    usual = float(np.percentile(confidences, USUAL_PERCENTILE))
    lengths = counts / max(shortest_s * tracklets.fps, 1.0)
    least = FLEETING - (FLEETING - DOUBTFUL) * lengths
    return np.repeat((lengths < 1) & (means < least * usual), counts)
