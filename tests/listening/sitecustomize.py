"""Python imports this by itself when its folder stands in PYTHONPATH: it notes what the stage that DVC runs here opens.

One line a file or folder, in the file that RETRACE_OPENED names: the stage's full name and the absolute path. What
libraries in C open without Python (FFmpeg's video) is not heard. Where it opens a file with RETRACE_STOPS_AT in its
name, the stage stops as by SIGSTOP.
"""

import os
import signal
import sys
from typing import Any

STAGE, LOG, STOPS_AT = (os.environ.get(name) for name in ("DVC_STAGE", "RETRACE_OPENED", "RETRACE_STOPS_AT"))

if STAGE and LOG:
    log = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            os.write(log, f"{STAGE}\t{path}\n".encode())

    sys.addaudithook(hear)

if STAGE and STOPS_AT:
    awaited = STOPS_AT

    def stop(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and awaited in os.path.basename(str(arguments[0])):
            os.kill(os.getpid(), signal.SIGSTOP)

    sys.addaudithook(stop)
