"""What cannot be a sequence is refused in one clear line, and the project stays as it was."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from tests import sample_project
from tests.footage import pattern, write_audio, write_video
from tests.sample_project import DET, GT, MOTION, SEQINFO, Command, contents, mot_folder

project, command = sample_project.project, sample_project.command  # fixtures


def bad_file(name: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def truncated_video(folder: Path) -> Path:
    path = write_video(folder / "cut.mp4", 30)
    path.write_bytes(path.read_bytes()[:1000])
    return path


def truncated_after_index(folder: Path) -> Path:
    path = write_video(folder / "cut.mp4", 30, index_first=True)
    path.write_bytes(path.read_bytes()[:-700])
    return path


def single_image(folder: Path) -> Path:
    cv2.imwrite(str(folder / "1.png"), pattern(0, 64, 48))
    return folder / "1.png"


def playlist(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write_video(folder / "part.ts", 10)
        return bad_file(name, text.encode())(folder)

    return make


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


def varying_rate_with_boxes(folder: Path) -> Path:
    source = mot_folder(folder / "mot", det=DET)
    write_video(source / "phone.mp4", 6, times_s=[0, 0.04, 0.08, 0.4, 0.44, 0.6])
    return source


def one_frame_in_ten_minutes(folder: Path) -> Path:
    return write_video(folder / "lapse.mp4", 3, times_s=[0, 600, 1200])


def bursts(folder: Path) -> Path:
    return write_video(folder / "bursts.mp4", 6, times_s=[0, 1e-4, 2e-4, 10, 10.0001, 10.0002])


def two_videos(folder: Path) -> Path:
    write_video(folder / "a.mp4", 2)
    write_video(folder / "b.mkv", 2)
    return folder


def images_beside_a_video(folder: Path) -> Path:
    (folder / "img1").mkdir(parents=True)
    cv2.imwrite(str(folder / "img1/000001.jpg"), pattern(1, 64, 48))
    write_video(folder / "a.mp4", 2)
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "gone.mp4", "expected a video, an image folder or a MOTChallenge folder, found nothing"),
        (bad_file("empty.mp4", b""), "empty.mp4: expected a video, got an empty file"),
        (bad_file("notes.mp4", b"some words\n" * 40), "notes.mp4: expected a video, got a file that FFmpeg cannot read"),
        (bad_file("notes.txt", b"some words\n" * 400), "notes.txt: expected a video, got a text or a single image"),
        (truncated_video, "cut.mp4: expected a video, got an MP4 without its index (moov): the recording or"),
        (truncated_after_index, "cut.mp4: expected a whole video, got a damaged packet after "),
        (playlist("p.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.4,\npart.ts\n#EXT-X-ENDLIST\n"),
         "p.m3u8: expected a video, got a list of others (hls): make one file of them"),
        (playlist("p.txt", "ffconcat version 1.0\nfile part.ts\n"), "p.txt: expected a video, got a list of others (concat)"),
        (single_image, "1.png: expected a video, got a text or a single image"),
        (lambda folder: write_audio(folder / "talk.m4a"), "talk.m4a: expected a video, got a file that holds audio alone"),
        (lambda folder: folder, "expected a video, images, img1/, gt/gt.txt or det/det.txt in the folder, found none of them"),
        (images_with_hole, "img1: expected image number 2 after 000001.jpg, got 000003.jpg"),
        (two_videos, "expected one video or images, got a.mp4, b.mkv"),
        (images_beside_a_video, "expected one video or images, got a.mp4, img1/000001.jpg"),
        (short_video, "seqinfo.ini: seqLength: expected at most the footage's 10 frames, got 179"),
        (varying_rate_with_boxes, "because the video's rate varies and det.txt counts frames: as they come, 6 (frameTiming="),
        (one_frame_in_ten_minutes, "lapse.mp4: expected 0.01 to 9999 frames per second and at most 10,000,000 frames"),
        (bursts, "bursts.mp4: expected 0.01 to 9999 frames per second and at most 10,000,000 frames, got 120,0"),
        (mot(gt=GT), "mot: expected pixels or det/det.txt, found neither"),
        (mot(det=DET, gt=GT + "4,1,1,1,1,1,1,-1,-1,-1\n"), "gt.txt: row of frame 4, id 1: expected frames up to 3, got 4"),
        (mot(det=DET + "9,-1,1,1,1,1,1,-1,-1,-1\n"), "det.txt: expected frames 1 to 3, got frame 9"),
        (mot(det=DET, gt=GT + "2,1,1,1,1,1,1,-1,-1,-1\n"), "gt.txt: row of frame 2, id 1: expected each id once in a frame"),
        (mot(det=DET + "3,-1,1,1,1,1,34.5,-1,-1,-1\n"), "det.txt: frame 3: expected scores in [0, 1], got 34.5"),
        (mot(det=DET, camera="{}"), "camera.json: expected"),
        (mot(det=DET, motion=MOTION.splitlines()[0]), "motion.txt: expected frames 0 to 2, a line each in this"),
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
        (["--name", "2nd"], "--name: expected a letter and then up to 99 letters, digits, _ or -"),
        (["--name", "a" * 101], "--name: expected a letter and then up to 99 letters, digits, _ or -"),
        (["--group", "a" * 101], "--group: expected a letter and then up to 99 letters, digits, _ or -"),
        (["--name", "../plaza"], "got '../plaza'"),
        (["--name", "all"], "got 'all'"),
        (["--name", "timings"], "got 'timings'"),
        (["--name", "on"], "got 'on'"),  # YAML reads it as true
        (["--name", "plaza"], "--name: expected a new name, got plaza, which is there already"),
        (["--fps", "0"], "--fps: expected frames per second in [0.01, 9999], got 0"),
        (["--detections", "stored"], "det.txt: expected a file for --detections stored, found none"),
        (["--camera-motion", "stored"], "motion.txt: expected a file for --camera-motion stored, found none"),
        (["--motion", "gone.txt"], "gone.txt: expected a file, found none"),
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


def test_a_camera_of_a_sample_scene_keeps_its_name(project: Path, command: Command, tmp_path: Path) -> None:
    """Its folder is an output of `synthesize`, also before that has run."""
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("cameras:\n", "cameras:\n  tower:\n    scene: square\n"))
    said = command("add", write_video(tmp_path / "tower.mp4", 2))
    assert "expected a new name, got tower, which is there already" in said


def test_network_and_estimated_motion_need_pixels(project: Path, command: Command, tmp_path: Path) -> None:
    source = mot_folder(tmp_path / "mot", seqinfo=SEQINFO.format(fps=30, frames=3), det=DET)
    assert "expected pixels for --detections network, found none" in command("add", source, "--detections", "network")
    said = command("add", source, "--camera-motion", "estimated")
    assert "expected pixels for --camera-motion estimated, found none" in said


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
    assert said.startswith("error: dvc add data/sequences/street: expected success, got: ")
    assert contents(project) == before


def test_params_in_a_layout_that_is_not_safe_to_edit_are_left_alone(project: Path, command: Command, tmp_path: Path) -> None:
    (project / "params.yaml").write_text("sequences: {plaza: {detections: stored}}\n")
    before = contents(project)
    assert "edit it by hand" in command("add", write_video(tmp_path / "street.mp4", 2))
    assert contents(project) == before
