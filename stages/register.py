"""Pixels to camera motion: how the picture moved from frame to frame because the camera did.

The result is always there, so that the tracker needs no second way: identities for a camera that stands still, which costs
nothing; estimated from the pictures; or what another program stored with the sequence.
"""

from argparse import Namespace
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stages.clip import ClipParams, source_frames
from stages.command import Run, execute, log, stage_options, stage_run
from stages.contracts.camera_motion import IDENTITY, CameraMotion
from stages.contracts.detections import Detections
from stages.errors import ContractError, DataError
from stages.params import load_section, load_value
from stages.pins import check_pins
from stages.registration.params import RegisterParams
from stages.registration.stored import stored_motion
from stages.seqinfo import SequenceInfo, read_seqinfo
from stages.sequence_folder import holds_data

DECODED_AHEAD = 16  # pictures, scaled down


def register(pictures: Iterable[NDArray[Any]], detections: Detections, params: RegisterParams) -> tuple[CameraMotion, int]:
    """The camera's motion through the pictures (grey, scaled down) of the detections' frames, and the frames without.

    A frame in which too few corners agree gets the identity: the tracker then does as it does for a camera that stands still.
    """
    from stages.registration.optical_flow import motion_between  # a camera that stands still needs no OpenCV

    size = detections.width_px, detections.height_px
    offsets = detections.frame_offsets()
    transforms = np.tile(IDENTITY, (detections.num_frames, 1, 1))
    unregistered = 0
    for frame, (before, after) in enumerate(pairwise(pictures), start=1):
        people = detections.bboxes[offsets[frame - 1] : offsets[frame]]
        found = motion_between(before, after, people, size, params)
        if found is None:
            unregistered += 1
        else:
            transforms[frame] = found
    return CameraMotion(detections.sequence, detections.num_frames, transforms), unregistered


def estimated_motion(
    args: Namespace, params: RegisterParams, info: SequenceInfo, frames: range, detections: Detections, run: Run
) -> CameraMotion:
    """The motion estimated from the pixels of these source frames; says in how many frames there was none to find."""
    if not holds_data(args.pixels):
        raise DataError(
            f"{args.pixels}: expected a video or images, found none: set sequences.{args.sequence}.camera_motion "
            f"to none or stored"
        )
    from stages.frames import read_frames
    from stages.prefetching import prefetched
    from stages.progress import progress
    from stages.registration.optical_flow import shrink

    shrunk = (shrink(picture, params.max_width_px) for picture in read_frames(args.pixels, info, frames))
    pictures = progress(prefetched(shrunk, DECODED_AHEAD), f"register {args.sequence}", len(frames))
    with run.computing():
        motion, unregistered = register(pictures, detections, params)
    if unregistered:
        log.info("register %s: in %s of %s frames too few corners agree: taken as a camera that stands still there",
                 args.sequence, f"{unregistered:,}", f"{len(frames):,}")  # fmt: skip
    run.counts = {"frames": len(frames), "unregistered": unregistered}
    return motion


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "pixels", "seqinfo", "detections", "stored", "camera-motion", "timings")
    check_pins(args.pins)
    params = load_section(RegisterParams, "register")
    clip = load_section(ClipParams, f"sequences.{args.sequence}.clip")
    origin = load_value(Literal["none", "estimated", "stored"], f"sequences.{args.sequence}.camera_motion")
    with stage_run("register", args.sequence, args.timings) as run:
        info, detections = read_seqinfo(args.seqinfo), Detections.load(args.detections, args.sequence)
        frames = source_frames(info, clip)
        if len(frames) != detections.num_frames:
            raise ContractError(
                f"{args.detections}: num_frames: expected {len(frames)} of the clip, got {detections.num_frames}"
            )
        log.info("register %s: camera motion of %s frames: %s", args.sequence, f"{len(frames):,}", origin)
        if origin == "estimated":
            motion = estimated_motion(args, params, info, frames, detections, run)
        elif origin == "stored":
            motion = stored_motion(args.stored, args.sequence, info, clip)
        else:
            motion = CameraMotion.still(args.sequence, len(frames))
        motion.save(args.camera_motion)


if __name__ == "__main__":
    execute(main)
