"""The place itself: what stays when people are taken out, where each person went in it, and its busiest moment."""

from collections.abc import Sequence

import cv2
import numpy as np

from stages.boxes import foot_points
from stages.colors import identity_color
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.drawing import Picture, draw_box, draw_dashed_box, draw_label, draw_trail, weights_for

BACKGROUND_FRAMES = 25
MAX_WIDTH_PX = 960
MAP_WIDTH_PX = 160


def background_frames(num_frames: int) -> list[int]:
    """Frames spread evenly over the clip."""
    return sorted({int(frame) for frame in np.linspace(0, num_frames - 1, BACKGROUND_FRAMES)}) if num_frames else []


def busiest_frame(tracks: Tracklets) -> int:
    """The frame with most boxes, the first of them; 0 where there are none."""
    return int(np.bincount(tracks.frame_numbers, minlength=1).argmax())


def scaled(picture: Picture, width_px: int) -> Picture:
    """The picture at most so wide."""
    if picture.shape[1] <= width_px:
        return picture
    height = max(1, round(picture.shape[0] * width_px / picture.shape[1]))
    return np.asarray(cv2.resize(picture, (width_px, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def background(pictures: Sequence[Picture]) -> Picture:
    """The median of the pictures, pixel by pixel: whoever stands in fewer than half of them is gone."""
    return np.asarray(np.median(np.stack(pictures), axis=0), dtype=np.uint8)


def annotated(picture: Picture, tracks: Tracklets, identities: Identities, frame_number: int) -> Picture:
    """The picture with the boxes and identities of one of its frames."""
    scale = picture.shape[1] / tracks.width_px
    weights = weights_for(picture.shape[0])
    rows = np.flatnonzero(tracks.frame_numbers == frame_number)
    names = identities.identities_of(tracks.sequence, tracks.tracklet_ids[rows]).tolist()
    drawn = picture.copy()
    for row, name in zip(rows, names, strict=True):
        draw = draw_box if tracks.detection_indices[row] >= 0 else draw_dashed_box
        draw(drawn, tracks.bboxes[row] * scale, identity_color(name), weights.line_px)
    for row, name in zip(rows, names, strict=True):
        draw_label(drawn, str(name), tracks.bboxes[row] * scale, identity_color(name), weights.text_px)
    return drawn


def where_map(place: Picture, tracks: Tracklets, rows: slice, identity_id: int) -> Picture:
    """The place, darkened, with the way of one track's feet on it and a dot where it ends."""
    small = scaled(place, MAP_WIDTH_PX)
    drawn = np.asarray(small * 0.6, dtype=np.uint8)
    feet = foot_points(tracks.bboxes[rows]) * (drawn.shape[1] / tracks.width_px)
    color = identity_color(identity_id)
    draw_trail(drawn, feet, color, 2)
    cv2.circle(drawn, tuple(np.rint(feet[-1]).astype(int).tolist()), 3, color, cv2.FILLED, cv2.LINE_AA)
    return drawn
