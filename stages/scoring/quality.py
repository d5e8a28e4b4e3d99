"""Tracklets judged without ground truth: a table with one row a tracklet, flags of what looks broken, and counts.

The flags point at where to look; a flagged tracklet may be right.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd

from stages.boxes import largest_overlaps
from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets
from stages.errors import DataError
from stages.params import Range
from stages.scoring.motion import box_heights, centres, every_step, sampled_steps

FLAGS = ("short", "fragmented", "teleports")


@dataclass(frozen=True)
class AnalyzeParams:
    """Limits of the flags, and how finely paths are measured."""

    min_duration_s: Annotated[float, Range(0, 3600)]
    min_coverage: Annotated[float, Range(0, 1)]
    max_step_heights: Annotated[float, Range(0, 1000)]
    high_confidence: Annotated[float, Range(0, 1)]
    path_step_s: Annotated[float, Range(0.001, 3600)]


def tracklet_table(level: str, tracklets: Tracklets, params: AnalyzeParams) -> pd.DataFrame:
    """One row a tracklet, by id. Units are in the columns' names; `interpolated` is the share of boxes without a detection."""
    boxes = pd.DataFrame({
        "tracklet_id": tracklets.tracklet_ids,
        "class_id": tracklets.class_ids,
        "frame": tracklets.frame_numbers,
        "confidence": tracklets.confidences.astype(np.float64),
        "height_px": box_heights(tracklets),
        "overlap": largest_overlaps(tracklets.frame_numbers, tracklets.bboxes),
        "interpolated": tracklets.detection_indices < 0,
        **_steps_onto_boxes(tracklets),
    })  # fmt: skip
    table = boxes.groupby("tracklet_id").agg(
        class_id=("class_id", "first"),
        first_frame=("frame", "first"),
        last_frame=("frame", "last"),
        boxes=("frame", "size"),
        gaps=("missing", np.count_nonzero),
        longest_gap_s=("missing", "max"),
        mean_confidence=("confidence", "mean"),
        median_height_px=("height_px", "median"),
        max_overlap=("overlap", "max"),
        interpolated=("interpolated", "mean"),
        largest_step_heights=("step_heights", "max"),
    )
    frames = table["last_frame"] - table["first_frame"] + 1
    path = sampled_steps(tracklets, params.path_step_s)
    heights = path.total(path.lengths(centres(tracklets)) / path.heights_px(tracklets), tracklets)
    table["longest_gap_s"] /= tracklets.fps
    table.insert(3, "duration_s", frames / tracklets.fps)
    table.insert(9, "mean_speed_heights_per_s", heights * tracklets.fps / np.maximum(frames - 1, 1))
    table["short"] = (table["duration_s"] < params.min_duration_s).astype(int)
    table["fragmented"] = (table["boxes"] / frames < params.min_coverage).astype(int)
    table["teleports"] = (table["largest_step_heights"] > params.max_step_heights).astype(int)
    table = table.reset_index()
    table.insert(0, "level", level)
    return table


def _steps_onto_boxes(tracklets: Tracklets) -> dict[str, Any]:
    """(M,) columns of the step that leads to each box: frames missing before it, and body heights moved per frame."""
    steps = every_step(tracklets)
    missing, step_heights = np.zeros(len(tracklets), dtype=np.int64), np.zeros(len(tracklets))
    frames = tracklets.frame_numbers[steps.after] - tracklets.frame_numbers[steps.before]
    missing[steps.after] = frames - 1
    step_heights[steps.after] = steps.lengths(centres(tracklets)) / steps.heights_px(tracklets) / frames
    return {"missing": missing, "step_heights": step_heights}


def level_quality(table: pd.DataFrame, tracklets: Tracklets, detections: Detections, params: AnalyzeParams) -> dict[str, Any]:
    """What a level is worth without ground truth. Shares are 0 where there is nothing to share.

    Raises DataError where tracklets name detections that are not there.
    """
    used = tracklets.detection_indices[tracklets.detection_indices >= 0]
    if used.max(initial=-1) >= len(detections):
        raise DataError(f"tracklets: expected detection_indices below {len(detections)}, got {used.max()}")
    tracked = np.zeros(len(detections), dtype=bool)
    tracked[used] = True
    high = detections.confidences >= np.float32(params.high_confidence)
    return {
        "tracklets": len(table),
        "boxes": len(tracklets),
        "detections": len(detections),
        "detections_tracked": int(tracked.sum()),
        "share_of_detections_tracked": _share(int(tracked.sum()), len(detections)),
        "share_of_high_detections_tracked": _share(int(high[tracked].sum()), int(high.sum())),
        "mean_tracklet_s": _share(float(table["duration_s"].sum()), len(table)),
        "gaps": int(table["gaps"].sum()),
        "suspicious_tracklets": int(table[list(FLAGS)].any(axis=1).sum()),
    }


def _share(part: float, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
