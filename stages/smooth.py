"""Merged tracklets to final tracks: boxes completed where the picture ends, gaps filled, boxes smoothed, both ways in time.

People deleted by hand are gone, and those who are too doubtful, unless a correction names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import writing
from stages.association.steadying import still_view
from stages.association.still_view import StillView, from_first_frame
from stages.command import execute, stage_options, stage_run
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets, by_class, only, with_bboxes, with_detected_boxes
from stages.corrections.resolving import deleted, noticed
from stages.corrections.rows import read_corrections
from stages.motchallenge import format_tracks
from stages.params import Range, load_section, load_value
from stages.pins import check_pins
from stages.smoothing.border import AtBorder, complete_at_border
from stages.smoothing.doubtful import doubtful
from stages.smoothing.filling import fill_gaps
from stages.smoothing.posture import posture_change
from stages.smoothing.regression import smooth_boxes

CALM, LIVELY = 0.055, 0.075  # posture change up to which boxes are smoothed in full, and from which not at all
MIN_SIGMA_FRAMES = 0.25  # below it a neighbour's weight is under e^-8: there is nothing to smooth
MIN_WEIGHT = 1e-6  # of a box of confidence 0, which must not leave a track without any weight


@dataclass(frozen=True)
class SmoothParams:
    """Who stays, how far gaps are filled and how much boxes are smoothed."""

    doubtful_s: Annotated[float, Range(0, 3600)]
    max_gap_s: Annotated[float, Range(0, 3600)]
    method: Literal["none", "regression", "adaptive"]
    sigma_s: Annotated[float, Range(0.001, 60)]


def smooth(
    tracklets: Tracklets,
    detections: Detections,
    camera_motion: CameraMotion,
    params: SmoothParams,
    at_border: AtBorder = "seen",
    named: NDArray[np.bool_] | None = None,
) -> Tracklets:
    """Final tracks: the detected boxes, as large as `at_border` says, gaps up to `max_gap_s` filled, smoothed by `method`.

    Boxes are smoothed as seen by a camera that stands still, by what is known of its motion; by what boxes show of it beyond
    that, as gaps are filled, MOT17 loses 0.2 HOTA. named (M,) rows of people who stay however doubtful they are.
    """
    gone = doubtful(tracklets, params.doubtful_s)
    tracklets = only(tracklets, ~gone if named is None else ~gone | named)
    measured = with_detected_boxes(tracklets, detections)  # smoothing wants measurements, not a filter's one-sided estimates
    completed = complete_at_border(measured) if at_border == "whole" else measured
    filled = fill_gaps(completed, int(params.max_gap_s * tracklets.fps), still_view(completed, camera_motion))
    strengths = {int(mine.class_ids[0]): _strength(mine, params) for _, mine in by_class(measured)}
    sigmas = {class_id: params.sigma_s * tracklets.fps * strength for class_id, strength in strengths.items()}
    return _smoothed(filled, from_first_frame(camera_motion.transforms), sigmas)


def _smoothed(tracklets: Tracklets, view: StillView, sigmas: Mapping[int, float]) -> Tracklets:
    """The boxes smoothed track by track in `view`, so many frames by class: the camera's shaking is not theirs."""
    frames, offsets, bboxes = tracklets.frame_numbers.astype(np.int64), tracklets.offsets(), tracklets.bboxes.copy()
    for a, b in zip(offsets[:-1], offsets[1:], strict=True):
        sigma_frames = sigmas[int(tracklets.class_ids[a])]
        if sigma_frames >= MIN_SIGMA_FRAMES:
            weights = np.square(tracklets.confidences[a:b].astype(np.float64)) + MIN_WEIGHT
            seen = view.boxes(tracklets.bboxes[a:b], frames[a:b])
            bboxes[a:b] = view.back(smooth_boxes(seen, weights, frames[a:b], sigma_frames), frames[a:b])
    return with_bboxes(tracklets, bboxes)


def _strength(measured: Tracklets, params: SmoothParams) -> float:
    """Share of the smoothing that this video's people, or all of another class, bear."""
    if params.method == "adaptive":
        return float(np.clip((LIVELY - posture_change(measured)) / (LIVELY - CALM), 0.0, 1.0))
    return float(params.method == "regression")


def main() -> None:
    args = stage_options(
        __doc__, "sequence", "pins", "tracklets", "detections", "camera-motion", "corrections", "tracks", "text", "timings"
    )
    check_pins(args.pins)
    params = load_section(SmoothParams, "smooth")
    at_border: AtBorder = load_value(AtBorder, f"sequences.{args.sequence}.at_border")
    with stage_run("smooth", args.sequence, args.timings) as run:
        tracklets, detections = Tracklets.load(args.tracklets, args.sequence), Detections.load(args.detections, args.sequence)
        camera_motion = CameraMotion.load_of(args.camera_motion, args.sequence, tracklets.num_frames)
        rows = read_corrections(args.corrections)
        with run.computing():
            smoothed = smooth(tracklets, detections, camera_motion, params, at_border, noticed(tracklets, rows))
        tracks = only(smoothed, ~deleted(smoothed, rows))
        run.counts = {"frames": tracks.num_frames, "tracks": len(tracks.ids), "boxes": len(tracks),
                      "filled": int((smoothed.detection_indices < 0).sum()),
                      "doubtful": len(tracklets.ids) - len(smoothed.ids),
                      "deleted": len(smoothed.ids) - len(tracks.ids)}  # fmt: skip
        tracks.save(args.tracks)
        with writing(args.text) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(format_tracks(tracks.frame_numbers, tracks.tracklet_ids, tracks.bboxes, tracks.confidences))


if __name__ == "__main__":
    execute(main)
