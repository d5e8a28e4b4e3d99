"""Whether a run of DVC is going on right now, or reads a file of corrections.

DVC notes what a stage depends on once more when it has run. A row that is added meanwhile would be noted as honoured, and the
next `dvc repro` would have nothing to do.
"""

import json
from pathlib import Path
from typing import Any

import psutil

from stages.errors import DataError

RWLOCK = Path(".dvc/tmp/rwlock")  # {"read": {path: [{"pid": ..., "cmd": ...}]}, "write": {...}}, as of DVC 3


def check_idle() -> None:
    """Returns when no run of DVC is alive in this folder. Raises DataError where one is."""
    try:
        held = json.loads(RWLOCK.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except json.JSONDecodeError:
        held = None
    pids = [] if held is None else [*_pids(held.get("read", {})), *_pids(held.get("write", {}))]
    if held is None or any(map(psutil.pid_exists, pids)):
        raise DataError(f"{RWLOCK}: expected no run of DVC, got one: wait for its end")


def _pids(held: dict[str, Any]) -> list[int]:
    """Processes that hold a lock: of each path one (write) or several (read)."""
    holders = [holder for one in held.values() for holder in (one if isinstance(one, list) else [one])]
    return [int(holder["pid"]) for holder in holders if holder]


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
