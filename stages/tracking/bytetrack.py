"""ByteTrack, as its authors published it, over the stored boxes of a whole sequence in one compiled call.

Zhang et al. 2022, "ByteTrack: Multi-object tracking by associating every detection box", algorithm 1, with what their code
adds to the paper: scores fused into the IoU, unconfirmed tracks, duplicate removal, and a list of removed tracks that keeps
its members from ever being lost twice. Scores are compared in float32, as in their arrays: 0.60 is not above 0.6.

`tracked` and `lost` are lists of tracks (bytetrack_tracks.py) whose order decides where costs tie, as in the published code.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.compiled import compiled
from stages.params import Range
from stages.tracking import kalman
from stages.tracking.assignment import assign
from stages.tracking.bytetrack_tracks import (
    CONFIRMED,
    LAST_DETECTION,
    Tracks,
    begin,
    boxes_of,
    by_confirmation,
    claim,
    life,
    move,
    now_lost,
    now_tracked,
    predict,
    room,
    shift,
)
from stages.tracking.camera_shift import camera_shift
from stages.tracking.detected import Detected, by_score, num_usable, unclaimed, unmatched
from stages.tracking.lapjv import NONE, Array, Ints
from stages.tracking.overlaps import BORDER_PX, overlaps, vertical_overlap
from stages.tracking.tracker import Float32s, TrackRows

SECOND_MATCH_THRESH = 0.5  # limit of the association with low-score detections
UNCONFIRMED_MATCH_THRESH = 0.7  # limit of the association of tracks seen once
NEW_TRACK_MARGIN = 0.1  # a new track starts at track_thresh + 0.1
DUPLICATE_DISTANCE = 0.15  # 1 - IoU below which a tracked and a lost track are one
NOMINAL_FPS = 30.0  # track_buffer counts frames at this rate

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ByteTrackParams:
    """ByteTrack's settings under their published names."""

    track_thresh: Annotated[float, Range(0.0, 1.0)]
    match_thresh: Annotated[float, Range(0.0, 1.0)]
    track_buffer: Annotated[int, Range(1, 100_000)]
    mot20: bool
    bboxes: Literal["filtered", "detected"]

    def lost_frames(self, fps: float) -> int:
        """Frames that a lost track is kept at this rate."""
        return int(fps / NOMINAL_FPS * self.track_buffer)


@dataclass(frozen=True)
class RetraceParams:
    """What pays beyond the published algorithm; zeros and false leave it as it is."""

    vertical_power: Annotated[float, Range(0.0, 10.0)]  # IoU is multiplied with the vertical overlap to this power
    vertical_power_low: Annotated[float, Range(0.0, 10.0)]  # the same in the association with low scores
    follow_camera: bool  # predictions follow the shift that confident pairs have in common


PUBLISHED = RetraceParams(vertical_power=0.0, vertical_power_low=0.0, follow_camera=False)
CAMERA_ROUNDS = 2
CAMERA_VELOCITY_SHARE = 0.3  # of a shift that is taken for lasting


class Settings(NamedTuple):
    """The params as the kernel needs them."""

    track_thresh: np.float32
    new_track_thresh: np.float32
    match_thresh: float
    lost_frames: int
    fuse_scores: bool
    vertical_power: float
    vertical_power_low: float
    follow_camera: bool


def byte_track(
    bboxes: Float32s,
    scores: Float32s,
    frame_offsets: Ints,
    fps: float,
    transforms: Array,
    params: ByteTrackParams,
    beyond: RetraceParams = PUBLISHED,
) -> TrackRows:
    """Tracks of one class in one sequence of F frames, as a `Tracker`; identities leave the published algorithm untouched."""
    settings = Settings(
        np.float32(params.track_thresh),
        np.float32(params.track_thresh + NEW_TRACK_MARGIN),
        params.match_thresh,
        params.lost_frames(fps),
        not params.mot20,
        beyond.vertical_power,
        beyond.vertical_power_low,
        beyond.follow_camera,
    )
    moves = (transforms != np.eye(2, 3)).any(axis=(1, 2))
    detected = Detected(np.ascontiguousarray(bboxes, np.float32), np.ascontiguousarray(scores, np.float32))
    tracks, detections, filtered = _track(detected, frame_offsets.astype(np.int64), transforms, moves, settings)
    return TrackRows(tracks, detections, filtered)


@compiled
def _track(
    detected: Detected, offsets: Ints, transforms: Array, moves: Bools, settings: Settings
) -> tuple[Ints, Ints, Float32s]:
    """The columns of TrackRows."""
    num_rows = num_usable(detected.scores, settings.track_thresh)  # no more: a row of output claims a detection
    shown, claimed, filtered = np.empty(num_rows, np.int64), np.empty(num_rows, np.int64), np.empty((num_rows, 4), np.float32)
    tracks = room(int(np.sum(detected.scores >= settings.new_track_thresh)))
    tracked, lost = np.zeros(0, np.int64), np.zeros(0, np.int64)
    num_born = count = len(tracked)  # not a literal 0: it would be compiled for by itself
    for frame in range(len(offsets) - 1):
        tracked, lost, num_born = _step(
            frame, detected, offsets[frame], offsets[frame + 1], transforms[frame], moves[frame], settings,
            tracks, tracked, lost, num_born,
        )  # fmt: skip
        for track in tracked:
            if tracks.lives[track, CONFIRMED]:
                shown[count], claimed[count] = track, tracks.lives[track, LAST_DETECTION]
                kalman.box_of(tracks.states, int(track), filtered, count)
                count += 1
    return shown[:count], claimed[:count], filtered[:count]


@compiled
def _step(
    frame: int,
    detected: Detected,
    start: int,
    stop: int,
    transform: Array,
    moved: bool,
    settings: Settings,
    tracks: Tracks,
    tracked: Ints,
    lost: Ints,
    num_born: int,
) -> tuple[Ints, Ints, int]:
    """One frame: predict, associate thrice, begin and end tracks; the new lists of tracked and lost, and the number born."""
    high, low = by_score(detected.scores, start, stop, settings.track_thresh)
    confirmed, unconfirmed = by_confirmation(tracks, tracked)
    if moved:
        move(tracks, tracked, lost, transform)
    predict(tracks, confirmed, lost)

    # first association: confirmed and lost tracks with high scores
    pool = np.concatenate((confirmed, lost))
    if settings.follow_camera:
        _follow_camera(tracks, confirmed, lost, unconfirmed, detected, high)
    limit, power, fuse = settings.match_thresh, settings.vertical_power, settings.fuse_scores
    chosen = _associate(tracks, pool, detected, high, limit, power, fuse)
    claim(tracks, pool, detected, high, chosen, frame)
    left = unmatched(confirmed, chosen)
    high = unclaimed(high, chosen)
    # second association: tracks not lost before this frame with low scores
    chosen = _associate(tracks, left, detected, low, SECOND_MATCH_THRESH, settings.vertical_power_low, False)
    claim(tracks, left, detected, low, chosen, frame)
    newly_lost = unmatched(left, chosen)
    # tracks seen once need a second look; without it they end
    chosen = _associate(tracks, unconfirmed, detected, high, UNCONFIRMED_MATCH_THRESH, power, fuse)
    claim(tracks, unconfirmed, detected, high, chosen, frame)
    high = unclaimed(high, chosen)

    born = begin(tracks, num_born, detected, high, settings.new_track_thresh, frame)
    tracked = now_tracked(tracks, tracked, born, lost, frame)
    lost = now_lost(tracks, lost, newly_lost, frame, settings.lost_frames)
    tracked, lost = _without_duplicates(tracks, tracked, lost)
    return tracked, lost, num_born + len(born)


@compiled
def _follow_camera(tracks: Tracks, confirmed: Ints, lost: Ints, unconfirmed: Ints, detected: Detected, high: Ints) -> None:
    """Moves all predictions by the camera's shift, seen by the tracks of the frame before; a share of it goes to velocities."""
    for _ in range(CAMERA_ROUNDS):
        x, y = camera_shift(boxes_of(tracks, confirmed), _corners(detected, high))
        for part in (confirmed, lost, unconfirmed):
            shift(tracks, part, x, y, CAMERA_VELOCITY_SHARE)


@compiled
def _associate(
    tracks: Tracks, pool: Ints, detected: Detected, detections: Ints, limit: float, vertical_power: float, fuse_scores: bool
) -> Ints:
    """(P,) for each track of the pool a place in `detections`, or -1.

    The cost is 1 - IoU of the predicted box, or 1 - IoU * score where scores are fused; IoU may have a power of the vertical
    overlap in it, which tells people apart who walk past each other at different depths.
    """
    if len(pool) == 0 or len(detections) == 0:
        return np.full(len(pool), NONE)
    predicted, boxes = boxes_of(tracks, pool), _corners(detected, detections)
    starts, columns, costs = overlaps(predicted, boxes, BORDER_PX)
    if vertical_power > 0:
        for row in range(len(pool)):
            for k in range(starts[row], starts[row + 1]):
                costs[k] *= vertical_overlap(predicted, row, boxes, columns[k]) ** vertical_power
    for k in range(len(costs)):
        costs[k] = 1 - costs[k]
        if fuse_scores:
            costs[k] = 1 - (1 - costs[k]) * detected.scores[detections[columns[k]]]  # there and back: the published rounding
    return assign(starts, columns, costs, len(detections), limit)


@compiled
def _corners(detected: Detected, chosen: Ints) -> Array:
    """(D, 4) the boxes of detections; width and height pass through float32, as published."""
    boxes = np.empty((len(chosen), 4))
    for i in range(len(chosen)):
        row = chosen[i]
        for side in range(2):
            low, high = detected.bboxes[row, side], detected.bboxes[row, 2 + side]
            boxes[i, side] = low
            boxes[i, 2 + side] = np.float64(low) + np.float64(high - low)
    return boxes


@compiled
def _without_duplicates(tracks: Tracks, tracked: Ints, lost: Ints) -> tuple[Ints, Ints]:
    """Of a tracked and a lost track on one spot only the one with the longer life goes on; the lost one where equal."""
    if len(tracked) == 0 or len(lost) == 0:
        return tracked, lost
    starts, columns, ious = overlaps(boxes_of(tracks, tracked), boxes_of(tracks, lost), BORDER_PX)
    stays_tracked, stays_lost = np.ones(len(tracked), np.bool_), np.ones(len(lost), np.bool_)
    for row in range(len(tracked)):
        for k in range(starts[row], starts[row + 1]):
            if 1 - ious[k] < DUPLICATE_DISTANCE:
                if life(tracks, tracked[row]) > life(tracks, lost[columns[k]]):
                    stays_lost[columns[k]] = False
                else:
                    stays_tracked[row] = False
    return tracked[stays_tracked], lost[stays_lost]
