"""Whether a stage is reading a file of corrections right now.

DVC notes what a stage depends on once more when it has run. A row that is added meanwhile would be noted as honoured, and the
next `dvc repro` would have nothing to do.
"""

import json
from pathlib import Path

import psutil

from stages.errors import DataError

RWLOCK = Path(".dvc/tmp/rwlock")  # {"read": {path: [{"pid": ..., "cmd": ...}]}, "write": {...}}, as of DVC 3


def check_unread(path: Path) -> None:
    """Returns when no run of DVC that is alive reads the file. Raises DataError where one does, or DVC is just noting who."""
    try:
        readers = json.loads(RWLOCK.read_text(encoding="utf-8"))["read"].get(str(path.resolve()), [])
    except (FileNotFoundError, KeyError):
        return
    except json.JSONDecodeError:
        readers = None
    if readers is None or any(psutil.pid_exists(int(reader["pid"])) for reader in readers):
        raise DataError(f"{path}: expected no stage that is reading it, got a run of DVC: try again in some seconds")
