"""Which boxes of a track must be kept so that a tool that interpolates between them shows all of them."""

import numpy as np
from numpy.typing import NDArray


def keyframes(frame_numbers: NDArray[np.int32], bboxes: NDArray[np.float32], tolerance_px: float) -> NDArray[np.bool_]:
    """(M,) True for boxes between which no edge of a box is farther than the tolerance from the line through its keyframes.

    The boxes (M, 4) of one track follow each other in every frame. Ramer, "An iterative procedure for the polygonal
    approximation of plane curves" (1972), with the greatest difference of an edge as distance: both ends are kept, and so is
    the farthest box as long as it is too far. A person then corrects a few boxes instead of one in every frame.
    """
    corners, times = bboxes.astype(np.float64), frame_numbers.astype(np.float64)
    kept = np.zeros(len(times), dtype=np.bool_)
    kept[[0, -1]] = True
    todo = [(0, len(times) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        share = ((times[first + 1 : last] - times[first]) / (times[last] - times[first]))[:, None]
        line = corners[first] + share * (corners[last] - corners[first])
        off = np.abs(corners[first + 1 : last] - line).max(axis=1)
        if off.max() > tolerance_px:
            farthest = first + 1 + int(off.argmax())
            kept[farthest] = True
            todo += [(first, farthest), (farthest, last)]
    return kept
