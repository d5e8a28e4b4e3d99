"""OC-SORT's tracks: born, predicted, updated, re-updated and ended, one at a time in compiled code.

A track is a number, counted by birth from 0, and a row of the arrays in `Tracks`; lists of numbers say who does what.
"""

from typing import NamedTuple

import numpy as np

from stages.compiled import compiled
from stages.tracking import area_kalman, observations
from stages.tracking.detected import Detected
from stages.tracking.lapjv import NONE, Array, Ints
from stages.tracking.observations import Observations
from stages.tracking.tracker import Float32s

Box = tuple[float, float, float, float]


class Tracks(NamedTuple):
    """One row a track that was ever born."""

    states: Array  # (T, 14) see area_kalman
    frozen: Array  # (T, 14) the prediction for the first frame without an observation, while there is none
    seen: Observations
    lives: Ints  # (T, 4) see the columns below


LAST_FRAME, LAST_DETECTION = 0, 1  # of those in which, and of those that, it claimed a detection
STREAK = 2  # of frames up to the last one, birth not counted
FROZEN = 3  # was observed once and is not now
LIFE_SIZE = 4


@compiled
def room(capacity: int, delta_t: int) -> Tracks:
    """Arrays for so many tracks."""
    states, frozen = np.empty((capacity, area_kalman.STATE_SIZE)), np.empty((capacity, area_kalman.STATE_SIZE))
    return Tracks(states, frozen, observations.room(capacity, delta_t), np.empty((capacity, LIFE_SIZE), np.int64))


@compiled
def begin(tracks: Tracks, num_born: int, detected: Detected, detections: Ints, frame: int) -> Ints:
    """New tracks of these detections; a birth is neither a hit nor an observation."""
    for i in range(len(detections)):
        track = num_born + i
        area_kalman.initiate(tracks.states, track, area_kalman.measured(_box(detected, detections[i])))
        observations.forget(tracks.seen, track)
        tracks.lives[track, LAST_FRAME], tracks.lives[track, LAST_DETECTION] = frame, detections[i]
        tracks.lives[track, STREAK], tracks.lives[track, FROZEN] = 0, False
    return np.arange(num_born, num_born + len(detections))


@compiled
def move(tracks: Tracks, pool: Ints, transform: Array) -> None:
    """Everybody, and all that is remembered of them, as the moved camera sees them."""
    for track in pool:
        area_kalman.transform(tracks.states, track, transform)
        observations.transform(tracks.seen, track, transform)
        if tracks.lives[track, FROZEN]:
            area_kalman.transform(tracks.frozen, track, transform)


@compiled
def predict(tracks: Tracks, pool: Ints) -> Ints:
    """One frame of motion; those whose prediction is still a box, the others end."""
    going_on = np.empty_like(pool)
    count = 0
    for track in pool:
        area_kalman.keep_area(tracks.states, track)
        area_kalman.predict(tracks.states, track)
        if tracks.states[track, area_kalman.AREA] * tracks.states[track, area_kalman.ASPECT] > 0:
            going_on[count] = track
            count += 1
    return going_on[:count]


@compiled
def claim(tracks: Tracks, pool: Ints, detected: Detected, detections: Ints, chosen: Ints, frame: int) -> None:
    """Updates the tracks that were given a detection."""
    for i in range(len(pool)):
        if chosen[i] != NONE:
            track, detection = pool[i], detections[chosen[i]]
            box = _box(detected, detection)
            if tracks.lives[track, FROZEN]:
                _re_update(tracks, track, box, frame - tracks.seen.last_frames[track])
            area_kalman.update(tracks.states, track, area_kalman.measured(box))
            observations.observe(tracks.seen, track, frame, box)
            tracks.lives[track, STREAK] = tracks.lives[track, STREAK] + 1 if tracks.lives[track, LAST_FRAME] == frame - 1 else 1
            tracks.lives[track, LAST_FRAME] = frame
            tracks.lives[track, LAST_DETECTION] = detection
            tracks.lives[track, FROZEN] = False


@compiled
def _re_update(tracks: Tracks, track: int, box: Box, gap: int) -> None:
    """Observation-centric re-update (ORU): the filter goes back to when the track was lost and sees a virtual trajectory.

    Equation (6), at constant velocity: z_t = z_t1 + (t - t1) / (t2 - t1) (z_t2 - z_t1), of centre, width and height, from the
    last observation to the new box `gap` frames later, each followed by the update of equation (7).
    """
    for i in range(area_kalman.STATE_SIZE):
        tracks.states[track, i] = tracks.frozen[track, i]
    last = tracks.seen.boxes
    for step in range(1, gap + 1):
        share = step / gap
        left, top = _between(last[track, 0], box[0], share), _between(last[track, 1], box[1], share)
        right, bottom = _between(last[track, 2], box[2], share), _between(last[track, 3], box[3], share)
        area_kalman.update(tracks.states, track, area_kalman.measured((left, top, right, bottom)))
        if step < gap:
            area_kalman.predict(tracks.states, track)


@compiled
def _between(first: float, last: float, share: float) -> float:
    return first + share * (last - first)


@compiled
def freeze(tracks: Tracks, missed: Ints) -> None:
    """Keeps the prediction for the first frame without an observation, for the re-update."""
    for track in missed:
        if not tracks.lives[track, FROZEN]:
            tracks.lives[track, FROZEN] = True
            for i in range(area_kalman.STATE_SIZE):
                tracks.frozen[track, i] = tracks.states[track, i]


@compiled
def alive(tracks: Tracks, pool: Ints, born: Ints, frame: int, max_age: int) -> Ints:
    """Who was seen at most `max_age` frames ago."""
    alive = np.empty(len(pool) + len(born), np.int64)
    count = 0
    for part in (pool, born):
        for track in part:
            if frame - tracks.lives[track, LAST_FRAME] <= max_age:
                alive[count] = track
                count += 1
    return alive[:count]


@compiled
def observed(tracks: Tracks, chosen: Ints) -> Ints:
    """Those that were ever observed."""
    observed = np.empty_like(chosen)
    count = 0
    for track in chosen:
        if tracks.seen.last_frames[track] != NONE:
            observed[count] = track
            count += 1
    return observed[:count]


@compiled
def is_shown(tracks: Tracks, track: int, frame: int, min_hits: int) -> bool:
    """Whether a track is put out: seen in this frame, and for `min_hits` frames in a row or since the video began."""
    seen = tracks.lives[track, LAST_FRAME] == frame
    return bool(seen and (tracks.lives[track, STREAK] >= min_hits or frame < min_hits))


@compiled
def boxes_of(tracks: Tracks, chosen: Ints) -> Array:
    """(P, 4) the filter's boxes of tracks."""
    boxes = np.empty((len(chosen), 4))
    for i in range(len(chosen)):
        area_kalman.box_of(tracks.states, chosen[i], boxes, i)
    return boxes


@compiled
def last_boxes_of(tracks: Tracks, chosen: Ints) -> Array:
    """(P, 4) the last observations of tracks."""
    boxes = np.empty((len(chosen), 4))
    for i in range(len(chosen)):
        for side in range(4):
            boxes[i, side] = tracks.seen.boxes[chosen[i], side]
    return boxes


@compiled
def write_box(tracks: Tracks, track: int, detected: Detected, filtered: Float32s, row: int) -> None:
    """The filter's box; the detected one where that has no area, or a re-update along a shrinking trajectory left none."""
    area_kalman.box_of(tracks.states, track, filtered, row)
    if not (filtered[row, 0] <= filtered[row, 2] and filtered[row, 1] <= filtered[row, 3]):
        for side in range(4):
            filtered[row, side] = detected.bboxes[tracks.lives[track, LAST_DETECTION], side]


@compiled
def _box(detected: Detected, detection: int) -> Box:
    """x1, y1, x2, y2."""
    bboxes = detected.bboxes
    return (
        np.float64(bboxes[detection, 0]), np.float64(bboxes[detection, 1]),
        np.float64(bboxes[detection, 2]), np.float64(bboxes[detection, 3]),
    )  # fmt: skip
