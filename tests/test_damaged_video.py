"""What cameras, copies and converters do to videos: each is processed with the damage said, or refused in one line."""

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from stages.errors import DataError
from stages.frames import read_frames
from stages.images import read_image
from stages.probe import probe_video
from stages.seqinfo import SequenceInfo, read_seqinfo
from tests import sample_project
from tests.checkout import Checkout
from tests.footage import pattern, write_video
from tests.sample_project import DET, SEQINFO, Command, mot_folder

project, command = sample_project.project, sample_project.command  # fixtures


def write_pictures(path: Path, pictures: Sequence[Any], codec: str, pixel_format: str, name: str = "bgr24") -> Path:
    """Writes pictures in a format that `write_video` does not make; returns the path."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=25))
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format=name)))
        container.mux(stream.encode(None))
    return path


def info_of(path: Path) -> SequenceInfo:
    """What a sequence of the video would say of itself."""
    found = probe_video(path)
    return SequenceInfo("plaza", found.width_px, found.height_px, found.fps or 25.0, found.num_frames, found.variable_rate)


# What is sound, and unusual


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "width", "height"),
    [
        ("odd.mkv", "ffv1", "yuv420p", 63, 47),
        ("odd.avi", "mjpeg", "yuvj444p", 65, 49),
        ("grey.mkv", "ffv1", "gray", 64, 48),
        ("ten_bit.mkv", "ffv1", "yuv420p10le", 64, 48),
        ("grey_ten_bit.mkv", "ffv1", "gray10le", 64, 48),
        ("raw.avi", "rawvideo", "bgr24", 64, 48),
    ],
)
def test_odd_sizes_grey_and_ten_bits_become_eight_bit_colour(
    tmp_path: Path, name: str, codec: str, pixel_format: str, width: int, height: int
) -> None:
    pictures = [pattern(number, width, height) for number in range(3)]
    path = write_pictures(tmp_path / name, pictures, codec, pixel_format)
    info = info_of(path)
    assert (info.width_px, info.height_px, info.num_frames) == (width, height, 3)
    for got, picture in zip(read_frames(tmp_path, info, range(3)), pictures, strict=True):
        assert got.dtype == np.uint8
        away = np.abs(got.astype(int) - picture)
        assert away.max() < 40  # at the square's edge, where the colour of four pixels is one
        assert away.mean() < 3


def test_a_video_of_one_frame_is_a_sequence(project: Path, command: Command, tmp_path: Path) -> None:
    said = command("add", write_video(tmp_path / "one.mp4", 1))
    assert "one: video (h264), 64 x 48 px, 1 frames, 0.04 s at 25 frames/s" in said
    info = read_seqinfo(project / "data/sequences/one/seqinfo.ini")
    assert len(list(read_frames(project / "data/sequences/one/pixels", info, range(1)))) == 1


def test_a_second_video_stream_sound_and_subtitles_are_left_out(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "v.mkv"), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in range(2)]
        for stream, (width, height) in zip(streams, ((64, 48), (32, 24)), strict=True):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(3):
            for stream in streams:
                picture = pattern(number, stream.width, stream.height)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        for stream in streams:
            container.mux(stream.encode(None))
    assert (info_of(tmp_path / "v.mkv").width_px, info_of(tmp_path / "v.mkv").num_frames) == (64, 3)


# What is damaged


def no_frames(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return path


def test_a_video_without_frames_is_refused(project: Path, command: Command, tmp_path: Path) -> None:
    for name in ("none.mkv", "none.avi"):
        said = command("add", no_frames(tmp_path / name))
        assert said.startswith(f"error: {tmp_path / name}: expected ")
        assert "\n" not in said


@pytest.mark.parametrize("name", ["cut.mkv", "cut.avi", "cut.ts"])
def test_a_video_cut_short_is_taken_as_far_as_it_is_whole_and_that_is_said(
    project: Path, command: Command, tmp_path: Path, name: str
) -> None:
    """Containers that put frames one after the other lose those after the cut alone."""
    path = write_video(tmp_path / name, 120, codec="mpeg4")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    said = command("add", path)
    if said.startswith("error: "):
        assert "expected a whole video, got a damaged packet after" in said
        return
    info = read_seqinfo(project / "data/sequences/cut/seqinfo.ini")
    assert 20 < info.num_frames < 120
    assert "the header says" in said or name == "cut.ts"  # a transport stream has no header that could say it
    assert len(list(read_frames(project / "data/sequences/cut/pixels", info, range(info.num_frames)))) == info.num_frames


def test_a_change_of_size_half_way_is_refused_naming_the_frame(tmp_path: Path) -> None:
    parts = [write_video(tmp_path / f"{width}.ts", 12, width, 48) for width in (64, 96)]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/v.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    info = info_of(tmp_path / "in/v.ts")
    assert info.width_px == 64
    with pytest.raises(DataError, match=r"v\.ts: frame 12: expected 64 x 48 px \(seqinfo\.ini\), got 96 x 48$"):
        list(read_frames(tmp_path / "in", info, range(info.num_frames)))


def flipped(data: bytes, rng: Random) -> bytes:
    """The bytes with one to twenty of them changed, or some cut out."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 3, 20))):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    start = rng.randrange(len(damaged))
    return bytes(damaged[:start] + damaged[start + rng.choice((0, 0, 100)) :])


@pytest.mark.parametrize(
    ("name", "codec"), [("v.mp4", "libx264"), ("v.mkv", "libx264"), ("v.avi", "mpeg4"), ("v.ts", "libx264")]
)
def test_damage_anywhere_is_one_line_or_as_many_pictures_as_were_counted(tmp_path: Path, name: str, codec: str) -> None:
    """Flipped bytes that a decoder can make sense of go unnoticed: videos carry no checksums."""
    sound = write_video(tmp_path / name, 20, codec=codec).read_bytes()
    outcomes = []
    for seed in range(40):
        (tmp_path / name).write_bytes(flipped(sound, Random(seed)))
        try:
            info = info_of(tmp_path / name)
            pictures = list(read_frames(tmp_path, info, range(info.num_frames)))
        except DataError as error:
            outcomes.append("refused" if str(error).startswith(f"{tmp_path / name}: ") else str(error))
            while end_frame := re.search(r": set clip\.end_frame of the sequence to at most (\d+) to go on", str(error)):
                part = range(int(end_frame[1]))
                try:
                    assert len(list(read_frames(tmp_path, info, part))) == len(part) > 0, "as the error says"
                    outcomes.append("read in part")
                    break
                except DataError as sooner:
                    error = sooner
        else:
            assert [picture.shape for picture in pictures] == [(info.height_px, info.width_px, 3)] * info.num_frames
            outcomes.append("read")
    assert set(outcomes) == {"refused", "read in part", "read"}


def test_an_image_that_declares_more_pixels_than_can_be_is_refused(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 2**17, 2**17, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts]
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises(DataError, match=r"1\.png: expected at most 178,956,970 pixels, got: .*17179869184 pixels"):
        read_image(tmp_path / "1.png")


# One bad video among others


def damaged(path: Path) -> Path:
    """The video with a packet in its middle overwritten."""
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][8]
        start, size = packet.pos or 0, packet.size
    data = bytearray(path.read_bytes())
    data[start : start + size] = b"\x55" * size
    path.write_bytes(data)
    return path


def test_one_bad_video_does_not_stop_the_others(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    keep: dict[str, Callable[[Path], Path]] = {"bad": damaged, "good": lambda path: path}
    for name, change in keep.items():
        source = mot_folder(tmp_path / name, seqinfo=SEQINFO.format(fps=25, frames=20), det=DET)
        change(write_video(source / "video.mp4", 20))
        checkout.run(f"python -m stages.add_sequence {source} --detections stored --camera-motion estimated --no-track")
    printed = checkout.run("dvc repro -k track@bad track@good", expect=255)
    assert re.search(r"error: .*video\.mp4: expected 20 frames \(seqinfo\.ini\), got \d+ and then a damaged one", printed)
    assert re.search(r"set clip\.end_frame of the sequence to at most \d+ to go on with what can be read", printed)
    assert "Traceback" not in printed
    assert not (checkout.folder / "artifacts/bad/camera_motion.npz").exists()
    assert (checkout.folder / "artifacts/good/tracklets_raw.npz").is_file()
