"""A copy of this checkout as a git and DVC project of its own, in which tests may run the real commands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.conftest import ROOT

BIN = Path(sys.executable).parent
ALONE = ["unshare", "--map-current-user", "--net"]  # in a network namespace of its own: no route, not even to itself
WITHOUT_NETWORK = ALONE if subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0 else []


class Checkout:
    """A committed copy of the working tree at `folder`; `home` is the home folder of its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "retrace", folder / "home"
        self.home.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
        )
        for name in listed.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file() and not name.startswith("reports/") and name != "dvc.lock":
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        (self.home / ".gitconfig").write_text("[user]\nname = tester\nemail = tester@localhost\n[init]\ndefaultBranch = main\n")
        self.run("git init -q && git add -A && git commit -qm start")

    def run(self, command: str, expect: int = 0, timeout_s: float = 600) -> str:
        """What a shell command prints, both streams, without a network where that can be taken away.

        Fails the test when it exits otherwise than expected.
        """
        done = subprocess.run(
            [*WITHOUT_NETWORK, "bash", "-c", command], cwd=self.folder, env=self.environment(), text=True, timeout=timeout_s,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == expect, f"{command}: exit {done.returncode}\n{done.stdout}"
        return done.stdout

    def environment(self) -> dict[str, str]:
        """That of the tests, with this home and this Python first."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "DVC", "PYTEST", "GIT"))}
        caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")  # compiled kernels are the same everywhere
        return kept | {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": caches,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def repro(self, arguments: str = "") -> list[str]:
        """Runs dvc repro and returns the names of the stages that ran."""
        return re.findall(r"Running stage '([^']+)'", self.run(f"dvc repro {arguments}"))

    def set_params(self, **values: object) -> None:
        """Sets entries of params.yaml by dotted names written with two underscores."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for name, value in values.items():
            *sections, key = name.split("__")
            node = params
            for section in sections:
                node = node[section]
            node[key] = value
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def keep_cameras(self, *names: str) -> None:
        """Takes all other cameras of the sample scenes out of params.yaml, their scenes and their sequences."""
        params = yaml.safe_load((self.folder / "params.yaml").read_text())
        scenes, cameras, sequences = params["scenes"], params["cameras"], params["sequences"]
        self.set_params(
            scenes={name: scenes[name] for name in {cameras[camera]["scene"]: None for camera in names}},
            cameras={name: cameras[name] for name in names},
            sequences={name: settings for name, settings in sequences.items() if name in names or name not in cameras},
        )

    def artifacts(self, *suffixes: str) -> dict[str, bytes]:
        """Bytes of all artifacts and reports with these suffixes, by path; timings apart."""
        files = [path for top in ("artifacts", "reports") for path in sorted((self.folder / top).rglob("*"))]
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in files
            if path.suffix in suffixes and "timings" not in path.as_posix()
        }
