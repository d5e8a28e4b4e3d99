"""What a source becomes as a sequence: its size, rate and length, and boxes that are checked to fit them."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from stages.errors import DataError
from stages.motchallenge import MotRows, read_rows
from stages.probe import Footage, Source
from stages.scoring.truth import make_truth
from stages.seqinfo import MAX_FPS, MAX_FRAMES, MIN_FPS, SequenceInfo, read_seqinfo
from stages.video import constant_rate_length

BORDER_PX = 2.0  # a side within it of the picture's border ends there


def sequence_info(source: Source, name: str, fps: float | None, seqinfo: Path | None) -> SequenceInfo:
    """Size, rate and length of the sequence: --fps before seqinfo.ini before what the footage measures.

    Raises DataError where the footage is of another size or shorter than seqinfo.ini says, nothing says the rate or, of a
    varying one, what rows beside the video count, or rate or length is none that a seqinfo.ini may have.
    """
    footage = source.footage
    if seqinfo is None:
        if footage is None:
            raise DataError(
                f"{source.path / 'seqinfo.ini'}: expected a file (or --seqinfo) beside boxes without pixels, found none"
            )
        rate = fps or footage.fps
        if rate is None:
            raise DataError(
                f"{source.path}: expected a frame rate, which {footage.codec} does not state: give --fps or --seqinfo"
            )
        rows = [file for file in (source.ground_truth, source.detections, source.motion) if file]
        if footage.variable_rate and rows:
            raise DataError(
                f"{source.path}: expected a seqinfo.ini (or --seqinfo), because the video's rate varies and {rows[0].name} "
                f"counts frames: as they come, {footage.num_frames:,} (frameTiming=constant), or at an even rate (variable), "
                f"found none"
            )
        length = constant_rate_length(footage.duration_s, rate) if footage.variable_rate else footage.num_frames
        if not MIN_FPS <= rate <= MAX_FPS or length > MAX_FRAMES:
            raise DataError(
                f"{source.path}: expected {MIN_FPS:g} to {MAX_FPS:g} frames per second and at most {MAX_FRAMES:,} frames, got "
                f"{length:,} at {rate:g}: give --fps or --seqinfo"
            )
        return SequenceInfo(name, footage.width_px, footage.height_px, rate, length, footage.variable_rate)
    stated = read_seqinfo(seqinfo)
    info = replace(stated, name=name, fps=fps or stated.fps)
    if footage is not None:
        _check_footage(footage, info, seqinfo)
    return info


def _check_footage(footage: Footage, info: SequenceInfo, seqinfo: Path) -> None:
    size = (footage.width_px, footage.height_px)
    if size != (info.width_px, info.height_px):
        raise DataError(f"{seqinfo}: expected the footage's {size[0]} x {size[1]} px, got {info.width_px} x {info.height_px}")
    length = constant_rate_length(footage.duration_s, info.fps) if info.variable_rate else footage.num_frames
    if length < info.num_frames:
        raise DataError(f"{seqinfo}: seqLength: expected at most the footage's {length} frames, got {info.num_frames}")


def read_ground_truth(path: Path, info: SequenceInfo) -> MotRows:
    """The rows of a gt.txt that `evaluate` will take. Raises DataError naming the first row that it would not."""
    rows = read_rows(path)
    if len(rows) == 0:
        raise DataError(f"{path}: expected rows, found none: without the file the sequence has no ground truth")
    make_truth(path, rows, info.num_frames)
    return rows


def choose_detections(source: Source, wanted: Literal["network", "stored"] | None) -> str:
    """Where boxes come from: as asked, or the network where there are pixels. Raises DataError where that is not there."""
    if source.footage is None and source.detections is None:
        raise DataError(f"{source.path}: expected pixels or det/det.txt, found neither")
    chosen = wanted or ("network" if source.footage else "stored")
    if chosen == "network" and source.footage is None:
        raise DataError(f"{source.path}: expected pixels for --detections network, found none")
    if chosen == "stored" and source.detections is None:
        raise DataError(f"{source.path / 'det/det.txt'}: expected a file for --detections stored, found none")
    return chosen


def choose_motion(source: Source, wanted: Literal["none", "estimated", "stored"] | None) -> str:
    """Where the camera's motion comes from: as asked, or the file where there is one. Raises DataError where it is missing."""
    chosen = wanted or ("stored" if source.motion else "none")
    if chosen == "estimated" and source.footage is None:
        raise DataError(f"{source.path}: expected pixels for --camera-motion estimated, found none")
    if chosen == "stored" and source.motion is None:
        raise DataError(f"{source.path / 'motion/motion.txt'}: expected a file for --camera-motion stored, found none")
    return chosen


def choose_at_border(truth: MotRows | None, info: SequenceInfo) -> str:
    """Whether boxes at the border are as large as they are (whole) or end there (seen): as in the ground truth."""
    if truth is None:
        return "seen"
    low, high = truth.bboxes[:, :2], truth.bboxes[:, 2:] - np.array([info.width_px, info.height_px], dtype=np.float32)
    outward = np.maximum(-low, high).max(axis=1)
    return "whole" if (outward > BORDER_PX).sum() > (np.abs(outward) <= BORDER_PX).sum() else "seen"
