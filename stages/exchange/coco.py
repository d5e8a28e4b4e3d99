"""Tracks as COCO-style JSON with videos and tracks, as TAO's toolkit and readers of COCO-VID files expect it.

Dave et al., "TAO: A Large-Scale Benchmark for Tracking Any Object" (2020): `videos` and `tracks` beside COCO's `images`,
`annotations` and `categories`; an annotation names its track (`track_id`; `instance_id` in COCO-VID).
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.classes import ClassNames
from stages.contracts.tracklets import Tracklets

VIDEO_ID = 1
DECIMALS = 3  # px


def format_coco(tracklets: Tracklets, frames: range, names: ClassNames, file_names: Sequence[str]) -> str:
    """The tracks as JSON. `file_names` has one name per frame of the clip.

    Ids of images count the clip's frames from 1, because many readers take 0 for none; `frame_id` (COCO-VID) counts them from 0
    and `frame_index` (TAO) is the source's. A category is its class id + 1: person is 1, as in COCO.
    """
    size = {"width": tracklets.width_px, "height": tracklets.height_px}
    images = [
        {"id": k + 1, "video_id": VIDEO_ID, "frame_id": k, "frame_index": frames[k], "file_name": file_name, **size}
        for k, file_name in enumerate(file_names)
    ]
    starts = tracklets.offsets()[:-1]
    return json.dumps(
        {
            "info": {"description": f"{tracklets.sequence}, tracked by Retrace"},
            "videos": [{"id": VIDEO_ID, "name": tracklets.sequence, "fps": tracklets.fps, **size}],
            "categories": [{"id": k + 1, "name": names[k]} for k in np.unique(tracklets.class_ids).tolist()],
            "images": images,
            "tracks": [
                {"id": track_id, "video_id": VIDEO_ID, "category_id": class_id + 1}
                for track_id, class_id in zip(tracklets.ids.tolist(), tracklets.class_ids[starts].tolist(), strict=True)
            ],
            "annotations": _annotations(tracklets),
        },
        separators=(",", ":"),
    )


def _annotations(tracklets: Tracklets) -> list[dict[str, Any]]:
    """One annotation a box: x, y, width, height px, of which nothing is a crowd."""
    corners = tracklets.bboxes.astype(np.float64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).round(DECIMALS)
    rows = zip(
        tracklets.tracklet_ids.tolist(),
        tracklets.frame_numbers.tolist(),
        boxes.tolist(),
        tracklets.confidences.tolist(),
        tracklets.class_ids.tolist(),
        (tracklets.detection_indices == -1).tolist(),
        strict=True,
    )
    return [
        {
            "id": k,
            "image_id": frame + 1,
            "video_id": VIDEO_ID,
            "category_id": class_id + 1,
            "track_id": track_id,
            "instance_id": track_id,
            "bbox": box,
            "area": round(box[2] * box[3], DECIMALS),
            "iscrowd": 0,
            "score": round(score, 4),
            "interpolated": interpolated,
        }
        for k, (track_id, frame, box, score, class_id, interpolated) in enumerate(rows, start=1)
    ]
