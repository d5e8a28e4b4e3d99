"""A small project that footage is added to, and the two commands run in it as a shell runs them."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stages import add_sequence, remove_sequence
from stages.command import execute
from tests.conftest import ROOT

PARAMS = """\
# Cameras of sample scenes.
cameras:
  plaza:
    scene: square    # one of the scenes

# What goes through the pipeline.
sequences:
  plaza:
    detections: stored    # network or stored
    camera_group: "on"

# How people are found.
detect:
  weights: yolov8n
"""
SEQINFO = "[Sequence]\nname=x\nimDir=img1\nframeRate={fps}\nseqLength={frames}\nimWidth=64\nimHeight=48\nimExt=.jpg\n"
GT = "1,1,10,10,8,20,1,-1,-1,-1\n2,1,11,10,8,20,1,-1,-1,-1\n2,2,30,10,8,20,1,-1,-1,-1\n"
DET = "1,-1,10,10,8,20,0.9,-1,-1,-1\n3,-1,11,10,8,20,0.05,-1,-1,-1\n"
MOTION = "".join(f"{frame}\t1.000000\t0.000000\t{2 * frame}\t0.000000\t1.000000\t0.000000\t\n" for frame in range(3))
Command = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one sequence and no DVC; the current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Command:
    """Runs a command line as its module does; what it logged, or its one line of error."""

    def run(module: str, *arguments: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", [module, *map(str, arguments)])
        caplog.clear()
        with caplog.at_level(logging.INFO, "retrace"):
            try:
                execute({"add": add_sequence.main, "remove": remove_sequence.main}[module])
            except SystemExit as stopped:
                return str(stopped.code)
        return "\n".join(caplog.messages)

    return run


def mot_folder(folder: Path, **files: str) -> Path:
    """A MOTChallenge folder; files by name: seqinfo, gt, det, motion, camera."""
    places = {"seqinfo": "seqinfo.ini", "gt": "gt/gt.txt", "det": "det/det.txt", "motion": "motion/motion.txt",
              "camera": "camera.json"}  # fmt: skip
    for name, text in files.items():
        path = folder / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the folder, but for locks."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".locks" not in p.parts}


@pytest.fixture
def dvc_project(project: Path) -> Path:
    """The project under git and DVC, with the ignore files of the real one."""
    for name in (".gitignore", ".dvcignore", "data/sequences/.gitignore"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, project / name)
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], check=True)
    return project


def staged() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "data"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if line.endswith(".dvc")]
