"""What a source of footage is: its pixels, measured from the packets and not believed from the header, and what lies beside.

Packets are read and not decoded (a gigabyte takes a few seconds), but for the first picture, which gives the size after
rotation, and for streams whose packets do not say when they are shown, or may hold half a picture.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from stages.errors import DataError
from stages.images import list_images, read_image
from stages.progress import progress
from stages.video import open_video, picture_of, sound_frames

VIDEO_SUFFIXES = {
    ".3gp", ".asf", ".avi", ".dv", ".flv", ".h264", ".m2ts", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg",
    ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv",
}  # fmt: skip
LISTS = {"concat", "dash", "hls"}  # formats whose file only names those with the pictures: a copy of it shows nothing
HIDDEN_PICTURES = {"vp8"}  # codecs with packets that are decoded and never shown: counted by decoding


@dataclass(frozen=True)
class Footage:
    """Pixels: one video, or the numbered images of a folder."""

    kind: Literal["video", "images"]
    files: tuple[Path, ...]
    codec: str  # FFmpeg's name of a video's codec; an image's suffix
    width_px: int  # after rotation
    height_px: int
    num_frames: int  # presented frames; of images their number
    duration_s: float  # from the first frame's moment to the last one's; 0 where nothing says it
    stated_s: float  # as the header says; 0 where it does not
    fps: float | None  # as measured; None where nothing says it, as in images
    variable_rate: bool  # more than half an interval off an even grid
    rotation_deg: int  # counter-clockwise, already in width and height


@dataclass(frozen=True)
class Source:
    """A source and what lies beside its pixels; None for what it lacks."""

    path: Path
    footage: Footage | None
    seqinfo: Path | None
    ground_truth: Path | None
    detections: Path | None
    motion: Path | None
    camera: Path | None


def probe(path: Path) -> Source:
    """What `path` is: a video, a folder of images, or a MOTChallenge folder with a video, with img1/ or without pixels.

    Raises DataError in one line for what is missing, empty, no video, cut short, or a folder with none of these.
    """
    if not path.exists():
        raise DataError(f"{path}: expected a video, an image folder or a MOTChallenge folder, found nothing")
    if path.is_file():
        return Source(path, probe_video(path), None, None, None, None, None)
    beside = [path / name for name in ("seqinfo.ini", "gt/gt.txt", "det/det.txt", "motion/motion.txt", "camera.json")]
    found = [file if file.is_file() else None for file in beside]
    footage = _folder_footage(path)
    if footage is None and not any(found):
        raise DataError(f"{path}: expected a video, images, img1/, gt/gt.txt or det/det.txt in the folder, found none of them")
    return Source(path, footage, *found)


def _folder_footage(folder: Path) -> Footage | None:
    """The pixels of a folder: one video, or images, in img1/, pixels/ or the folder itself. Raises DataError for more."""
    places = [place for place in (folder / "img1", folder / "pixels", folder) if place.is_dir()]
    files = [file for place in places for file in sorted(place.iterdir()) if not file.name.startswith(".")]  # macOS: ._a.mp4
    videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file()]
    folders = [images for place in places if (images := list_images(place))]
    if len(videos) + len(folders) > 1:
        found = [str(file.relative_to(folder)) for file in (*videos, *(images[0] for images in folders))]
        raise DataError(f"{folder}: expected one video or images, got {', '.join(found)}")
    if videos:
        return probe_video(videos[0])
    return probe_images(folders[0]) if folders else None


def probe_images(images: list[Path]) -> Footage:
    """Footage of images in order, all of which are read. Raises DataError for a damaged one and one of another size."""
    height, width = read_image(images[0]).shape[:2]
    for image in progress(images, "reading images", unit="image"):
        size = read_image(image).shape[:2]
        if size != (height, width):
            raise DataError(f"{image}: expected the first image's {width} x {height} px, got {size[1]} x {size[0]}")
    return Footage(
        "images", tuple(images), images[0].suffix.lower().lstrip("."), width, height, len(images), 0.0, 0.0, None, False, 0
    )


def probe_video(path: Path) -> Footage:
    """Footage of a video. Raises DataError where it is empty, no video, sound alone, cut short or without frames."""
    container, stream = open_video(path)
    with container:
        if container.format.name in ("tty", "image2") or container.format.name.endswith("_pipe"):
            raise DataError(f"{path}: expected a video, got a text or a single image")
        if container.format.name in LISTS:
            raise DataError(f"{path}: expected a video, got a list of others ({container.format.name}): make one file of them")
        codec = stream.codec_context.codec.canonical_name
        stated = float(stream.average_rate) if stream.average_rate else None
        stated_s = (container.duration or 0) / av.time_base
        first = next(sound_frames(container, stream, f"{path}: expected frames ({codec})"), None)
        if first is None:
            raise DataError(f"{path}: expected a video with frames, got one without")
        height, width = picture_of(first).shape[:2]
    halves = codec == "h264" and first.interlaced_frame  # AVCHD's recordings may have each field in a packet of its own
    moments = None if halves else _packet_moments(path, first.pts)
    if moments is None:
        moments = _decoded_moments(path)
    fps, variable = frame_rate(moments, stated)
    duration = float(np.ptp(moments)) if np.isfinite(moments).all() else 0.0
    return Footage("video", (path,), codec, width, height, len(moments), duration, stated_s, fps, variable, first.rotation)


def frame_rate(moments_s: NDArray[np.float64], stated: float | None) -> tuple[float | None, bool]:
    """Frames per second of frames shown at `moments_s` (N,), and whether the rate varies.

    The rate is constant when every frame is shown within half an interval of an even grid: the header's, where it fits, or
    the measured one. Of a varying rate the most common interval counts, as a whole number of frames per second.
    Moments that are unknown (NaN) or do not rise say nothing: then the header's rate counts.
    """
    if len(moments_s) < 2 or not (np.diff(moments_s) > 0).all():
        return stated, False
    steps = np.arange(len(moments_s))
    for fps in (stated, float(steps[-1] / (moments_s[-1] - moments_s[0]))):
        if fps and np.abs((moments_s - moments_s[0]) * fps - steps).max() <= 0.5:
            return fps, False
    usual = float(1 / np.median(np.diff(moments_s)))
    return float(round(usual) or usual), True


def _packet_moments(path: Path, first_pts: int | None) -> NDArray[np.float64] | None:
    """(N,) seconds, sorted, at which the packets' frames are shown; None where the packets do not say it.

    Packets shown before the first frame that could be decoded belong to a picture that was cut off.
    """
    container, stream = open_video(path)
    moments: list[int] = []
    with container:
        if stream.codec_context.codec.canonical_name in HIDDEN_PICTURES:
            return None
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise DataError(
                    f"{path}: expected a whole video, got a damaged packet after {len(moments)} frames (cut short?)"
                )
            if packet.size == 0 or packet.is_discard:  # the end of the stream, or outside the edit list
                continue
            if packet.pts is None:
                return None
            if first_pts is None or packet.pts >= first_pts:
                moments.append(packet.pts)
        time_base = float(stream.time_base or 0)
    return None if len(set(moments)) < len(moments) else np.sort(np.array(moments, dtype=np.float64)) * time_base


def _decoded_moments(path: Path) -> NDArray[np.float64]:
    """(N,) seconds at which the decoded frames are shown, NaN where they do not say it."""
    container, stream = open_video(path)
    with container:
        frames = sound_frames(container, stream, f"{path}: expected a whole video")
        return np.array([np.nan if frame.time is None else frame.time for frame in frames], dtype=np.float64)
