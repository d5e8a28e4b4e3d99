"""Who is seen in a picture, and where: what ground truth is made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """The n people whose bodies reach into a picture, in the order of identities."""

    identity_ids: NDArray[np.int64]  # (n,) from 1, the same for every camera of a scene
    bboxes: Array  # (n, 4) x1, y1, x2, y2 px of the whole body, hidden and cut-off parts included
    visibilities: Array  # (n,) share of the body that is seen
