"""Footage goes in measured, copied, tracked and listed."""

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import yaml

from stages import add_sequence
from stages.camera import read_camera
from stages.frames import read_frames
from stages.motchallenge import read_rows
from stages.seqinfo import SequenceInfo, read_seqinfo
from stages.sequence_folder import holds_data
from tests import sample_project
from tests.conftest import ROOT
from tests.footage import pattern, square_left, write_video
from tests.sample_project import DET, GT, MOTION, SEQINFO, Command, contents, mot_folder, staged

project, command, dvc_project = sample_project.project, sample_project.command, sample_project.dvc_project  # fixtures


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
    assert not holds_data(folder / "motion")
    assert read_camera(folder / "camera.json") is None
    added = yaml.safe_load((project / "params.yaml").read_text())["sequences"]["street"]
    assert added["detections"] == "network"
    assert added["camera_motion"] == "none"
    assert added["camera_group"] == "square"
    assert added["returns"] == "same_person"
    assert added["at_border"] == "seen"
    assert not list(project.rglob("*.tmp"))


def test_the_entry_has_the_keys_of_the_default_sequence() -> None:
    default = yaml.safe_load((ROOT / "params.yaml").read_text())["sequences"]["promenade"]
    assert add_sequence.settings("stored", "none", "promenade", "same_person", "whole") == default


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
    (source / "._video.mp4").write_bytes(b"as macOS leaves one beside each file on a foreign disk")
    said = command("add", source)
    assert "mot: video (h264), 64 x 48 px, 8 frames, 0.32 s at 25 frames/s" in said
    assert "the video says 15 frames/s: overruled, 25 counts" in said
    assert "the first 8 of 10 frames count (seqLength)" in said
    assert "ground truth: 3 rows, 2 ids" in said
    assert read_seqinfo(project / "data/sequences/mot/seqinfo.ini").fps == 25


@pytest.mark.parametrize(
    ("boxes", "option", "expected"),
    [
        ("1,1,10,10,8,20,1,-1,-1,-1\n1,2,60,10,8,20,1,-1,-1,-1\n", [], "whole"),  # the picture is 64 wide: 4 px beyond
        ("1,1,10,10,8,20,1,-1,-1,-1\n1,2,56,10,8,20,1,-1,-1,-1\n", [], "seen"),  # ends there
        ("1,1,10,10,8,20,1,-1,-1,-1\n", [], "seen"),  # nobody near the border
        ("1,1,10,10,8,20,1,-1,-1,-1\n", ["--at-border", "whole"], "whole"),
    ],
)
def test_boxes_at_the_border_are_those_of_the_ground_truth(
    project: Path, command: Command, tmp_path: Path, boxes: str, option: list[str], expected: str
) -> None:
    command("add", mot_folder(tmp_path / "mot", seqinfo=SEQINFO.format(fps=25, frames=8), gt=boxes, det=DET), *option)
    assert yaml.safe_load((project / "params.yaml").read_text())["sequences"]["mot"]["at_border"] == expected


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


@pytest.mark.parametrize(("timing", "num_frames"), [("constant", 6), ("variable", 16)])
def test_a_seqinfo_says_which_frames_of_a_varying_rate_the_boxes_count(
    project: Path, command: Command, tmp_path: Path, timing: str, num_frames: int
) -> None:
    seqinfo = SEQINFO.format(fps=25, frames=num_frames) + f"frameTiming={timing}\n"
    source = mot_folder(tmp_path / "mot", seqinfo=seqinfo, det=DET)
    write_video(source / "phone.mp4", 6, times_s=[0, 0.04, 0.08, 0.4, 0.44, 0.6])
    assert f"mot: video (h264), 64 x 48 px, {num_frames} frames" in command("add", source)


def test_a_video_with_an_image_s_suffix_can_be_read(project: Path, command: Command, tmp_path: Path) -> None:
    command("add", write_video(tmp_path / "street.mp4", 3).rename(tmp_path / "street.png"))
    folder = project / "data/sequences/street"
    assert len(list(read_frames(folder / "pixels", read_seqinfo(folder / "seqinfo.ini"), range(3)))) == 3


def test_a_link_gives_its_own_name(project: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "street.mp4").symlink_to(write_video(tmp_path / "SHA256-e3b0c442.mp4", 3))
    assert "street: video (h264)" in command("add", tmp_path / "street.mp4")
    assert not (project / "data/sequences/street/pixels/video.mp4").is_symlink()


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


def test_stored_motion_is_taken_with_the_folder_or_given(project: Path, command: Command, tmp_path: Path) -> None:
    source = mot_folder(tmp_path / "mot", seqinfo=SEQINFO.format(fps=30, frames=3), det=DET, motion=MOTION)
    assert "stored detections: 2 rows; camera motion: stored" in command("add", source)
    assert (project / "data/sequences/mot/motion/motion.txt").read_text() == MOTION
    given = tmp_path / "GMC-v.txt"
    given.write_text(MOTION)
    command("add", write_video(tmp_path / "v.mp4", 3), "--motion", given)
    assert (project / "data/sequences/v/motion/motion.txt").read_text() == MOTION
    command("add", tmp_path / "v.mp4", "--name", "w", "--camera-motion", "estimated")
    assert not holds_data(project / "data/sequences/w/motion")
    command("add", source, "--name", "x", "--camera-motion", "none")  # there, for another day
    sequences = yaml.safe_load((project / "params.yaml").read_text())["sequences"]
    assert {name: sequences[name]["camera_motion"] for name in ("mot", "v", "w", "x")} == {
        "mot": "stored", "v": "stored", "w": "estimated", "x": "none",
    }  # fmt: skip


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
