"""ByteTrack's tracks: born, predicted, updated, lost and ended, one at a time in compiled code.

A track is a number, counted by birth from 0, and a row of the arrays in `Tracks`; lists of numbers say who does what, and their
order decides where costs tie, as in the published code.
"""

from typing import NamedTuple

import numpy as np

from stages.compiled import compiled
from stages.tracking import kalman
from stages.tracking.detected import Detected
from stages.tracking.lapjv import NONE, Array, Ints


class Tracks(NamedTuple):
    """One row a track that was ever born."""

    states: Array  # (T, 14) see kalman
    lives: Ints  # (T, 5) see the columns below


FIRST_FRAME, LAST_FRAME, LAST_DETECTION = 0, 1, 2  # of those in which, and of those that, it claimed a detection
CONFIRMED = 3  # seen twice, or in the first frame
REMOVED = 4  # lost for too long, once
LIFE_SIZE = 5


@compiled
def room(capacity: int) -> Tracks:
    """Arrays for so many tracks. The system hands out memory as it is touched, so unborn tracks cost none."""
    return Tracks(np.empty((capacity, kalman.STATE_SIZE)), np.empty((capacity, LIFE_SIZE), np.int64))


@compiled
def by_confirmation(tracks: Tracks, tracked: Ints) -> tuple[Ints, Ints]:
    """The confirmed and the unconfirmed of a list."""
    yes, no = np.empty_like(tracked), np.empty_like(tracked)
    num_yes = num_no = 0
    for track in tracked:
        if tracks.lives[track, CONFIRMED]:
            yes[num_yes] = track
            num_yes += 1
        else:
            no[num_no] = track
            num_no += 1
    return yes[:num_yes], no[:num_no]


@compiled
def move(tracks: Tracks, tracked: Ints, lost: Ints, transform: Array) -> None:
    """Everybody as the moved camera sees them."""
    for chosen in (tracked, lost):
        for track in chosen:
            kalman.transform(tracks.states, track, transform)


@compiled
def predict(tracks: Tracks, confirmed: Ints, lost: Ints) -> None:
    """One frame of motion; a lost track's height no longer changes."""
    for track in confirmed:
        kalman.predict(tracks.states, track)
    for track in lost:
        tracks.states[track, 4 + kalman.H] = 0.0
        kalman.predict(tracks.states, track)


@compiled
def shift(tracks: Tracks, pool: Ints, x: float, y: float, lasting: float) -> None:
    """Moves predictions by x and y px, and a `lasting` share of it goes to velocities."""
    for track in pool:
        tracks.states[track, kalman.X] += x
        tracks.states[track, kalman.Y] += y
        tracks.states[track, 4 + kalman.X] += lasting * x
        tracks.states[track, 4 + kalman.Y] += lasting * y


@compiled
def claim(tracks: Tracks, pool: Ints, detected: Detected, detections: Ints, chosen: Ints, frame: int) -> None:
    """Updates the tracks that were given a detection."""
    for i in range(len(pool)):
        if chosen[i] != NONE:
            track, detection = pool[i], detections[chosen[i]]
            kalman.update(tracks.states, track, kalman.measured(detected.bboxes, detection))
            tracks.lives[track, LAST_FRAME] = frame
            tracks.lives[track, LAST_DETECTION] = detection
            tracks.lives[track, CONFIRMED] = True


@compiled
def begin(
    tracks: Tracks, num_born: int, detected: Detected, detections: Ints, new_track_thresh: np.float32, frame: int
) -> Ints:
    """New tracks of detections at or above the threshold; confirmed at once in the first frame alone."""
    track = num_born
    for detection in detections:
        if detected.scores[detection] >= new_track_thresh:
            kalman.initiate(tracks.states, track, kalman.measured(detected.bboxes, detection))
            tracks.lives[track, FIRST_FRAME] = tracks.lives[track, LAST_FRAME] = frame
            tracks.lives[track, LAST_DETECTION] = detection
            tracks.lives[track, CONFIRMED] = frame == 0
            tracks.lives[track, REMOVED] = False
            track += 1
    return np.arange(num_born, track)


@compiled
def now_tracked(tracks: Tracks, tracked: Ints, born: Ints, lost: Ints, frame: int) -> Ints:
    """The tracked after this frame: who was and claimed a detection, the new ones, and who was found again, in this order."""
    now = np.empty(len(tracked) + len(born) + len(lost), np.int64)
    count = 0
    for part in (tracked, born, lost):
        for track in part:
            if tracks.lives[track, LAST_FRAME] == frame:
                now[count] = track
                count += 1
    return now[:count]


@compiled
def now_lost(tracks: Tracks, lost: Ints, newly_lost: Ints, frame: int, lost_frames: int) -> Ints:
    """The lost after this frame: who was and was not found, then the new ones.

    A track lost for too long is marked removed now but leaves the list only in the next frame, so it can be found once more;
    having been removed, it can then never be lost again.
    """
    now = np.empty(len(lost) + len(newly_lost), np.int64)
    count = 0
    for part in (lost, newly_lost):
        for track in part:
            if tracks.lives[track, LAST_FRAME] < frame and not tracks.lives[track, REMOVED]:
                now[count] = track
                count += 1
    for track in lost:
        if frame - tracks.lives[track, LAST_FRAME] > lost_frames:
            tracks.lives[track, REMOVED] = True
    return now[:count]


@compiled
def life(tracks: Tracks, track: int) -> int:
    """Frames from birth to the last detection."""
    return int(tracks.lives[track, LAST_FRAME] - tracks.lives[track, FIRST_FRAME])


@compiled
def boxes_of(tracks: Tracks, chosen: Ints) -> Array:
    """(P, 4) the boxes of tracks."""
    boxes = np.empty((len(chosen), 4))
    for i in range(len(chosen)):
        kalman.box_of(tracks.states, chosen[i], boxes, i)
    return boxes
