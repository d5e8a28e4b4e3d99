"""The picture as a camera that never moved would have seen it, and back.

What compares places seconds apart, as joins and filled gaps do, is wrong by as much as the camera moved in between. A view of
the first frame's camera takes that out: what is known of its motion (`register`), and what the boxes themselves show. Boxes
cannot tell a camera that turns steadily from the start from people who all walk at one speed: lines stay straight in both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.association.camera_drift import from_first_frame
from stages.association.chains import chains_of, measured_drift
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.tracklets import Tracklets, with_bboxes

Array = NDArray[np.float64]

LONGEST_LINK_S = 2.0  # from a box to the next: who comes back later says nothing of it, and all between would be kept in memory


@dataclass(frozen=True, eq=False)
class StillView:
    """F similarities: the point z = x + iy of frame 0's camera is at factor z + shift in each frame."""

    factors: NDArray[np.complex128]  # (F,)
    shifts: NDArray[np.complex128]  # (F,) px

    def boxes(self, bboxes: NDArray[np.floating], frames: NDArray[np.integer]) -> Array:
        """(N, 4) boxes x1, y1, x2, y2 of these frames (N,) as seen from frame 0; a turned box stays upright."""
        centres, halves = _halved(bboxes)
        scales = np.abs(self.factors[frames])
        return _whole((centres - self.shifts[frames]) / self.factors[frames], halves / scales[:, None])

    def back(self, bboxes: Array, frames: NDArray[np.integer]) -> Array:
        """(N, 4) boxes seen from frame 0 as the camera sees them in these frames (N,)."""
        centres, halves = _halved(bboxes)
        scales = np.abs(self.factors[frames])
        return _whole(centres * self.factors[frames] + self.shifts[frames], halves * scales[:, None])

    def tracklets(self, tracklets: Tracklets) -> Tracklets:
        """The tracklets as seen from frame 0."""
        return with_bboxes(tracklets, self.boxes(tracklets.bboxes, tracklets.frame_numbers))


def still_view(tracklets: Tracklets, camera_motion: CameraMotion) -> StillView:
    """The view from frame 0, by the camera's motion that is known and what these tracklets show beyond it."""
    factors, shifts = from_first_frame(camera_motion.transforms)
    if len(tracklets) == 0:
        return StillView(factors, shifts)
    away = np.diff(tracklets.frame_numbers, prepend=0) > LONGEST_LINK_S * tracklets.fps
    chains = np.cumsum((np.diff(tracklets.tracklet_ids, prepend=-1) != 0) | away)
    rows = np.lexsort((tracklets.bboxes[:, 0], tracklets.frame_numbers))
    drift = measured_drift(
        tracklets.bboxes[rows],
        tracklets.confidences[rows],
        tracklets.frame_numbers[rows].astype(np.int64),
        chains_of(chains[rows]),
        camera_motion.transforms,
    )[1]
    return StillView(factors, shifts + factors * (drift[:, 0] + 1j * drift[:, 1]))


def _halved(bboxes: NDArray[np.floating]) -> tuple[NDArray[np.complex128], Array]:
    """(N,) centres and (N, 2) half widths and heights."""
    x1, y1, x2, y2 = bboxes.T.astype(np.float64)
    return (x1 + x2) / 2 + 0.5j * (y1 + y2), np.stack([x2 - x1, y2 - y1], axis=1) / 2


def _whole(centres: NDArray[np.complex128], halves: Array) -> Array:
    middles = np.stack([centres.real, centres.imag], axis=1)
    return np.concatenate([middles - halves, middles + halves], axis=1)
