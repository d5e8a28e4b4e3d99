"""Sequences of a camera's scene with other seeds, made by the stages' own commands in a scratch folder: to try unseen people.

A folder is named after the seed and all that its files follow from (scene, camera, sections of the networks, weights), so an
interrupted run goes on where it was, and changed parameters begin anew.
"""

import argparse
import copy
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stages.command import log
from stages.weights import weights_file
from tests.benchmarks.in_memory import Footage, read_footage
from tests.conftest import ROOT

CAMERA = "plaza"  # the camera of params.yaml that films `square`: where none is named
MADE_BY = ("synthesize", "detect", "register", "embed")  # sections that the files follow from, besides scene and camera
LATER = "at_border"  # of a sequence: no matter to these files
WEIGHTS = {"detect": (".pt",), "embed": (".pth", ".pth.tar")}


def add_square_options(made: argparse.ArgumentParser, seeds: str, nargs: str) -> None:
    """The options of `squares`; `seeds` names that of the seeds."""
    known = "seeds of `square`; none that the networks were trained on: see their cards"
    made.add_argument(seeds, nargs=nargs, type=int, default=[], help=known)
    made.add_argument("--seconds", type=float, help="how long each is filmed; without it as params.yaml says")
    made.add_argument("--scratch", type=Path, default=Path(__file__).parent / "out" / "squares", help="where they are made")


def squares(args: argparse.Namespace, params: Mapping[str, Any]) -> Iterator[tuple[int, Footage]]:
    """Each seed with what the networks see of its square."""
    changed = copy.deepcopy(dict(params))
    if args.seconds is not None:
        changed["scenes"][changed["cameras"][CAMERA]["scene"]]["seconds"] = args.seconds
    for seed in args.seeds:
        yield seed, square(seed, changed, args.scratch)


def square(seed: int, params: Mapping[str, Any], scratch: Path) -> Footage:
    """What the networks of `params` see of the square with this seed, and the truth; made where it is not there yet."""
    return read_footage(*make_square(seed, params, scratch, CAMERA), at_border=params["sequences"][CAMERA]["at_border"])


def make_square(seed: int, params: Mapping[str, Any], scratch: Path, camera: str) -> tuple[Path, Path]:
    """The folders of the sequence that a camera films, and of what the networks see of it; made where not there yet."""
    folder, name = _project(seed, params, scratch, camera), f"{camera}_{seed}"
    sequence, made = folder / "data" / "sequences" / name, folder / "artifacts" / name
    pixels = ["--pixels", sequence / "pixels", "--seqinfo", sequence / "seqinfo.ini"]
    detections, motion, embeddings = (made / f"{what}.npz" for what in ("detections_raw", "camera_motion", "embeddings"))
    unforgotten = ["--exclusions", ROOT / "data" / "exclusions" / f"{camera}.csv"]
    networks, footage = ["--pins", ROOT / "constraints/networks.txt"], ["--pins", ROOT / "constraints/footage.txt"]
    steps: dict[str, tuple[Path, list[Any]]] = {
        "synthesize": (sequence, [*footage, "--folder", sequence]),
        "detect": (detections, [*networks, *pixels, "--stored", sequence / "det", "--weights", _weights("detect", params),
                                "--detections", detections, *unforgotten]),
        "register": (motion, [*footage, *pixels, "--stored", sequence / "motion", "--detections", detections,
                              "--camera-motion", motion]),
        "embed": (embeddings, [*networks, *pixels, "--detections", detections, "--weights", _weights("embed", params),
                               "--embeddings", embeddings, *unforgotten]),
    }  # fmt: skip
    for stage, (output, options) in steps.items():
        if not output.exists():
            log.info("%s: %s", name, stage)
            _run(stage, folder, ["--sequence", name, "--timings", made / f"{stage}.json", *options])
    return sequence, made


def _project(seed: int, params: Mapping[str, Any], scratch: Path, camera_name: str) -> Path:
    """The folder of this seed and camera with its params.yaml."""
    name, changed = f"{camera_name}_{seed}", {section: copy.deepcopy(params[section]) for section in MADE_BY}
    for section in WEIGHTS:
        changed[section]["threads"] = 1  # two wait for each other where the machine is busy
    camera = params["cameras"][camera_name]
    changed["scenes"] = {camera["scene"]: {**params["scenes"][camera["scene"]], "seed": seed}}
    changed["cameras"] = {name: camera}
    changed["sequences"] = {name: {key: value for key, value in params["sequences"][camera_name].items() if key != LATER}}
    digest = hashlib.sha256(json.dumps(changed, sort_keys=True).encode())
    for section in WEIGHTS:
        digest.update(weights_file(_weights(section, params), WEIGHTS[section]).read_bytes())
    folder = scratch.resolve() / f"{name}-{digest.hexdigest()[:8]}"
    (folder / "artifacts" / name).mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    return folder


def _weights(section: str, params: Mapping[str, Any]) -> Path:
    return ROOT / "data" / "weights" / str(params[section]["weights"])


def _run(stage: str, folder: Path, options: list[Any]) -> None:
    """The stage's command in the folder; its one line of error is passed on."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", f"stages.{stage}", *map(str, options)]
    if subprocess.run(command, cwd=folder, env=settings).returncode:
        sys.exit(f"{folder.name}: {stage} failed")
