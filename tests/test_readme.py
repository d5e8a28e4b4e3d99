"""The README's commands run, in its order, in a copy of this checkout with tiny random networks."""

import re
import subprocess
from pathlib import Path

import pytest
import torch
import yaml

from stages.detecting.yolo import isolate_ultralytics
from stages.reid.torchreid_encoder import build_network
from stages.trusted import sha256
from tests import sample_project
from tests.checkout import Checkout
from tests.conftest import ROOT
from tests.footage import write_video
from tests.sample_project import Command

project, command = sample_project.project, sample_project.command  # fixtures
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.split("   #")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
BY_MAKE = {"make repro", "make test"}  # what a clean clone runs first, and what runs these tests
QUEUED = {"dvc exp run --queue -S track.track_thresh=0.4,0.6", "dvc exp run --run-all"}  # tests/test_pipeline.py runs a queue

WITHOUT_SAMPLES = (
    "python -m stages.remove_sequence promenade plaza corner_west corner_east crowd"  # later commands name promenade
)


def test_the_first_two_commands_stand_first() -> None:
    assert set(COMMANDS) >= QUEUED
    assert COMMANDS[:2] == ["make repro", "make test"]


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", README, flags=re.MULTILINE)) <= targets


def test_help_of_make_lists_every_target_with_all_that_is_said_of_it() -> None:
    said = dict(re.findall(r"^([a-z-]+):.*?## +(.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert dict(line.split(maxsplit=1) for line in listed.splitlines()) == said
    assert said["ui"].endswith("http://127.0.0.1:5000")


def test_paths_the_readme_names_exist() -> None:
    named = re.findall(r"`((?:data|stages|tests|constraints)/[\w./-]+)`", README)
    assert named
    assert [path for path in named if not (ROOT / path).exists() and "gt.txt" not in path] == []


def test_one_line_takes_all_sample_scenes_out_of_the_pipeline_and_nothing_that_explains_params(
    project: Path, command: Command, tmp_path: Path
) -> None:
    assert COMMANDS.index(WITHOUT_SAMPLES) == COMMANDS.index("python -m stages.add_sequence ~/Videos/street.mp4") + 1
    explained = (ROOT / "params.yaml").read_text()
    (project / "params.yaml").write_text(explained)
    command("add", write_video(tmp_path / "street.mp4", 2))
    command("remove", *WITHOUT_SAMPLES.split()[3:])
    text = (project / "params.yaml").read_text()
    params = yaml.safe_load(text)
    assert (params["cameras"], list(params["sequences"])) == ({}, ["street"])
    assert [line for line in text.splitlines() if "#" in line] == [line for line in explained.splitlines() if "#" in line]


@pytest.mark.soak
def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Checkout(tmp_path)
    downloads, videos = checkout.home / "Downloads", checkout.home / "Videos"
    for folder in (downloads, videos, checkout.folder / "clips"):
        folder.mkdir()
    torch.manual_seed(0)
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        isolate_ultralytics()
        from ultralytics.models import YOLO

        YOLO("yolov8n.yaml").save(downloads / "yolov8s.pt")
    with open(checkout.folder / "data/weights/yolov8s/trusted.txt", "a") as listed:  # the published file's digest stands there
        listed.write(f"{sha256(downloads / 'yolov8s.pt')}  yolov8s.pt\n")
    torch.save(build_network("osnet_x0_25").state_dict(), downloads / "osnet_x0_25_msmt17.pth")
    for path in (videos / "street.mp4", checkout.folder / "clips/hall_left.mp4", checkout.folder / "clips/hall_right.mp4"):
        write_video(path, 6, 96, 64)
    checkout.keep_cameras("promenade")
    checkout.set_params(scenes__promenade__seconds=1.6, detect__image_size_px=64)
    ran = 0
    for command in COMMANDS:
        if command not in BY_MAKE | QUEUED | {WITHOUT_SAMPLES}:
            checkout.run(command.replace("/mnt/store", str(tmp_path)))
            ran += 1
    assert ran > 15
    people = (checkout.folder / "artifacts/street/people.csv").read_text()
    assert people.startswith("tracklet_id,identity_id,")
    assert not (checkout.folder / "artifacts/hall_right").exists()
    python = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert python
    for block in python:
        checkout.run(f"python - <<'END'\n{block}END")
