"""Mends what kills left: the two files in which DVC keeps what it knows and does, and files and folders half written.

    python -m stages.mend_lock        # `make repro` does it by itself

DVC writes its files in place, and with half of one, after a kill or on a full disk, refuses every command. dvc.lock, rewritten
after every stage, keeps the entries before the last, which may be cut as well; nothing is computed again for that, because DVC
takes the results of stages without an entry from its run cache. The list of who reads and writes what (.dvc/tmp/rwlock) goes:
those who were in it are dead. What a killed stage had half written goes when it runs again; here, where DVC's run cache spares
it that.
"""

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

from stages.artifacts import sweep, write_text
from stages.command import execute, log, parser
from stages.corrections.busy import RWLOCK
from stages.errors import DataError
from stages.versioning import LOCK_FILE

LOCK_FILE_GUARD, RWLOCK_GUARD = Path(".dvc/tmp/lock"), Path(".dvc/tmp/rwlock.lock")
WRITTEN = ("artifacts", "reports", "data", "exports", ".chunks", "mlartifacts")  # folders that stages write, or have written
ENTRY = re.compile(r"^  \S.*:$", re.MULTILINE)  # a stage's name


def is_whole(text: str) -> bool:
    """Whether DVC would read the text as a lock file."""
    try:
        COMPILED_LOCKFILE_SCHEMA(yaml.load(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, Invalid):
        return False
    return True


def mended(text: str) -> str:
    """What comes before the last entry, which is cut; empty with fewer than two. Raises DataError for any other damage."""
    starts = [found.start() for found in ENTRY.finditer(text)]
    kept = text[: starts[-1]] if len(starts) > 1 else ""
    if kept and not is_whole(kept):
        raise DataError(f"{LOCK_FILE}: expected a file that was cut short, got another damage (`git checkout {LOCK_FILE}`)")
    return kept


def names_users(text: str) -> bool:
    """Whether DVC would read the text as its list of readers and writers."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


@contextmanager
def no_dvc_writing(path: Path, guard: Path) -> Iterator[None]:
    """Holds the lock that DVC holds while it writes the file. Raises DataError where a living DVC has it."""
    with open(guard, "a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"{guard}: expected no DVC at work while {path} is mended, got one") from error
        yield


def mend_lock_file() -> None:
    with no_dvc_writing(LOCK_FILE, LOCK_FILE_GUARD):
        if kept := mended(_text(LOCK_FILE)):
            write_text(LOCK_FILE, kept)
        else:
            LOCK_FILE.unlink()
    log.info("mend_lock: %s was cut short; DVC takes the results of the stages without an entry from its cache", LOCK_FILE)


def main() -> None:
    parser(__doc__).parse_args()
    for path in (path for top in WRITTEN for path in sweep(Path(top))):
        log.info("mend_lock: %s was half written by a process that is dead, and is no more", path)
    if LOCK_FILE.exists() and not is_whole(_text(LOCK_FILE)):
        mend_lock_file()
    if RWLOCK.exists() and not names_users(_text(RWLOCK)):
        with no_dvc_writing(RWLOCK, RWLOCK_GUARD):
            RWLOCK.unlink()
        log.info("mend_lock: %s was cut short, and is no more", RWLOCK)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    execute(main)
