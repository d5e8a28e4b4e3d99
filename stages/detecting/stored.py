"""Detections that another detector left in det/det.txt: taken as they are, no threshold applied, class 0."""

from pathlib import Path

import numpy as np

from stages.clip import ClipParams, clip_fps, source_frames
from stages.contracts.detections import Detections
from stages.errors import DataError
from stages.motchallenge import MotRows, read_rows
from stages.seqinfo import SequenceInfo
from stages.sequence_folder import holds_data


def stored_detections(folder: Path, sequence: str, info: SequenceInfo, clip: ClipParams) -> Detections:
    """The detections of the folder's det.txt in the clip's frames, renumbered from 0; a frame's rows keep the file's order.

    Raises DataError where there is no file, a score is no probability or a frame lies beyond the sequence.
    """
    path = folder / "det.txt"
    if not holds_data(folder):
        raise DataError(f"{path}: expected a file, found none: set sequences.{sequence}.detections to network")
    rows = read_detections(path, info)
    source = source_frames(info, clip)
    steps = rows.frame_numbers - source.start
    kept = (steps >= 0) & (rows.frame_numbers < source.stop) & (steps % source.step == 0)
    return Detections(
        sequence,
        len(source),
        info.width_px,
        info.height_px,
        clip_fps(info, clip),
        (steps[kept] // source.step).astype(np.int32),
        rows.bboxes[kept],
        rows.scores[kept],
        np.zeros(int(kept.sum()), dtype=np.int16),
    )


def read_detections(path: Path, info: SequenceInfo) -> MotRows:
    """The rows of a det.txt that fits the sequence. Raises DataError naming the first frame that does not."""
    rows = read_rows(path)
    outside = (rows.scores < 0) | (rows.scores > 1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise DataError(
            f"{path}: frame {rows.frame_numbers[row] + 1}: expected scores in [0, 1], got {rows.scores[row]:g} "
            f"(scale the detector's scores first)"
        )
    beyond = rows.frame_numbers >= info.num_frames
    if beyond.any():
        raise DataError(f"{path}: expected frames 1 to {info.num_frames}, got frame {rows.frame_numbers[beyond][0] + 1}")
    return rows
