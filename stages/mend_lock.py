"""Cuts out of dvc.lock what DVC had not finished writing when it was killed or the disk was full.

    python -m stages.mend_lock        # `make repro` does it by itself

DVC rewrites its lock file in place after every stage, and with half of it refuses every command. The last entry may be cut as
well, so it goes, too. Nothing is computed again for that: DVC takes the stages without an entry from its run cache.
"""

import fcntl
import re
from pathlib import Path

import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

from stages.artifacts import write_text
from stages.command import execute, log, parser
from stages.errors import DataError

LOCK_FILE, DVC_AT_WORK = Path("dvc.lock"), Path(".dvc/tmp/lock")
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


def main() -> None:
    parser(__doc__).parse_args()
    if not LOCK_FILE.exists() or is_whole(text := LOCK_FILE.read_text(encoding="utf-8", errors="replace")):
        return
    with open(DVC_AT_WORK, "a", encoding="utf-8") as at_work:
        try:
            fcntl.flock(at_work, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"{DVC_AT_WORK}: expected no DVC at work while {LOCK_FILE} is mended, got one") from error
        if kept := mended(text):
            write_text(LOCK_FILE, kept)
        else:
            LOCK_FILE.unlink()
    log.info("mend_lock: %s was cut short; DVC takes the results of the stages without an entry from its cache", LOCK_FILE)


if __name__ == "__main__":
    execute(main)
