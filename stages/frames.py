"""Pixels of a sequence, frame by frame: a video decoded by FFmpeg or a folder of numbered images.

Frames are counted in the order of presentation and seqinfo.ini has the last word on rate and length, because headers are
often wrong. Frames before a late start are decoded and thrown away: exact, and slower than seeking. Only where seqinfo.ini
says that the rate varies do time stamps count.
"""

import io
import queue
import re
import threading
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar, cast

import av
import cv2
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from stages.errors import DataError
from stages.seqinfo import SequenceInfo
from stages.sequence_folder import holds_data

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
MOMENT_TOLERANCE_S = 1e-4  # seqinfo.ini keeps ten digits of the rate: microseconds in a video of ten hours
T = TypeVar("T")


def read_frames(pixels: Path, info: SequenceInfo, frame_numbers: range) -> Iterator[NDArray[np.uint8]]:
    """The pictures (height_px, width_px, 3) BGR of the source frames in `frame_numbers` (rising, from 0), one at a time.

    `pixels` is the sequence's folder with one video or with images. Rotation in the metadata is applied. Raises DataError
    naming the file where a picture is unreadable, damaged or of another size, or where there are fewer than seqinfo.ini says.
    """
    if not holds_data(pixels):
        raise DataError(f"{pixels}: expected a video or images, found none")
    if images := list_images(pixels):
        return _read_images(pixels, images, info, frame_numbers)
    return _read_video(_only_file(pixels), info, frame_numbers)


def list_images(folder: Path) -> list[Path]:
    """The images of a folder by the number in their name; empty where there is none.

    Raises DataError naming a number that is missing or there twice, or a name without number.
    """
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        digits = re.findall(r"[0-9]+", path.stem)
        if not digits:
            raise DataError(f"{path}: expected a frame number in the name, found none")
        number = int(digits[-1])
        if number in numbered:
            raise DataError(f"{folder}: expected one image of number {number}, got {numbered[number].name} and {path.name}")
        numbered[number] = path
    order = sorted(numbered)
    for before, after in zip(order, order[1:], strict=False):
        if after != before + 1:
            raise DataError(
                f"{folder}: expected image number {before + 1} after {numbered[before].name}, got {numbered[after].name}"
            )
    return [numbered[number] for number in order]


def read_image(path: Path) -> NDArray[np.uint8]:
    """The picture (H, W, 3) BGR of an image file.

    Raises DataError where it is unreadable or truncated, or its header declares more pixels than fit into half a gigabyte.
    """
    data = path.read_bytes()
    _check_declared_size(data, path)
    try:  # from memory: imread fills up a truncated JPEG with grey and says nothing
        picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:  # a header that declares more than 2^30 pixels
        picture = None
    if picture is None:
        raise DataError(
            f"{path}: expected a whole image, got {f'a damaged one of {len(data)} bytes' if data else 'an empty file'}"
        )
    return np.asarray(picture, dtype=np.uint8)


def _check_declared_size(data: bytes, path: Path) -> None:
    """Raises DataError where an image's header declares over 179 million pixels, Pillow's bound: a megabyte can unpack to that.

    OpenCV takes memory for 1,074 million, and decodes before it can be asked for the size.
    """
    from PIL import Image  # loaded for folders of images alone

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # half of the bound
            Image.open(io.BytesIO(data)).close()
    except Image.DecompressionBombError as error:
        raise DataError(f"{path}: expected at most {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, got: {error}") from error
    except (OSError, SyntaxError, ValueError, ImportError):  # ImportError: Ultralytics adds formats to Pillow
        return  # damaged or unknown to Pillow: OpenCV decides


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


def prefetched(items: Iterable[T], depth: int) -> Iterator[T]:
    """The items again, made by a background thread that runs at most `depth` ahead.

    An error of the thread is raised here; when the consumer stops early, the thread closes `items` and ends.
    """
    end = object()
    ready: queue.SimpleQueue[object] = queue.SimpleQueue()
    room = threading.Semaphore(depth)
    stopped = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        iterator = iter(items)
        try:
            while room.acquire() and not stopped.is_set():
                item = next(iterator, end)
                ready.put(item)
                if item is end:
                    return
        except BaseException as error:  # handed to the consumer
            failures.append(error)
            ready.put(end)
        finally:
            if close := getattr(iterator, "close", None):
                close()

    thread = threading.Thread(target=work, name="prefetched", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not end:
            yield item  # type: ignore[misc]
            room.release()
        if failures:
            raise failures[0]
    finally:
        stopped.set()
        room.release()
        thread.join()


def _read_images(folder: Path, images: list[Path], info: SequenceInfo, frame_numbers: range) -> Iterator[NDArray[np.uint8]]:
    if len(images) < info.num_frames:
        raise DataError(f"{folder}: expected {info.num_frames} frames (seqinfo.ini), got {len(images)} images")
    for number in frame_numbers:
        picture = read_image(images[number])
        _check_size(picture, info, f"{images[number]}")
        yield picture


def _read_video(file: Path, info: SequenceInfo, frame_numbers: range) -> Iterator[NDArray[np.uint8]]:
    """The wanted frames of a video; decoding ends after the last of them."""
    container, stream = open_video(file)
    count = 0
    with container:
        frames: Iterator[VideoFrame] = sound_frames(
            container, stream, f"{file}: expected {info.num_frames} frames (seqinfo.ini)"
        )
        if info.variable_rate:
            frames = at_constant_rate(frames, info.fps, file)
        for frame in islice(frames, frame_numbers[-1] + 1 if frame_numbers else 0):
            if count in frame_numbers:
                picture = picture_of(frame)
                _check_size(picture, info, f"{file}: frame {count}")
                yield picture
            count += 1
    if frame_numbers and count <= frame_numbers[-1]:
        raise DataError(f"{file}: expected {info.num_frames} frames (seqinfo.ini), got {count}")


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


def _only_file(folder: Path) -> Path:
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if len(files) != 1:
        raise DataError(f"{folder}: expected one video or images, got {len(files)} files")
    return files[0]


def _check_size(picture: NDArray[np.uint8], info: SequenceInfo, place: str) -> None:
    height, width = picture.shape[:2]
    if (width, height) != (info.width_px, info.height_px):
        raise DataError(f"{place}: expected {info.width_px} x {info.height_px} px (seqinfo.ini), got {width} x {height}")
