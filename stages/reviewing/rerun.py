"""One run of `dvc repro` at a time, in the background, and what it says."""

import os
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = "dvc repro"
LINES_KEPT = 200


@dataclass
class Rerun:
    """The last run, if any: its process and the end of its output."""

    command: tuple[str, ...] = (sys.executable, "-m", "dvc", "repro")
    _process: subprocess.Popen[str] | None = None
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> bool:
        """Starts a run unless one is going on; says whether it did."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return False
            self._lines.clear()
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # stages run as `python`
            self._process = subprocess.Popen(
                self.command, env=os.environ | {"PATH": path}, text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
            return True

    def status(self) -> dict[str, object]:
        """`running`, the exit status once there is one, and the last lines."""
        process = self._process
        code = process.poll() if process else None
        return {"running": process is not None and code is None, "status": code, "lines": list(self._lines)}

    def stop(self) -> None:
        """Ends a run that is going on, stages included: they die with their DVC."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            if line.strip():
                self._lines.append(line.rstrip())
