"""The tracker's compiled parts, each against an oracle: full matrices, brute force, the library, plain NumPy."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import lap
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stages.boxes import iou
from stages.tracking import kalman
from stages.tracking.assignment import assign
from stages.tracking.bytetrack import ByteTrackParams, byte_track
from stages.tracking.lapjv import lapjv
from stages.tracking.overlaps import overlaps
from tests.conftest import ROOT
from tests.stepwise_bytetrack import boxes_of, measurements, stepwise_byte_track

EIGHTHS = st.integers(0, 8).map(lambda n: n / 8)  # few values, exact in binary: ties are common


def dense_kalman(measured: Any, motions: Any) -> Any:
    """The published 8x8 filter with full matrices, under a camera whose similarities turn and scale position and velocity.

    The mean (F, 8) after each of the measurements (F, 4).
    """
    step = np.eye(8)
    step[:4, 4:] = np.eye(4)
    project = np.eye(4, 8)

    def noise(height: float, position: float, aspect: float) -> list[float]:
        return [position * height, position * height, aspect, position * height]

    height = measured[0, 3]
    mean = np.concatenate([measured[0], np.zeros(4)])
    covariance = np.diag(np.square(noise(height, 2 / 20, 1e-2) + noise(height, 10 / 160, 1e-5)))
    means = [mean]
    for row, motion in zip(measured[1:], motions[1:], strict=True):
        turn = np.zeros((8, 8))
        turn[:2, :2] = turn[4:6, 4:6] = motion[:, :2]
        turn[2, 2] = turn[6, 6] = 1
        turn[3, 3] = turn[7, 7] = np.hypot(*motion[:, 0])
        mean, covariance = turn @ mean, turn @ covariance @ turn.T
        mean[:2] += motion[:, 2]
        process = np.diag(np.square(noise(mean[3], 1 / 20, 1e-2) + noise(mean[3], 1 / 160, 1e-5)))
        mean, covariance = step @ mean, step @ covariance @ step.T + process
        innovation = project @ covariance @ project.T + np.diag(np.square(noise(mean[3], 1 / 20, 1e-1)))
        gain = covariance @ project.T @ np.linalg.inv(innovation)
        mean = mean + gain @ (row - project @ mean)
        covariance = covariance - gain @ innovation @ gain.T
        means.append(mean)
    return np.array(means)


@pytest.mark.parametrize("camera_moves", [False, True])
def test_small_filters_are_the_published_eight_by_eight(camera_moves: bool) -> None:
    rng = np.random.default_rng(3)
    measured = np.cumsum(rng.normal([3, 1, 0, 0.2], [2, 2, 0.02, 1], (30, 4)), axis=0) + np.array([100, 100, 0.4, 90])
    motions = np.tile(np.eye(2, 3), (30, 1, 1))
    if camera_moves:
        angles, scales = rng.normal(0, 0.1, 30), rng.uniform(0.9, 1.1, 30)
        motions[:, 0, 0] = motions[:, 1, 1] = scales * np.cos(angles)
        motions[:, 1, 0] = scales * np.sin(angles)
        motions[:, 0, 1] = -motions[:, 1, 0]
        motions[:, :, 2] = rng.normal(0, 20, (30, 2))
    states = np.empty((1, kalman.STATE_SIZE))
    kalman.initiate(states, 0, tuple(measured[0]))
    ours = [states[0, :8].copy()]
    for row, motion in zip(measured[1:], motions[1:], strict=True):
        kalman.transform(states, 0, motion)
        kalman.predict(states, 0)
        kalman.update(states, 0, tuple(row))
        ours.append(states[0, :8].copy())
    np.testing.assert_allclose(ours, dense_kalman(measured, motions), rtol=1e-9, atol=1e-9)


def test_a_box_is_measured_and_written_back() -> None:
    bboxes = np.array([[10, 20, 50, 120], [0.5, 0.25, 8.5, 20.75]], np.float32)
    assert kalman.measured(bboxes, 0) == (30.0, 70.0, 0.4, 100.0)
    states, boxes = np.empty((2, kalman.STATE_SIZE)), np.empty((2, 4))
    for row in range(2):
        kalman.initiate(states, row, kalman.measured(bboxes, row))
        kalman.box_of(states, row, boxes, row)
    np.testing.assert_allclose(boxes, bboxes, atol=1e-9)
    np.testing.assert_allclose(boxes_of(measurements(bboxes)), bboxes, atol=1e-9)  # the oracle's own


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 9).flatmap(lambda n: hnp.arrays(np.float64, (n, n), elements=EIGHTHS)))
def test_of_equally_good_assignments_the_library_and_ours_choose_the_same(cost: Any) -> None:
    assert lapjv(cost)[0].tolist() == lap.lapjv(cost, return_cost=False)[0].tolist()


def sparse(cost: Any) -> tuple[Any, Any, Any, int]:
    """The pairs of a dense cost (R, C) below 1, as `assign` takes them."""
    rows, columns = np.nonzero(cost < 1)
    return np.searchsorted(rows, np.arange(len(cost) + 1)), columns, cost[rows, columns], cost.shape[1]


def costs(elements: Any, side: int) -> Any:
    return hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=side), elements=elements)


@settings(max_examples=200, deadline=None)
@given(costs(st.floats(0, 1), 4))
def test_assignment_is_the_best_of_all_under_the_limit(cost: Any) -> None:
    limit = 0.6
    column_of = assign(*sparse(cost), limit)
    rows = np.flatnonzero(column_of >= 0)
    assert len(column_of) == len(cost)
    assert len(set(column_of[rows])) == len(rows)
    assert (cost[rows, column_of[rows]] <= limit).all()
    best = 0.0
    for size in range(min(cost.shape) + 1):
        for some in itertools.combinations(range(cost.shape[0]), size):
            for others in itertools.permutations(range(cost.shape[1]), size):
                best = min(best, sum(cost[a, b] - limit for a, b in zip(some, others, strict=True)))
    assert (cost[rows, column_of[rows]] - limit).sum() == pytest.approx(best, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(costs(EIGHTHS, 7), st.sampled_from([0.5, 0.7, 0.75, 1.0]))
def test_assignment_is_the_published_call_where_costs_tie_and_lie_on_the_limit(cost: Any, limit: float) -> None:
    expected = lap.lapjv(cost, extend_cost=True, cost_limit=limit)[1].tolist() if cost.size else [-1] * len(cost)
    assert assign(*sparse(cost), limit).tolist() == expected


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_equal_sums_of_unequal_costs_are_a_tie_too(order: list[int]) -> None:
    """0.65 + 0.375 is 0.675 + 0.35: in whatever order pairs come, the library's choice counts."""
    cost = np.array([[0.65, 0.675], [0.35, 0.375]])
    expected = lap.lapjv(cost, extend_cost=True, cost_limit=0.8)[1].tolist()
    columns = np.array(order * 2)
    assert assign(np.array([0, 2, 4]), columns, cost[[0, 0, 1, 1], columns], 2, 0.8).tolist() == expected


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_large_assignment_is_the_published_call(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost = np.where(rng.random((40, 50)) < 0.1, rng.random((40, 50)), 1.0)
    assert assign(*sparse(cost), 0.8).tolist() == lap.lapjv(cost, extend_cost=True, cost_limit=0.8)[1].tolist()


def boxes(size: int) -> Any:
    """(N, 4) on a small grid: equal, touching, flat and empty ones."""
    corners = hnp.arrays(np.int64, st.tuples(st.integers(1, size), st.just(4)), elements=st.integers(0, 12))
    return corners.map(lambda a: np.column_stack([a[:, :2], a[:, :2] + a[:, 2:] % 5]).astype(np.float64))


@settings(max_examples=200, deadline=None)
@given(boxes(6), boxes(30), st.sampled_from([0.0, 1.0]))
def test_overlapping_pairs_are_those_of_the_full_table(rows: Any, columns: Any, border_px: float) -> None:
    starts, found, ious = overlaps(rows, columns, border_px)
    table = np.zeros((len(rows), len(columns)))
    table[np.repeat(np.arange(len(rows)), np.diff(starts)), found] = ious
    assert len(found) == len(set(zip(np.repeat(np.arange(len(rows)), np.diff(starts)), found, strict=True)))
    np.testing.assert_array_equal(table, iou(rows, columns, border_px))


@st.composite
def videos(draw: Any) -> tuple[Any, Any, Any]:
    """Boxes (N, 4), scores (N,) and frame offsets of a few frames, on a grid: equal and touching boxes, equal scores."""
    counts = draw(st.lists(st.integers(0, 6), min_size=1, max_size=14))
    cells = draw(hnp.arrays(np.int64, (sum(counts), 3), elements=st.integers(0, 5)))
    scores = draw(hnp.arrays(np.int64, sum(counts), elements=st.integers(0, 10))).astype(np.float32) / np.float32(10)
    corners = cells[:, :2] * 8
    sizes = np.column_stack([16 + 4 * (cells[:, 2] % 2), 40 + 8 * (cells[:, 2] % 3)])
    return np.column_stack([corners, corners + sizes]).astype(np.float32), scores, np.cumsum([0, *counts])


@settings(max_examples=400, deadline=None)
@given(
    videos(),
    st.builds(
        ByteTrackParams, track_thresh=st.sampled_from([0.0, 0.05, 0.3, 0.5, 0.6]),
        match_thresh=st.sampled_from([0.7, 0.8, 0.9, 1.0]), track_buffer=st.sampled_from([1, 2, 30]), mot20=st.booleans(),
        bboxes=st.just("filtered"),
    ),
    st.sampled_from([10.0, 30.0]),
)  # fmt: skip
def test_one_compiled_call_is_the_published_algorithm_step_by_step(video: Any, params: ByteTrackParams, fps: float) -> None:
    bboxes, scores, offsets = video
    ours = byte_track(bboxes, scores, offsets, fps, np.tile(np.eye(2, 3), (len(offsets) - 1, 1, 1)), params)
    tracks, detections, filtered = stepwise_byte_track(bboxes, scores, offsets, fps, params)
    assert ours.tracks.tolist() == tracks.tolist()
    assert ours.detections.tolist() == detections.tolist()
    np.testing.assert_array_equal(ours.bboxes, filtered.astype(np.float32))


def run_python(code: str, root: Path, cache: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(root), "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, text=True, check=False, **options
    )


def test_compiled_code_is_shared_between_clones_and_made_anew_when_any_module_changes(tmp_path: Path) -> None:
    """What numba does not see by itself: `overlaps` has `overlap` of its own module in it, and one of another would do, too."""
    code = (
        "import numpy as np; from stages.tracking.overlaps import overlaps; b = np.array([[0., 0., 9., 9.]]);"
        "print(overlaps(b, b, 1.0)[2][0], sum(overlaps.stats.cache_hits.values()))"
    )
    cache = tmp_path / "cache"
    modules = ("__init__", "tracking/__init__", "compiled", "tracking/lapjv", "tracking/overlaps")
    for clone in ("one", "two"):
        (tmp_path / clone / "stages/tracking").mkdir(parents=True)
        for name in modules:
            shutil.copy(ROOT / f"stages/{name}.py", tmp_path / clone / f"stages/{name}.py")
    assert run_python(code, tmp_path / "one", cache).stdout.split() == ["1.0", "0"]
    assert run_python(code, tmp_path / "two", cache).stdout.split() == ["1.0", "1"]
    other = tmp_path / "two/stages/tracking/lapjv.py"
    other.write_text(other.read_text() + "# changed\n")
    assert run_python(code, tmp_path / "two", cache).stdout.split() == ["1.0", "0"]


def test_a_folder_that_cannot_hold_compiled_code_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = "import numpy as np; from stages.tracking.lapjv import lapjv; lapjv(np.zeros((1, 1)))"
    done = run_python(code, ROOT, tmp_path / "file")
    assert f"{tmp_path}/file/retrace/kernels/" in done.stderr.splitlines()[-1]
