"""What a data set for the detector holds, where it comes from, and what is refused."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from stages.errors import DataError, ParamsError
from stages.images import read_image
from stages.params import make_section
from stages.seqinfo import SequenceInfo, format_seqinfo
from stages.world.scene import CameraParams, SceneParams
from stages.yaml_file import read_yaml
from tests.conftest import ROOT
from tests.detector_data import write_dataset
from tests.footage import SQUARE_PX, STEP_PX, square_left, write_video
from tests.worlds import camera, scene
from training.detector.checking import check_dataset, check_one_shape
from training.detector.data import footage_examples
from training.detector.examples import Example, read_boxes, write_examples
from training.detector.footage import FootageParams, read_sequence
from training.detector.sampled import SampledParams, draw, filmings

SECTIONS = read_yaml(ROOT / "params.yaml")
SCENES = {name: make_section(SceneParams, node, name) for name, node in SECTIONS["scenes"].items()}
CAMERAS = {name: make_section(CameraParams, node, name) for name, node in SECTIONS["cameras"].items()}
SAMPLED = make_section(
    SampledParams, read_yaml(ROOT / "training/params.yaml")["detector_data"]["sampled"], "detector_data.sampled"
)


def test_a_box_is_a_label_if_enough_is_seen_and_in_boxes_csv_in_any_case(tmp_path: Path) -> None:
    bboxes = np.array([[20.0, 40.0, 60.0, 120.0], [100.0, 40.0, 120.0, 80.0], [180.0, 0.0, 240.0, 40.0], [-9.0, 0.0, 1.0, 9.0]])
    example = Example("hall_000", np.zeros((100, 200, 3), dtype=np.uint8), bboxes, np.array([1.0, 0.2, 0.25, 1.0]))
    assert write_examples(tmp_path, "val", [example], size_px=100, quality=90, min_visibility=0.25) == (1, 2)
    assert read_image(tmp_path / "images/val/hall_000.jpg").shape == (50, 100, 3)
    assert (tmp_path / "labels/val/hall_000.txt").read_text() == (
        "0 0.200000 0.700000 0.200000 0.600000\n"  # x 20 to 60 of 200, y 40 to the lower edge at 100
        "0 0.950000 0.200000 0.100000 0.400000\n"  # x 180 to the right edge at 200
    )
    boxes = read_boxes(tmp_path, "val")["hall_000"]
    assert boxes.bboxes.tolist() == [[10, 20, 30, 50], [50, 20, 60, 40], [90, 0, 100, 20]]  # half a pixel of the last is left
    assert boxes.visibilities.tolist() == [1.0, 0.2, 0.25]


def test_no_scene_is_in_two_splits_or_in_the_pipeline() -> None:
    plan = filmings(SAMPLED, SCENES, CAMERAS)
    seeds = [filming.scene.seed for split in plan.values() for filming in split] + [one.seed for one in SCENES.values()]
    assert len(set(seeds)) == len(seeds)
    assert [len(plan[split]) for split in ("train", "val", "test")] == [160, 8, 15]


def test_the_test_has_the_cameras_of_the_pipeline() -> None:
    plan = {filming.name: filming for filming in filmings(SAMPLED, SCENES, CAMERAS)["test"]}
    for name in ("plaza", "corner_west", "corner_east"):
        assert plan[name].camera == CAMERAS[name]
        assert plan[name].scene.occluders == SCENES[CAMERAS[name].scene].occluders


def test_an_unknown_camera_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"cameras: expected some of promenade, plaza, .* got roof"):
        filmings(dataclasses.replace(SAMPLED, cameras=("roof",)), SCENES, CAMERAS)


def test_the_same_seed_draws_the_same_pictures_far_apart() -> None:
    params = dataclasses.replace(
        SAMPLED,
        train_scenes=1,
        val_scenes=1,
        test_scenes=1,
        cameras=("hall",),
        frames=3,
        every_s=4.0,
        width_px=160,
        height_px=90,
    )
    small, by = scene(width_px=160, height_px=90), camera()
    one, other = (list(draw(filmings(params, {"square": small}, {"hall": by})["test"][-1])) for _ in range(2))
    assert [example.name for example in one] == ["hall_0000", "hall_0001", "hall_0002"]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.picture, b.picture)
    moved = np.linalg.norm(one[0].bboxes[0, :2] - one[1].bboxes[0, :2])
    assert moved > 1


MOT17_ROWS = (
    "1,1,10,10,20,40,1,1,0.9\n"  # a pedestrian
    "1,2,40,10,20,40,1,7,0.8\n"  # a static person: another class
    "1,3,70,10,20,40,0,1,0.7\n"  # marked as not counting
    "2,1,12,10,20,40,1,1,0.1\n"  # hardly seen
    "3,1,14,10,20,40,1,1,1.0\n"
)  # fmt: skip


def write_truth(folder: Path, rows: str, num_frames: int) -> Path:
    """Writes ground truth and seqinfo.ini of a sequence without pixels; returns its folder."""
    (folder / "gt").mkdir(parents=True, exist_ok=True)
    (folder / "gt" / "gt.txt").write_text(rows)
    (folder / "seqinfo.ini").write_text(format_seqinfo(SequenceInfo(folder.name, 100, 60, 25.0, num_frames, False)))
    return folder


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    folder = write_truth(tmp_path / "MOT17-02", MOT17_ROWS, 3)
    (folder / "img1").mkdir()
    for number in (1, 2, 3):
        cv2.imwrite(str(folder / "img1" / f"{number:06d}.jpg"), np.full((60, 100, 3), 40 * number, dtype=np.uint8))
    return folder


def params(**changes: Any) -> FootageParams:
    values: dict[str, Any] = {"train": ("a",), "val": ("b",), "test": ("c",), "class_ids": (1,), "frame_stride": 1}
    return FootageParams(**values | changes)


def test_footage_gives_people_of_the_classes_wanted_and_keeps_the_others_as_not_counting(sequence: Path) -> None:
    first, second, _ = read_sequence(sequence, params())
    assert first.name == "MOT17-02_000000"
    np.testing.assert_allclose(first.visibilities, [0.9, -1, -1], atol=1e-6)
    np.testing.assert_allclose(second.visibilities, [0.1], atol=1e-6)
    np.testing.assert_allclose(first.bboxes[0], [10, 10, 30, 50])
    static, _, _ = read_sequence(sequence, params(class_ids=(1, 7)))
    np.testing.assert_allclose(static.visibilities, [0.9, 0.8, -1], atol=1e-6)


def test_who_does_not_count_is_no_label_even_where_the_wholly_hidden_are(sequence: Path, tmp_path: Path) -> None:
    assert write_examples(tmp_path, "train", read_sequence(sequence, params()), 100, 90, min_visibility=0) == (3, 3)


def test_footage_may_skip_frames(sequence: Path) -> None:
    assert [int(example.picture.mean()) // 40 for example in read_sequence(sequence, params(frame_stride=2))] == [1, 3]


def test_pictures_come_by_their_number(sequence: Path) -> None:
    for number, name in ((1, "1"), (2, "2"), (3, "10")):
        (sequence / "img1" / f"{number:06d}.jpg").rename(sequence / "img1" / f"{name}.jpg")
    with pytest.raises(DataError, match=r"img1: expected image number 3 after 2.jpg, got 10.jpg"):
        list(read_sequence(sequence, params()))
    for number in range(9, 3, -1):
        shutil.copy(sequence / "img1" / "10.jpg", sequence / "img1" / f"{number}.jpg")
    (sequence / "img1" / "1.jpg").rename(sequence / "img1" / "3.jpg")
    write_truth(sequence, MOT17_ROWS, 9)
    shown = [int(example.picture.mean()) // 40 for example in read_sequence(sequence, params())]
    assert shown == [2, 1, 3, 3, 3, 3, 3, 3, 3]


def test_truth_of_frames_that_are_not_there_is_refused(sequence: Path) -> None:
    write_truth(sequence, MOT17_ROWS, 2)
    with pytest.raises(DataError, match=r"gt.txt: row of frame 3, id 1: expected frames up to 2, got 3"):
        list(read_sequence(sequence, params()))


def test_a_video_gives_each_box_the_picture_of_its_frame(tmp_path: Path) -> None:
    rows = "".join(f"{number + 1},1,{STEP_PX * number},15,{SQUARE_PX},{SQUARE_PX},1,1,1\n" for number in range(20))
    for name in "abc":
        (write_truth(tmp_path / name, rows, 20) / "pixels").mkdir()
        write_video(tmp_path / name / "pixels" / "video.mp4", 20, 100, 60)
    for split, examples in footage_examples(tmp_path, params(frame_stride=6)).items():
        read = list(examples)
        for example, number in zip(read, (0, 6, 12, 18), strict=True):
            assert example.name.endswith(f"_{number:06d}")
            assert example.bboxes[0, 0] == square_left(example.picture) == STEP_PX * number
        assert write_examples(tmp_path / "made", split, read, 64, 90, min_visibility=0.25) == (4, 4)
    check_dataset(tmp_path / "made")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "seqinfo.ini").unlink(), r"seqinfo.ini: expected a file, found none"),
        (
            lambda folder: shutil.rmtree(folder / "img1"),
            r"MOT17-02: expected a folder pixels or img1 with a video or images",
        ),
        (lambda folder: (folder / "img1/000003.jpg").unlink(), r"img1: expected 3 frames \(seqinfo.ini\), got 2 images"),
        (lambda folder: cut(folder / "img1/000002.jpg"), r"000002.jpg: expected a whole image, got a damaged one of"),
        (
            lambda folder: cv2.imwrite(str(folder / "img1/000002.jpg"), np.zeros((50, 100, 3), dtype=np.uint8)),
            r"000002.jpg: expected 100 x 60 px \(seqinfo.ini\), got 100 x 50",
        ),
    ],
)
def test_footage_that_does_not_fit_is_refused(sequence: Path, spoil: Callable[[Path], object], message: str) -> None:
    spoil(sequence)
    with pytest.raises(DataError, match=message):
        list(read_sequence(sequence, params()))


def test_a_sequence_in_two_splits_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"test: expected sequences of no other split, got a, which is in train"):
        params(test=("c", "a"))


def test_a_whole_data_set_passes(tmp_path: Path) -> None:
    check_dataset(write_dataset(tmp_path / "data"))


def test_pictures_that_keep_their_shape_must_have_one(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data")
    check_one_shape(folder, 64)
    high = np.zeros((62, 60, 3), dtype=np.uint8)  # fills 64 x 64 as well
    cv2.imwrite(str(folder / "images" / "train" / "train_03.jpg"), high)
    check_one_shape(folder, 64)
    cv2.imwrite(str(folder / "images" / "train" / "train_04.jpg"), high[:, :31])
    with pytest.raises(DataError, match=r"images/train: expected pictures of one shape, got train_00.jpg and train_04.jpg of"):
        check_one_shape(folder, 64)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def empty(folder: Path) -> None:
    for kind in ("images", "labels"):
        shutil.rmtree(folder / kind / "test")


def share(folder: Path) -> None:
    for kind, suffix in (("images", "jpg"), ("labels", "txt")):
        shutil.copy(folder / kind / "val" / f"val_03.{suffix}", folder / kind / "test" / f"val_09.{suffix}")


LABEL = "labels/val/val_01.txt"
REFUSALS: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (lambda folder: cut(folder / "images/val/val_01.jpg"), r"val_01.jpg: expected a whole image, got a damaged one of"),
    "foreign": (lambda folder: (folder / "images/val/val_01.jpg").write_text("x"), r"val_01.jpg: expected a whole image"),
    "unlabelled": (
        lambda folder: (folder / LABEL).unlink(),
        r"expected a label file for each picture, got none for val_01 in val",
    ),
    "unseen": (
        lambda folder: (folder / "images/val/val_01.jpg").unlink(),
        r"a picture for each label file, got none for val_01",
    ),
    "nan": (
        lambda folder: (folder / LABEL).write_text("0 nan 0.5 0.1 0.1\n"),
        r"val_01.txt: line 1: .* got '0 nan 0.5 0.1 0.1'",
    ),
    "outside": (lambda folder: (folder / LABEL).write_text("0 0.5 1.01 0.1 0.1\n"), r"val_01.txt: line 1: expected a class in"),
    "class": (lambda folder: (folder / LABEL).write_text("1 0.5 0.5 0.1 0.1\n"), r"expected a class in \[0, 0\]"),
    "short": (lambda folder: (folder / LABEL).write_text("0 0.5 0.5 0.1\n"), r"val_01.txt: line 1"),
    "words": (lambda folder: (folder / LABEL).write_text("a person\n"), r"val_01.txt: line 1"),
    "no text": (lambda folder: (folder / LABEL).write_bytes(b"\xff\xfe0"), r"val_01.txt: line 1: expected a class in"),
    "flat": (lambda folder: (folder / LABEL).write_text("0 0.5 0.5 0 0.1\n"), r"val_01.txt: line 1"),
    "nobody": (
        lambda folder: [path.write_bytes(b"") for path in (folder / "labels/train").iterdir()],
        r"labels/train: expected labels of every class, got none of person",
    ),
    "empty": (
        empty,
        r"images/test: expected pictures, found none: each split needs some",
    ),
    "twice": (share, r"expected val in one split, got it in val and in test"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_nobody_should_train_on_is_refused(name: str, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data")
    spoil, message = REFUSALS[name]
    spoil(folder)
    with pytest.raises(DataError, match=message):
        check_dataset(folder)
