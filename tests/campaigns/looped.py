"""A clip in a loop through what `detect` does with a video, but for the network: memory must not grow with its frames.

    python -m tests.campaigns.looped --frames 100000

Frames are decoded ahead, batched, handed to a detector that finds one box in each, and written in chunks, as in the stage.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from stages.chunks import Arrays, chunk_ranges, kept_chunks
from stages.detect import CHUNK_BATCHES, detect
from stages.detecting.detector import FrameDetections
from stages.frames import read_frames
from stages.inference import infer
from stages.prefetching import prefetched
from stages.seqinfo import SequenceInfo
from tests.footage import write_video

WIDTH, HEIGHT, FPS = 160, 96, 25.0
CLIP_FRAMES, BATCH = 250, 8
MAX_GROWTH_MB = 32.0  # from a tenth of the frames to all of them


def write_loop(clip: Path, path: Path, times: int) -> None:
    """The clip's packets so many times one after the other; nothing is encoded again."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as looped:
        stream = looped.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        duration = sum(packet.duration or 0 for packet in packets)
        contents = [(bytes(packet), packet.pts, packet.dts, packet.is_keyframe) for packet in packets]
        for turn in range(times):
            for content, pts, dts, is_keyframe in contents:
                packet = av.Packet(content)
                packet.stream, packet.time_base = stream, packets[0].time_base
                packet.pts, packet.dts = (pts or 0) + turn * duration, (dts or 0) + turn * duration
                packet.is_keyframe = is_keyframe
                looped.mux(packet)


def resident_mb() -> float:
    """MiB of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def one_box(frames: Sequence[NDArray[Any]]) -> list[FrameDetections]:
    """A detector that finds its box at once."""
    box = np.array([[1, 1, 20, 40]], np.float32)
    return [FrameDetections(box, np.array([0.9], np.float32), np.zeros(1, np.int16)) for _ in frames]


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--frames", type=int, default=100_000)
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        Path("pixels").mkdir()
        clip = write_video(Path("clip.mp4"), CLIP_FRAMES, WIDTH, HEIGHT, FPS)
        times = -(-args.frames // CLIP_FRAMES)
        write_loop(clip, Path("pixels/loop.mp4"), times)
        total = times * CLIP_FRAMES
        info = SequenceInfo("loop", WIDTH, HEIGHT, FPS, total, variable_rate=False)
        levels: list[float] = []

        def read(numbers: range) -> Iterator[NDArray[Any]]:
            return prefetched(read_frames(Path("pixels"), info, numbers), 2 * BATCH)

        def compute(frames: Iterator[NDArray[Any]], numbers: range) -> Arrays:
            levels.append(resident_mb())
            return detect(frames, numbers, one_box, BATCH)

        started = time.process_time()
        with kept_chunks("detect", "loop", "looped") as chunks:
            found = infer("loop", chunks, chunk_ranges(range(total), CHUNK_BATCHES * BATCH), read, compute, on_cpu=False)
        seconds = time.process_time() - started
    early, late = max(levels[: len(levels) // 10]), max(levels)
    print(f"{total:,} frames, {len(found['frame_numbers']):,} boxes, {seconds:.0f} s CPU: {early:.0f} MiB at most in the first "
          f"tenth, {late:.0f} MiB in all")  # fmt: skip
    return 0 if late - early <= MAX_GROWTH_MB and len(found["frame_numbers"]) == total else 1


if __name__ == "__main__":
    sys.exit(main())
