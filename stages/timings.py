"""What stages took: the files under artifacts/timings, one per stage and sequence, and their sums over sequences."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifacts import read_json
from stages.errors import DataError

ALL = "all"  # what a sum over sequences has for a name


@dataclass(frozen=True)
class Timing:
    """One run of a stage, or the sum of several."""

    stage: str
    sequence: str
    wall_s: float  # since the process started
    compute_s: float  # of which the work itself
    peak_memory_mb: float
    frames: int  # 0 where the stage counts none

    @property
    def frames_per_s(self) -> float | None:
        """Frames a second of the work itself; None without frames."""
        return self.frames / self.compute_s if self.frames and self.compute_s > 0 else None

    @property
    def frames_per_s_overall(self) -> float | None:
        """Frames a second with start-up, reading and writing; None without frames."""
        return self.frames / self.wall_s if self.frames and self.wall_s > 0 else None


def read_timings(folder: Path, sequences: Iterable[str]) -> list[Timing]:
    """The timings of these sequences, sorted by stage, in the sequences' order.

    Files of other sequences are no part of the result. Raises DataError naming the file that is no timing.
    """
    found = [_read_timing(file) for name in sequences for file in sorted((folder / name).glob("*.json"))]
    return sorted(found, key=lambda timing: timing.stage)


def _read_timing(path: Path) -> Timing:
    fields: Any = read_json(path)
    try:
        return Timing(
            str(fields["stage"]),
            str(fields["sequence"]),
            float(fields["wall_s"]),
            float(fields["compute_s"]),
            float(fields["peak_memory_mb"]),
            int(fields["counts"].get("frames", 0)),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected the timings of a stage, got: {error!r}") from error


def by_stage(timings: Iterable[Timing]) -> list[Timing]:
    """One timing a stage: seconds and frames summed over sequences, the highest peak; the longest stage first."""
    groups: dict[str, list[Timing]] = defaultdict(list)
    for timing in timings:
        groups[timing.stage].append(timing)
    sums = [
        Timing(
            stage,
            ALL,
            sum(timing.wall_s for timing in group),
            sum(timing.compute_s for timing in group),
            max(timing.peak_memory_mb for timing in group),
            sum(timing.frames for timing in group),
        )
        for stage, group in groups.items()
    ]
    return sorted(sums, key=lambda timing: -timing.wall_s)
