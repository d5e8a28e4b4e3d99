"""`python -m stages.track` as a whole process: what it takes to start, and how time and memory grow with the boxes."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from stages.artifacts import read_json
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from tests.benchmarks import ONE_THREAD
from tests.conftest import ROOT


@dataclass(frozen=True)
class StageRun:
    """One execution of the stage."""

    boxes: int
    wall_s: float  # from starting the process to its end
    compute_s: float  # of these, tracking: what the stage itself writes to its timings
    peak_memory_mb: float  # VmHWM, MiB, from the same file


@dataclass(frozen=True)
class StartUp:
    """The stage beside a process that only loads its runtime; medians of runs in turn."""

    rounds: int
    first: StageRun  # with an empty cache: the kernel is compiled
    stage: StageRun
    runtime_s: float  # tests.benchmarks.trivial_kernel

    @property
    def difference_s(self) -> float:
        return self.stage.wall_s - self.runtime_s


def start_up(detections: Detections, folder: Path, rounds: int) -> StartUp:
    """The stage on these detections and the trivial kernel, one after the other, each with its kernels cached in `folder`."""
    first = run_stage(detections, folder)
    trivial = [sys.executable, "-m", "tests.benchmarks.trivial_kernel"]
    _run(trivial, folder)
    runs, runtime_s = [], []
    for _ in range(rounds):
        runs.append(run_stage(detections, folder))
        runtime_s.append(_run(trivial, folder))
    return StartUp(rounds, first, _medians(runs), statistics.median(runtime_s))


def run_stage(detections: Detections, folder: Path) -> StageRun:
    """One run in this folder: its parameters are this project's with the sequence listed."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    settings = next(iter(params["sequences"].values()))
    params["sequences"] = {detections.sequence: settings}
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    detections.save(folder / "detections_raw.npz")
    CameraMotion.still(detections.sequence, detections.num_frames).save(folder / "camera_motion.npz")
    wall_s = _run(
        [
            sys.executable, "-m", "stages.track", "--sequence", detections.sequence,
            "--pins", str(ROOT / "constraints" / "numerics.txt"), "--detections", "detections_raw.npz",
            "--camera-motion", "camera_motion.npz", "--tracklets", "tracklets_raw.npz", "--timings", "track.json",
        ],
        folder,
    )  # fmt: skip
    timings = read_json(folder / "track.json")
    return StageRun(len(detections), wall_s, timings["compute_s"], timings["peak_memory_mb"])


def _run(command: list[str], folder: Path) -> float:
    """Seconds of a process in this folder; raises with what it printed where it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=_environment(os.environ, folder), capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return seconds


def _environment(ours: Mapping[str, str], folder: Path) -> dict[str, str]:
    """As a user has it: threads as they come, and caches of compiled kernels that are empty at first."""
    kept = {name: value for name, value in ours.items() if name not in ONE_THREAD}
    return kept | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(folder / "numba"), "XDG_CACHE_HOME": str(folder / "cache")}


def _medians(runs: list[StageRun]) -> StageRun:
    return StageRun(
        runs[0].boxes,
        statistics.median(run.wall_s for run in runs),
        statistics.median(run.compute_s for run in runs),
        max(run.peak_memory_mb for run in runs),
    )
