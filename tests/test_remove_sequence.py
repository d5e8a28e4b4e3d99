"""A sequence goes out without a trace, and nothing else with it."""

from pathlib import Path

import pytest
import yaml

from stages import add_sequence
from stages.corrections.rows import HEADER, Correction, Place, append_row
from tests import sample_project
from tests.conftest import ROOT
from tests.footage import write_video
from tests.sample_project import Command, contents

project, command = sample_project.project, sample_project.command  # fixtures


def test_removing_takes_every_trace_and_nothing_else(project: Path, command: Command, tmp_path: Path) -> None:
    command("add", write_video(tmp_path / "plaza2.mp4", 2))
    (project / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n"
        + "".join(f"  {stage}:\n    cmd: run\n    outs:\n    - path: x\n      md5: abc\n"
                  for stage in ("detect@plaza", "detect@plaza2", "track@plaza", "summarize"))
    )  # fmt: skip
    written = [
        f"artifacts/{place}"
        for place in (
            "{}/tracks.npz",
            "timings/{}/track.json",
            "galleries/square/{}.npz",
            "identities/{}.npz",
            "scores/{}.json",
        )
    ]
    written += [  # half, by killed stages; publish once uploaded such
        "artifacts/galleries/square/.{}.npz.123.tmp",
        "artifacts/stills/.{}.123.tmp/frame_000007.jpg",
        "data/sequences/.{}.123.tmp/pixels/video.mp4",
        "mlartifacts/run/artifacts/stills/.{}.123.tmp/frame_000007.jpg",
        "reports/media/.{}.123.old.tmp/person.jpg",
    ]
    for place in written:
        for name in ("plaza", "plaza2"):
            path = project / place.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    said = command("remove", "plaza")
    for line in (
        "params.yaml: sequences.plaza",
        "params.yaml: cameras.plaza",
        "dvc.lock: track@plaza",
        "artifacts/galleries/square/plaza.npz",
    ):
        assert f"removed {line}" in said
    assert "dvc repro" in said
    keeping = "dvc gc --workspace --all-commits --all-experiments"  # a sequence that was committed can come back
    assert f"{keeping} frees" in said
    assert f"\n{keeping} --force\n" in (ROOT / "README.md").read_text()
    assert yaml.safe_load((project / "params.yaml").read_text()) == {
        "cameras": {},
        "sequences": {"plaza2": add_sequence.settings("network", "none", "plaza2", "same_person", "seen")},
        "detect": {"weights": "yolov8n"},
    }
    assert (project / "params.yaml").read_text().startswith("# Cameras of sample scenes.\ncameras: {}\n\n# What goes")
    assert list(yaml.safe_load((project / "dvc.lock").read_text())["stages"]) == ["detect@plaza2", "summarize"]
    left = [path for path in contents(project) if path.startswith(("artifacts", "reports", "mlartifacts")) or ".tmp" in path]
    assert sorted(left) == sorted(place.format("plaza2") for place in written)
    assert "expected a sequence to stay in params.yaml, found none: add yours first" in command("remove", "plaza2")


def test_several_go_at_once_or_none(project: Path, command: Command, tmp_path: Path) -> None:
    for name in ("street", "road"):
        command("add", write_video(tmp_path / f"{name}.mp4", 2))
    before = contents(project)
    assert "nobody: expected a sequence to remove (plaza, street, road), found none" in command("remove", "plaza", "nobody")
    assert "plaza, street, road: expected a sequence to stay" in command("remove", "plaza", "street", "road")
    assert contents(project) == before
    command("remove", "plaza", "street")
    assert list(yaml.safe_load((project / "params.yaml").read_text())["sequences"]) == ["road"]


def test_a_camera_that_no_sequence_is_made_of_yet_goes(project: Path, command: Command) -> None:
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("cameras:\n", "cameras:\n  crowd: {scene: crowd}\n"))
    assert "removed params.yaml: cameras.crowd" in command("remove", "crowd")
    assert (project / "params.yaml").read_text() == text


def test_corrections_go_with_the_sequence_unless_a_person_wrote_some(project: Path, command: Command, tmp_path: Path) -> None:
    for name in ("untouched", "corrected"):
        command("add", write_video(tmp_path / f"{name}.mp4", 2))
        assert Path(f"data/corrections/{name}.csv").read_text() == HEADER
    append_row(Path("data/corrections/corrected.csv"), Correction("delete", Place(0, (0.0, 0.0, 9.0, 9.0))))
    assert "removed data/corrections/untouched.csv" in command("remove", "untouched")
    assert "kept data/corrections/corrected.csv: it holds corrections by hand" in command("remove", "corrected")
    assert [path.name for path in Path("data/corrections").iterdir()] == ["corrected.csv"]
    said = command("add", tmp_path / "corrected.mp4")
    assert "data/corrections/corrected.csv is there with 1 corrections, and counts" in said


@pytest.mark.parametrize("name", ["nobody", ".", "..", "../project"])
def test_only_a_sequence_can_be_removed(project: Path, command: Command, name: str) -> None:
    (project / "data/sequences").mkdir(parents=True)
    before = contents(project)
    assert command("remove", name) == f"error: {name}: expected a sequence to remove (plaza), found none of that name"
    assert contents(project) == before
