"""One row a person of the final tracks: when they were seen, for how long, and how far they went."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.boxes import foot_points
from stages.camera import Homography, to_ground
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.scoring.motion import sampled_steps


def people_table(
    tracks: Tracklets, identities: Identities, image_to_ground: Homography | None, path_step_s: float
) -> pd.DataFrame:
    """People by track, identity and name: seconds of the clip when first and last seen, seconds visible, distance, unit, boxes.

    The distance is the path of the foot points sampled every `path_step_s`: in metres on the ground, or without a calibrated
    camera in body heights, each step measured by the boxes at its ends. Steps from or to a point above the horizon count 0.
    """
    offsets = tracks.offsets()
    starts, ends = offsets[:-1], offsets[1:] - 1
    boxes = np.diff(offsets)
    rows = identities.rows_of(tracks.sequence, tracks.ids)
    return pd.DataFrame({
        "tracklet_id": tracks.ids,
        "identity_id": identities.identity_ids[rows],
        "name": identities.names[rows],
        "class_id": tracks.class_ids[starts],
        "first_seen_s": tracks.frame_numbers[starts] / tracks.fps,
        "last_seen_s": tracks.frame_numbers[ends] / tracks.fps,
        "visible_s": boxes / tracks.fps,
        "distance": _distances(tracks, image_to_ground, path_step_s),
        "unit": "heights" if image_to_ground is None else "m",
        "boxes": boxes,
    })  # fmt: skip


def _distances(tracks: Tracklets, image_to_ground: Homography | None, path_step_s: float) -> NDArray[np.float64]:
    """(T,) in metres, or in body heights without a camera."""
    steps, feet = sampled_steps(tracks, path_step_s), foot_points(tracks.bboxes)
    if image_to_ground is None:
        return steps.total(steps.lengths(feet) / steps.heights_px(tracks), tracks)
    ground = to_ground(feet, image_to_ground, (tracks.width_px / 2, tracks.height_px))
    return steps.total(np.nan_to_num(steps.lengths(ground), nan=0.0), tracks)
