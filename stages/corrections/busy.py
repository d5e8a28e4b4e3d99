"""Whether a run of DVC is going on right now, or reads a file of corrections.

DVC notes what a stage depends on once more when it has run. A row that is added meanwhile would be noted as honoured, and the
next `dvc repro` would have nothing to do.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stages.artifacts import lives
from stages.errors import DataError

RWLOCK = Path(".dvc/tmp/rwlock")  # {"read": {path: [{"pid": ..., "cmd": ...}]}, "write": {...}}, as of DVC 3


def check_idle() -> None:
    """Returns when no run of DVC is alive in this folder. Raises DataError where one is."""
    users = _users()
    if users is None or _any_lives([*users.get("read", {}).values(), *users.get("write", {}).values()]):
        raise DataError(f"{RWLOCK}: expected no run of DVC, got one: wait for its end")


def check_unread(path: Path) -> None:
    """Returns when no run of DVC that is alive reads the file. Raises DataError where one does, or DVC is just noting who."""
    users = _users()
    if users is None or _any_lives([users.get("read", {}).get(str(path.resolve()))]):
        raise DataError(f"{path}: expected no stage that is reading it, got a run of DVC: try again in some seconds")


def _users() -> dict[str, Any] | None:
    """Who reads and writes what, as DVC has noted it; None while it is noting that."""
    try:
        users: dict[str, Any] | None = json.loads(RWLOCK.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError:
        return None
    return users


def _any_lives(users: Iterable[Any]) -> bool:
    """Whether one of the processes is alive: of each path none, one (write) or several (read)."""
    processes = [process for some in users for process in (some if isinstance(some, list) else [some]) if process]
    return any(lives(int(process["pid"])) for process in processes)
