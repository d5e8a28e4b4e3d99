"""Footage goes in whole and checked, or the project stays as it was; and it goes out without a trace."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import yaml

from stages import add_sequence, remove_sequence
from stages.camera import read_camera
from stages.command import execute
from stages.frames import read_frames
from stages.motchallenge import read_rows
from stages.seqinfo import SequenceInfo, read_seqinfo
from stages.sequence_folder import holds_data
from tests.conftest import ROOT
from tests.footage import pattern, square_left, write_audio, write_video

PARAMS = """\
# Sample scenes.
scenes:
  plaza:
    seed: 7    # any whole number

# What goes through the pipeline.
sequences:
  plaza:
    detections: stored    # network or stored
    camera: {group: "on"}

# How people are found.
detect:
  weights: yolov8n
"""
SEQINFO = "[Sequence]\nname=x\nimDir=img1\nframeRate={fps}\nseqLength={frames}\nimWidth=64\nimHeight=48\nimExt=.jpg\n"
GT = "1,1,10,10,8,20,1,-1,-1,-1\n2,1,11,10,8,20,1,-1,-1,-1\n2,2,30,10,8,20,1,-1,-1,-1\n"
DET = "1,-1,10,10,8,20,0.9,-1,-1,-1\n3,-1,11,10,8,20,0.05,-1,-1,-1\n"
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
    """A MOTChallenge folder; files by name: seqinfo, gt, det, camera."""
    places = {"seqinfo": "seqinfo.ini", "gt": "gt/gt.txt", "det": "det/det.txt", "camera": "camera.json"}
    for name, text in files.items():
        path = folder / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the folder, but for locks."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".locks" not in p.parts}


def test_a_video_becomes_a_sequence(project: Path, command: Command, tmp_path: Path) -> None:
    said = command("add", write_video(tmp_path / "street.mp4", 30, fps=30.0), "--group", "square")
    assert "street: video (h264), 64 x 48 px, 30 frames, 1.00 s at 30 frames/s" in said
    assert "ground truth: none; stored detections: none" in said
    assert "not tracked: this is no DVC project" in said
    assert "next: dvc repro" in said
    folder = project / "data/sequences/street"
    info = read_seqinfo(folder / "seqinfo.ini")
    assert info == SequenceInfo("street", 64, 48, 30.0, 30, variable_rate=False)
    assert len(list(read_frames(folder / "pixels", info, range(30)))) == 30
    assert not holds_data(folder / "gt")
    assert not holds_data(folder / "det")
    assert read_camera(folder / "camera.json") is None
    added = yaml.safe_load((project / "params.yaml").read_text())["sequences"]["street"]
    assert added["detections"] == "network"
    assert added["camera"]["group"] == "square"
    assert not list(project.rglob("*.tmp"))


def test_the_entry_has_the_keys_of_the_default_sequence() -> None:
    default = yaml.safe_load((ROOT / "params.yaml").read_text())["sequences"]["promenade"]
    assert add_sequence.settings("stored", None) == default


def test_adding_and_removing_leaves_the_file_and_the_folder_as_they_were(
    project: Path, command: Command, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "params.yaml", project)
    before = contents(project)
    text = (ROOT / "params.yaml").read_text()
    command("add", write_video(tmp_path / "street.mp4", 3))
    added = (project / "params.yaml").read_text()
    head = text.index("\ndetect:")
    assert added.startswith(text[:head])  # only lines put in, nothing else touched
    assert added.endswith(text[head:])
    assert "removed params.yaml: sequences.street" in command("remove", "street")
    assert contents(project) == before


def test_a_wrong_rate_in_the_header_is_measured_and_seqinfo_overrules_both(
    project: Path, command: Command, tmp_path: Path
) -> None:
    source = mot_folder(tmp_path / "mot", seqinfo=SEQINFO.format(fps=25, frames=8), gt=GT)
    write_video(source / "video.mp4", 10, fps=15.0)
    said = command("add", source)
    assert "mot: video (h264), 64 x 48 px, 8 frames, 0.32 s at 25 frames/s" in said
    assert "the video says 15 frames/s: overruled, 25 counts" in said
    assert "the first 8 of 10 frames count (seqLength)" in said
    assert "ground truth: 3 rows, 2 ids" in said
    assert read_seqinfo(project / "data/sequences/mot/seqinfo.ini").fps == 25


def test_fps_and_seqinfo_can_be_given(project: Path, command: Command, tmp_path: Path) -> None:
    seqinfo = tmp_path / "right.ini"
    seqinfo.write_text(SEQINFO.format(fps=25, frames=8))
    command("add", write_video(tmp_path / "v.mp4", 10, fps=15.0), "--seqinfo", seqinfo, "--fps", "12.5")
    info = read_seqinfo(project / "data/sequences/v/seqinfo.ini")
    assert (info.fps, info.num_frames) == (12.5, 8)


def test_a_rotated_video_has_the_size_that_people_see(project: Path, command: Command, tmp_path: Path) -> None:
    said = command("add", write_video(tmp_path / "phone.mov", 5, rotation=-90))
    assert "48 x 64 px (turned by -90 degrees)" in said
    info = read_seqinfo(project / "data/sequences/phone/seqinfo.ini")
    assert (info.width_px, info.height_px) == (48, 64)
    assert len(list(read_frames(project / "data/sequences/phone/pixels", info, range(5)))) == 5


def test_a_varying_rate_is_resampled_and_said(project: Path, command: Command, tmp_path: Path) -> None:
    source = write_video(tmp_path / "phone.mp4", 6, times_s=[0, 0.04, 0.08, 0.4, 0.44, 0.6])
    assert "the frame rate varies: frames are resampled to 25 frames/s" in command("add", source)
    info = read_seqinfo(project / "data/sequences/phone/seqinfo.ini")
    assert info == SequenceInfo("phone", 64, 48, 25.0, 16, variable_rate=True)  # 0.6 s: moments 0 to 15
    pictures = list(read_frames(project / "data/sequences/phone/pixels", info, range(16)))
    assert [square_left(pictures[k]) for k in (2, 9, 10, 15)] == [8, 8, 12, 20]


def test_images_need_a_rate_and_become_a_sequence(project: Path, command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "burst"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number:04}.png"), pattern(number, 64, 48))
    assert command("add", folder) == (
        f"error: {folder}: expected a frame rate, which png does not state: give --fps or --seqinfo"
    )
    assert "burst: images (png), 64 x 48 px, 3 frames, 0.30 s at 10 frames/s" in command("add", folder, "--fps", "10")
    assert sorted(path.name for path in (project / "data/sequences/burst/pixels").iterdir()) == [
        "0000.png", "0001.png", "0002.png",
    ]  # fmt: skip


def test_a_folder_without_pixels_uses_its_detections(project: Path, command: Command, tmp_path: Path) -> None:
    camera = '{"image_to_ground": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}'
    source = mot_folder(tmp_path / "mot", seqinfo=SEQINFO.format(fps=30, frames=3), gt=GT, det=DET, camera=camera)
    said = command("add", source, "--name", "boxes")
    assert "boxes: no pixels, 64 x 48 px, 3 frames" in said
    assert "ground truth: 3 rows, 2 ids; stored detections: 2 rows" in said
    folder = project / "data/sequences/boxes"
    assert not holds_data(folder / "pixels")
    assert len(read_rows(folder / "det/det.txt")) == 2
    assert read_camera(folder / "camera.json") is not None
    assert yaml.safe_load((project / "params.yaml").read_text())["sequences"]["boxes"]["detections"] == "stored"


def bad_file(name: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def truncated_video(folder: Path) -> Path:
    path = write_video(folder / "cut.mp4", 30)
    path.write_bytes(path.read_bytes()[:1000])
    return path


def images_with_hole(folder: Path) -> Path:
    for number in (1, 3):
        (folder / "img1").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"img1/{number:06}.jpg"), pattern(number, 64, 48))
    return folder


def mot(**files: str) -> Callable[[Path], Path]:
    return lambda folder: mot_folder(folder / "mot", seqinfo=SEQINFO.format(fps=30, frames=3), **files)


def short_video(folder: Path) -> Path:
    source = mot_folder(folder / "mot", seqinfo=SEQINFO.format(fps=25, frames=179))
    write_video(source / "video.mp4", 10)
    return source


def two_videos(folder: Path) -> Path:
    write_video(folder / "a.mp4", 2)
    write_video(folder / "b.mkv", 2)
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "gone.mp4", "expected a video, an image folder or a MOTChallenge folder, found nothing"),
        (bad_file("empty.mp4", b""), "empty.mp4: expected a video, got an empty file"),
        (bad_file("notes.mp4", b"some words\n" * 40), "notes.mp4: expected a video, got a file that FFmpeg cannot read"),
        (bad_file("notes.txt", b"some words\n" * 400), "notes.txt: expected a video, got a text or a single image"),
        (truncated_video, "cut.mp4: expected a video, got an MP4 without its index (moov): the recording or"),
        (lambda folder: write_audio(folder / "talk.m4a"), "talk.m4a: expected a video, got a file that holds audio alone"),
        (lambda folder: folder, "expected a video, images, img1/, gt/gt.txt or det/det.txt in the folder, found none of them"),
        (images_with_hole, "img1: expected image number 2 after 000001.jpg, got 000003.jpg"),
        (two_videos, "expected one video, got a.mp4, b.mkv"),
        (short_video, "seqinfo.ini: seqLength: expected at most the footage's 10 frames, got 179"),
        (mot(gt=GT), "mot: expected pixels or det/det.txt, found neither"),
        (mot(det=DET, gt=GT + "4,1,1,1,1,1,1,-1,-1,-1\n"), "gt.txt: expected frames 1 to 3 (seqLength), got frame 4"),
        (mot(det=DET + "9,-1,1,1,1,1,1,-1,-1,-1\n"), "det.txt: expected frames 1 to 3 (seqLength), got frame 9"),
        (mot(det=DET, gt=GT + "2,1,1,1,1,1,1,-1,-1,-1\n"), "gt.txt: expected each id once a frame, got id 1 twice in frame 2"),
        (mot(det=DET + "3,-1,1,1,1,1,34.5,-1,-1,-1\n"), "det.txt: expected scores in [0, 1], got 34.5 in frame 3"),
        (mot(det=DET, camera="{}"), "camera.json: expected"),
        (lambda folder: mot_folder(folder / "mot", det=DET), "seqinfo.ini: expected a file (or --seqinfo) beside boxes"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line(
    project: Path, command: Command, tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    (tmp_path / "in").mkdir()
    source = make(tmp_path / "in")
    before = contents(project)
    said = command("add", source, "--name", "street")
    assert said.startswith(f"error: {tmp_path}")
    assert message in said
    assert "\n" not in said
    assert contents(project) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--name", "2nd"], "--name: expected a letter and then letters, digits, _ or -"),
        (["--name", "../plaza"], "got '../plaza'"),
        (["--name", "all"], "got 'all'"),
        (["--name", "timings"], "got 'timings'"),
        (["--name", "on"], "got 'on'"),  # YAML reads it as true
        (["--name", "plaza"], "--name: expected a new name, got plaza, which is there already"),
        (["--fps", "0"], "--fps: expected frames per second in [0.001, 10000), got 0"),
        (["--detections", "stored"], "det.txt: expected a file for --detections stored, found none"),
        (["--seqinfo", "gone.ini"], "gone.ini: expected a file, found none"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    project: Path, command: Command, tmp_path: Path, options: list[str], message: str
) -> None:
    video = write_video(tmp_path / "street.mp4", 2)
    before = contents(project)
    said = command("add", video, *options)
    assert said.startswith("error: ")
    assert message in said
    assert contents(project) == before


def test_network_needs_pixels(project: Path, command: Command, tmp_path: Path) -> None:
    source = mot_folder(tmp_path / "mot", seqinfo=SEQINFO.format(fps=30, frames=3), det=DET)
    assert "expected pixels for --detections network, found none" in command("add", source, "--detections", "network")


def test_a_full_disk_is_said_before_anything_is_copied(
    project: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))
    said = command("add", write_video(tmp_path / "street.mp4", 2))
    assert "of free disk for a copy of" in said
    assert "street" not in (project / "params.yaml").read_text()
    assert not (project / "data/sequences/street").exists()


def test_what_dvc_refuses_is_undone(project: Path, command: Command, tmp_path: Path) -> None:
    (project / ".dvc").mkdir()
    (project / ".dvc/config").write_text("no configuration")
    before = contents(project)
    said = command("add", write_video(tmp_path / "street.mp4", 2))
    assert said.startswith("error: dvc add --quiet data/sequences/street: expected success, got: ")
    assert contents(project) == before


def test_params_in_a_layout_that_is_not_safe_to_edit_are_left_alone(project: Path, command: Command, tmp_path: Path) -> None:
    (project / "params.yaml").write_text("sequences: {plaza: {detections: stored}}\n")
    before = contents(project)
    assert "edit it by hand" in command("add", write_video(tmp_path / "street.mp4", 2))
    assert contents(project) == before


def test_removing_takes_every_trace_and_nothing_else(project: Path, command: Command, tmp_path: Path) -> None:
    command("add", write_video(tmp_path / "plaza2.mp4", 2))
    (project / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n"
        + "".join(f"  {stage}:\n    cmd: run\n    outs:\n    - path: x\n      md5: abc\n"
                  for stage in ("detect@plaza", "detect@plaza2", "track@plaza", "summarize"))
    )  # fmt: skip
    written = [
        f"artifacts/{place}" for place in ("{}/tracks.npz", "timings/{}/track.json", "galleries/{}.npz", "scores/{}.json")
    ]
    for place in written:
        for name in ("plaza", "plaza2"):
            path = project / place.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    said = command("remove", "plaza")
    for line in (
        "params.yaml: sequences.plaza",
        "params.yaml: scenes.plaza",
        "dvc.lock: track@plaza",
        "artifacts/galleries/plaza.npz",
    ):
        assert f"removed {line}" in said
    assert "dvc repro" in said
    assert yaml.safe_load((project / "params.yaml").read_text()) == {
        "scenes": {},
        "sequences": {"plaza2": add_sequence.settings("network", None)},
        "detect": {"weights": "yolov8n"},
    }
    assert (project / "params.yaml").read_text().startswith("# Sample scenes.\nscenes: {}\n\n# What goes")
    assert list(yaml.safe_load((project / "dvc.lock").read_text())["stages"]) == ["detect@plaza2", "summarize"]
    left = [path for path in contents(project) if path.startswith("artifacts")]
    assert sorted(left) == sorted(place.format("plaza2") for place in written)
    assert "got the last one: add yours first" in command("remove", "plaza2")


@pytest.mark.parametrize("name", ["nobody", ".", "..", "../project"])
def test_only_a_sequence_can_be_removed(project: Path, command: Command, name: str) -> None:
    (project / "data/sequences").mkdir(parents=True)
    before = contents(project)
    assert command("remove", name) == f"error: {name}: expected a sequence to remove (plaza), found none of that name"
    assert contents(project) == before


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


def test_dvc_and_git_track_what_is_added_and_forget_what_is_removed(
    dvc_project: Path, command: Command, tmp_path: Path
) -> None:
    assert "not tracked: --no-track" in command("add", write_video(tmp_path / "loose.mp4", 2), "--no-track")
    command("add", write_video(tmp_path / "street.mp4", 3))
    assert staged() == ["data/sequences/street.dvc"]
    assert (dvc_project / "data/sequences/street.dvc").exists()
    shutil.rmtree(dvc_project / "data/sequences/street")
    subprocess.run([sys.executable, "-m", "dvc", "checkout", "--quiet"], check=True)
    assert (dvc_project / "data/sequences/street/pixels/video.mp4").exists()
    assert "removed data/sequences/street.dvc" in command("remove", "street")
    assert staged() == []
    assert sorted(path.name for path in (dvc_project / "data/sequences").iterdir()) == [".gitignore", "loose"]


def test_the_shared_folders_are_accepted_as_they_are(dvc_project: Path, command: Command, shared_data: Path) -> None:
    said = command("add", shared_data / "sequences" / "TUD-Stadtmitte")
    assert "TUD-Stadtmitte: video (h264), 640 x 480 px, 179 frames, 7.16 s at 25 frames/s" in said
    assert "the video says 15 frames/s: overruled, 25 counts" in said
    assert "ground truth: 1,156 rows, 10 ids; stored detections: none" in said
    said = command("add", shared_data / "mot17_first_half" / "MOT17-04", "--no-track")
    assert "MOT17-04: no pixels, 1920 x 1080 px, 526 frames" in said
    assert "stored detections: 23,907 rows" in said
    for folder in sorted((shared_data / "dancetrack").iterdir()):
        assert f"{folder.name}: no pixels, 1920 x 1080 px" in command("add", folder, "--no-track")
    assert staged() == ["data/sequences/TUD-Stadtmitte.dvc"]
