"""Pixels of a sequence, frame by frame: a video decoded by FFmpeg or a folder of numbered images.

Frames are counted in the order of presentation and seqinfo.ini has the last word on rate and length, because headers are
often wrong. Frames before a late start are decoded and thrown away: exact, and slower than seeking. Only where seqinfo.ini
says that the rate varies do time stamps count.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from stages.errors import DataError
from stages.images import list_images, read_image
from stages.seqinfo import SequenceInfo
from stages.sequence_folder import holds_data
from stages.video import at_constant_rate, open_video, picture_of, sound_frames


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
        for frame in islice(_whole(frames), frame_numbers[-1] + 1 if frame_numbers else 0):
            if count in frame_numbers:
                picture = picture_of(frame)
                _check_size(picture, info, f"{file}: frame {count}")
                yield picture
            count += 1
    if frame_numbers and count <= frame_numbers[-1]:
        raise DataError(f"{file}: expected {info.num_frames} frames (seqinfo.ini), got {count}{_way_on(count)}")


def _whole(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """The frames again; the error that ends them says how to go on with those before it."""
    count = 0
    try:
        for frame in frames:
            yield frame
            count += 1
    except DataError as error:
        raise DataError(f"{error}{_way_on(count)}") from error


def _way_on(count: int) -> str:
    """What to do with so many frames that can be read, after what is wrong with the next one.

    At most, because FFmpeg's threads may come upon the damage a frame or two sooner another time.
    """
    return f": set clip.end_frame of the sequence to at most {count} to go on with what can be read" if count else ""


def _only_file(folder: Path) -> Path:
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if len(files) != 1:
        raise DataError(f"{folder}: expected one video or images, got {len(files)} files")
    return files[0]


def _check_size(picture: NDArray[np.uint8], info: SequenceInfo, place: str) -> None:
    height, width = picture.shape[:2]
    if (width, height) != (info.width_px, info.height_px):
        raise DataError(f"{place}: expected {info.width_px} x {info.height_px} px (seqinfo.ini), got {width} x {height}")
