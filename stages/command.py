"""A stage as a command: required options in; a line at the start and at the end; one clear line and exit 1 when it fails."""

import argparse
import logging
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from stages.artifacts import exclusive, write_json
from stages.errors import ContractError, DataError, ParamsError

log = logging.getLogger("retrace")


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser that knows `--debug`; the first line of a module's docstring is its description."""
    made = argparse.ArgumentParser(description=(description or "").split("\n")[0])
    made.add_argument("--debug", action="store_true", help="show the traceback of an error (or set RETRACE_DEBUG=1)")
    return made


def stage_options(description: str | None, *names: str) -> argparse.Namespace:
    """The command line of a stage: every name a required option, a path but for `sequence`."""
    made = parser(description)
    for name in names:
        made.add_argument(f"--{name}", required=True, type=str if name == "sequence" else Path)
    return made.parse_args()


@dataclass
class Run:
    """One execution of a stage: what it counted and how long the work took without start-up, reading and writing."""

    stage: str
    sequence: str
    compute_s: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Adds the block's wall time to `compute_s`."""
        started = time.perf_counter()
        yield
        self.compute_s += time.perf_counter() - started

    def timings(self) -> dict[str, object]:
        """Seconds since the process started, seconds of computing, peak resident memory and counts."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "stage": self.stage,
            "sequence": self.sequence,
            "wall_s": round(time.time() - psutil.Process().create_time(), 3),
            "compute_s": round(self.compute_s, 6),
            "peak_memory_mb": round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1),
            "counts": self.counts,
        }


@contextmanager
def stage_run(stage: str, sequence: str, timings: Path) -> Iterator[Run]:
    """Locks the stage for this sequence, and at the end logs the counts and writes the timings.

    `sequence` is "all" for a stage over all sequences.
    """
    with exclusive(f"{stage}@{sequence}"):
        run = Run(stage, sequence)
        yield run
        measured = run.timings()
        write_json(timings, measured)
        counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in run.counts.items())
        frames = run.counts.get("frames")
        rate = f", {frames / run.compute_s:,.0f} frames/s" if frames and run.compute_s > 0 else ""
        log.info("%s %s: %s in %.2f s (computing %.2f s%s)", stage, sequence, counts or "done",
                 measured["wall_s"], run.compute_s, rate)  # fmt: skip


def execute(main: Callable[[], None]) -> None:
    """Runs `main` and turns what can be wrong from outside into one line on stderr and exit status 1."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    log.setLevel(logging.INFO)
    if "--debug" in sys.argv or os.environ.get("RETRACE_DEBUG") == "1":
        main()
        return
    try:
        main()
    except (ContractError, DataError, ParamsError) as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'input or output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit(130)
