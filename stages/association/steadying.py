"""How the camera moved, by what is known and by what the boxes show: a view that stands still.

What compares places seconds apart, as joins and filled gaps do, is wrong by as much as the camera moved in between. A view of
the first frame's camera takes that out: what is known of its motion (`register`), and what the boxes themselves show. Boxes
cannot tell a camera that turns steadily from the start from people who all walk at one speed: lines stay straight in both.
"""

import numpy as np

from stages.association.camera_drift import residual_drift
from stages.association.chains import chains_of, measured_boxes
from stages.association.still_view import StillView, from_first_frame
from stages.association.two_filter import Measured
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.tracklets import Tracklets

LONGEST_LINK_S = 2.0  # from a box to the next: who comes back later says nothing of it, and all between would be kept in memory


def still_view(tracklets: Tracklets, camera_motion: CameraMotion) -> StillView:
    """The view from frame 0, by the camera's motion that is known and what these tracklets show beyond it."""
    known = from_first_frame(camera_motion.transforms)
    if len(tracklets) == 0:
        return known
    away = np.diff(tracklets.frame_numbers, prepend=0) > LONGEST_LINK_S * tracklets.fps
    chains = np.cumsum((np.diff(tracklets.tracklet_ids, prepend=-1) != 0) | away)
    order = np.lexsort((tracklets.bboxes[:, 0], tracklets.frame_numbers))
    frames = tracklets.frame_numbers[order].astype(np.int64)

    def measured(rows: slice) -> Measured:
        part = order[rows]
        return measured_boxes(tracklets.bboxes[part], tracklets.confidences[part], frames[rows], known)

    drift = residual_drift(measured, frames, chains_of(chains[order]), tracklets.num_frames)
    return StillView(known.factors, known.shifts + known.factors * (drift[:, 0] + 1j * drift[:, 1]))
