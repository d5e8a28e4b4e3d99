"""Detections to raw tracklets: ByteTrack or OC-SORT offline over stored boxes, each class by itself.

No pixels and no network: the boxes of the whole sequence are known, so trying a threshold costs a second.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from stages.command import execute, log, stage_options, stage_run
from stages.compiled import is_built
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets, make_tracklets
from stages.params import load_section
from stages.pins import check_pins
from stages.regions import EVERYWHERE, RegionParams, counted
from stages.tracking.bytetrack import PUBLISHED, ByteTrackParams, RetraceParams, byte_track
from stages.tracking.ocsort import OcSortParams, oc_sort
from stages.tracking.tracker import Tracker


@dataclass(frozen=True)
class TrackParams(ByteTrackParams):
    """The section: ByteTrack's settings, what goes beyond it, OC-SORT's, and which of the three tracks."""

    algorithm: Literal["retrace", "bytetrack", "ocsort"]
    retrace: RetraceParams
    ocsort: OcSortParams

    @property
    def tracker(self) -> Tracker:
        """The chosen one with its settings."""
        if self.algorithm == "ocsort":
            return partial(oc_sort, params=self.ocsort)
        return partial(byte_track, params=self, beyond=self.retrace if self.algorithm == "retrace" else PUBLISHED)

    def patience(self, fps: float) -> int:
        """Frames that the chosen one keeps a lost track."""
        return self.ocsort.max_age if self.algorithm == "ocsort" else self.lost_frames(fps)


def track(
    detections: Detections, camera_motion: CameraMotion, params: TrackParams, regions: RegionParams = EVERYWHERE
) -> Tracklets:
    """Raw tracklets of the detections inside the regions; ids count from 1 in order of class and birth.

    A row keeps the score of the detection that it claimed, and that detection's box or the filter's (`params.bboxes`).
    """
    usable = detections.bboxes[:, 3] > detections.bboxes[:, 1]  # the filter divides by the height
    usable &= counted(detections.bboxes, regions)
    parts, offset = [], 0
    for class_id in np.unique(detections.class_ids):
        chosen = np.flatnonzero((detections.class_ids == class_id) & usable)
        offsets = np.searchsorted(detections.frame_numbers[chosen], np.arange(detections.num_frames + 1))
        scores, motion = detections.confidences[chosen], camera_motion.transforms
        rows = params.tracker(detections.bboxes[chosen], scores, offsets, detections.fps, motion)
        born, ids = np.unique(rows.tracks, return_inverse=True)
        parts.append((ids + 1 + offset, chosen[rows.detections], rows.bboxes))
        offset += len(born)
    ids = np.concatenate([part[0] for part in parts] or [np.zeros(0, np.int64)])
    indices = np.concatenate([part[1] for part in parts] or [np.zeros(0, np.int64)])
    filtered = np.concatenate([part[2] for part in parts] or [np.zeros((0, 4), np.float32)])
    return make_tracklets(
        detections,
        ids,
        detections.frame_numbers[indices],
        filtered if params.bboxes == "filtered" else detections.bboxes[indices],
        detections.confidences[indices],
        detections.class_ids[indices],
        indices,
    )


def main() -> None:
    args = stage_options(__doc__, "sequence", "detections", "camera-motion", "pins", "tracklets", "timings")
    check_pins(args.pins)
    params = load_section(TrackParams, "track")
    regions = load_section(RegionParams, f"sequences.{args.sequence}.regions")
    with stage_run("track", args.sequence, args.timings) as run:
        detections = Detections.load(args.detections, args.sequence)
        camera_motion = CameraMotion.load_of(args.camera_motion, args.sequence, detections.num_frames)
        buffer = params.patience(detections.fps)
        log.info("track %s: %s, %s detections in %s frames; a lost track is kept %d frames (%.1f s)", args.sequence,
                 params.algorithm, f"{len(detections):,}", f"{detections.num_frames:,}", buffer,
                 buffer / detections.fps)  # fmt: skip
        if not is_built(oc_sort if params.algorithm == "ocsort" else byte_track):
            log.info("track: compiling the tracker, once for this version of its code (some 20 s)")
        with run.computing():
            tracklets = track(detections, camera_motion, params, regions)
        run.counts = {"frames": detections.num_frames, "detections": len(detections), "boxes": len(tracklets),
                      "tracklets": len(tracklets.ids)}  # fmt: skip
        tracklets.save(args.tracklets)


if __name__ == "__main__":
    execute(main)
