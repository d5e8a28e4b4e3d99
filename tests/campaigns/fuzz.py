"""Malformed inputs for every reader: each is refused by a declared error in one line, or read, written and read again alike.

    python -m tests.campaigns.fuzz --inputs 100000
    python -m tests.campaigns.fuzz --only params.yaml --first 4711 --inputs 1    # one input again, with its traceback

Faults are other exceptions, messages of several lines, values that change when written and read again, more than DEADLINE_S
seconds of the processor, more than MEMORY_MB beyond what the readers take themselves, unpickling, programs started,
connections, and files opened for writing outside the trial's folder.
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from stages.errors import InputError
from tests.campaigns.readers import Reader, equal, readers

DEADLINE_S = 20.0  # of an input, of the processor's time
WAIT_S = 600.0  # of an input, on the clock: busy machines are slow
MEMORY_MB = 512
FORBIDDEN = (
    "pickle.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "subprocess.",
    "socket.",
    "shutil.",
    "ctypes.dlopen",
)


class HangError(BaseException):
    """An input took too long."""


class Watch:
    """What the interpreter reports of deeds that no reader has a reason for (PEP 578)."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.deeds: list[str] = []
        self.on = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event.startswith(FORBIDDEN):
            self.deeds.append(f"{event} {arguments[:1]}")
        elif event == "open" and _writes(arguments) and not str(arguments[0]).startswith(self.folder):
            self.deeds.append(f"open for writing {arguments[0]}")


def _writes(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if isinstance(arguments[2], int) else False


@contextmanager
def deadline() -> Iterator[None]:
    """Raises HangError in the block after DEADLINE_S seconds of this process's time, or WAIT_S seconds of waiting."""

    def stop(*_: object) -> None:
        raise HangError(f"more than {DEADLINE_S:g} s")

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, DEADLINE_S), (signal.SIGALRM, signal.ITIMER_REAL, WAIT_S))
    before = [signal.signal(number, stop) for number, _, _ in timers]
    for _, timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def limit_memory() -> None:
    """Lets this process allocate MEMORY_MB more than it has: beyond, it gets a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_MB * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def attempt(reader: Reader, data: bytes, folder: Path, watch: Watch) -> str:
    """accepted, refused, or "fault: ..." for this input."""
    path = folder / "input"
    path.write_bytes(data)
    watch.on = True
    try:
        with deadline():
            outcome = _tried(reader, path)
    except (Exception, HangError) as error:
        if isinstance(error, InputError):
            outcome = "fault: an accepted input, written again, is refused"
        else:
            outcome = f"fault: {type(error).__name__} in {_place(error)}"
    finally:
        watch.on = False
    if watch.deeds:
        outcome = f"fault: {watch.deeds.pop()}"
        watch.deeds.clear()
    return outcome


def _tried(reader: Reader, path: Path) -> str:
    try:
        value = reader.read(path)
    except InputError as error:
        return (
            "refused" if str(error).isprintable() and len(str(error)) < 2000 else "fault: a message that is not one short line"
        )
    again = path.with_name("again.npz")
    reader.write(value, again)
    if not equal(value, reader.read(again)):
        return "fault: changed when written and read again"
    first = again.read_bytes()
    reader.write(value, again)
    return "accepted" if first == again.read_bytes() else "fault: other bytes when written again"


def _place(error: BaseException) -> str:
    """File and function where the error was raised, and ours that called it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = next((frame for frame in reversed(frames) if "stages" in Path(frame.filename).parts), frames[-1])
    return f"{Path(ours.filename).name}:{ours.lineno} {ours.name}: {str(error)[:80]!r}"


def campaign(reader: Reader, numbers: range, seed: int, folder: Path, watch: Watch) -> Counter[str]:
    """Outcome -> how often, over the reader's inputs with these numbers; says the first of each kind of fault."""
    counts: Counter[str] = Counter()
    for number in numbers:
        rng = Random(f"{seed} {reader.name} {number}")  # every input can be made again by itself
        outcome = attempt(reader, reader.mutate(rng.choice(reader.seeds), rng), folder, watch)
        if outcome.startswith("fault") and not counts[outcome]:
            print(f"{reader.name} input {number}: {outcome}", flush=True)
        counts[outcome] += 1
    return counts


def faults(counts: Counter[str]) -> int:
    return counts.total() - counts["refused"] - counts["accepted"]


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--inputs", type=int, default=100_000)
    options.add_argument("--first", type=int, default=0, help="number of the first input of each reader")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", help="one reader, by name")
    args = options.parse_args()
    warnings.simplefilter("ignore")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        chosen = [reader for reader in readers(folder) if args.only in (None, reader.name)]
        watch = Watch(folder)
        for reader in chosen:  # loads what is loaded late, before the limit and the watch
            for seed in reader.seeds:
                (folder / "input").write_bytes(seed)
                if _tried(reader, folder / "input") != "accepted":
                    raise AssertionError(f"{reader.name}: its example is not read")
        limit_memory()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        all_counts: Counter[str] = Counter()
        total = sum(reader.share for reader in chosen)
        for reader in chosen:
            numbers = range(args.first, args.first + max(1, round(args.inputs * reader.share / total)))
            counts = campaign(reader, numbers, args.seed, folder, watch)
            print(f"{reader.name:18} {counts.total():7} inputs: {counts['refused']:7} refused, {counts['accepted']:6} accepted,"
                  f" {faults(counts)} faults", flush=True)  # fmt: skip
            all_counts += counts
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"all: {all_counts.total()} inputs, {faults(all_counts)} faults, {time.monotonic() - started:.0f} s, "
          f"peak memory {grown:+.0f} MB")  # fmt: skip
    return 1 if faults(all_counts) else 0


if __name__ == "__main__":
    sys.exit(main())
