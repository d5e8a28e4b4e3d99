"""Pixels come in the order of presentation, whole, upright, at the rate of seqinfo.ini, or not at all."""

import struct
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import DataError
from stages.frames import read_frames
from stages.images import list_images
from stages.prefetching import prefetched
from stages.probe import frame_rate, probe_video
from stages.seqinfo import SequenceInfo
from stages.video import at_constant_rate, constant_rate_length
from tests.footage import STEP_PX, pattern, square_left, write_field_pictures, write_video


def sequence(num_frames: int, fps: float = 25.0, variable: bool = False, width: int = 64, height: int = 48) -> SequenceInfo:
    return SequenceInfo("plaza", width, height, fps, num_frames, variable)


def shown(pixels: Path, info: SequenceInfo, frame_numbers: range) -> list[int]:
    """Which pictures of `pattern` come, by where the square is."""
    return [square_left(picture) // STEP_PX for picture in read_frames(pixels, info, frame_numbers)]


@pytest.mark.parametrize(
    ("name", "codec"), [("v.mp4", "libx264"), ("v.mkv", "libx264"), ("v.avi", "mpeg4"), ("v.ts", "libx264")]
)
def test_frames_come_in_presentation_order(tmp_path: Path, name: str, codec: str) -> None:
    write_video(tmp_path / name, 12, codec=codec)
    assert shown(tmp_path, sequence(12), range(12)) == list(range(12))
    assert shown(tmp_path, sequence(12), range(3, 12, 4)) == [3, 7, 11]


def test_pictures_are_blue_green_red_in_eight_bits(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", 2)
    first = next(read_frames(tmp_path, sequence(2), range(2)))
    assert first.shape == (48, 64, 3)
    assert first.dtype == np.uint8
    assert np.abs(first.astype(int) - pattern(0, 64, 48)).max() < 12


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_in_the_header_is_applied(tmp_path: Path, rotation: int) -> None:
    """rot90 turns counter-clockwise, like FFmpeg's angle."""
    write_video(tmp_path / "v.mp4", 2, rotation=rotation)
    upright = np.rot90(pattern(0, 64, 48), rotation // 90)
    info = sequence(2, height=upright.shape[0], width=upright.shape[1])
    assert np.abs(next(read_frames(tmp_path, info, range(2))).astype(int) - upright).max() < 12


def test_a_mirrored_video_is_mirrored_back(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", 2, mirrored=True)
    assert np.abs(next(read_frames(tmp_path, sequence(2), range(2))).astype(int) - pattern(0, 64, 48)[:, ::-1]).max() < 12


def test_a_varying_rate_is_resampled_by_time_stamp_only_where_seqinfo_asks(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", 6, times_s=[0, 0.04, 0.08, 0.2, 0.24, 0.5])
    assert shown(tmp_path, sequence(6), range(6)) == [0, 1, 2, 3, 4, 5]
    # at 25 frames/s, frame k shows what was on at 0.04 k seconds; the one at 0.5 s comes too late for k = 12 (0.48 s)
    assert shown(tmp_path, sequence(13, variable=True), range(13)) == [0, 1, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4]


@given(
    gaps_ms=st.lists(st.integers(1, 400), max_size=30),
    fps=st.sampled_from([1.0, 7.0, 12.5, 25.0, 29.97002997, 60.0]),
)
def test_resampling_shows_the_last_frame_at_or_before_each_moment(gaps_ms: list[int], fps: float) -> None:
    stamps = np.concatenate([[0], np.cumsum(gaps_ms, dtype=np.int64)])
    frames = [av.VideoFrame(2, 2, "gray") for _ in stamps]
    for frame, stamp in zip(frames, stamps, strict=True):
        frame.pts, frame.time_base = int(stamp) + 5000, Fraction(1, 1000)  # a stream need not begin at 0
    moments_s = np.arange(constant_rate_length(stamps[-1] / 1000, fps)) / fps
    expected = np.searchsorted(stamps / 1000, moments_s + 1e-4, side="right") - 1
    got = [frames.index(frame) for frame in at_constant_rate(frames, fps, Path("v.mp4"))]
    assert got == expected.tolist()
    assert moments_s[-1] <= stamps[-1] / 1000 + 1e-4 < moments_s[-1] + 1 / fps


@pytest.mark.parametrize(
    ("moments_s", "stated", "expected"),
    [
        (np.round(np.arange(300) / 29.97, 3), 29.97, (29.97, False)),  # stamps in milliseconds: the header's rate fits
        (np.arange(100) / 25, 15.0, (25.0, False)),  # a wrong header
        (np.arange(100) / 25, None, (25.0, False)),
        (np.delete(np.arange(100) / 25, 50), 25.0, (24.747475, False)),  # one frame lost: half an interval off at most
        (np.delete(np.arange(100) / 25, slice(50, 54)), 25.0, (25.0, True)),  # four lost: two intervals off
        (np.cumsum([0, 0.033, 0.034, 0.2, 0.033, 0.034]), 12.0, (29.0, True)),  # the usual interval, 34 ms
        (np.full(4, np.nan), 25.0, (25.0, False)),  # a raw stream without time stamps
        (np.array([0, 0.04, 0.08, 0.04]), 25.0, (25.0, False)),  # an MPEG programme stream with wrong time stamps
        (np.zeros(1), None, (None, False)),
    ],
)
def test_frame_rate(moments_s: np.ndarray, stated: float | None, expected: tuple[float | None, bool]) -> None:
    fps, variable = frame_rate(moments_s, stated)
    assert (fps and round(fps, 6), variable) == expected


def test_frames_cut_off_by_an_edit_list_do_not_count(tmp_path: Path) -> None:
    """A telephone's trimming keeps the packets and writes into the MP4 where to begin."""
    path = write_video(tmp_path / "v.mp4", 30)
    data = bytearray(path.read_bytes())
    entry = data.index(b"elst") + 12  # then duration, start (in 1/12800 s) and rate of the only edit
    duration, start = struct.unpack(">Ii", data[entry : entry + 8])
    data[entry : entry + 8] = struct.pack(">Ii", duration - 280, start + 3 * 512)
    path.write_bytes(data)
    num_frames = probe_video(path).num_frames
    assert num_frames == 23  # 120 ms cut off at the beginning and 160 ms at the end
    assert shown(tmp_path, sequence(23), range(23)) == [k % 16 for k in range(3, 26)]
    with pytest.raises(DataError, match="got 23"):
        list(read_frames(tmp_path, sequence(24), range(24)))


def test_pictures_that_a_recording_begins_in_the_midst_of_do_not_count(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.ts", 40)
    with av.open(str(path)) as container:
        place = [packet for packet in container.demux(video=0) if packet.size][5].pos or 0
    path.write_bytes(path.read_bytes()[place:])
    num_frames = probe_video(path).num_frames
    assert 20 < num_frames < 40
    assert len(shown(tmp_path, sequence(num_frames), range(num_frames))) == num_frames


@pytest.mark.parametrize("name", ["camera.mts", "camera.mkv", "camera.mp4"])
def test_two_fields_in_packets_of_their_own_are_one_frame(tmp_path: Path, name: str) -> None:
    found = probe_video(write_field_pictures(tmp_path / name, 20))
    assert (found.num_frames, found.fps, found.variable_rate) == (20, 25.0, False)
    info = sequence(20, height=64)
    grey = [int(picture.mean()) for picture in read_frames(tmp_path, info, range(20))]
    assert grey == sorted(set(grey))


def test_a_video_that_ends_early_is_an_error_with_both_counts(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", 8)
    with pytest.raises(
        DataError, match=r"v\.mp4: expected 20 frames \(seqinfo\.ini\), got 8: set clip.end_frame .* to at most 8 to go on"
    ):
        list(read_frames(tmp_path, sequence(20), range(20)))
    assert len(list(read_frames(tmp_path, sequence(20), range(8)))) == 8


@pytest.mark.parametrize("damaged", [1.0, 0.1])  # share of the packet; the decoder makes up the end of a picture and says so
def test_a_damaged_packet_is_an_error(tmp_path: Path, damaged: float) -> None:
    path = write_video(tmp_path / "v.mp4", 20)
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][8]
        end, size = (packet.pos or 0) + packet.size, int(packet.size * damaged)
    data = bytearray(path.read_bytes())
    data[end - size : end] = b"\x55" * size
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"expected 20 frames \(seqinfo\.ini\), got \d+ and then a damaged one"):
        list(read_frames(tmp_path, sequence(20), range(20)))


def test_a_frame_of_another_size_is_an_error(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", 2)
    with pytest.raises(DataError, match=r"v\.mp4: frame 0: expected 640 x 480 px \(seqinfo\.ini\), got 64 x 48$"):
        list(read_frames(tmp_path, sequence(2, width=640, height=480), range(2)))


@pytest.mark.parametrize(("files", "message"), [(["none.txt"], "expected a video or images, found none"),
                                                (["a.mp4", "b.mp4"], "expected one video or images, got 2 files")])  # fmt: skip
def test_a_folder_without_one_video_is_an_error(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match=message):
        read_frames(tmp_path, sequence(2), range(2))


def write_images(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), pattern(number, 64, 48))


def test_images_come_by_number(tmp_path: Path) -> None:
    write_images(tmp_path, ["cam2_8.png", "cam2_9.jpg", "cam2_10.png", "cam2_0011.jpg"])
    (tmp_path / "Thumbs.db").write_text("x")
    assert shown(tmp_path, sequence(4), range(4)) == [0, 1, 2, 3]
    assert shown(tmp_path, sequence(4), range(1, 4, 2)) == [1, 3]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1.png", "2.png", "4.png"], "expected image number 3 after 2.png, got 4.png"),
        (["1.png", "001.jpg", "2.png"], "expected one image of number 1, got 001.jpg and 1.png"),
        (["1.png", "title.png"], "title.png: expected a frame number in the name, found none"),
    ],
)
def test_a_hole_or_a_second_image_of_a_number_is_an_error(tmp_path: Path, names: list[str], message: str) -> None:
    write_images(tmp_path, names)
    with pytest.raises(DataError, match=message):
        list_images(tmp_path)


@pytest.mark.parametrize(("name", "kept"), [("2.jpg", 0.95), ("2.png", 0.6), ("2.png", 0.0)])
def test_a_truncated_image_is_an_error_naming_it(tmp_path: Path, name: str, kept: float) -> None:
    write_images(tmp_path, ["1.png", name])
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(DataError, match=rf"{name}: expected a whole image, got a"):
        list(read_frames(tmp_path, sequence(2), range(2)))


def test_fewer_images_than_seqinfo_says_is_an_error(tmp_path: Path) -> None:
    write_images(tmp_path, ["1.png"])
    with pytest.raises(DataError, match=r"expected 2 frames \(seqinfo.ini\), got 1 images"):
        list(read_frames(tmp_path, sequence(2), range(2)))


def test_prefetched_gives_the_same_items() -> None:
    assert list(prefetched(range(100), 3)) == list(range(100))
    assert list(prefetched([], 1)) == []


def test_prefetched_passes_an_error_on_after_the_items_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise DataError("v.mp4: damaged")

    got: list[int] = []
    with pytest.raises(DataError, match="damaged"):
        got.extend(prefetched(failing(), 2))
    assert got == [1]


def test_prefetched_ends_its_thread_and_closes_the_items_when_the_consumer_stops() -> None:
    made: list[int] = []
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                made.append(len(made))
                yield made[-1]
        finally:
            closed.set()

    consumer = prefetched(endless(), 4)
    assert [next(consumer) for _ in range(3)] == [0, 1, 2]
    consumer.close()  # type: ignore[attr-defined]
    assert closed.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetched"]
    assert len(made) <= 3 + 4  # what was taken, and at most four ahead


def test_real_footage_has_the_length_its_seqinfo_says(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "video.mp4").symlink_to(shared_data / "sequences" / "TUD-Stadtmitte" / "video.mp4")
    pictures = list(read_frames(tmp_path, sequence(179, width=640, height=480), range(0, 179, 89)))
    assert len(pictures) == 3
    assert pictures[0].std() > 20  # a street, no blank frame
    with pytest.raises(DataError, match="expected 180 frames"):
        list(read_frames(tmp_path, sequence(180, width=640, height=480), range(179, 180)))
