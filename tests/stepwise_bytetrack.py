"""ByteTrack step by step in NumPy and with the library's assignment: slow, plain, and what the compiled one must equal."""

from dataclasses import dataclass
from typing import Any

import lap
import numpy as np
from numpy.typing import NDArray

from stages.boxes import iou
from stages.tracking.bytetrack import (
    DUPLICATE_DISTANCE,
    NEW_TRACK_MARGIN,
    SECOND_MATCH_THRESH,
    UNCONFIRMED_MATCH_THRESH,
    ByteTrackParams,
)
from stages.tracking.detected import LOW_THRESH
from stages.tracking.kalman import STD_ASPECT, STD_ASPECT_MEASURED, STD_ASPECT_VELOCITY, STD_POSITION, STD_VELOCITY
from stages.tracking.overlaps import BORDER_PX

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def stepwise_byte_track(
    bboxes: NDArray[np.float32], scores: NDArray[np.float32], frame_offsets: Ints, fps: float, params: ByteTrackParams
) -> tuple[Ints, Ints, Array]:
    """Tracks (M,), detections (M,) and filtered boxes (M, 4), as `byte_track` gives them for a camera that stands still."""
    tracker = _Tracker(bboxes, scores, params, params.lost_frames(fps))
    for frame, (start, stop) in enumerate(zip(frame_offsets[:-1], frame_offsets[1:], strict=True)):
        tracker.step(frame, np.arange(start, stop))
    tracks, detections, filtered = zip(*tracker.output, strict=True)
    return np.concatenate(tracks), np.concatenate(detections), np.concatenate(filtered)


def assign(cost: Array, limit: float) -> tuple[Ints, Ints, Ints, Ints]:
    """Pairs (rows, columns) of the published call, then the rows and the columns left over."""
    if cost.size == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.arange(cost.shape[0]), np.arange(cost.shape[1])
    _, column_of, row_of = lap.lapjv(cost, extend_cost=True, cost_limit=limit)
    rows = np.flatnonzero(column_of >= 0)
    return rows, column_of[rows], np.flatnonzero(column_of < 0), np.flatnonzero(row_of < 0)


class _Tracker:
    """State of the tracker between two frames: flat arrays over tracks in order of birth, and lists of track numbers.

    `tracked` and `lost` are ordered: where costs tie, the order of these lists decides, as in the published code.
    """

    def __init__(
        self, bboxes: NDArray[np.float32], scores: NDArray[np.float32], params: ByteTrackParams, lost_frames: int
    ) -> None:
        self.bboxes, self.scores, self.params, self.lost_frames = bboxes, scores, params, lost_frames
        self.measured = measurements(bboxes)
        # the published code keeps a detection as left-top-width-height and adds up again
        self.corners = np.concatenate(
            [bboxes[:, :2], bboxes[:, :2] + (bboxes[:, 2:] - bboxes[:, :2]).astype(np.float64)], axis=1
        )
        capacity = len(bboxes)  # every track begins with a detection of its own
        self.state = KalmanState.empty(capacity)
        self.first_frame = np.zeros(capacity, dtype=np.int64)
        self.last_frame = np.zeros(capacity, dtype=np.int64)
        self.last_detection = np.zeros(capacity, dtype=np.int64)
        self.confirmed = np.zeros(capacity, dtype=bool)
        self.born = 0
        self.tracked: Ints = np.zeros(0, dtype=np.int64)
        self.lost: Ints = np.zeros(0, dtype=np.int64)
        self.removed = np.zeros(capacity, dtype=bool)
        self.output: list[tuple[Ints, Ints, NDArray[np.float64]]] = []

    def step(self, frame: int, detections: Ints) -> None:
        """One frame: predict, associate thrice, begin and end tracks."""
        scores = self.scores[detections]
        thresh = np.float32(self.params.track_thresh)
        high = detections[scores > thresh]
        low = detections[(scores > LOW_THRESH) & (scores < thresh)]

        confirmed = self.tracked[self.confirmed[self.tracked]]
        unconfirmed = self.tracked[~self.confirmed[self.tracked]]
        pool = np.concatenate([confirmed, self.lost])
        is_tracked = np.arange(len(pool)) < len(confirmed)
        self._predict(pool, is_tracked)

        # first association: confirmed and lost tracks with high scores
        rows, columns, free_rows, free_columns = assign(self._cost(pool, high), self.params.match_thresh)
        self._update(pool[rows], high[columns], frame)
        updated, refound = pool[rows[is_tracked[rows]]], pool[rows[~is_tracked[rows]]]
        # second association: tracks not lost before this frame with low scores
        left = pool[free_rows[is_tracked[free_rows]]]
        rows, columns, free_rows, _ = assign(1 - self._iou(left, low), SECOND_MATCH_THRESH)
        self._update(left[rows], low[columns], frame)
        updated = np.concatenate([updated, left[rows]])
        newly_lost = left[free_rows]
        # tracks seen once need a second look; without it they end
        high = high[free_columns]
        rows, columns, free_rows, free_columns = assign(self._cost(unconfirmed, high), UNCONFIRMED_MATCH_THRESH)
        self._update(unconfirmed[rows], high[columns], frame)
        updated = np.concatenate([updated, unconfirmed[rows]])
        ended = unconfirmed[free_rows]

        born = self._begin(high[free_columns], frame)
        self._sort_lists(frame, updated, born, refound, newly_lost, ended)
        shown = self.tracked[self.confirmed[self.tracked]]
        self.output.append((shown, self.last_detection[shown], boxes_of(self.state.position[shown])))

    def _predict(self, tracks: Ints, is_tracked: NDArray[np.bool_]) -> None:
        """One frame of motion; a lost track's height no longer changes."""
        state = self.state.take(tracks)
        state.velocity[~is_tracked, 3] = 0.0
        self.state.put(tracks, predict(state))

    def _iou(self, tracks: Ints, detections: Ints) -> NDArray[np.float64]:
        return iou(boxes_of(self.state.position[tracks]), self.corners[detections], BORDER_PX)

    def _cost(self, tracks: Ints, detections: Ints) -> NDArray[np.float64]:
        """(T, D) 1 - IoU, with the detection's score fused in: 1 - IoU * score."""
        overlap = 1 - (1 - self._iou(tracks, detections))  # through the distance and back: the published rounding
        return 1 - overlap if self.params.mot20 else 1 - overlap * self.scores[detections]

    def _update(self, tracks: Ints, detections: Ints, frame: int) -> None:
        self.state.put(tracks, update(self.state.take(tracks), self.measured[detections]))
        self.last_frame[tracks] = frame
        self.last_detection[tracks] = detections
        self.confirmed[tracks] = True

    def _begin(self, detections: Ints, frame: int) -> Ints:
        """New tracks of detections at or above track_thresh + 0.1; confirmed at once in the first frame alone."""
        detections = detections[self.scores[detections] >= self.params.track_thresh + NEW_TRACK_MARGIN]
        tracks = np.arange(self.born, self.born + len(detections))
        self.born += len(detections)
        self.state.put(tracks, initiate(self.measured[detections]))
        self.first_frame[tracks] = self.last_frame[tracks] = frame
        self.last_detection[tracks] = detections
        self.confirmed[tracks] = frame == 0
        return tracks

    def _sort_lists(self, frame: int, updated: Ints, born: Ints, refound: Ints, newly_lost: Ints, ended: Ints) -> None:
        """Who is tracked and who is lost after this frame, in the published order.

        A track lost for too long is marked removed now but leaves `lost` only in the next frame, so it can be found once
        more; having been removed, it can then never be lost again.
        """
        expired = self.lost[frame - self.last_frame[self.lost] > self.lost_frames]
        gone = np.concatenate([newly_lost, ended])
        still = self.tracked[~np.isin(self.tracked, gone)]
        self.tracked = _joined(still, updated, born, refound)
        lost = np.concatenate([self.lost[~np.isin(self.lost, self.tracked)], newly_lost])
        self.lost = lost[~self.removed[lost]]
        self.removed[expired] = True
        self.removed[ended] = True
        self._remove_duplicates()

    def _remove_duplicates(self) -> None:
        """Of a tracked and a lost track on one spot only the one with the longer life goes on; the lost one where equal."""
        distance = 1 - iou(boxes_of(self.state.position[self.tracked]), boxes_of(self.state.position[self.lost]), BORDER_PX)
        rows, columns = np.nonzero(distance < DUPLICATE_DISTANCE)
        if len(rows) == 0:
            return
        life = self.last_frame - self.first_frame
        tracked_older = life[self.tracked[rows]] > life[self.lost[columns]]
        self.lost, self.tracked = (
            np.delete(self.lost, columns[tracked_older]),
            np.delete(self.tracked, rows[~tracked_older]),
        )


def _joined(*lists: Ints) -> Ints:
    """The lists one after the other, each number once, at its first place."""
    joined = np.concatenate(lists)
    _, first = np.unique(joined, return_index=True)
    return joined[np.sort(first)]


@dataclass
class KalmanState:
    """Filter states of N boxes; every array is (N, 4) over centre x, centre y, aspect, height."""

    position: Array
    velocity: Array
    var_position: Array
    covariance: Array
    var_velocity: Array

    @classmethod
    def empty(cls, capacity: int) -> "KalmanState":
        """Room for this many boxes."""
        return cls(*(np.zeros((capacity, 4)) for _ in range(5)))

    def take(self, rows: Any) -> "KalmanState":
        """A copy of some rows."""
        return KalmanState(*(array[rows] for array in self._arrays()))

    def put(self, rows: Any, state: "KalmanState") -> None:
        """Overwrites some rows."""
        for ours, theirs in zip(self._arrays(), state._arrays(), strict=True):
            ours[rows] = theirs

    def _arrays(self) -> tuple[Array, ...]:
        return self.position, self.velocity, self.var_position, self.covariance, self.var_velocity


def measurements(bboxes: NDArray[np.float32]) -> Array:
    """(N, 4) centre x, centre y, aspect, height of boxes (N, 4) x1, y1, x2, y2.

    Width and height are differences in float32, as published: a box passes through left-top-width-height in that type.
    """
    left_top = bboxes[:, :2].astype(np.float64)
    size = (bboxes[:, 2:] - bboxes[:, :2]).astype(np.float64)
    centre = left_top + size / 2
    return np.column_stack([centre, size[:, 0] / size[:, 1], size[:, 1]])


def boxes_of(position: Array) -> Array:
    """(N, 4) boxes x1, y1, x2, y2 of positions (N, 4)."""
    size = np.column_stack([position[:, 2] * position[:, 3], position[:, 3]])
    left_top = position[:, :2] - size / 2
    return np.concatenate([left_top, left_top + size], axis=1)


def initiate(measured: Array) -> KalmanState:
    """New states at rest: position noise twice, velocity noise ten times that of a step."""
    return KalmanState(
        measured.copy(),
        np.zeros_like(measured),
        _noise(measured, 2 * STD_POSITION, STD_ASPECT),
        np.zeros_like(measured),
        _noise(measured, 10 * STD_VELOCITY, STD_ASPECT_VELOCITY),
    )


def predict(state: KalmanState) -> KalmanState:
    """The states one frame later: x' = F x, P' = F P F^T + Q, with F adding the velocity to the position."""
    return KalmanState(
        state.position + state.velocity,
        state.velocity,
        state.var_position + 2 * state.covariance + state.var_velocity + _noise(state.position, STD_POSITION, STD_ASPECT),
        state.covariance + state.var_velocity,
        state.var_velocity + _noise(state.position, STD_VELOCITY, STD_ASPECT_VELOCITY),
    )


def update(state: KalmanState, measured: Array) -> KalmanState:
    """The states after measuring (N, 4): gain K = P H^T / S, x' = x + K (z - H x), P' = P - K S K^T."""
    innovation_var = state.var_position + _noise(state.position, STD_POSITION, STD_ASPECT_MEASURED)
    gain_position = state.var_position / innovation_var
    gain_velocity = state.covariance / innovation_var
    innovation = measured - state.position
    return KalmanState(
        state.position + gain_position * innovation,
        state.velocity + gain_velocity * innovation,
        state.var_position - gain_position * state.var_position,
        state.covariance - gain_position * state.covariance,
        state.var_velocity - gain_velocity * state.covariance,
    )


def _noise(position: Array, share_of_height: float, aspect: float) -> Array:
    """(N, 4) variances: (share * height)^2, and a constant for the aspect."""
    std = np.repeat(share_of_height * position[:, 3:], 4, axis=1)
    std[:, 2] = aspect
    return std * std
