"""OC-SORT step by step in NumPy, with full matrices and the library's assignment: slow, plain, what the compiled one equals."""

from typing import Any

import lap
import numpy as np
from numpy.typing import NDArray

from stages.boxes import iou
from stages.tracking.detected import LOW_THRESH
from stages.tracking.ocsort import OcSortParams

Array = NDArray[np.float64]
Rows = list[tuple[int, int, Array]]

STEP = np.eye(7)  # F: centre and area move with their velocities
STEP[0, 4] = STEP[1, 5] = STEP[2, 6] = 1
PROCESS_NOISE = np.diag([1, 1, 1, 1, 0.01, 0.01, 0.0001])  # Q
MEASUREMENT_NOISE = np.diag([1.0, 1, 10, 10])  # R
AT_BIRTH = np.diag([10.0, 10, 10, 10, 1e4, 1e4, 1e4])  # P


def stepwise_oc_sort(
    bboxes: NDArray[np.float32], scores: NDArray[np.float32], frame_offsets: Any, params: OcSortParams
) -> Rows:
    """(track, detection, filtered box (4,)) of each row, as `oc_sort` gives them for a camera that stands still."""
    tracks: list[_Track] = []
    rows: Rows = []
    num_born = 0
    boxes = bboxes.astype(np.float64)
    for frame, (start, stop) in enumerate(zip(frame_offsets[:-1], frame_offsets[1:], strict=True)):
        thresh = np.float32(params.det_thresh)
        here = np.arange(start, stop)
        high = here[scores[here] > thresh]
        low = here[(scores[here] > LOW_THRESH) & (scores[here] < thresh)]
        for track in tracks:
            track.predict()
        tracks = [track for track in tracks if track.is_box]
        predicted = np.array([track.box for track in tracks]).reshape(-1, 4)

        claims = _associate(tracks, predicted, boxes[high], scores[high], params, frame)
        claims = {track: int(high[place]) for track, place in claims.items()}
        if params.use_byte:
            left = [i for i in range(len(tracks)) if i not in claims]
            found = _most_overlap(predicted[left], boxes[low], params.iou_threshold)
            claims |= {left[i]: int(low[place]) for i, place in found.items()}
        left = [i for i in range(len(tracks)) if i not in claims and tracks[i].observed]
        free = np.array([d for d in high if d not in claims.values()], dtype=np.int64)
        last = np.array([tracks[i].last_box for i in left]).reshape(-1, 4)
        claims |= {left[i]: int(free[place]) for i, place in _most_overlap(last, boxes[free], params.iou_threshold).items()}

        for i, track in enumerate(tracks):
            if i in claims:
                track.update(boxes[claims[i]], claims[i], frame, params.delta_t)
            else:
                track.miss()
        for detection in high:
            if detection not in claims.values():
                tracks.append(_Track(num_born, boxes[detection], int(detection), frame))
                num_born += 1
        tracks = [track for track in tracks if frame - track.last_frame <= params.max_age]
        for track in tracks:
            if track.last_frame == frame and (track.streak >= params.min_hits or frame < params.min_hits):
                rows.append((track.number, track.detection, track.box))
    return rows


class _Track:
    """One track, as the published code keeps it: a filter, and all observations by frame."""

    def __init__(self, number: int, box: Array, detection: int, frame: int) -> None:
        self.number, self.detection, self.last_frame, self.streak = number, detection, frame, 0
        self.mean, self.covariance = np.concatenate([_measured(box), np.zeros(3)]), AT_BIRTH
        self.observed: dict[int, Array] = {}
        self.way = np.zeros(2)
        self.frozen: tuple[Array, Array] | None = None

    @property
    def last_box(self) -> Array:
        return self.observed[max(self.observed)]

    @property
    def is_box(self) -> bool:
        return bool(self.mean[2] * self.mean[3] > 0)

    @property
    def box(self) -> Array:
        width = np.sqrt(self.mean[2] * self.mean[3])
        half = np.array([width, self.mean[2] / width]) / 2
        return np.concatenate([self.mean[:2] - half, self.mean[:2] + half])

    def predict(self) -> None:
        if self.mean[2] + self.mean[6] <= 0:
            self.mean[6] = 0
        self._predict()

    def _predict(self) -> None:
        self.mean, self.covariance = STEP @ self.mean, STEP @ self.covariance @ STEP.T + PROCESS_NOISE

    def miss(self) -> None:
        if self.observed and self.frozen is None:
            self.frozen = self.mean.copy(), self.covariance

    def earlier(self, frame: int, delta_t: int) -> Array:
        """The observation that directions start from."""
        return next((self.observed[t] for t in range(frame - delta_t, frame) if t in self.observed), self.last_box)

    def update(self, box: Array, detection: int, frame: int, delta_t: int) -> None:
        if self.frozen is not None:
            first, gap = max(self.observed), frame - max(self.observed)
            self.mean, self.covariance = self.frozen
            for t in range(1, gap + 1):
                self._update(self.observed[first] + t / gap * (box - self.observed[first]))
                if t < gap:
                    self._predict()
            self.frozen = None
        self._update(box)
        if self.observed:
            self.way = _direction(_centre(self.earlier(frame, delta_t)), _centre(box))
        self.observed[frame] = box
        self.streak = self.streak + 1 if self.last_frame == frame - 1 else 1
        self.detection, self.last_frame = detection, frame

    def _update(self, box: Array) -> None:
        gain = self.covariance[:, :4] @ np.linalg.inv(self.covariance[:4, :4] + MEASUREMENT_NOISE)
        self.mean = self.mean + gain @ (_measured(box) - self.mean[:4])
        self.covariance = self.covariance - gain @ self.covariance[:4]


def _associate(
    tracks: list[_Track], predicted: Array, boxes: Array, scores: Any, params: OcSortParams, frame: int
) -> dict[int, int]:
    """Track -> box, by places."""
    if len(tracks) == 0 or len(boxes) == 0:
        return {}
    overlap = iou(boxes, predicted)
    above = overlap > params.iou_threshold
    if above.sum(axis=0).max() == 1 and above.sum(axis=1).max() == 1:
        return {int(track): int(box) for box, track in np.argwhere(above)}
    momentum = np.zeros_like(overlap)
    for j, track in enumerate(tracks):
        for i, box in enumerate(boxes if track.observed else []):
            way = _direction(_centre(track.earlier(frame, params.delta_t)), _centre(box))
            angle = np.arccos(np.clip(way @ track.way, -1, 1))
            momentum[i, j] = (np.pi / 2 - angle) / np.pi * params.inertia * scores[i]
    return _assign(overlap + momentum, overlap, params.iou_threshold)


def _most_overlap(tracks: Array, boxes: Array, threshold: float) -> dict[int, int]:
    overlap = iou(boxes, tracks)
    return _assign(overlap, overlap, threshold) if overlap.size and overlap.max() > threshold else {}


def _assign(gain: Array, overlap: Array, threshold: float) -> dict[int, int]:
    """Track -> box of the complete assignment of greatest gain, without the pairs that overlap less."""
    track_of = lap.lapjv(-gain, extend_cost=True)[1]
    return {int(track): box for box, track in enumerate(track_of) if track >= 0 and overlap[box, track] >= threshold}


def _measured(box: Array) -> Array:
    width, height = box[2:] - box[:2]
    return np.array([*_centre(box), width * height, width / height])


def _centre(box: Array) -> Array:
    return (box[:2] + box[2:]) / 2


def _direction(start: Array, end: Array) -> Array:
    step = end - start
    return np.asarray(step / (np.hypot(*step) + 1e-6))
