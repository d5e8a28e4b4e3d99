"""Tracklets of one sequence at any level: raw, rewired, split, merged, final."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.contracts.detections import Detections, check_frames, check_share, check_video
from stages.contracts.table import Table, column, expect, first_row


@dataclass(frozen=True, eq=False)
class Tracklets(Table):
    """M boxes sorted by (tracklet, frame), each pair once."""

    SCHEMA: ClassVar[str] = "tracklets/1"

    sequence: str
    num_frames: int
    width_px: int
    height_px: int
    fps: float
    tracklet_ids: NDArray[np.int32] = column("i4", "M")  # from 1
    frame_numbers: NDArray[np.int32] = column("i4", "M")  # from 0
    bboxes: NDArray[np.float32] = column("f4", "M", 4)  # x1, y1, x2, y2 px
    confidences: NDArray[np.float32] = column("f4", "M")  # in [0, 1]
    class_ids: NDArray[np.int16] = column("i2", "M")
    detection_indices: NDArray[np.int32] = column("i4", "M")  # row of detections_raw; -1: no detection

    def __len__(self) -> int:
        return len(self.frame_numbers)

    def check_rows(self) -> None:
        check_video(self)
        check_frames(self.frame_numbers, self.num_frames)
        expect(not len(self) or self.tracklet_ids.min() >= 1, "tracklet_ids", "ids from 1", self.tracklet_ids[:1])
        step = np.diff(self.tracklet_ids.astype(np.int64)) * (self.num_frames + 1) + np.diff(self.frame_numbers)
        bad = step <= 0
        expect(not bad.any(), "tracklet_ids, frame_numbers", "rows sorted by tracklet and frame, each pair once",
               f"otherwise after {first_row(bad)}" if bad.any() else "")  # fmt: skip
        check_share("confidences", self.confidences)
        low = self.detection_indices < -1
        expect(not low.any(), "detection_indices", "at least -1", self.detection_indices[low][:1])

    @cached_property
    def ids(self) -> NDArray[np.int32]:
        """(T,) the tracklet ids, ascending."""
        return self.tracklet_ids[self.offsets()[:-1]]

    def offsets(self) -> NDArray[np.int64]:
        """(T + 1,): rows of the t-th tracklet in `ids` are offsets[t]:offsets[t + 1]."""
        starts = np.flatnonzero(np.diff(self.tracklet_ids, prepend=0))
        return np.append(starts, len(self))

    def positions(self) -> NDArray[np.int64]:
        """(M,) position in `ids` of each row's tracklet."""
        return np.repeat(np.arange(len(self.ids)), np.diff(self.offsets()))

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dict a tracklet: tracklet_id, frame_numbers, bboxes, confidences, detection_indices."""
        offsets = self.offsets()
        return [
            {
                "tracklet_id": int(self.tracklet_ids[start]),
                "frame_numbers": self.frame_numbers[start:stop],
                "bboxes": self.bboxes[start:stop],
                "confidences": self.confidences[start:stop],
                "detection_indices": self.detection_indices[start:stop],
            }
            for start, stop in zip(offsets[:-1], offsets[1:], strict=True)
        ]


def make_tracklets(
    video: Any,
    tracklet_ids: NDArray[Any],
    frame_numbers: NDArray[Any],
    bboxes: NDArray[Any],
    confidences: NDArray[Any],
    class_ids: NDArray[Any],
    detection_indices: NDArray[Any],
) -> Tracklets:
    """Tracklets from M unsorted rows, with the scalars of `video` (Detections or Tracklets); sorts and converts."""
    order = np.lexsort((frame_numbers, tracklet_ids))
    return Tracklets(
        video.sequence,
        video.num_frames,
        video.width_px,
        video.height_px,
        video.fps,
        np.asarray(tracklet_ids, dtype=np.int32)[order],
        np.asarray(frame_numbers, dtype=np.int32)[order],
        np.asarray(bboxes, dtype=np.float32).reshape(-1, 4)[order],
        np.asarray(confidences, dtype=np.float32)[order],
        np.asarray(class_ids, dtype=np.int16)[order],
        np.asarray(detection_indices, dtype=np.int32)[order],
    )


def relabel(tracklets: Tracklets, tracklet_ids: NDArray[Any]) -> Tracklets:
    """The same boxes under other ids (M,), sorted anew."""
    return make_tracklets(
        tracklets,
        tracklet_ids,
        tracklets.frame_numbers,
        tracklets.bboxes,
        tracklets.confidences,
        tracklets.class_ids,
        tracklets.detection_indices,
    )


def with_bboxes(tracklets: Tracklets, bboxes: NDArray[Any]) -> Tracklets:
    """The same people and frames with other boxes (M, 4)."""
    return make_tracklets(
        tracklets,
        tracklets.tracklet_ids,
        tracklets.frame_numbers,
        bboxes,
        tracklets.confidences,
        tracklets.class_ids,
        tracklets.detection_indices,
    )


def with_detected_boxes(tracklets: Tracklets, detections: Detections) -> Tracklets:
    """The same people and frames with the detector's boxes; a box without a detection stays.

    Raises ContractError where there is no such detection.
    """
    beyond = tracklets.detection_indices >= len(detections)
    expect(not beyond.any(), "tracklets: detection_indices", f"rows of {len(detections)} detections",
           tracklets.detection_indices[beyond][:1])  # fmt: skip
    detected = (tracklets.detection_indices >= 0)[:, None]
    return with_bboxes(tracklets, np.where(detected, detections.bboxes[tracklets.detection_indices], tracklets.bboxes))


def only(tracklets: Tracklets, keep: NDArray[np.bool_]) -> Tracklets:
    """The boxes that the mask (M,) keeps."""
    return make_tracklets(
        tracklets,
        tracklets.tracklet_ids[keep],
        tracklets.frame_numbers[keep],
        tracklets.bboxes[keep],
        tracklets.confidences[keep],
        tracklets.class_ids[keep],
        tracklets.detection_indices[keep],
    )


def by_class(tracklets: Tracklets) -> Iterator[tuple[NDArray[np.int64], Tracklets]]:
    """Rows (K,) and tracklets of each class: each is a video of its own, of which the others say nothing."""
    for class_id in np.unique(tracklets.class_ids):
        mine = tracklets.class_ids == class_id
        yield np.flatnonzero(mine), tracklets if mine.all() else only(tracklets, mine)
