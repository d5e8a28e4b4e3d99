"""Video files, decoded by FFmpeg: frames in the order of presentation, as they are to be seen."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from stages.errors import DataError

MOMENT_TOLERANCE_S = 1e-4  # seqinfo.ini keeps ten digits of the rate: microseconds in a video of ten hours


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """The container and its first video stream that is no cover picture. The caller closes the container.

    Raises DataError naming the file where FFmpeg cannot read it or finds no video in it.
    """
    try:
        container = av.open(str(path), metadata_errors="replace")
    except FFmpegError as error:
        raise DataError(f"{path}: expected a video, got {_unreadable(path, error)}") from error
    for stream in container.streams.video:
        if stream.codec_context is None:
            container.close()
            raise DataError(f"{path}: expected a video, got one of a codec that FFmpeg does not know")
        if not stream.disposition & av.stream.Disposition.attached_pic:
            stream.thread_type = ThreadType.AUTO
            return container, stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    container.close()
    raise DataError(f"{path}: expected a video, got a file that holds {kinds} alone")


def _unreadable(path: Path, error: FFmpegError) -> str:
    """What a file is that FFmpeg does not open."""
    if path.is_file() and path.stat().st_size == 0:
        return "an empty file"
    with open(path, "rb") as file:
        if file.read(8)[4:] == b"ftyp":
            return "an MP4 without its index (moov): the recording or the copy was cut short"
    return f"a file that FFmpeg cannot read ({error.strerror})"


def picture_of(frame: VideoFrame) -> NDArray[np.uint8]:
    """(H, W, 3) BGR of a decoded frame, turned (to the nearest quarter) and mirrored as its display matrix says.

    The matrix maps the pixel (x, y) to (a x + c y, b x + d y), y downwards (FFmpeg, libavutil/display.h).
    """
    picture = np.asarray(frame.to_ndarray(format="bgr24", threads=1), dtype=np.uint8)
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return picture
    a, b, _, c, d = np.frombuffer(cast(bytes, matrix), dtype=np.int32)[:5].tolist()
    if abs(b) > abs(a):  # a quarter turn: columns become rows
        picture, a, d = picture.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def sound_frames(container: InputContainer, stream: VideoStream, expectation: str) -> Iterator[VideoFrame]:
    """Decoded frames in the order of presentation, up to the first damaged one, which is an error."""
    count = 0
    try:
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise DataError(f"{expectation}, got {count} and then a damaged one")
            yield frame
            count += 1
    except FFmpegError as error:
        raise DataError(f"{expectation}, got {count} and then a damaged one ({error.strerror})") from error


def at_constant_rate(frames: Iterable[VideoFrame], fps: float, file: Path) -> Iterator[VideoFrame]:
    """Frame k is the last one shown at or before k / fps seconds after the first: some come twice, some not at all."""
    shown: VideoFrame | None = None
    start = moment = 0.0
    made = 0
    for frame in frames:
        if frame.time is None:
            raise DataError(f"{file}: expected a time stamp on each frame (frameTiming=variable), found none")
        if shown is None:
            start = frame.time
        moment = frame.time - start
        while shown is not None and made / fps + MOMENT_TOLERANCE_S < moment:
            yield shown
            made += 1
        shown = frame
    if shown is not None and made < constant_rate_length(moment, fps):
        yield shown


def constant_rate_length(duration_s: float, fps: float) -> int:
    """Number of frames that `at_constant_rate` makes when the last frame is shown `duration_s` after the first."""
    return int((duration_s + MOMENT_TOLERANCE_S) * fps) + 1
