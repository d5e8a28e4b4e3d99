"""Python imports this by itself when its folder stands in PYTHONPATH: it notes what the stage that DVC runs here opens.

One line a file or folder, in the file that RETRACE_OPENED names: the stage's full name and the absolute path. What
libraries in C open without Python (FFmpeg's video) is not heard.
"""

import os
import sys
from typing import Any

STAGE, LOG = os.environ.get("DVC_STAGE"), os.environ.get("RETRACE_OPENED")

if STAGE and LOG:
    log = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            os.write(log, f"{STAGE}\t{path}\n".encode())

    sys.addaudithook(hear)
