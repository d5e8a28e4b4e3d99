"""Frames per second of all contenders on the same boxes, in turn, in one process.

Contenders take turns on a sequence, and the median over rounds counts. Seconds are the process's own on the CPU: on a machine
that does other things too, the wall clock would charge those to whoever runs long, which is never us.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stages.contracts.detections import Detections
from stages.track import TrackParams
from tests.benchmarks.contenders import Contender, Ours, Tracked

OURS_A_ROUND = 5  # runs of ours for each of a peer's: they are short


@dataclass(frozen=True)
class Group:
    """Sequences whose times are added up, and the settings that they are tracked with."""

    name: str
    sequences: Sequence[Detections]
    params: TrackParams


@dataclass
class Rate:
    """What was measured of one sequence or, added up, of a group; CPU seconds of a run, and its output, by contender."""

    name: str
    frames: int
    boxes: int
    seconds: dict[str, float]
    outputs: dict[str, Tracked]
    parts: list["Rate"] = field(default_factory=list)

    def frames_per_s(self, name: str) -> float:
        return self.frames / self.seconds[name]

    def ratio(self, name: str) -> float:
        """How many times as long as ours this one took."""
        return self.seconds[name] / self.seconds[Ours.name]

    def least_ratio(self, name: str) -> float:
        """That of the sequence with the least."""
        return min((part.ratio(name) for part in self.parts), default=self.ratio(name))


def first_call_s(detections: Detections, params: TrackParams) -> float:
    """CPU seconds of our first call in this process: loading or compiling the kernel, and tracking."""
    return _timed(Ours("bytetrack").ready(detections, params))[0]


def measure(group: Group, contenders: Sequence[Contender], rounds: int) -> Rate:
    """The medians of a group's sequences, and their sum."""
    parts = [_measure_one(sequence, group.params, contenders, rounds) for sequence in group.sequences]
    if len(parts) == 1:
        return Rate(group.name, parts[0].frames, parts[0].boxes, parts[0].seconds, parts[0].outputs)
    names = [contender.name for contender in contenders]
    return Rate(
        group.name,
        sum(part.frames for part in parts),
        sum(part.boxes for part in parts),
        {name: sum(part.seconds[name] for part in parts) for name in names},
        {name: Tracked(*np.sum([(o.boxes, o.tracks) for o in (p.outputs[name] for p in parts)], axis=0).tolist())
         for name in names},
        parts,
    )  # fmt: skip


def _measure_one(detections: Detections, params: TrackParams, contenders: Sequence[Contender], rounds: int) -> Rate:
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    outputs: dict[str, Tracked] = {}
    for _ in range(rounds):
        for contender in contenders:
            for _ in range(OURS_A_ROUND if contender.name == Ours.name else 1):
                taken, output = _timed(contender.ready(detections, params))
                seconds[contender.name].append(taken)
            outputs[contender.name] = contender.tracked(output)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return Rate(detections.sequence, detections.num_frames, len(detections), medians, outputs)


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of the call, and what it returned."""
    gc.collect()
    started = time.process_time()
    output = call()
    return time.process_time() - started, output
