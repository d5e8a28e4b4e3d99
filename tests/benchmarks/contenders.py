"""These trackers and others behind one face: boxes in, made ready outside the clock; then one call that tracks the sequence.

The others step frame by frame; the objects that they take for a frame are made before the clock starts.
"""

import dataclasses
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from stages.contracts.detections import Detections
from stages.detecting.yolo import isolate_ultralytics
from stages.track import TrackParams
from stages.tracking.bytetrack import NEW_TRACK_MARGIN
from stages.tracking.detected import LOW_THRESH
from stages.tracking.tracker import TrackRows


@dataclass(frozen=True)
class Tracked:
    """What came out, to see that everybody did the work."""

    boxes: int
    tracks: int


class Contender(Protocol):
    """A tracker that is measured."""

    name: str

    def ready(self, detections: Detections, params: TrackParams) -> Callable[[], Any]:
        """A call that tracks the sequence once; what it returns is for `tracked`."""

    def tracked(self, output: Any) -> Tracked: ...


class Ours:
    """The kernels of `stages.track`, whichever the params choose."""

    name = "Retrace"

    def __init__(self, algorithm: Literal["bytetrack", "ocsort"]) -> None:
        self._algorithm = algorithm

    def ready(self, detections: Detections, params: TrackParams) -> Callable[[], TrackRows]:
        offsets = detections.frame_offsets()
        still = np.tile(np.eye(2, 3), (detections.num_frames, 1, 1))
        tracker = dataclasses.replace(params, algorithm=self._algorithm).tracker
        return lambda: tracker(detections.bboxes, detections.confidences, offsets, detections.fps, still)

    def tracked(self, output: TrackRows) -> Tracked:
        return _count(output.tracks)


@dataclass(frozen=True, eq=False)
class Results:
    """What BYTETracker reads of a frame; lighter than Ultralytics' own `Boxes`, which cost it some percent more."""

    xywh: NDArray[np.float32]  # (N, 4) centre x, centre y, width, height px
    conf: NDArray[np.float32]  # (N,)
    cls: NDArray[np.float32]  # (N,)

    def __len__(self) -> int:
        return len(self.conf)

    def __getitem__(self, rows: Any) -> "Results":
        return Results(self.xywh[rows], self.conf[rows], self.cls[rows])


class Ultralytics:
    """BYTETracker with the same thresholds, on NumPy arrays: no tensor is touched."""

    name = "Ultralytics"

    def __init__(self) -> None:
        isolate_ultralytics()
        self._tracker: Any = importlib.import_module("ultralytics.trackers.byte_tracker").BYTETracker

    def ready(self, detections: Detections, params: TrackParams) -> Callable[[], Any]:
        settings = SimpleNamespace(
            track_high_thresh=params.track_thresh,
            track_low_thresh=float(LOW_THRESH),
            new_track_thresh=params.track_thresh + NEW_TRACK_MARGIN,
            track_buffer=params.lost_frames(detections.fps),  # it does not scale the buffer to the frame rate
            match_thresh=params.match_thresh,
            fuse_score=not params.mot20,
        )
        tracker = self._tracker(settings)
        low, high = detections.bboxes[:, :2], detections.bboxes[:, 2:]
        xywh = _by_frame(np.column_stack([(low + high) / 2, high - low]), detections)
        scores = _by_frame(detections.confidences, detections)
        frames = [Results(part, conf, np.zeros_like(conf)) for part, conf in zip(xywh, scores, strict=True)]
        return lambda: [tracker.update(results) for results in frames]

    def tracked(self, output: Any) -> Tracked:
        return _count(np.concatenate([rows.reshape(-1, 8)[:, 4] for rows in output]))


class Roboflow:
    """ByteTrackTracker of `trackers`, fed `supervision.Detections`, with its closest settings.

    It fuses no scores into the IoU and knows no lowest score: boxes that the others never look at are left out for it.
    """

    name = "trackers"

    def __init__(self) -> None:
        self._tracker: Any = importlib.import_module("trackers").ByteTrackTracker

    def ready(self, detections: Detections, params: TrackParams) -> Callable[[], Any]:
        tracker = self._tracker(
            lost_track_buffer=params.track_buffer,
            frame_rate=detections.fps,
            track_activation_threshold=params.track_thresh + NEW_TRACK_MARGIN,
            minimum_consecutive_frames=2,
            minimum_iou_threshold=1 - params.match_thresh,
            high_conf_det_threshold=params.track_thresh,
        )
        return _roboflow_call(tracker, detections)

    def tracked(self, output: Any) -> Tracked:
        return _roboflow_count(output)


class RoboflowOcSort:
    """OCSORTTracker of `trackers`, with the same settings; it has no association with low scores."""

    name = "trackers"

    def __init__(self) -> None:
        self._tracker: Any = importlib.import_module("trackers").OCSORTTracker

    def ready(self, detections: Detections, params: TrackParams) -> Callable[[], Any]:
        tracker = self._tracker(
            lost_track_buffer=params.ocsort.max_age,
            frame_rate=30.0,  # the rate at which it does not scale the buffer
            minimum_consecutive_frames=params.ocsort.min_hits,
            minimum_iou_threshold=params.ocsort.iou_threshold,
            direction_consistency_weight=params.ocsort.inertia,
            high_conf_det_threshold=params.ocsort.det_thresh,
            delta_t=params.ocsort.delta_t,
        )
        return _roboflow_call(tracker, detections)

    def tracked(self, output: Any) -> Tracked:
        return _roboflow_count(output)


def _roboflow_call(tracker: Any, detections: Detections) -> Callable[[], Any]:
    # imported by name: type checks must pass without the extra `benchmarks`
    make_table: Any = importlib.import_module("supervision").Detections
    rows = np.column_stack([detections.bboxes, detections.confidences])
    frames = [part[part[:, 4] > LOW_THRESH] for part in _by_frame(rows, detections)]
    tables = [make_table(xyxy=part[:, :4], confidence=part[:, 4]) for part in frames]
    return lambda: [tracker.update(table) for table in tables]


def _roboflow_count(output: Any) -> Tracked:
    ids = np.concatenate([table.tracker_id for table in output])
    return _count(ids[ids >= 0])


def _by_frame(rows: NDArray[np.float32], detections: Detections) -> list[NDArray[np.float32]]:
    return np.split(rows, detections.frame_offsets()[1:-1])


def _count(ids: NDArray[Any]) -> Tracked:
    return Tracked(len(ids), len(np.unique(ids)))
