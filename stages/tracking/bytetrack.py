"""ByteTrack, as its authors published it, over stored boxes.

Zhang et al. 2022, "ByteTrack: Multi-object tracking by associating every detection box", algorithm 1, with what their code
adds to the paper: scores fused into the IoU, unconfirmed tracks, duplicate removal, and a list of removed tracks that keeps
its members from ever being lost twice. Scores are compared in float32, as in their arrays: 0.60 is not above 0.6.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from stages.boxes import iou
from stages.params import Range
from stages.tracking import kalman
from stages.tracking.assignment import assign

LOW_THRESH = np.float32(0.1)  # detections at or below are never used
SECOND_MATCH_THRESH = 0.5  # limit of the association with low-score detections
UNCONFIRMED_MATCH_THRESH = 0.7  # limit of the association of tracks seen once
NEW_TRACK_MARGIN = 0.1  # a new track starts at track_thresh + 0.1
DUPLICATE_DISTANCE = 0.15  # 1 - IoU below which a tracked and a lost track are one
NOMINAL_FPS = 30.0  # track_buffer counts frames at this rate
BORDER_PX = 1.0  # the published IoU counts a box's last pixel as inside

Ints = NDArray[np.int64]


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
class TrackRows:
    """M rows of output: which track (numbered by birth, from 0) claimed which detection, and its filtered box."""

    tracks: Ints  # (M,)
    detections: Ints  # (M,) row in the input
    bboxes: NDArray[np.float64]  # (M, 4) the filter's posterior, x1, y1, x2, y2 px


def byte_track(
    bboxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    frame_offsets: Ints,
    fps: float,
    params: ByteTrackParams,
) -> TrackRows:
    """Tracks of one class in one sequence.

    bboxes (N, 4) float32 x1, y1, x2, y2 px and scores (N,) float32, sorted by frame; rows of frame f are
    frame_offsets[f]:frame_offsets[f + 1]. A box must have a positive height.
    """
    tracker = _Tracker(bboxes, scores, params, params.lost_frames(fps))
    for frame, (start, stop) in enumerate(zip(frame_offsets[:-1], frame_offsets[1:], strict=True)):
        tracker.step(frame, np.arange(start, stop))
    return tracker.rows()


class _Tracker:
    """State of the tracker between two frames: flat arrays over tracks in order of birth, and lists of track numbers.

    `tracked` and `lost` are ordered: where costs tie, the order of these lists decides, as in the published code.
    """

    def __init__(
        self, bboxes: NDArray[np.float32], scores: NDArray[np.float32], params: ByteTrackParams, lost_frames: int
    ) -> None:
        self.bboxes, self.scores, self.params, self.lost_frames = bboxes, scores, params, lost_frames
        self.measured = kalman.measurements(bboxes)
        # the published code keeps a detection as left-top-width-height and adds up again
        self.corners = np.concatenate(
            [bboxes[:, :2], bboxes[:, :2] + (bboxes[:, 2:] - bboxes[:, :2]).astype(np.float64)], axis=1
        )
        capacity = len(bboxes)  # every track begins with a detection of its own
        self.state = kalman.KalmanState.empty(capacity)
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
        self.output.append((shown, self.last_detection[shown], kalman.boxes_of(self.state.position[shown])))

    def rows(self) -> TrackRows:
        """All output so far."""
        if not self.output:
            return TrackRows(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)))
        tracks, detections, bboxes = zip(*self.output, strict=True)
        return TrackRows(np.concatenate(tracks), np.concatenate(detections), np.concatenate(bboxes))

    def _predict(self, tracks: Ints, is_tracked: NDArray[np.bool_]) -> None:
        """One frame of motion; a lost track's height no longer changes."""
        state = self.state.take(tracks)
        state.velocity[~is_tracked, 3] = 0.0
        self.state.put(tracks, kalman.predict(state))

    def _iou(self, tracks: Ints, detections: Ints) -> NDArray[np.float64]:
        return iou(kalman.boxes_of(self.state.position[tracks]), self.corners[detections], BORDER_PX)

    def _cost(self, tracks: Ints, detections: Ints) -> NDArray[np.float64]:
        """(T, D) 1 - IoU, with the detection's score fused in: 1 - IoU * score."""
        overlap = 1 - (1 - self._iou(tracks, detections))  # through the distance and back: the published rounding
        return 1 - overlap if self.params.mot20 else 1 - overlap * self.scores[detections]

    def _update(self, tracks: Ints, detections: Ints, frame: int) -> None:
        self.state.put(tracks, kalman.update(self.state.take(tracks), self.measured[detections]))
        self.last_frame[tracks] = frame
        self.last_detection[tracks] = detections
        self.confirmed[tracks] = True

    def _begin(self, detections: Ints, frame: int) -> Ints:
        """New tracks of detections at or above track_thresh + 0.1; confirmed at once in the first frame alone."""
        detections = detections[self.scores[detections] >= self.params.track_thresh + NEW_TRACK_MARGIN]
        tracks = np.arange(self.born, self.born + len(detections))
        self.born += len(detections)
        self.state.put(tracks, kalman.initiate(self.measured[detections]))
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
        distance = 1 - iou(
            kalman.boxes_of(self.state.position[self.tracked]), kalman.boxes_of(self.state.position[self.lost]), BORDER_PX
        )
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
