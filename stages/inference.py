"""A network over the frames of a clip, chunk by chunk: goes on where it was interrupted and says how long it will take."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from stages.chunks import Arrays, Chunks
from stages.command import log
from stages.devices import device_name, fitting_batch_size
from stages.progress import progress

Frames = Iterator[NDArray[Any]]  # (H, W, 3) uint8 BGR


def fitting_batch(job: str, network: Callable[[list[NDArray[Any]]], object], blank: NDArray[Any], wanted: int,
                  weights: Path, device: torch.device) -> int:  # fmt: skip
    """The batch size wanted, on a GPU halved until a batch of `blank` pictures fits into its memory; says which it is."""
    size = wanted if device.type == "cpu" else fitting_batch_size(lambda number: network([blank] * number), wanted)
    exhausted = "" if size == wanted else f": {wanted} exhaust its memory"
    log.info("%s: %s on %s, %d a batch%s", job, weights.name, device_name(device), size, exhausted)
    return size


def infer(
    job: str,
    chunks: Chunks,
    ranges: Sequence[range],
    read: Callable[[range], Frames],
    compute: Callable[[Frames, range], Arrays],
    on_cpu: bool,
) -> Arrays:
    """The columns that `compute` makes of all ranges of frame numbers, which have one step and follow each other.

    Frames are read once, from the first range whose chunk is not there; each call of `compute` takes those of its range.
    """

    def missing(remaining: Sequence[range]) -> Iterable[Arrays]:
        numbers = range(remaining[0].start, remaining[-1].stop, remaining[0].step)
        if numbers.start > ranges[0].start:
            log.info("%s: going on from frame %d, where it was interrupted", job, numbers.start)
        frames = progress(read(numbers), job, total=len(numbers))
        started = time.perf_counter()
        for chunk in remaining:
            yield compute(frames, chunk)
            if on_cpu and chunk is remaining[0] and len(remaining) > 1:
                left = len(numbers) - len(chunk)
                duration = time_left(len(chunk), time.perf_counter() - started, left)
                log.info("%s: no GPU here: %s more frames take the CPU about %s", job, f"{left:,}", duration)

    return chunks.completed(ranges, missing)


def time_left(done: int, seconds: float, left: int) -> str:
    """How long the items left take at the pace so far: in seconds, minutes or hours."""
    remaining = seconds / done * left
    for unit, length in (("h", 3600), ("min", 60)):
        if remaining >= 2 * length:
            return f"{remaining / length:.0f} {unit}"
    return f"{remaining:.0f} s"
