"""Pictures to an H.264 file that browsers play: 4:2:0, index in front, constant frame rate.

x264's output depends on its number of threads, so that is a parameter; equal pictures then give equal bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from stages.errors import DataError
from stages.params import Range

BT709 = 1  # ITU-T H.273: what players assume; without it colours shift
SECONDS_BETWEEN_KEYFRAMES = 2  # how far a player decodes when somebody seeks

Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]


@dataclass(frozen=True)
class H264Params:
    """How x264 encodes."""

    crf: Annotated[int, Range(0, 51)]
    preset: Preset
    threads: Annotated[int, Range(1, 128)]


def write_h264(path: Path, pictures: Iterable[NDArray[np.uint8]], fps: float, params: H264Params) -> int:
    """Encodes pictures (H, W, 3) BGR of one size at a constant rate and returns how many; odd sizes grow by a pixel.

    `pictures` holds at least one. Raises DataError when FFmpeg refuses.
    """
    rate = Fraction(fps).limit_denominator(1001)  # 29.97 is 2997/100, 30000/1001 stays itself
    written = 0
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=rate)
            for picture in pictures:
                even = _even(picture)
                if not written:
                    _configure(stream, even.shape[1], even.shape[0], rate, params)
                frame = av.VideoFrame.from_ndarray(even, format="bgr24").reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
                frame.pts, frame.time_base = written, 1 / rate
                container.mux(stream.encode(frame))
                written += 1
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise DataError(f"{path}: expected to encode H.264, got: {error}") from error
    return written


def _configure(stream: av.VideoStream, width_px: int, height_px: int, rate: Fraction, params: H264Params) -> None:
    codec = stream.codec_context
    codec.width, codec.height, codec.pix_fmt = width_px, height_px, "yuv420p"
    codec.time_base = 1 / rate
    codec.gop_size = max(1, round(SECONDS_BETWEEN_KEYFRAMES * rate))
    codec.colorspace = codec.color_primaries = codec.color_trc = BT709
    codec.color_range = ColorRange.MPEG
    codec.thread_count = params.threads
    codec.options = {"crf": str(params.crf), "preset": params.preset}


def _even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with an even number of rows and columns, which 4:2:0 needs; the border is repeated."""
    odd_rows, odd_columns = picture.shape[0] % 2, picture.shape[1] % 2
    if not odd_rows and not odd_columns:
        return picture
    return np.asarray(cv2.copyMakeBorder(picture, 0, odd_rows, 0, odd_columns, cv2.BORDER_REPLICATE), dtype=np.uint8)
