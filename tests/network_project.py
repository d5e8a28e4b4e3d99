"""A project folder with one small clip, and the two stages that run networks, as tests call them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.errors import DataError
from stages.exclusions import HEADER
from stages.seqinfo import SequenceInfo, format_seqinfo
from stages.sequence_folder import write_marker
from tests.footage import write_video

ROOT = Path(__file__).parent.parent
WIDTH, HEIGHT, FPS = 96, 64, 25.0

SEQUENCE = {
    "detections": "network",
    "clip": {"start_frame": 0, "end_frame": None, "frame_stride": 1},
    "regions": {"interest": [], "ignored": []},
}
DETECT = {
    "weights": "tiny", "class_ids": [0, 1], "image_size_px": 64, "batch_size": 2, "half": False, "compile": False,
    "min_confidence": 0.0, "nms_iou": 0.7, "max_detections": 4, "threads": 1,
}  # fmt: skip
EMBED = {
    "model": "osnet_x0_25", "weights": "tiny", "stride": 1, "min_height_px": 8, "min_confidence": 0.3, "max_overlap": 1.0,
    "batch_size": 4, "half": False, "threads": 1,
}  # fmt: skip


def info(num_frames: int) -> SequenceInfo:
    return SequenceInfo("clip", WIDTH, HEIGHT, FPS, num_frames, variable_rate=False)


def make_project(folder: Path, num_frames: int = 6) -> Path:
    """A folder with params.yaml and the sequence `clip`: a video, no detections, no ground truth."""
    sequence = folder / "data/sequences/clip"
    for name in ("pixels", "det"):
        (sequence / name).mkdir(parents=True)
    write_video(sequence / "pixels/clip.mp4", num_frames, WIDTH, HEIGHT, FPS)
    (sequence / "seqinfo.ini").write_text(format_seqinfo(info(num_frames)))
    write_marker(sequence / "det", "no detections")
    (folder / "data/exclusions").mkdir()
    (folder / "data/exclusions/clip.csv").write_text(HEADER)
    set_params(folder)
    return folder


def set_params(folder: Path, **changes: Any) -> None:
    """Writes params.yaml with these entries of `detect`, `embed` or `sequence` replaced."""
    sections = {"detect": DETECT, "embed": EMBED, "sequence": SEQUENCE}
    changed = {name: values | changes.get(name, {}) for name, values in sections.items()}
    content = {"detect": changed["detect"], "embed": changed["embed"], "sequences": {"clip": changed["sequence"]}}
    (folder / "params.yaml").write_text(yaml.safe_dump(content))


def arguments(stage: str) -> list[str]:
    """The command line of `detect` or `embed`, relative to the project folder."""
    sequence, pins = "data/sequences/clip", str(ROOT / "constraints/networks.txt")
    given = {
        "sequence": "clip", "pins": pins, "pixels": f"{sequence}/pixels", "seqinfo": f"{sequence}/seqinfo.ini",
        "weights": "data/weights/tiny", "detections": "artifacts/detections_raw.npz", "exclusions": "data/exclusions/clip.csv",
        "timings": f"artifacts/{stage}.json",
    }  # fmt: skip
    given |= {"stored": f"{sequence}/det"} if stage == "detect" else {"embeddings": "artifacts/embeddings.npz"}
    return [part for name, value in given.items() for part in (f"--{name}", value)]


def unfinished_chunks(folder: Path, stage: str, run: Callable[[], object]) -> str:
    """Runs the stage, whose result cannot be written, and returns the fingerprint of the chunks that it leaves."""
    result = folder / "artifacts" / {"detect": "detections_raw.npz", "embed": "embeddings.npz"}[stage]
    result.mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match=r"\.npz: expected to write it, got: Is a directory"):
        run()
    (chunks,) = (folder / ".chunks" / stage / "clip").iterdir()
    return chunks.name


def start(stage: str, folder: Path) -> "subprocess.Popen[str]":
    """The stage as a process of its own, on the CPU, in the project folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RETRACE_DEVICE": "cpu", "DVC_ROOT": "."}
    command = [sys.executable, "-m", f"stages.{stage}", *arguments(stage)]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
