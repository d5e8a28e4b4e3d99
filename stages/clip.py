"""The part of a sequence that is processed: start, end and stride, and what they do to frame numbers and frame rate.

All artifacts count the frames of the clip from 0 and carry its rate; the ground truth and the pixels are mapped through
`source_frames`.
"""

from dataclasses import dataclass
from typing import Annotated

from stages.errors import DataError, ParamsError
from stages.params import Range
from stages.seqinfo import MIN_FPS, SequenceInfo


@dataclass(frozen=True)
class ClipParams:
    """Frames [start_frame, end_frame) of the source, each frame_stride-th; end_frame null: to the end."""

    start_frame: Annotated[int, Range(0, 10**9)]
    end_frame: Annotated[int | None, Range(1, 10**9)]
    frame_stride: Annotated[int, Range(1, 10**4)]

    def __post_init__(self) -> None:
        if self.end_frame is not None and self.end_frame <= self.start_frame:
            raise ParamsError(f"end_frame: expected a frame after start_frame {self.start_frame}, got {self.end_frame}")


def source_frames(info: SequenceInfo, clip: ClipParams) -> range:
    """Source frame numbers of the clip's frames. Raises DataError when the clip leaves the sequence."""
    end = info.num_frames if clip.end_frame is None else clip.end_frame
    if end > info.num_frames or (clip.start_frame >= info.num_frames > 0):
        raise DataError(
            f"{info.name}: clip: expected start_frame and end_frame within the sequence's {info.num_frames} frames, "
            f"got {clip.start_frame} and {end}"
        )
    return range(clip.start_frame, end, clip.frame_stride)


def clip_fps(info: SequenceInfo, clip: ClipParams) -> float:
    """Frames per second of the clip. Raises DataError where the stride leaves fewer than MIN_FPS."""
    fps = info.fps / clip.frame_stride
    if fps < MIN_FPS:
        raise DataError(
            f"{info.name}: clip.frame_stride: expected at least {MIN_FPS} frames per second to be left, got {fps:g}"
        )
    return fps
