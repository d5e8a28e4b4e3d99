"""Filling and smoothing, by hand and against a plain least-squares fit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stages.association.steadying import still_view
from stages.contracts.camera_motion import CameraMotion
from stages.errors import ContractError
from stages.smooth import MIN_WEIGHT, SmoothParams, smooth
from stages.smoothing.doubtful import doubtful
from stages.smoothing.filling import fill_gaps
from stages.smoothing.regression import smooth_boxes
from tests.tables import box, detections, motionless, tracklets


def test_a_gap_is_a_straight_line_of_weaker_boxes() -> None:
    table = tracklets({1: {0: box(100), 4: box(120)}})
    filled = fill_gaps(table, 3, still_view(table, motionless(table)))
    assert filled.frame_numbers.tolist() == [0, 1, 2, 3, 4]
    assert filled.bboxes[:, 0].tolist() == [100, 105, 110, 115, 120]
    assert filled.detection_indices.tolist() == [0, -1, -1, -1, 1]
    assert filled.confidences.tolist() == [1, 0.5, 0.5, 0.5, 1]


def test_filled_boxes_are_half_as_sure_as_the_weaker_end_and_of_its_class() -> None:
    table = tracklets({1: {0: box(100), 2: box(120)}})
    table.confidences[:], table.class_ids[:] = [0.9, 0.4], 2
    filled = fill_gaps(table, 3, still_view(table, motionless(table)))
    assert (filled.confidences.tolist(), filled.class_ids.tolist()) == (pytest.approx([0.9, 0.2, 0.4]), [2, 2, 2])


def test_longer_gaps_and_gaps_between_tracklets_stay_empty() -> None:
    table = tracklets({1: {0: box(100), 4: box(140)}, 2: {6: box(300)}})
    assert len(fill_gaps(table, 2, still_view(table, motionless(table)))) == 3
    assert len(fill_gaps(table, 0, still_view(table, motionless(table)))) == 3


@pytest.mark.parametrize(
    ("after", "is_filled"),
    [
        pytest.param({f: box(100 + 8 * f) for f in range(20, 28)}, True, id="goes on"),
        pytest.param({f: box(260 + 8 * (20 - f)) for f in range(20, 28)}, True, id="turned where they were heading"),
        pytest.param({f: box(124 + 5 * f) for f in range(20, 28)}, True, id="slower, but came from there"),
        pytest.param({f: box(100 - 8 * f) for f in range(20, 28)}, False, id="went back"),
        pytest.param({f: box(100 + 8 * f, y=250) for f in range(20, 28)}, False, id="elsewhere"),
    ],
)
def test_a_gap_is_filled_where_one_side_points_to_the_other(after: dict[int, Any], is_filled: bool) -> None:
    table = tracklets({1: {f: box(100 + 8 * f) for f in range(8)} | after})
    filled = fill_gaps(table, 50, still_view(table, motionless(table)))
    assert len(filled) == len(table) + 12 * is_filled


def test_regression_is_the_weighted_least_squares_line_at_every_frame() -> None:
    rng = np.random.default_rng(5)
    frames = np.array([3, 4, 5, 6, 9, 10, 11, 12, 13, 20])
    corner = rng.uniform(0, 100, (10, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(30, 60, (10, 2))], axis=1)
    weights, sigma = rng.uniform(0.2, 1, 10), 2.0
    ours = smooth_boxes(boxes, weights, frames, sigma)
    values = np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, np.log(boxes[:, 2:] - boxes[:, :2])])
    for row, frame in enumerate(frames[:-1]):
        lag = frames - frame
        near = np.abs(lag) <= 8
        root = np.sqrt(weights * np.exp(-0.5 * (lag / sigma) ** 2))[near]
        design = np.column_stack([np.ones(near.sum()), lag[near]])
        fit = np.linalg.lstsq(design * root[:, None], values[near] * root[:, None], rcond=None)[0][0]
        half = np.exp(fit[2:]) / 2
        np.testing.assert_allclose(ours[row], [*(fit[:2] - half), *(fit[:2] + half)], rtol=1e-6)


def test_a_straight_walk_stays_as_it_is_and_time_may_run_backwards() -> None:
    frames = np.arange(20)
    boxes = np.column_stack([100.0 + 3 * frames, 50.0 + frames, 140.0 + 3 * frames, 150.0 + frames])
    np.testing.assert_allclose(smooth_boxes(boxes, np.ones(20), frames, 3.0), boxes, atol=1e-6)
    noisy = boxes + np.random.default_rng(2).normal(0, 2, boxes.shape)
    forward, backward = (smooth_boxes(noisy[::step], np.ones(20), frames, 3.0) for step in (1, -1))
    np.testing.assert_allclose(forward, backward[::-1], atol=1e-8)
    assert np.abs(forward - boxes).mean() < 0.6 * np.abs(noisy - boxes).mean()


def test_two_visits_are_smoothed_as_two_and_cost_no_more_however_long_nobody_is_there() -> None:
    """Ten hours at 30 frames/s and 500 years apart: on the frame grid the second would not fit into memory."""
    boxes = np.tile([100.0, 50, 140, 150], (40, 1)) + np.random.default_rng(3).normal(0, 2, (40, 4))
    frames = np.arange(20)
    alone = [smooth_boxes(half, np.ones(20), frames, 3.0) for half in (boxes[:20], boxes[20:])]
    for away in (1_080_000, 500 * 365 * 24 * 3600 * 30):
        both = smooth_boxes(boxes, np.ones(40), np.concatenate([frames, frames + away]), 3.0)
        np.testing.assert_allclose(both, np.concatenate(alone), rtol=1e-12)


def test_a_camera_that_shakes_does_not_shake_what_is_smoothed() -> None:
    """By 5 px a frame, known: the boxes come out nearer to the truth than they were detected, not farther."""
    rng, frames = np.random.default_rng(4), range(100)
    shake = np.vstack([np.zeros((1, 2)), rng.normal(0, 5, (99, 2))])
    transforms = motionless(tracklets({})).transforms.copy()
    transforms[1:, :, 2] = np.diff(shake, axis=0)
    true = {f: np.array(box(100.0 + f)) + np.tile(shake[f], 2) for f in frames}
    table = tracklets({1: {f: where + rng.normal(0, 1.5, 4) for f, where in true.items()}})
    seen = detections([(f, where, 0.9) for f, where in zip(frames, table.bboxes, strict=True)])
    final = smooth(table, seen, CameraMotion("hall", 100, transforms), SmoothParams(0.0, 0.5, "regression", 0.2))
    off = [np.abs(boxes - np.array(list(true.values()))).mean() for boxes in (table.bboxes, final.bboxes)]
    assert off[1] < 0.7 * off[0]


def test_one_frame_alone_is_its_own_box() -> None:
    alone = np.array([[1.0, 2, 11, 22]])
    np.testing.assert_allclose(smooth_boxes(alone, np.ones(1), np.array([7]), 3.0), alone)


@pytest.mark.parametrize("method", ["none", "regression"])
def test_final_tracks_keep_ids_classes_and_lineage(method: Any) -> None:
    seen = detections([(frame, box(100 + frame), 0.9) for frame in (*range(5), *range(8, 12))])
    table = tracklets({4: {frame: box(90 + frame) for frame in (*range(5), *range(8, 12))}})
    final = smooth(table, seen, motionless(table), SmoothParams(0.0, 0.5, method, 0.2))
    assert final.frame_numbers.tolist() == list(range(12))
    assert final.detection_indices.tolist() == [0, 1, 2, 3, 4, -1, -1, -1, 5, 6, 7, 8]
    np.testing.assert_allclose(final.bboxes[:, 0], 100 + np.arange(12), atol=1e-3)  # the detected boxes, not the filter's


def test_seconds_are_frames_of_the_video_and_sure_boxes_count_more() -> None:
    """At 20 frames/s half a second is ten missing frames, and 0.2 s are 4 frames; the first boxes have no confidence at all."""
    frames, rng = np.array([*range(20), *range(30, 40), *range(51, 60)]), np.random.default_rng(6)
    path = {int(f): np.array(box(100 + 2.0 * f)) + rng.normal(0, 2, 4) for f in frames}
    table = tracklets({1: path}, fps=20.0)
    table.confidences[:] = np.where(frames < 20, 0.0, rng.uniform(0.2, 1, len(frames)))
    seen = replace(detections([(f, b, 0.9) for f, b in path.items()]), fps=20.0)
    filled = smooth(table, seen, motionless(table), SmoothParams(0.0, 0.5, "none", 0.2))
    assert filled.frame_numbers.tolist() == [*range(40), *range(51, 60)]
    final = smooth(table, seen, motionless(table), SmoothParams(0.0, 0.5, "regression", 0.2))
    weights = np.square(filled.confidences.astype(np.float64)) + MIN_WEIGHT
    expected = smooth_boxes(filled.bboxes.astype(np.float64), weights, filled.frame_numbers.astype(np.int64), 4.0)
    np.testing.assert_allclose(final.bboxes, expected, atol=1e-3)


def test_tracklets_of_other_detections_are_refused() -> None:
    table = tracklets({1: {0: box(0), 1: box(0)}})
    with pytest.raises(ContractError, match=r"detection_indices: expected rows of 1 detections, got \[1\]"):
        smooth(table, detections([(0, box(0), 0.9)]), motionless(table), SmoothParams(0.0, 0.5, "none", 0.2))


def test_nothing_to_smooth_is_normal() -> None:
    assert (
        len(smooth(tracklets({}), detections([]), motionless(detections([])), SmoothParams(1.0, 1.0, "regression", 0.2))) == 0
    )


@pytest.mark.parametrize(
    ("seconds", "confidence", "stays"),
    [
        pytest.param(0.9, 0.5, False, id="brief and doubtful"),
        pytest.param(0.9, 0.65, True, id="brief, but as sure as 0.7 of what is usual"),
        pytest.param(0.1, 0.74, False, id="a moment, and not as sure as 0.835 of what is usual"),
        pytest.param(1.0, 0.5, True, id="doubtful, but for long enough"),
    ],
)
def test_who_is_seen_briefly_and_doubtfully_is_nobody(seconds: float, confidence: float, stays: bool) -> None:
    frames = round(seconds * 10)
    seen = detections(
        [row for f in range(60) for row in ((f, box(100), 0.9), (f, box(400), confidence))[: 1 + (f < frames)]], fps=10.0
    )
    table = tracklets({1: {f: box(100) for f in range(60)}, 2: {f: box(400) for f in range(frames)}}, fps=10.0)
    table = replace(table, confidences=seen.confidences[table.detection_indices])
    assert doubtful(table, 1.0).tolist() == [False] * 60 + [not stays] * frames
    assert not doubtful(table, 0.0).any()
    final = smooth(table, seen, motionless(table), SmoothParams(1.0, 0.5, "none", 0.1))
    assert final.ids.tolist() == ([1, 2] if stays else [1])
    kept = smooth(table, seen, motionless(table), SmoothParams(1.0, 0.5, "none", 0.1), named=table.tracklet_ids == 2)
    assert kept.ids.tolist() == [1, 2]
    table.class_ids[table.tracklet_ids == 1] = 2
    assert not doubtful(table, 1.0).any(), "how surely cars are found says nothing of people"
