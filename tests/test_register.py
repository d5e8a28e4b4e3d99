"""Camera motion: what is known comes back, people do not count, and where nothing can be known the camera stands still."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from stages import register as stage
from stages import track as track_stage
from stages.command import execute
from stages.contracts.camera_motion import IDENTITY, CameraMotion
from stages.contracts.detections import Detections
from stages.frames import read_frames
from stages.motchallenge import read_rows
from stages.params import load_section
from stages.register import register
from stages.registration.optical_flow import shrink
from stages.registration.params import RegisterParams
from stages.seqinfo import SequenceInfo, format_seqinfo, read_seqinfo
from stages.sequence_folder import write_marker
from tests.conftest import ROOT
from tests.tables import detections

WIDTH, HEIGHT, FRAMES = 480, 360, 15
PARAMS = load_section(RegisterParams, "register", ROOT / "params.yaml")
Matrix = NDArray[np.float64]


def texture(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """(height, width, 3) blurred noise over the whole range of grey."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).random((height, width)), (0, 0), 2.0)
    grey = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


WORLD, CLOTHES = texture(1, 700, 900), texture(2, 400, 500)


def similarity(degrees: float, scale: float, x: float, y: float) -> Matrix:
    """(3, 3) in the picture's pixels, counted from its edge."""
    a, b = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[a, -b, x], [b, a, y], [0, 0, 1]])


def view(frame: int) -> Matrix:
    """(3, 3) from the world to the picture of a frame: the camera pans, turns and zooms, faster and faster."""
    return similarity(0.02 * frame**2, 1 + 0.004 * frame, -190 + 0.3 * frame**2, -160 - 3.0 * frame)


def taken(matrix: Matrix) -> NDArray[np.uint8]:
    """The picture of the world through this view. OpenCV counts from the middle of the first pixel."""
    half = similarity(0, 1, 0.5, 0.5)
    centered = np.linalg.inv(half) @ matrix @ half
    return np.asarray(cv2.warpAffine(WORLD, centered[:2], (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC), dtype=np.uint8)


def passers_by(frame: int) -> list[tuple[int, int, int, int]]:
    """Boxes of four people who walk by themselves."""
    return [
        (x, y, x + 60, y + 140) for x, y in ((20 + 6 * frame, 150), (380 - 5 * frame, 180), (200, 10 + 4 * frame), (-30, 5))
    ]


def with_people(picture: NDArray[np.uint8], boxes: list[tuple[int, int, int, int]]) -> NDArray[np.uint8]:
    """The picture with people on it: each a cut-out of clothes that moves with its box."""
    for number, (left, top, right, bottom) in enumerate(boxes):
        cloth = CLOTHES[20 * number :, 30 * number :]
        y1, x1 = max(top, 0), max(left, 0)
        picture[y1:bottom, x1:right] = cloth[y1 - top : bottom - top, x1 - left : right - left][: HEIGHT - y1, : WIDTH - x1]
    return picture


def walking_camera(frames: range) -> list[NDArray[np.uint8]]:
    return [with_people(taken(view(frame)), passers_by(frame)) for frame in frames]


def found(boxes: list[list[tuple[int, int, int, int]]]) -> Detections:
    """Detections from each frame's boxes."""
    rows = [(frame, box, 0.9) for frame, here in enumerate(boxes) for box in here]
    return detections(rows, len(boxes), width_px=WIDTH, height_px=HEIGHT)


def registered(pictures: list[Any], table: Detections, max_width_px: int = 640) -> tuple[CameraMotion, int]:
    return register((shrink(picture, max_width_px) for picture in pictures), table, PARAMS)


def errors_px(transforms: Matrix, truth: list[Matrix]) -> Matrix:
    """(F,) the farthest that a point of the picture comes out from where it truly goes."""
    grid = np.array([(x, y, 1) for x in range(0, WIDTH + 1, 40) for y in range(0, HEIGHT + 1, 40)]).T
    return np.array([np.linalg.norm(a @ grid - b[:2] @ grid, axis=0).max() for a, b in zip(transforms, truth, strict=True)])


def steps(frames: range) -> list[Matrix]:
    """The true motion of the walking camera from each of the frames to the next, after the identity."""
    return [np.eye(3), *(view(b) @ np.linalg.inv(view(a)) for a, b in zip(frames, frames[1:], strict=False))]


# The estimate


@pytest.mark.parametrize("max_width_px", [640, 240])  # whole, and scaled down by two
def test_a_known_motion_comes_back_while_people_walk(max_width_px: int) -> None:
    frames = range(FRAMES)
    motion, unregistered = registered(walking_camera(frames), found([passers_by(f) for f in frames]), max_width_px)
    assert unregistered == 0
    assert errors_px(np.tile(IDENTITY, (FRAMES, 1, 1)), steps(frames))[1:].min() > 3  # there is something to find
    assert errors_px(motion.transforms, steps(frames)).max() < 0.2


def test_a_camera_that_stands_still_is_found_standing_still() -> None:
    pictures = [with_people(taken(view(0)), passers_by(frame)) for frame in range(6)]
    noise = np.random.default_rng(3)
    noisy = [np.clip(picture + noise.normal(0, 4, picture.shape), 0, 255).astype(np.uint8) for picture in pictures]
    motion, unregistered = registered(noisy, found([passers_by(frame) for frame in range(6)]))
    assert unregistered == 0
    assert errors_px(motion.transforms, [np.eye(3)] * 6).max() < 0.1


def test_people_who_fill_most_of_the_picture_do_not_pass_for_the_camera_when_they_are_detected() -> None:
    boxes = [[(60 + 5 * frame, 20, 400 + 5 * frame, 340)] for frame in range(4)]  # two thirds of the picture
    pictures = [with_people(taken(view(0)), here) for here in boxes]
    known, _ = registered(pictures, found(boxes))
    assert errors_px(known.transforms, [np.eye(3)] * 4).max() < 0.1
    unknown, _ = registered(pictures, found([[], [], [], []]))
    assert unknown.transforms[1:, 0, 2] == pytest.approx([5, 5, 5], abs=0.1)


def test_where_nothing_can_be_followed_the_camera_stands_still_and_it_is_counted() -> None:
    """A blank picture, and a cut to another scene: the frames into and out of it, and no others."""
    blank, other = np.full((HEIGHT, WIDTH, 3), 90, np.uint8), texture(9, HEIGHT, WIDTH)
    pictures = [taken(view(0)), taken(view(1)), blank, blank, taken(view(4)), taken(view(5)), other]
    motion, unregistered = registered(pictures, found([[]] * 7))
    assert unregistered == 4
    still = [frame for frame in range(7) if (motion.transforms[frame] == IDENTITY).all()]
    assert still == [0, 2, 3, 4, 6]
    assert errors_px(motion.transforms[[1, 5]], [steps(range(6))[1], steps(range(6))[5]]).max() < 0.2


def test_a_picture_covered_by_people_has_no_background_to_follow() -> None:
    everywhere = [[(-5, -5, WIDTH + 5, HEIGHT + 5)]] * 3
    assert registered([taken(view(frame)) for frame in range(3)], found(everywhere))[1] == 2


def test_two_runs_on_any_number_of_threads_give_the_same_bytes() -> None:
    pictures, table = walking_camera(range(4)), found([passers_by(frame) for frame in range(4)])
    made = []
    before = cv2.getNumThreads()
    try:
        for threads in (1, 1, 3, 8):
            cv2.setNumThreads(threads)
            made.append(registered(pictures, table)[0].transforms.tobytes())
    finally:
        cv2.setNumThreads(before)
    assert len(set(made)) == 1


def test_a_real_street_before_a_real_camera_that_stands_still(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "sequences/TUD-Stadtmitte"
    (tmp_path / "video.mp4").symlink_to(folder / "video.mp4")
    info, rows = read_seqinfo(folder / "seqinfo.ini"), read_rows(folder / "gt/gt.txt")
    boxes = [(frame, box, 1.0) for frame, box in zip(rows.frame_numbers, rows.bboxes, strict=True) if frame < 20]
    pictures = list(read_frames(tmp_path, info, range(20)))
    motion, unregistered = registered(pictures, detections(boxes, 20))
    assert unregistered == 0
    assert errors_px(motion.transforms, [np.eye(3)] * 20).max() < 0.15  # 0.05 was measured


@pytest.mark.parametrize("num_frames", [0, 1])
def test_a_clip_without_a_pair_of_frames_has_no_motion(num_frames: int) -> None:
    motion, unregistered = registered([taken(view(0))] * num_frames, found([[]] * num_frames))
    assert motion.transforms.tolist() == [IDENTITY.tolist()] * num_frames
    assert unregistered == 0


# The stage


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sequence `hall`: five pictures, nobody detected, no stored motion; the current one."""
    sequence = tmp_path / "hall"
    for name in ("pixels", "motion"):
        (sequence / name).mkdir(parents=True)
    for frame in range(5):
        cv2.imwrite(str(sequence / f"pixels/{frame + 1:06}.png"), taken(view(frame)))
    info = SequenceInfo("hall", WIDTH, HEIGHT, 10.0, 5, variable_rate=False)
    (sequence / "seqinfo.ini").write_text(format_seqinfo(info))
    write_marker(sequence / "motion", "no motion.txt")
    monkeypatch.chdir(tmp_path)
    settle("none")
    return tmp_path


def settle(camera_motion: str, start: int = 0, end: int | None = None, stride: int = 1) -> None:
    """Writes params.yaml, and empty detections of the clip's frames."""
    clip = {"start_frame": start, "end_frame": end, "frame_stride": stride}
    params = yaml.safe_load((ROOT / "params.yaml").read_text()) | {
        "sequences": {"hall": {"camera_motion": camera_motion, "clip": clip, "regions": {"interest": [], "ignored": []}}}
    }
    Path("params.yaml").write_text(yaml.safe_dump(params))
    found([[]] * len(range(start, end or 5, stride))).save(Path("detections.npz"))


def arguments(name: str) -> list[str]:
    shared = [
        "--sequence",
        "hall",
        "--detections",
        "detections.npz",
        "--camera-motion",
        "motion.npz",
        "--timings",
        f"{name}.json",
    ]
    own = {
        "register": ["--pins", str(ROOT / "constraints/footage.txt"), "--pixels", "hall/pixels",
                     "--seqinfo", "hall/seqinfo.ini", "--stored", "hall/motion"],
        "track": ["--pins", str(ROOT / "constraints/numerics.txt"), "--tracklets", "tracklets.npz"],
    }  # fmt: skip
    return [name, *shared, *own[name]]


def run(monkeypatch: pytest.MonkeyPatch, name: str = "register") -> str:
    """Runs the stage as its command does; its one line of error, or nothing."""
    monkeypatch.setattr(sys, "argv", arguments(name))
    try:
        execute({"register": stage.main, "track": track_stage.main}[name])
    except SystemExit as stopped:
        return str(stopped.code)
    return ""


def test_none_gives_identities_and_needs_no_pixels_and_no_opencv(project: Path) -> None:
    code = "import sys; from stages.register import main; main(); sys.exit('cv2' in sys.modules or 'av' in sys.modules)"
    command = [sys.executable, "-c", code, *arguments("register")[1:]]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    motion = CameraMotion.load(Path("motion.npz"), "hall")
    assert motion.transforms.tolist() == [IDENTITY.tolist()] * 5


@pytest.mark.parametrize(("start", "end", "stride"), [(0, None, 1), (1, None, 2), (2, 4, 1)])
def test_estimated_is_the_motion_between_the_frames_of_the_clip(
    project: Path, monkeypatch: pytest.MonkeyPatch, start: int, end: int | None, stride: int
) -> None:
    settle("estimated", start, end, stride)
    assert run(monkeypatch) == ""
    frames = range(start, end or 5, stride)
    assert errors_px(CameraMotion.load(Path("motion.npz")).transforms, steps(frames)).max() < 0.2
    assert json.loads(Path("register.json").read_text())["counts"] == {"frames": len(frames), "unregistered": 0}


def test_frames_without_motion_are_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cv2.imwrite("hall/pixels/000003.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    settle("estimated")
    with caplog.at_level(logging.INFO, "retrace"):
        assert run(monkeypatch) == ""
    assert "register hall: in 2 of 5 frames too few corners agree: taken as a camera that stands still there" in caplog.messages


def test_what_the_clip_needs_and_does_not_have_is_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle("stored")
    assert run(monkeypatch) == (
        "error: hall/motion/motion.txt: expected a file, found none: set sequences.hall.camera_motion to none or estimated"
    )
    settle("estimated", stride=2)
    found([[]] * 5).save(Path("detections.npz"))
    assert run(monkeypatch) == "error: detections.npz: num_frames: expected 3 of the clip, got 5"
    settle("estimated")
    write_marker(Path("hall/pixels"), "no footage")
    assert run(monkeypatch) == (
        "error: hall/pixels: expected a video or images, found none: set sequences.hall.camera_motion to none or stored"
    )
    settle("moving")
    assert 'camera_motion: expected one of none, estimated, stored, got "moving"' in run(monkeypatch)
    assert not Path("motion.npz").exists()


def test_track_takes_the_motion_of_its_own_sequence_and_frames_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CameraMotion.still("hall", 5).save(Path("motion.npz"))
    assert run(monkeypatch, "track") == ""
    CameraMotion.still("hall", 4).save(Path("motion.npz"))
    assert run(monkeypatch, "track") == "error: motion.npz: num_frames: expected the boxes' 5, got 4"
    CameraMotion.still("yard", 5).save(Path("motion.npz"))
    assert run(monkeypatch, "track") == "error: motion.npz: sequence: expected hall, got yard"
