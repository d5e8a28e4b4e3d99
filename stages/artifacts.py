"""Files that a stage writes: whole or absent, and by one process at a time.

A file or folder is written beside its target under a temporary name that carries the process id, then renamed. What a killed
process leaves there goes when the target is written again, or by `sweep`. A stage holds an advisory lock (`flock`) from start
to exit, so that a process orphaned by `kill -9 dvc` finishes before its successor starts; that no orphan outlives its DVC in
the first place is the work of `command.die_with_dvc`.
"""

import fcntl
import glob
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from stages.errors import DataError

LOCKS = Path(".locks")
TEMPORARY = re.compile(r"\..+\.(\d{1,7})(?:\.old)?\.tmp")  # with the id of the process


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path in the folder of `path`, renamed to `path` when the block ends well and deleted when not.

    Raises DataError where the disk refuses: full, read-only, not a folder.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in leftovers(path):  # of a killed process; the stage's lock is ours
            delete(leftover)
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.filename not in (None, str(temporary), str(path.parent)):  # of something else that the block did
            raise
        raise DataError(f"{path}: expected to write it, got: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well and is deleted when not.

    Raises DataError where the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    replaced = path.with_name(f".{path.name}.{os.getpid()}.old.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in leftovers(path):
            delete(leftover)
        temporary.mkdir()
        yield temporary
        if path.exists():
            os.replace(path, replaced)
        os.replace(temporary, path)
    except OSError as error:
        if error.filename not in (None, str(temporary), str(path), str(path.parent)):
            raise
        raise DataError(f"{path}: expected to write it, got: {error.strerror or error}") from error
    finally:
        if replaced.exists() and not path.exists():  # the new one could not take its place
            os.replace(replaced, path)
        for leftover in (temporary, replaced):
            shutil.rmtree(leftover, ignore_errors=True)


def temporary_names(name: str) -> str:
    """The pattern of all names under which a file or folder of this name is being written."""
    return f".{glob.escape(name)}.*.tmp"


def leftovers(path: Path) -> list[Path]:
    """Files and folders beside `path` that were to take its place, whoever wrote them."""
    return sorted(path.parent.glob(temporary_names(path.name)))


def lives(process_id: int) -> bool:
    """Whether there is a process of this id that may still write: no zombie, which is dead and waits for its parent to ask."""
    try:
        return bool(psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def sweep(top: Path) -> list[Path]:
    """Deletes what processes that no longer live were writing anywhere below a folder; what went."""
    swept = []
    for folder, folders, files in os.walk(top):
        for name in sorted([*folders, *files]):
            if (written := TEMPORARY.fullmatch(name)) and not lives(int(written[1])):
                with suppress(FileNotFoundError):  # another one sweeps at the same time
                    delete(Path(folder, name))
                swept.append(Path(folder, name))
    return swept


def delete(path: Path) -> None:
    """Deletes a file, or a folder with all in it, where there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text, whole or not at all."""
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON with keys in the order given; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The value in a JSON file. Raises DataError when it is missing or no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none") from error
    except (ValueError, RecursionError) as error:  # no text, no JSON, a number of thousands of digits, too deep
        raise DataError(f"{path}: expected JSON, got: {error}") from error


@contextmanager
def exclusive(name: str, folder: Path = LOCKS) -> Iterator[None]:
    """Holds the lock `name` of a project; waits while another process holds it, and says so."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.lock", "a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            logging.getLogger("retrace").info("%s: waiting for process %s, which still writes it", name, holder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
