"""What the log looks like: lines for people, or with RETRACE_LOG=json one JSON object a line for machines; on stderr.

Every object has time (UTC), level (info or error), stage, sequence (null where there is none) and message. The last one of a
stage also has counts, wall_s, compute_s and peak_memory_mb, those of errors that were not foreseen the traceback.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime

from stages.errors import ParamsError

VARIABLE = "RETRACE_LOG"


class JsonLines(logging.Formatter):
    """Formats records of one command."""

    def __init__(self, stage: str, sequence: str | None) -> None:
        super().__init__()
        self._command = {"stage": stage, "sequence": sequence}

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": moment, "level": record.levelname.lower(), **self._command, "message": record.getMessage()}
        line |= getattr(record, "measured", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def wants_json() -> bool:
    """Whether the environment asks for objects. Raises ParamsError where it asks for what there is not."""
    wish = os.environ.get(VARIABLE, "") or "text"
    if wish not in ("text", "json"):
        raise ParamsError(f"{VARIABLE} (environment): expected text or json, got {wish!r}")
    return wish == "json"


def command_of(arguments: list[str]) -> tuple[str, str | None]:
    """Stage and sequence of the command that this process runs."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    stage = (spec.name if spec else arguments[0]).removeprefix("stages.")
    _, given, rest = " ".join(arguments).partition(" --sequence ")
    return stage, rest.split()[0] if given else None
