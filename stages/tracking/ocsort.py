"""OC-SORT, as its authors published it, over the stored boxes of a whole sequence in one compiled call.

Cao et al. 2023, "Observation-Centric SORT: Rethinking SORT for robust multi-object tracking": SORT that trusts what was seen
more than what its filter believes. Re-update (section 4.1), momentum and recovery (4.2), and from the published code: pairs
are gated after the assignment, not before, and where every overlap over the threshold is of one track and one detection alone
there is nothing to assign; who is found again is updated with the same detection twice; a track is shown only after `min_hits`
frames in a row, and again after each gap. Scores are compared in float32. Where costs tie, any best assignment is taken.

The pool lists who lives, by birth.
"""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.compiled import compiled
from stages.params import Range
from stages.tracking import observations
from stages.tracking.detected import Detected, by_score, num_usable, unclaimed, unmatched
from stages.tracking.gating import NO_BORDER, gated, most_overlap, only_overlaps, without_rival
from stages.tracking.lapjv import NONE, Array, Ints, lapjv
from stages.tracking.ocsort_tracks import (
    LAST_DETECTION,
    Tracks,
    alive,
    begin,
    boxes_of,
    claim,
    freeze,
    is_shown,
    last_boxes_of,
    move,
    observed,
    predict,
    room,
    write_box,
)
from stages.tracking.overlaps import overlaps
from stages.tracking.tracker import Float32s, TrackRows


@dataclass(frozen=True)
class OcSortParams:
    """OC-SORT's settings under their published names."""

    det_thresh: Annotated[float, Range(0.0, 1.0)]
    iou_threshold: Annotated[float, Range(0.0, 1.0)]
    max_age: Annotated[int, Range(1, 100_000)]
    min_hits: Annotated[int, Range(0, 100_000)]
    delta_t: Annotated[int, Range(1, 1_000)]
    inertia: Annotated[float, Range(0.0, 1.0)]
    use_byte: bool


class Settings(NamedTuple):
    """The params as the kernel needs them."""

    det_thresh: np.float32
    iou_threshold: float
    max_age: int
    min_hits: int
    delta_t: int
    inertia: float
    use_byte: bool


def oc_sort(
    bboxes: Float32s, scores: Float32s, frame_offsets: Ints, fps: float, transforms: Array, params: OcSortParams
) -> TrackRows:
    """Tracks of one class in one sequence of F frames, as a `Tracker`; identities leave the published algorithm untouched.

    `fps` changes nothing: max_age and delta_t count the video's own frames, as published.
    """
    settings = Settings(
        np.float32(params.det_thresh), params.iou_threshold, params.max_age, params.min_hits, params.delta_t, params.inertia,
        params.use_byte,
    )  # fmt: skip
    moves = (transforms != np.eye(2, 3)).any(axis=(1, 2))
    detected = Detected(np.ascontiguousarray(bboxes, np.float32), np.ascontiguousarray(scores, np.float32))
    tracks, detections, filtered = _track(detected, frame_offsets.astype(np.int64), transforms, moves, settings)
    return TrackRows(tracks, detections, filtered)


@compiled
def _track(
    detected: Detected, offsets: Ints, transforms: Array, moves: NDArray[np.bool_], settings: Settings
) -> tuple[Ints, Ints, Float32s]:
    """The columns of TrackRows."""
    num_rows = num_usable(detected.scores, settings.det_thresh)  # no more: a row of output claims a detection
    shown, claimed, filtered = np.empty(num_rows, np.int64), np.empty(num_rows, np.int64), np.empty((num_rows, 4), np.float32)
    tracks = room(int(np.sum(detected.scores > settings.det_thresh)), settings.delta_t)
    pool = np.zeros(0, np.int64)
    num_born = count = 0
    for frame in range(len(offsets) - 1):
        if moves[frame]:
            move(tracks, pool, transforms[frame])
        pool, num_born = _step(frame, detected, offsets[frame], offsets[frame + 1], settings, tracks, pool, num_born)
        for track in pool:
            if is_shown(tracks, int(track), frame, settings.min_hits):
                shown[count], claimed[count] = track, tracks.lives[track, LAST_DETECTION]
                write_box(tracks, int(track), detected, filtered, count)
                count += 1
    return shown[:count], claimed[:count], filtered[:count]


@compiled
def _step(
    frame: int, detected: Detected, start: int, stop: int, settings: Settings, tracks: Tracks, pool: Ints, num_born: int
) -> tuple[Ints, int]:
    """One frame: predict, associate, recover, begin and end tracks; who lives after it, and the number born."""
    high, low = by_score(detected.scores, start, stop, settings.det_thresh)
    pool = predict(tracks, pool)
    chosen = _associate(tracks, pool, detected, high, settings, frame)
    claim(tracks, pool, detected, high, chosen, frame)
    left, high = unmatched(pool, chosen), unclaimed(high, chosen)
    if settings.use_byte:  # ByteTrack's second association: predictions with low scores
        chosen = most_overlap(boxes_of(tracks, left), _corners(detected, low), settings.iou_threshold)
        claim(tracks, left, detected, low, chosen, frame)
        left = unmatched(left, chosen)
    # observation-centric recovery (OCR): last observations with what is left of the high scores
    left = observed(tracks, left)
    chosen = most_overlap(last_boxes_of(tracks, left), _corners(detected, high), settings.iou_threshold)
    claim(tracks, left, detected, high, chosen, frame)
    freeze(tracks, unmatched(left, chosen))
    born = begin(tracks, num_born, detected, unclaimed(high, chosen), frame)
    return alive(tracks, pool, born, frame, settings.max_age), num_born + len(born)


@compiled
def _associate(tracks: Tracks, pool: Ints, detected: Detected, high: Ints, settings: Settings, frame: int) -> Ints:
    """(P,) for each track of the pool a place in `high`, or -1: equation (8), with momentum (OCM) where IoU does not decide."""
    if len(pool) == 0 or len(high) == 0:
        return np.full(len(pool), NONE)
    corners = _corners(detected, high)
    starts, columns, ious = overlaps(boxes_of(tracks, pool), corners, NO_BORDER)
    chosen, decided = only_overlaps(starts, columns, ious, len(high), settings.iou_threshold)
    if decided or not np.any(ious >= settings.iou_threshold):
        return chosen
    # the rest competes; a difference of IoU weighs at most four C_v of 1/2 each against it
    column_of = without_rival(starts, columns, ious, len(high), 2 * settings.inertia)
    rows, free = unmatched(np.arange(len(pool)), column_of), unclaimed(np.arange(len(high)), column_of)
    if len(rows) > 0 and len(free) > 0:
        costs = _momentum_costs(tracks, pool, rows, corners, free, detected.scores, high, settings.inertia, frame)
        _add_iou_costs(costs, rows, free, starts, columns, ious, len(high))
        chosen = lapjv(costs)[0]
        for i in range(len(rows)):
            if chosen[i] < len(free):
                column_of[rows[i]] = free[chosen[i]]
    return gated(column_of, starts, columns, ious, settings.iou_threshold)


@compiled
def _momentum_costs(
    tracks: Tracks, pool: Ints, rows: Ints, corners: Array, free: Ints, scores: Float32s, high: Ints, inertia: float, frame: int
) -> Array:
    """lambda C_v of equation (8), times the score, of tracks pool[rows] and detections high[free]; square, 0 beyond either."""
    size = max(len(rows), len(free))
    costs = np.zeros((size, size))
    for i in range(len(rows)):
        track = pool[rows[i]]
        way_x, way_y = tracks.seen.directions[track, 0], tracks.seen.directions[track, 1]
        if way_x != 0 or way_y != 0:
            x, y = observations.centre_before(tracks.seen, track, frame)
            for j in range(len(free)):
                row = free[j]
                to_x, to_y = observations.direction(
                    x, y, (corners[row, 0] + corners[row, 2]) / 2, (corners[row, 1] + corners[row, 3]) / 2
                )
                costs[i, j] = -observations.consistency(way_x, way_y, to_x, to_y) * inertia * scores[high[row]]
    return costs


@compiled
def _add_iou_costs(costs: Array, rows: Ints, free: Ints, starts: Ints, columns: Ints, ious: Array, num_columns: int) -> None:
    """C_IoU of equation (8), the negative IoU, for the same tracks and detections."""
    place = np.full(num_columns, NONE)
    for j in range(len(free)):
        place[free[j]] = j
    for i in range(len(rows)):
        for k in range(starts[rows[i]], starts[rows[i] + 1]):
            if place[columns[k]] != NONE:
                costs[i, place[columns[k]]] -= ious[k]


@compiled
def _corners(detected: Detected, chosen: Ints) -> Array:
    """(D, 4) the boxes of detections."""
    boxes = np.empty((len(chosen), 4))
    for i in range(len(chosen)):
        for side in range(4):
            boxes[i, side] = detected.bboxes[chosen[i], side]
    return boxes
