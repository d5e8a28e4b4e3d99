"""The folder of a sample sequence: exact truth, an honest detector, one world for all cameras, the same bytes again."""

import csv
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from stages.boxes import foot_points
from stages.errors import ParamsError
from stages.h264 import H264Params
from stages.motchallenge import MotRows, read_rows
from stages.seqinfo import read_seqinfo
from stages.synthesize import main, synthesize, write_sequence
from stages.world.observing import observe
from stages.world.rows import Rows, ground_truth
from stages.world.scene import CameraParams, DetectorParams, SceneParams
from stages.world.world import look_on, make_world
from tests.conftest import ROOT
from tests.worlds import camera, scene

H264 = H264Params(crf=23, preset="ultrafast", threads=1)
WEST = {"position_m": (-12, -11, 5.5), "target_m": (0, 1)}
EAST = {"position_m": (12, -11, 5.5), "target_m": (0, 1)}


def make(folder: Path, name: str, params: SceneParams, view: CameraParams) -> tuple[Rows, Rows]:
    world = make_world(params, view)
    truth, found = synthesize(world, name, folder / "pixels", H264)
    write_sequence(folder, name, world, truth, found)
    return truth, found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_walk(folder: Path) -> dict[tuple[int, int], tuple[float, float, float]]:
    """(frame, identity) -> x_m, y_m, speed_mps."""
    with open(folder / "world.csv", encoding="utf-8", newline="") as lines:
        return {
            (int(row["frame"]), int(row["identity"])): (float(row["x_m"]), float(row["y_m"]), float(row["speed_mps"]))
            for row in csv.DictReader(lines)
        }


@pytest.mark.parametrize("rendered", [True, False])
def test_the_same_parameters_are_the_same_bytes_and_another_seed_others(tmp_path: Path, rendered: bool) -> None:
    params = scene(rendered=rendered, seconds=1.0, noise=2.0)
    for name in ("a", "b"):
        make(tmp_path / name, "hall", params, camera())
    make(tmp_path / "c", "hall", dataclasses.replace(params, seed=4), camera())
    one, same, other = (contents(tmp_path / name) for name in "abc")
    pixels = "pixels/video.mp4" if rendered else "pixels/none.txt"
    assert list(one) == ["camera.json", "det/det.txt", "gt/gt.txt", "motion/none.txt", pixels, "seqinfo.ini", "world.csv"]
    assert one == same
    changed = {name for name in one if one[name] != other[name]}
    assert changed == {"det/det.txt", "gt/gt.txt", "world.csv"} | ({pixels} if rendered else set())


def test_the_folder_reads_back_as_a_sequence(tmp_path: Path) -> None:
    truth, _ = make(tmp_path, "hall", scene(), camera())
    info = read_seqinfo(tmp_path / "seqinfo.ini")
    assert (info.name, info.num_frames, info.fps, info.width_px, info.height_px) == ("hall", 40, 10.0, 640, 360)
    rows = read_rows(tmp_path / "gt" / "gt.txt")
    assert len(rows) == len(truth.ids) > 100
    assert rows.num_columns == 9
    assert set(rows.class_ids.tolist()) == {1}
    assert rows.visibilities.min() >= 0.05
    assert read_rows(tmp_path / "det" / "det.txt").scores.max() <= 1


def test_the_stage_says_which_scene_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["scenes"]["corner"]["occluders"] = ["kiosk"] * 99
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(tmp_path)
    options = {"sequence": "corner_west", "pins": ROOT / "constraints/footage.txt", "folder": "west", "timings": "timings.json"}
    monkeypatch.setattr(sys, "argv", ["synthesize", *(f"--{name}={value}" for name, value in options.items())])
    with pytest.raises(ParamsError, match=r"^params\.yaml: scenes\.corner\.occluders: expected things that find room in 22 x"):
        main()
    assert not (tmp_path / "west").exists()


def test_a_video_of_an_odd_size_is_refused(tmp_path: Path) -> None:
    """H.264 would make it a pixel larger than seqinfo.ini says, and `detect` refuse it."""
    make(tmp_path / "boxes", "hall", scene(width_px=641, seconds=0.2), camera())
    with pytest.raises(
        ParamsError, match=r"^params\.yaml: scenes\.square: expected an even width_px and height_px where .*, got 640 x 361$"
    ):
        make(tmp_path / "video", "hall", scene(rendered=True, height_px=361, seconds=0.2), camera())
    assert not (tmp_path / "video").exists()


def test_camera_json_takes_foot_points_to_where_people_are(tmp_path: Path) -> None:
    """The ground point of somebody's box is between the feet, so half a step and a shoe from under the hips at most."""
    make(tmp_path, "hall", scene(width_px=1280, height_px=720), camera())
    homography = np.array(json.loads((tmp_path / "camera.json").read_text())["image_to_ground"])
    rows, walk = read_rows(tmp_path / "gt" / "gt.txt"), read_walk(tmp_path)
    places = np.array(
        [walk[frame, name][:2] for frame, name in zip(rows.frame_numbers.tolist(), rows.ids.tolist(), strict=True)]
    )
    feet = np.column_stack([foot_points(rows.bboxes), np.ones(len(rows))]) @ homography.T
    errors = np.hypot(*(feet[:, :2] / feet[:, 2:] - places).T)
    assert np.median(errors) < 0.4
    assert errors.max() < 0.8


def test_the_homography_is_exact() -> None:
    world = make_world(scene(), camera(position_m=(-4, -12, 5)))
    ground = np.random.default_rng(0).uniform(-9, 9, (50, 2))
    pixels, depths = world.camera.project(np.column_stack([ground, np.zeros(50)]))
    assert (depths > 0).all()
    back = np.column_stack([pixels, np.ones(50)]) @ world.camera.image_to_ground().T
    np.testing.assert_allclose(back[:, :2] / back[:, 2:], ground, atol=1e-9)


def test_the_target_is_in_the_middle_of_the_picture_and_up_is_up() -> None:
    view = make_world(scene(), camera(position_m=(6, -11, 4), target_m=(1, 2))).camera
    (middle, above), _ = view.project(np.array([[1, 2, 0], [1, 2, 1.0]]))
    np.testing.assert_allclose(middle, [320, 180], atol=1e-9)
    assert above[0] == pytest.approx(320)
    assert above[1] < 180


def test_cameras_of_a_scene_see_one_world(tmp_path: Path) -> None:
    """The same table of positions, and the same people in both ground truths where both see them."""
    for name, place in (("west", WEST), ("east", EAST)):
        make(tmp_path / name, name, scene(), camera(**place))
    assert (tmp_path / "west/world.csv").read_bytes() == (tmp_path / "east/world.csv").read_bytes()
    west, east = (read_rows(tmp_path / name / "gt/gt.txt") for name in ("west", "east"))
    shared = set(zip(west.frame_numbers.tolist(), west.ids.tolist(), strict=True))
    shared &= set(zip(east.frame_numbers.tolist(), east.ids.tolist(), strict=True))
    assert len(shared) > 50
    assert not np.array_equal(west.bboxes[:20], east.bboxes[:20])


def test_a_clock_offset_of_whole_frames_shifts_a_camera_by_them(tmp_path: Path) -> None:
    params = scene(seconds=3.0)
    for name, offset in (("on_time", 0.0), ("late", 0.7)):
        make(tmp_path / name, "hall", params, camera(clock_offset_s=offset))

    def after(rows: MotRows, start: int, stop: int, shift: int) -> list[list[float]]:
        kept = (rows.frame_numbers >= start) & (rows.frame_numbers < stop)
        columns = [rows.frame_numbers - shift, rows.ids, *rows.bboxes.T, rows.visibilities]
        values: list[list[float]] = np.column_stack(columns)[kept].tolist()
        return values

    on_time, late = (read_rows(tmp_path / name / "gt/gt.txt") for name in ("on_time", "late"))
    assert after(on_time, 7, 30, 7) == after(late, 0, 23, 0)
    walk, late_walk = read_walk(tmp_path / "on_time"), read_walk(tmp_path / "late")
    assert all(late_walk[frame - 7, name] == values for (frame, name), values in walk.items() if frame >= 7)


def test_speeds_in_the_table_are_those_of_the_positions(tmp_path: Path) -> None:
    make(tmp_path, "hall", scene(), camera())  # 10 frames a second: a frame is a tick of the walk
    walk = read_walk(tmp_path)
    checked = 0
    for (frame, name), (x, y, speed) in walk.items():
        if (frame + 1, name) in walk:
            next_x, next_y, _ = walk[frame + 1, name]
            assert np.hypot(next_x - x, next_y - y) * 10 == pytest.approx(speed, abs=2e-3)
            checked += 1
    assert checked > 100


def observed(params: SceneParams) -> tuple[Rows, Rows]:
    world = make_world(params, camera())
    truth = ground_truth(list(look_on(world)))
    return truth, observe(truth, params, "hall")


def test_the_detector_misses_and_invents_as_often_as_asked() -> None:
    perfect = DetectorParams(miss_rate=0.0, false_positives=0.0, jitter=0.0)
    truth, found = observed(scene(detector=perfect))
    clear = truth.scores >= 0.4
    assert clear.sum() <= len(found.ids) <= len(truth.ids)
    assert len(observed(scene(detector=dataclasses.replace(perfect, miss_rate=1.0)))[1].ids) == 0
    nobody = scene(people=0, arrivals_per_minute=0.0, seconds=20.0, detector=dataclasses.replace(perfect, false_positives=1.0))
    truth, invented = observed(nobody)
    assert len(truth.ids) == 0
    assert len(invented.ids) == pytest.approx(200, rel=0.25)


def test_scores_drop_with_what_is_hidden() -> None:
    truth, found = observed(scene(seconds=20.0, people=20, detector=DetectorParams(0.0, 0.0, 0.0)))
    by_box: dict[tuple[float, ...], float] = {
        (frame, *np.clip(box, 0, [640, 360, 640, 360])): visibility
        for frame, box, visibility in zip(truth.frame_numbers.tolist(), truth.bboxes, truth.scores.tolist(), strict=True)
    }
    seen = [by_box[(frame, *box)] for frame, box in zip(found.frame_numbers.tolist(), found.bboxes, strict=True)]
    scores: NDArray[np.float64] = found.scores
    hidden = np.array(seen) < 0.6
    assert hidden.sum() > 20
    assert scores[hidden].mean() < scores[~hidden].mean() - 0.2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"area_m": (22,)}, "area_m: expected width and depth in [12, 200], got [22]"),
        ({"area_m": (22, 5)}, "area_m: expected width and depth in [12, 200], got [22, 5]"),
    ],
)
def test_an_impossible_scene_is_refused(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ParamsError) as refused:
        scene(**change)
    assert str(refused.value) == expected


def test_things_that_find_no_room_are_refused() -> None:
    with pytest.raises(
        ParamsError, match=r"occluders: expected things that find room in 12 x 12 m, got no room for kiosk after kiosk"
    ):
        make_world(scene(area_m=(12, 12), occluders=("kiosk",) * 9), camera())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"position_m": (0, 0, 1)}, "position_m: expected east, north and a height in [2, 100], got [0, 0, 1]"),
        ({"target_m": (0, -15)}, "target_m: expected east and north of another point than the camera's, got [0, -15]"),
    ],
)
def test_an_impossible_camera_is_refused(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ParamsError) as refused:
        camera(**change)
    assert str(refused.value) == expected
