"""What tells walkers from dancers, and what smoothing makes of it."""

import dataclasses
import math

import numpy as np
import pytest

from stages.contracts.tracklets import Tracklets, with_bboxes
from stages.smooth import CALM, LIVELY, SmoothParams, smooth
from stages.smoothing.posture import posture_change
from tests.tables import detections, motionless, tracklets

FRAMES = 300


def person(amplitude: float = 0.0, period_s: float = 1.0, jitter: float = 0.0, growth: float = 0.0) -> Tracklets:
    """One person at 25 frames/s whose log(width / height) swings, jitters and drifts by `growth` a frame."""
    noise = np.random.default_rng(1).normal(0, jitter, FRAMES) if jitter else np.zeros(FRAMES)
    path = {}
    for frame in range(FRAMES):
        half = 20 * math.exp(amplitude * math.sin(2 * math.pi * frame / (25 * period_s)) + noise[frame] + growth * frame)
        path[frame] = (300 - half, 100.0, 300 + half, 200.0)
    return tracklets({1: path}, num_frames=FRAMES, fps=25.0)


def test_a_swing_is_measured_and_jitter_and_a_steady_drift_are_not() -> None:
    assert posture_change(person()) == pytest.approx(0, abs=1e-6)
    assert posture_change(person(growth=0.004)) == pytest.approx(0, abs=1e-6)
    swing = posture_change(person(amplitude=0.2, period_s=0.5))  # two whole swings a window: variance amplitude^2 / 2
    assert swing == pytest.approx(math.sqrt(0.2**2 / 2 * math.cos(2 * math.pi / 12.5)), rel=0.1)
    assert posture_change(person(jitter=0.05)) < 0.02
    assert posture_change(person(amplitude=0.2, period_s=0.5, jitter=0.05)) == pytest.approx(swing, rel=0.1)


def test_too_little_to_see_is_no_change() -> None:
    assert posture_change(tracklets({})) == 0
    assert posture_change(tracklets({1: {frame: (0, 0, 10 + frame % 5, 20) for frame in range(20)}})) == 0


def test_a_box_without_width_says_nothing_of_the_others() -> None:
    table = person(amplitude=0.2, period_s=0.5)
    broken = table.bboxes.copy()
    broken[7, 2] = broken[7, 0]
    assert posture_change(with_bboxes(table, broken)) == pytest.approx(posture_change(table), rel=0.05)


@pytest.mark.parametrize(("amplitude", "smoothed"), [(0.0, True), (0.2, False)])
def test_walkers_are_smoothed_and_dancers_are_not(amplitude: float, smoothed: bool) -> None:
    table = person(amplitude=amplitude, period_s=0.5, jitter=0.02)
    seen = detections([(frame, box, 1.0) for frame, box in enumerate(table.bboxes)], num_frames=FRAMES, fps=25.0)
    adaptive = smooth(table, seen, motionless(table), SmoothParams(doubtful_s=0, max_gap_s=3, method="adaptive", sigma_s=0.12))
    always = smooth(table, seen, motionless(table), SmoothParams(doubtful_s=0, max_gap_s=3, method="regression", sigma_s=0.12))
    never = smooth(table, seen, motionless(table), SmoothParams(doubtful_s=0, max_gap_s=3, method="none", sigma_s=0.12))
    np.testing.assert_array_equal(adaptive.bboxes, (always if smoothed else never).bboxes)
    assert not np.array_equal(always.bboxes, never.bboxes)


def test_between_walkers_and_dancers_boxes_are_smoothed_as_far_as_posture_is_calm() -> None:
    table = person(amplitude=0.098, period_s=0.5, jitter=0.005)
    share = (LIVELY - posture_change(table)) / (LIVELY - CALM)
    assert 0.2 < share < 0.8
    seen = detections([(frame, box, 1.0) for frame, box in enumerate(table.bboxes)], num_frames=FRAMES, fps=25.0)
    adaptive = smooth(table, seen, motionless(table), SmoothParams(doubtful_s=0, max_gap_s=3, method="adaptive", sigma_s=0.12))
    less = SmoothParams(doubtful_s=0, max_gap_s=3, method="regression", sigma_s=0.12 * share)
    np.testing.assert_allclose(adaptive.bboxes, smooth(table, seen, motionless(table), less).bboxes, atol=1e-3)


def test_half_hidden_people_and_gaps_show_no_posture() -> None:
    """Every window holds a doubtful box, or a frame without one, or two people."""
    swing = person(amplitude=0.2, period_s=0.5)
    doubtful = dataclasses.replace(swing, confidences=np.where(np.arange(FRAMES) % 20 == 0, 0.5, 1.0).astype(np.float32))
    boxes = dict(enumerate(map(tuple, swing.bboxes.tolist())))
    interrupted = tracklets({1: {f: b for f, b in boxes.items() if f % 20}}, num_frames=FRAMES, fps=25.0)
    brief = tracklets({1 + f // 20: {g: boxes[g] for g in range(f, f + 20)} for f in range(0, FRAMES, 20)}, FRAMES, fps=25.0)
    assert [posture_change(table) for table in (doubtful, interrupted, brief)] == [0, 0, 0]


def test_a_dancer_among_parked_cars_is_not_smoothed() -> None:
    dancer, car = person(amplitude=0.2, period_s=0.5, jitter=0.02), person(jitter=0.02)
    paths = {
        name: dict(enumerate(map(tuple, (one.bboxes + shift).tolist())))
        for name, one, shift in ((1, dancer, 0), (2, car, 100), (3, car, 200))
    }
    table = tracklets(paths, num_frames=FRAMES, fps=25.0)
    table.class_ids[table.tracklet_ids > 1] = 2
    order = np.argsort(table.detection_indices)
    rows = [(int(table.frame_numbers[row]), table.bboxes[row], 1.0) for row in order]
    params = SmoothParams(doubtful_s=0, max_gap_s=3, method="adaptive", sigma_s=0.12)
    final = smooth(table, detections(rows, num_frames=FRAMES, fps=25.0), motionless(table), params)
    dancing = table.tracklet_ids == 1
    np.testing.assert_array_equal(final.bboxes[dancing], table.bboxes[dancing])
    assert not np.array_equal(final.bboxes[~dancing], table.bboxes[~dancing])
