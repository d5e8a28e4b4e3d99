"""Tracklets as chains of measured boxes: what the filters and the search for the camera's drift are given."""

import numpy as np
from numpy.typing import NDArray

from stages.association.camera_drift import residual_drift
from stages.association.motion_noise import MIN_MEASUREMENT
from stages.association.still_view import StillView, from_first_frame
from stages.association.two_filter import NONE, Array, Chains, Ints, Measured

BLUR_OF_DOUBT = 1.0  # a box of score 0 shakes so much more than one of score 1
GRAIN = 1 / 960  # of the picture's width: a box's noise beside that in body heights, however small it is


def measured_boxes(
    bboxes: NDArray[np.float32], scores: NDArray[np.float32], frames: NDArray[np.integer], view: StillView
) -> Measured:
    """What the filters see of boxes (M, 4) as from the first frame."""
    x1, y1, x2, y2 = view.boxes(bboxes, frames).T
    values = np.stack([(x1 + x2) / 2, y1, y2, x2 - x1], axis=1)
    blur = 1 + BLUR_OF_DOUBT * (1 - scores.astype(np.float64))
    return Measured(values, y2 - y1, blur, frames.astype(np.int64))


def measure(
    bboxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    frames: Ints,
    chains: Chains,
    transforms: Array,
    width_px: int,
) -> Measured:
    """The same of boxes sorted by frame, with the drift taken out that the camera's motion `transforms` (F, 2, 3) leaves in.

    The picture is `width_px` wide, and boxes small in it shake more for their size.
    """
    view = from_first_frame(transforms)
    drift = residual_drift(
        lambda rows: measured_boxes(bboxes[rows], scores[rows], frames[rows], view), frames, chains, len(transforms)
    )
    moving = measured_boxes(bboxes, scores, frames, view)
    moving.values[:, 0] -= drift[frames, 0]
    moving.values[:, 1:3] -= drift[frames, 1:2]
    grain = GRAIN * width_px / np.abs(view.factors)  # as from the first frame: it is the picture's
    return moving._replace(blur=moving.blur * np.hypot(1, grain[frames] / (MIN_MEASUREMENT * moving.heights)))


def chains_of(tracklets: Ints) -> Chains:
    """The links inside tracklets (M,) of boxes sorted by frame."""
    order = np.argsort(tracklets, kind="stable")
    same = np.flatnonzero(np.diff(tracklets[order]) == 0)
    chains = Chains(np.full(len(order), NONE, np.int64), np.full(len(order), NONE, np.int64))
    chains.nexts[order[same]] = order[same + 1]
    chains.befores[order[same + 1]] = order[same]
    return chains
