"""People who are seen briefly and found doubtfully: mostly nobody, or a part of somebody who has a track of their own."""

import numpy as np
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets

USUAL_PERCENTILE = 75  # of a video's confidences
DOUBTFUL = 0.7  # of what is usual, in the mean of a track


def doubtful(tracklets: Tracklets, shortest_s: float) -> NDArray[np.bool_]:
    """(M,) rows of tracklets of less than so many seconds' boxes, whose mean confidence is low for this video."""
    if len(tracklets) == 0:
        return np.zeros(0, dtype=bool)
    counts = np.diff(tracklets.offsets())
    confidences = tracklets.confidences.astype(np.float64)
    means = np.add.reduceat(confidences, tracklets.offsets()[:-1]) / counts
    usual = float(np.percentile(confidences, USUAL_PERCENTILE))
    return np.repeat((counts < shortest_s * tracklets.fps) & (means < DOUBTFUL * usual), counts)
