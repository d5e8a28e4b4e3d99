"""Camera motion that another program left in motion/motion.txt, in the format of BoT-SORT's GMC files.

A line a frame of the source: the frame's number, from 0 as there and unlike MOTChallenge's files, and a11 a12 a13 a21 a22 a23
of the transform that maps a pixel of the frame before to this frame, separated by white space
(github.com/NirAharon/BoT-SORT: VideoCameraCorrection/main.cpp writes it, tracker/gmc.py reads it).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.clip import ClipParams, source_frames
from stages.contracts.camera_motion import CameraMotion
from stages.errors import ContractError, DataError
from stages.number_lines import read_numbers
from stages.seqinfo import SequenceInfo
from stages.sequence_folder import holds_data


def stored_motion(folder: Path, sequence: str, info: SequenceInfo, clip: ClipParams) -> CameraMotion:
    """The motion in the folder's motion.txt between the frames of the clip.

    Raises DataError where there is no file, or it is not the motion of the sequence.
    """
    path = folder / "motion.txt"
    if not holds_data(folder):
        raise DataError(f"{path}: expected a file, found none: set sequences.{sequence}.camera_motion to none or estimated")
    source = source_frames(info, clip)
    try:
        return CameraMotion(sequence, len(source), composed(read_motion(path, info), source))
    except ContractError as error:
        raise DataError(f"{path}: between frames of the clip: {error}") from error


def read_motion(path: Path, info: SequenceInfo) -> NDArray[np.float64]:
    """(num_frames, 2, 3) the similarities of a motion.txt. Raises DataError naming what is not one, or not of the sequence."""
    values, _ = read_numbers(path, range(7, 8), separator=None)
    numbers = values[:, 0]
    if len(numbers) != info.num_frames or (numbers != np.arange(len(numbers))).any():
        got = f"{numbers[0]:.10g} to {numbers[-1]:.10g} in {len(numbers)} lines" if len(numbers) else "none"
        raise DataError(f"{path}: expected frames 0 to {info.num_frames - 1}, a line each in this order, got {got}")
    rows = values[:, 1:].reshape(-1, 2, 3)
    try:
        CameraMotion(info.name, info.num_frames, rows)
    except ContractError as error:
        raise DataError(f"{path}: {error}") from error
    a, b = (rows[:, 0, 0] + rows[:, 1, 1]) / 2, (rows[:, 1, 0] - rows[:, 0, 1]) / 2  # without the rounding to six decimals
    return np.stack([a, -b, rows[:, 0, 2], b, a, rows[:, 1, 2]], axis=1).reshape(-1, 2, 3)


def composed(transforms: NDArray[np.float64], frames: range) -> NDArray[np.float64]:
    """(K, 2, 3) maps between K kept frames, from (F, 2, 3) maps between neighbours: row k from frames[k - 1] to frames[k]."""
    square = np.tile(np.eye(3), (len(transforms), 1, 1))
    square[:, :2] = transforms
    made = np.tile(np.eye(3), (len(frames), 1, 1))
    before = np.array(frames[:-1], dtype=np.int64)
    for step in range(1, frames.step + 1):
        made[1:] = square[before + step] @ made[1:]
    return np.ascontiguousarray(made[:, :2])
