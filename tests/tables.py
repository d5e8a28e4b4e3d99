"""Small tables for tests, written as a person would draw them."""

from typing import Any

import numpy as np

from stages import track as stage
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, make_tracklets
from stages.regions import EVERYWHERE, RegionParams
from stages.track import TrackParams
from stages.tracking.bytetrack import PUBLISHED
from stages.tracking.ocsort import OcSortParams

VIDEO = {"sequence": "hall", "width_px": 640, "height_px": 480, "fps": 10.0}


def track_params(**other: Any) -> TrackParams:
    """ByteTrack with its usual settings, and OC-SORT's for the choice; `other` settings in their place."""
    ocsort = OcSortParams(det_thresh=0.6, iou_threshold=0.3, max_age=30, min_hits=3, delta_t=3, inertia=0.2, use_byte=False)
    settings = {"track_thresh": 0.5, "match_thresh": 0.8, "track_buffer": 30, "mot20": False, "bboxes": "filtered"}
    return TrackParams(**(settings | {"algorithm": "bytetrack", "retrace": PUBLISHED, "ocsort": ocsort} | other))  # type: ignore[arg-type]


def motionless(table: Detections | Tracklets) -> CameraMotion:
    """The motion of a camera that stands still, of a table's frames."""
    return CameraMotion.still(table.sequence, table.num_frames)


def track(table: Detections, params: TrackParams, regions: RegionParams = EVERYWHERE) -> Tracklets:
    """Raw tracklets before a camera that stands still."""
    return stage.track(table, motionless(table), params, regions)


def detections(rows: list[tuple[int, Any, float]], num_frames: int = 100, **other: Any) -> Detections:
    """Detections of person from rows (frame, box, score)."""
    video = {**VIDEO, **other}
    return Detections(
        video["sequence"],
        num_frames,
        video["width_px"],
        video["height_px"],
        video["fps"],
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array([row[1] for row in rows], dtype=np.float32).reshape(-1, 4),
        np.array([row[2] for row in rows], dtype=np.float32),
        np.zeros(len(rows), dtype=np.int16),
    )


def tracklets(paths: dict[int, dict[int, Any]], num_frames: int = 100, **other: Any) -> Tracklets:
    """Tracklets from {id: {frame: box}}; row n claims detection n in the order of (frame, id)."""
    rows = sorted((frame, name, box) for name, path in paths.items() for frame, box in path.items())
    return make_tracklets(
        detections([], num_frames, **other),
        np.array([row[1] for row in rows], dtype=np.int32),
        np.array([row[0] for row in rows], dtype=np.int32),
        np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, 4),
        np.ones(len(rows), dtype=np.float32),
        np.zeros(len(rows), dtype=np.int16),
        np.arange(len(rows), dtype=np.int32),
    )


def box(x: float, y: float = 100, width: float = 40, height: float = 100) -> tuple[float, float, float, float]:
    """A box from its left upper corner and size."""
    return (x, y, x + width, y + height)


def embeddings_of(table: Tracklets, features: dict[int, Any]) -> Embeddings:
    """Embeddings of the rows of some tracklets: {id: (D,) for all rows or (rows, D)}, made unit length."""
    indices, vectors = [], []
    for name, feature in features.items():
        rows = np.flatnonzero(table.tracklet_ids == name)
        indices.append(table.detection_indices[rows])
        vectors.append(np.broadcast_to(np.asarray(feature, dtype=np.float64), (len(rows), np.shape(feature)[-1])))
    index = np.concatenate([np.zeros(0, dtype=np.int32), *indices])
    vector = np.concatenate(vectors) if vectors else np.zeros((0, 2))
    vector = vector / np.linalg.norm(vector, axis=1, keepdims=True) if len(vector) else vector
    order = np.argsort(index)
    return Embeddings("hall", len(table), "made up", index[order].astype(np.int32), vector[order].astype(np.float16))
