"""The made-up scene: exact truth, an honest detector, the same bytes for the same seed."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from stages.boxes import foot_points, iou
from stages.motchallenge import read_rows
from stages.scene import Camera, SceneParams, simulate
from stages.seqinfo import read_seqinfo
from stages.synthesize import write_sequence

PARAMS = SceneParams(
    seed=3, width_px=1280, height_px=720, fps=25.0, num_frames=200, num_people=8, return_share=1.0, miss_rate=0.1,
    false_positives=0.2, jitter=0.02,
)  # fmt: skip


def test_the_same_seed_is_the_same_folder_and_another_seed_another(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sequence(tmp_path / name, "hall", PARAMS, *simulate(PARAMS))
    files = sorted(path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert files == ["camera.json", "det/det.txt", "gt/gt.txt", "motion/none.txt", "pixels/none.txt", "seqinfo.ini"]
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)
    other = simulate(dataclasses.replace(PARAMS, seed=4))[0]
    assert not np.array_equal(other.bboxes[:5], simulate(PARAMS)[0].bboxes[:5])


def test_the_folder_reads_back_as_a_sequence(tmp_path: Path) -> None:
    truth, found = simulate(PARAMS)
    write_sequence(tmp_path, "hall", PARAMS, truth, found)
    info = read_seqinfo(tmp_path / "seqinfo.ini")
    assert (info.name, info.num_frames, info.fps, info.width_px) == ("hall", 200, 25.0, 1280)
    rows = read_rows(tmp_path / "gt" / "gt.txt")
    assert len(rows) == len(truth.ids)
    assert set(rows.class_ids.tolist()) == {1}
    assert rows.visibilities.min() >= 0.05
    assert read_rows(tmp_path / "det" / "det.txt").scores.max() <= 1


def test_visibility_is_the_share_that_nobody_nearer_covers() -> None:
    """Of overlapping boxes the one whose lower edge is lower is nearer, and it is hidden by none."""
    truth, _ = simulate(PARAMS)
    hidden = 0
    for frame in range(PARAMS.num_frames):
        rows = np.flatnonzero(truth.frame_numbers == frame)
        boxes, visibility = truth.bboxes[rows], truth.scores[rows]
        overlap = iou(boxes, boxes) - np.eye(len(rows))
        inside = (boxes >= 0).all(axis=1) & (boxes[:, 2] <= 1280) & (boxes[:, 3] <= 720)
        front = [not any(overlap[a, b] > 0 and boxes[b, 3] > boxes[a, 3] for b in range(len(rows))) for a in range(len(rows))]
        assert (visibility[inside & np.array(front, dtype=bool)] == 1).all()
        hidden += int((visibility[inside] < 0.5).sum())
    assert hidden > 0


def test_people_come_back_under_their_own_id() -> None:
    truth, _ = simulate(dataclasses.replace(PARAMS, num_frames=1500))
    gaps = [np.diff(truth.frame_numbers[truth.ids == name]).max(initial=1) for name in np.unique(truth.ids)]
    assert max(gaps) >= 2 * 25  # an absence of at least two seconds


def test_the_detector_misses_and_invents_as_often_as_asked() -> None:
    quiet = dataclasses.replace(PARAMS, miss_rate=0.0, false_positives=0.0, jitter=0.0)
    truth, found = simulate(quiet)
    clear = truth.scores > 0.99
    assert len(found.ids) == pytest.approx(len(truth.ids), rel=0.1)
    assert clear.sum() <= len(found.ids) <= len(truth.ids)
    assert len(simulate(dataclasses.replace(quiet, miss_rate=1.0))[1].ids) == 0
    invented = simulate(dataclasses.replace(PARAMS, num_people=0, false_positives=1.0))
    assert len(invented[0].ids) == 0
    assert len(invented[1].ids) == pytest.approx(200, rel=0.25)


def test_the_camera_sends_foot_points_back_to_where_people_stand() -> None:
    camera = Camera(1280, 720)
    ground = np.array([[0.0, 12.0], [-3.0, 20.0], [4.0, 9.5]])
    feet = foot_points(camera.boxes(ground, np.full(3, 1.75)))
    back = np.column_stack([feet, np.ones(3)]) @ camera.image_to_ground().T
    np.testing.assert_allclose(back[:, :2] / back[:, 2:], ground, atol=1e-9)


def test_camera_json_is_the_homography(tmp_path: Path) -> None:
    write_sequence(tmp_path, "hall", PARAMS, *simulate(PARAMS))
    matrix = json.loads((tmp_path / "camera.json").read_text())["image_to_ground"]
    np.testing.assert_allclose(matrix, Camera(1280, 720).image_to_ground())
