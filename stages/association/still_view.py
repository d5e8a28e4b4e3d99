"""The picture as a camera that never moved would have seen it, and back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets, with_bboxes

Array = NDArray[np.float64]

BLOCK_BOXES = 1_000_000  # at a time: what lies between takes several times their memory
MIN_HEIGHT_PX = 2.0  # of a box in its own picture, as a unit of what is far
FARTHEST_ZOOM = 1e4  # beyond it coordinates are begun anew, before those of tracklets run out of digits


@dataclass(frozen=True, eq=False)
class StillView:
    """F similarities: the point z = x + iy of frame 0's camera is at factor z + shift in each frame."""

    factors: NDArray[np.complex128]  # (F,)
    shifts: NDArray[np.complex128]  # (F,) px

    def boxes(self, bboxes: NDArray[np.floating], frames: NDArray[np.integer]) -> Array:
        """(N, 4) boxes x1, y1, x2, y2 of these frames (N,) as seen from frame 0; a turned box stays upright.

        Boxes without height get MIN_HEIGHT_PX.
        """
        found = np.empty((len(bboxes), 4))
        for start in range(0, len(bboxes), BLOCK_BOXES):
            rows = slice(start, start + BLOCK_BOXES)
            centres, halves = _halved(bboxes[rows])
            halves[:, 1] = np.maximum(halves[:, 1], MIN_HEIGHT_PX / 2)
            factors, shifts = self.factors[frames[rows]], self.shifts[frames[rows]]
            found[rows] = _whole((centres - shifts) / factors, halves / np.abs(factors)[:, None])
        return found

    def back(self, bboxes: Array, frames: NDArray[np.integer]) -> Array:
        """(N, 4) boxes seen from frame 0 as the camera sees them in these frames (N,)."""
        centres, halves = _halved(bboxes)
        scales = np.abs(self.factors[frames])
        return _whole(centres * self.factors[frames] + self.shifts[frames], halves * scales[:, None])

    def tracklets(self, tracklets: Tracklets) -> Tracklets:
        """The tracklets as seen from frame 0."""
        return with_bboxes(tracklets, self.boxes(tracklets.bboxes, tracklets.frame_numbers))


def from_first_frame(transforms: Array) -> StillView:
    """The view from frame 0 by the camera's motion alone; transforms (F, 2, 3) of register."""
    steps, moves = transforms[:, 0, 0] + 1j * transforms[:, 1, 0], transforms[:, 0, 2] + 1j * transforms[:, 1, 2]
    factors, shifts = np.ones(len(steps), np.complex128), np.zeros(len(steps), np.complex128)
    factor, shift = 1 + 0j, 0j
    moved = np.flatnonzero((steps != 1) | (moves != 0))
    for frame in moved:
        factor, shift = steps[frame] * factor, steps[frame] * shift + moves[frame]
        if not 1 / FARTHEST_ZOOM < abs(factor) < FARTHEST_ZOOM:
            factor, shift = 1 + 0j, 0j
        factors[frame], shifts[frame] = factor, shift
    last_moved = np.zeros(len(steps), np.int64)  # up to each frame; in frame 0 the camera is where it began
    last_moved[moved] = moved
    last_moved = np.maximum.accumulate(last_moved)
    return StillView(factors[last_moved], shifts[last_moved])


def _halved(bboxes: NDArray[np.floating]) -> tuple[NDArray[np.complex128], Array]:
    """(N,) centres and (N, 2) half widths and heights."""
    x1, y1, x2, y2 = bboxes.T.astype(np.float64)
    return (x1 + x2) / 2 + 0.5j * (y1 + y2), np.stack([x2 - x1, y2 - y1], axis=1) / 2


def _whole(centres: NDArray[np.complex128], halves: Array) -> Array:
    middles = np.stack([centres.real, centres.imag], axis=1)
    return np.concatenate([middles - halves, middles + halves], axis=1)
