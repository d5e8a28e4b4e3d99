"""What OC-SORT remembers of each track: where it was seen, not where a filter believes it to be. Compiled code.

Cao et al. 2023, "Observation-Centric SORT: Rethinking SORT for robust multi-object tracking", section 4.2. As in its
published code, the box that a track is born with is no observation: the first is the next one that it claims.
"""

from typing import NamedTuple

import numpy as np

from stages.compiled import compiled
from stages.tracking.lapjv import NONE, Array, Ints

STILL_PX = 1e-6  # added to a distance before dividing: who stands still has no direction


class Observations(NamedTuple):
    """One row a track that was ever born; K is delta_t."""

    boxes: Array  # (T, 4) the last one, x1, y1, x2, y2 px
    last_frames: Ints  # (T,) its frame; -1: never observed
    centres: Array  # (T, K, 2) of frame f, x, y px, in place f % K
    frames: Ints  # (T, K) which frame is in which place, or -1
    directions: Array  # (T, 2) unit vector x, y from one observation to a later one; 0, 0: fewer than two


@compiled
def room(capacity: int, delta_t: int) -> Observations:
    """Arrays for so many tracks. The system hands out memory as it is touched, so unborn tracks cost none."""
    return Observations(
        np.empty((capacity, 4)), np.empty(capacity, np.int64),
        np.empty((capacity, delta_t, 2)), np.empty((capacity, delta_t), np.int64), np.empty((capacity, 2)),
    )  # fmt: skip


@compiled
def forget(observations: Observations, track: int) -> None:
    """A track that was never observed."""
    observations.last_frames[track] = NONE
    observations.directions[track, 0] = observations.directions[track, 1] = 0.0
    for place in range(observations.frames.shape[1]):
        observations.frames[track, place] = NONE


@compiled
def observe(observations: Observations, track: int, frame: int, box: tuple[float, float, float, float]) -> None:
    """A box x1, y1, x2, y2 is the last observation now, and the direction the one that leads to it from an earlier one."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    if observations.last_frames[track] != NONE:
        from_x, from_y = centre_before(observations, track, frame)
        observations.directions[track, 0], observations.directions[track, 1] = direction(from_x, from_y, x, y)
    place = frame % observations.frames.shape[1]
    observations.frames[track, place] = observations.last_frames[track] = frame
    observations.centres[track, place, 0], observations.centres[track, place, 1] = x, y
    for i in range(4):
        observations.boxes[track, i] = box[i]


@compiled
def centre_before(observations: Observations, track: int, frame: int) -> tuple[float, float]:
    """Centre of the earliest observation among the K frames before this one, or of the last one where none is as recent."""
    num_places = observations.frames.shape[1]
    for back in range(num_places, 0, -1):
        place = (frame - back) % num_places
        if frame >= back and observations.frames[track, place] == frame - back:
            return observations.centres[track, place, 0], observations.centres[track, place, 1]
    boxes = observations.boxes
    return (boxes[track, 0] + boxes[track, 2]) / 2, (boxes[track, 1] + boxes[track, 3]) / 2


@compiled
def direction(from_x: float, from_y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Unit vector from one point to another."""
    x, y = to_x - from_x, to_y - from_y
    length = np.sqrt(x * x + y * y) + STILL_PX
    return x / length, y / length


@compiled
def consistency(way_x: float, way_y: float, to_x: float, to_y: float) -> float:
    """C_v of equation (8), from -1/2 (turned back) over 0 (square to it) to 1/2 (straight on), of two unit vectors.

    The paper writes the difference of the angles; the published code takes it from a right angle, in half turns.
    """
    cosine = min(max(way_x * to_x + way_y * to_y, -1.0), 1.0)
    return float((np.pi / 2 - np.arccos(cosine)) / np.pi)


@compiled
def transform(observations: Observations, track: int, motion: Array) -> None:
    """Observations as a camera that moved would have made them: `motion` (2, 3) is a similarity [[a, -b, tx], [b, a, ty]].

    Boxes stay upright: the centre moves with the picture, and the sides are scaled.
    """
    a, b = motion[0, 0], motion[1, 0]
    scale = np.sqrt(a * a + b * b)
    x, y = observations.directions[track, 0], observations.directions[track, 1]
    observations.directions[track, 0], observations.directions[track, 1] = (a * x - b * y) / scale, (b * x + a * y) / scale
    for place in range(observations.frames.shape[1]):
        if observations.frames[track, place] != NONE:
            x, y = observations.centres[track, place, 0], observations.centres[track, place, 1]
            observations.centres[track, place, 0], observations.centres[track, place, 1] = moved(x, y, motion)
    if observations.last_frames[track] != NONE:
        box = observations.boxes[track]
        half_width, half_height = (box[2] - box[0]) * scale / 2, (box[3] - box[1]) * scale / 2
        x, y = moved((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, motion)
        box[0], box[1], box[2], box[3] = x - half_width, y - half_height, x + half_width, y + half_height


@compiled
def moved(x: float, y: float, motion: Array) -> tuple[float, float]:
    """A pixel of the frame before in this one."""
    return (
        motion[0, 0] * x + motion[0, 1] * y + motion[0, 2],
        motion[1, 0] * x + motion[1, 1] * y + motion[1, 2],
    )
