"""A stage as a command: required options in; a line at the start and at the end; one clear line and exit 1 when it fails."""

import argparse
import ctypes
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import psutil

from stages.artifacts import LOCKS, exclusive, write_json
from stages.errors import InputError
from stages.log_lines import VARIABLE, JsonLines, command_of, wants_json

log = logging.getLogger("retrace")
MIN_RATED_S = 0.01  # shorter work has no rate worth a number
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


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
        return {
            "stage": self.stage,
            "sequence": self.sequence,
            "wall_s": round(time.time() - psutil.Process().create_time(), 3),
            "compute_s": round(self.compute_s, 6),
            "peak_memory_mb": round(peak_memory_bytes() / 2**20, 1),
            "counts": self.counts,
        }


def peak_memory_bytes() -> int:
    """The greatest resident memory of this process so far.

    Linux's own high-water mark: `getrusage` there remembers the process that this one was started by.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(status.read_text(encoding="ascii").partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def die_with_dvc() -> None:
    """Has Linux kill this process when the DVC that started it is killed; by hand, a stage is nobody's child.

    An orphan could otherwise write after DVC has restored a newer result from its run cache, where no lock is asked for.
    """
    if "DVC_ROOT" in os.environ and sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we could ask
            sys.exit(1)


@contextmanager
def stage_run(stage: str, sequence: str, timings: Path | None = None, locks: Path = LOCKS) -> Iterator[Run]:
    """Locks the stage for this sequence, and at the end logs the counts and writes the timings.

    `sequence` is "all" for a stage over all sequences. A stage that reads timings writes none.
    """
    with exclusive(f"{stage}@{sequence}", locks):
        run = Run(stage, sequence)
        yield run
        measured = run.timings()
        if timings is not None:
            write_json(timings, measured)
        counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in run.counts.items())
        frames = run.counts.get("frames")
        rate = f", {frames / run.compute_s:,.0f} frames/s" if frames and run.compute_s > MIN_RATED_S else ""
        computing = f" (computing {run.compute_s:.2f} s{rate})" if run.compute_s else ""
        log.info("%s %s: %s in %.2f s%s", stage, sequence, counts or "done", measured["wall_s"], computing,
                 extra={"measured": measured})  # fmt: skip


def execute(main: Callable[[], None]) -> None:
    """Runs `main` and turns what can be wrong from outside into one line on stderr and exit status 1."""
    die_with_dvc()
    try:
        _set_up_log()
        main()
    except (InputError, OSError, MemoryError, OverflowError, RecursionError) as error:
        if "--debug" in sys.argv or os.environ.get("RETRACE_DEBUG") == "1":
            raise
        _fail(_line(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _line(error: Exception) -> str:
    """What is wrong, for people."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'input or output'}: {error.strerror or error}"
    return f"expected input that fits into memory, got: {str(error) or type(error).__name__} (--debug shows where)"


def _set_up_log() -> None:
    """Lines or objects on stderr. Raises ParamsError where the environment asks for something else."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    log.setLevel(logging.INFO)
    if wants_json():
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines(*command_of(sys.argv)))
        sys.excepthook = _log_uncaught


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    log.error("%s: %s", kind.__name__, error, exc_info=(kind, error, traceback))


def _fail(message: str) -> NoReturn:
    """Says what is wrong and ends with status 1."""
    if os.environ.get(VARIABLE) == "json":
        log.error("%s", message)
        sys.exit(1)
    sys.exit(f"error: {message}")
