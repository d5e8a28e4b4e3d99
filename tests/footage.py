"""Tiny videos made for tests: a bright square walks over a grey ramp, so every frame says which one it is."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

SQUARE_PX = 16
STEP_PX = 4
TICK = Fraction(1, 12000)  # s; the clock of a video with given moments


def pattern(frame_number: int, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3) BGR: the picture of a frame; the square's left edge is at 4 * frame_number, wrapped around."""
    picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[:] = np.linspace(20, 120, width).astype(np.uint8)[None, :, None]
    columns = (STEP_PX * frame_number + np.arange(SQUARE_PX)) % width
    picture[height // 4 : height // 4 + SQUARE_PX, columns] = 250
    return picture


def square_left(picture: NDArray[np.uint8]) -> int:
    """The column where the square of a decoded `pattern` begins, to the nearest step."""
    height: int = picture.shape[0]
    width: int = picture.shape[1]
    row = picture[height // 4 + 2 : height // 4 + SQUARE_PX - 2, :, 1].mean(axis=0)
    inside = np.r_[row, row] > 185
    starts = np.flatnonzero(inside[1:] & ~inside[:-1]) + 1
    return STEP_PX * round(int(starts[0]) / STEP_PX) % width


def write_video(
    path: Path,
    frames: int,
    width: int = 64,
    height: int = 48,
    fps: float = 25.0,
    *,
    times_s: Sequence[float] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    index_first: bool = False,
    codec: str = "libx264",
) -> Path:
    """Writes `frames` pictures of `pattern`, each shown for 1 / fps seconds or from its moment in `times_s`; returns the path.

    `rotation` (degrees counter-clockwise) or `mirrored` goes into the header, as a telephone writes it; the pixels stay.
    H.264 has B-frames, so the order in the file is not the order of presentation, and a key frame at least each 12 frames.
    `index_first` puts an MP4's index before the frames, as for streaming.
    """
    rate = Fraction(fps).limit_denominator(1001)
    tick = 1 / rate if times_s is None else TICK
    moments = times_s if times_s is not None else [float(k * tick) for k in range(frames)]
    with av.open(str(path), "w", options={"movflags": "faststart"} if index_first else {}) as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=rate))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = tick
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "10", "bf": "2", "g": "12", "threads": "1"}
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        for number, moment in enumerate(moments):
            frame = av.VideoFrame.from_ndarray(pattern(number, width, height), format="bgr24")
            frame.pts, frame.time_base = round(moment / float(tick)), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_field_pictures(path: Path, frames: int) -> Path:
    """Writes grey H.264 of 64 x 64 px whose two fields are coded as pictures of their own, 50 a second, each in a packet.

    FFmpeg has no encoder for it, as AVCHD cameras have: pictures are uncompressed (I_PCM), headers as in ITU-T H.264, 7.3.
    """
    raw = b"".join(_unit(9, "00010000") + _parameters() + _field(k, bottom) for k in range(frames) for bottom in (False, True))
    path.with_suffix(".h264").write_bytes(raw)
    with av.open(str(path.with_suffix(".h264"))) as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            packet.stream, packet.time_base = stream, Fraction(1, 50)
            packet.pts = packet.dts = number
            container.mux(packet)
    path.with_suffix(".h264").unlink()
    return path


def _parameters() -> bytes:
    """Main profile: 4 x 2 macroblocks a field, CAVLC, shown in the order of the stream."""
    sequence = "010011010000000000011110" + "".join(map(_ue, (0, 0, 2, 1))) + "0" + _ue(3) + _ue(1) + "00100"
    return _unit(7, sequence + "1") + _unit(8, _ue(0) * 2 + "00" + _ue(0) * 3 + "000" + _ue(0) * 3 + "100" + "1")


def _field(frame: int, bottom: bool) -> bytes:
    """An intra field, of which the upper one starts anew."""
    marking = "0" if bottom else _ue(frame % 2) + "00"
    bits = _ue(0) + _ue(7) + _ue(0) + "0000" + "1" + f"{bottom:d}" + marking + _ue(0) + _ue(1)
    for _ in range(8):
        bits += _ue(25)
        bits += "0" * (-len(bits) % 8) + f"{40 + 7 * frame % 160:08b}" * 256 + "10000000" * 128
    return _unit(1 if bottom else 5, bits + "1")


def _unit(kind: int, bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return b"\0\0\0\1" + bytes([(0 if kind == 9 else 3) << 5 | kind]) + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _ue(value: int) -> str:
    """An unsigned number in Exp-Golomb code."""
    return f"{value + 1:b}".zfill(2 * (value + 1).bit_length() - 1)


def write_audio(path: Path, seconds: float = 0.5) -> Path:
    """Writes a file with sound and no picture; returns the path."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        samples = np.zeros((1, int(8000 * seconds)), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
