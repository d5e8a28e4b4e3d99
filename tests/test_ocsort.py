"""OC-SORT: the published algorithm step by step, and its ideas and habits one by one."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets
from stages.track import TrackParams
from stages.tracking import area_kalman, observations
from stages.tracking.ocsort import OcSortParams, oc_sort
from tests.stepwise_ocsort import AT_BIRTH, MEASUREMENT_NOISE, PROCESS_NOISE, STEP, stepwise_oc_sort
from tests.tables import box, detections, track, track_params


def ocsort_params(bboxes: str = "detected", **other: Any) -> TrackParams:
    return track_params(
        algorithm="ocsort", bboxes=bboxes, ocsort=dataclasses.replace(track_params().ocsort, **({"min_hits": 0} | other))
    )


def walk(frames: Any, start: float = 100, step: float = 4, score: float = 0.9, y: float = 100) -> list[Any]:
    """Rows of a person who walks to the right."""
    return [(frame, box(start + step * frame, y), score) for frame in frames]


def spans(tracklets: Tracklets) -> list[tuple[int, list[int]]]:
    """(id, frames) of each tracklet."""
    return [(entry["tracklet_id"], entry["frame_numbers"].tolist()) for entry in tracklets.to_dicts()]


def frames(*spans_of_frames: tuple[int, int]) -> list[int]:
    return [frame for first, last in spans_of_frames for frame in range(first, last + 1)]


def crowd(seed: int, num_frames: int = 25, num_people: int = 6) -> Detections:
    """People who walk, turn, hide and grow in a small picture; no two equal scores or positions."""
    rng = np.random.default_rng(seed)
    centre, step = rng.uniform(0, 150, (num_people, 2)), rng.uniform(-12, 12, (num_people, 2))
    size = rng.uniform(15, 60, (num_people, 2)) * [1, 2]
    hidden = np.zeros(num_people)
    rows: list[Any] = []
    for frame in range(num_frames):
        step = np.where(rng.random((num_people, 1)) < 0.1, rng.uniform(-12, 12, (num_people, 2)), step)
        centre, size = centre + step + rng.normal(0, 1, step.shape), size * rng.uniform(0.9, 1.1, size.shape)
        hidden = np.where(rng.random(num_people) < 0.1, rng.integers(1, 8, num_people), hidden - 1)
        for at, half in zip(centre[hidden <= 0], size[hidden <= 0] / 2, strict=True):
            rows.append((frame, (*(at - half), *(at + half)), rng.uniform(0.0, 1.0) ** 0.5))
    return detections(rows, num_frames)


SETTINGS = st.builds(
    OcSortParams, det_thresh=st.sampled_from([0.05, 0.4, 0.6]), iou_threshold=st.sampled_from([0.1, 0.3, 0.5]),
    max_age=st.sampled_from([1, 3, 30]), min_hits=st.sampled_from([0, 1, 3]), delta_t=st.sampled_from([1, 3, 5]),
    inertia=st.sampled_from([0.0, 0.2, 1.0]), use_byte=st.booleans(),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), SETTINGS)
def test_one_compiled_call_is_the_published_algorithm_step_by_step(seed: int, params: OcSortParams) -> None:
    table = crowd(seed)
    still = np.tile(np.eye(2, 3), (table.num_frames, 1, 1))
    ours = oc_sort(table.bboxes, table.confidences, table.frame_offsets(), table.fps, still, params)
    rows = stepwise_oc_sort(table.bboxes, table.confidences, table.frame_offsets(), params)
    assert ours.tracks.tolist() == [row[0] for row in rows]
    assert ours.detections.tolist() == [row[1] for row in rows]
    np.testing.assert_allclose(ours.bboxes, np.array([row[2] for row in rows]).reshape(-1, 4), atol=1e-3)


@pytest.mark.parametrize("camera_moves", [False, True])
def test_small_filters_are_the_published_seven_by_seven(camera_moves: bool) -> None:
    rng = np.random.default_rng(3)
    measured = np.cumsum(rng.normal([3, 1, 20, 0], [2, 2, 50, 0.01], (30, 4)), axis=0) + np.array([100, 100, 4000, 0.4])
    states = np.empty((1, area_kalman.STATE_SIZE))
    area_kalman.initiate(states, 0, tuple(measured[0]))
    mean, covariance = np.concatenate([measured[0], np.zeros(3)]), AT_BIRTH
    for row in measured[1:]:
        if camera_moves:
            angle, scale, shift = rng.normal(0, 0.1), rng.uniform(0.9, 1.1), rng.normal(0, 20, 2)
            turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            area_kalman.transform(states, 0, np.column_stack([turn, shift]))
            whole = np.diag([1, 1, scale**2, 1, 1, 1, scale**2])
            whole[:2, :2] = whole[4:6, 4:6] = turn
            mean, covariance = whole @ mean, whole @ covariance @ whole.T
            mean[:2] += shift
        area_kalman.predict(states, 0)
        area_kalman.update(states, 0, tuple(row))
        mean, covariance = STEP @ mean, STEP @ covariance @ STEP.T + PROCESS_NOISE
        gain = covariance[:, :4] @ np.linalg.inv(covariance[:4, :4] + MEASUREMENT_NOISE)
        mean, covariance = mean + gain @ (row - mean[:4]), covariance - gain @ covariance[:4]
        np.testing.assert_allclose(states[0, :7], mean, rtol=1e-9, atol=1e-9)


def test_going_straight_on_is_worth_half_and_turning_back_costs_half() -> None:
    """Ways at 0, 60, 90 and 180 degrees: (90 - angle) / 180."""
    ways = [(1.0, 0.0), (0.5, np.sqrt(0.75)), (0.0, 1.0), (-1.0, 0.0)]
    assert [observations.consistency(1.0, 0.0, *way) for way in ways] == pytest.approx([1 / 2, 1 / 6, 0, -1 / 2])


def test_momentum_tells_two_who_cross_apart_where_overlap_alone_swaps_them() -> None:
    """Two stand for ten frames and then walk past each other: the filters lag behind, the last observations do not."""
    rows = []
    for frame in range(18):
        steps = max(0, frame - 9)
        rows += [(frame, box(100 + 4 * steps, 100 - 8 * steps), 0.9), (frame, box(130 - 16 * steps, 135 - 16 * steps), 0.9)]
    table = detections(rows)

    def people(inertia: float) -> list[set[int]]:
        """Which of the two each track saw."""
        entries = track(table, ocsort_params(inertia=inertia)).to_dicts()
        return [set((entry["detection_indices"] % 2).tolist()) for entry in entries]

    assert people(inertia=0.2) == [{0}, {1}]
    assert people(inertia=0.0) == [{0, 1}, {0, 1}]


def test_who_is_found_again_counts_as_having_walked_there_in_a_straight_line() -> None:
    """Seen at x = 10 and two frames later at 30: the filter goes back, sees 20 and 30, and 30 once more, as published."""
    rows = [(0, box(0), 0.9), (1, box(10), 0.9), (3, box(30), 0.9)]
    filtered = track(detections(rows), ocsort_params("filtered")).bboxes
    mean, covariance = np.array([0.0, 0.0]), np.diag([10.0, 10_000.0])
    expected = [0.0]
    step = np.array([[1.0, 1.0], [0.0, 1.0]])
    for seen_in_frame in ([10.0], [20.0], [30.0, 30.0]):
        mean, covariance = step @ mean, step @ covariance @ step.T + np.diag([1, 0.01])
        for x in seen_in_frame:
            gain = covariance[:, 0] / (covariance[0, 0] + 1)
            mean, covariance = mean + gain * (x - mean[0]), covariance - np.outer(gain, covariance[0])
        expected.append(mean[0])
    assert filtered[:, 0] == pytest.approx([expected[0], expected[1], expected[3]], abs=1e-4)


def test_who_stopped_behind_something_is_found_where_last_seen() -> None:
    """Twenty pixels a frame, then gone for five frames: predicted a hundred pixels on, found on the last spot."""
    rows = walk(range(10), step=20) + [(frame, box(280), 0.9) for frame in range(15, 20)]
    assert spans(track(detections(rows), ocsort_params())) == [(1, frames((0, 9), (15, 19)))]


def test_a_track_shows_after_min_hits_frames_in_a_row_and_again_after_a_gap() -> None:
    """Born in frame 10, seen without frame 20: three frames are lost at the start and two after the gap."""
    rows = walk(frames((10, 19), (21, 30)))
    assert spans(track(detections(rows), ocsort_params(min_hits=3))) == [(1, frames((13, 19), (23, 30)))]
    assert spans(track(detections(rows), ocsort_params(min_hits=0))) == [(1, frames((10, 19), (21, 30)))]


def test_in_the_first_frames_of_the_video_everybody_shows() -> None:
    assert spans(track(detections(walk(range(2))), ocsort_params(min_hits=3))) == [(1, [0, 1])]


@pytest.mark.parametrize("fps", [10.0, 30.0])
@pytest.mark.parametrize(("missed", "ids"), [(30, 1), (31, 2)])
def test_a_lost_track_is_kept_for_max_age_frames_whatever_the_rate(fps: float, missed: int, ids: int) -> None:
    rows = walk(frames((0, 9), (10 + missed, 20 + missed)), step=0)
    assert len(track(detections(rows, fps=fps), ocsort_params(max_age=30)).ids) == ids


def test_low_scores_extend_tracks_with_use_byte_alone_and_one_on_the_threshold_never_does() -> None:
    rows = walk(range(5)) + walk(range(5, 8), score=0.3) + walk(range(8, 10), score=0.6) + walk(range(10, 12))
    assert spans(track(detections(rows), ocsort_params())) == [(1, frames((0, 4), (10, 11)))]
    assert spans(track(detections(rows), ocsort_params(use_byte=True))) == [(1, frames((0, 7), (10, 11)))]


def test_boxes_are_the_detections_or_near_them() -> None:
    table = detections(walk(range(20)))
    assert np.array_equal(track(table, ocsort_params("detected")).bboxes, table.bboxes)
    filtered = track(table, ocsort_params("filtered")).bboxes
    assert not np.array_equal(filtered, table.bboxes)
    assert np.abs(filtered - table.bboxes).max() < 4


def test_a_filtered_box_without_an_area_is_the_detected_one() -> None:
    table = detections([(frame, (100, 100, 100, 180), 0.9) for frame in range(4)])
    assert np.array_equal(track(table, ocsort_params("filtered")).bboxes, table.bboxes)


def test_nobody_and_empty_frames_are_normal_and_nothing_survives_a_sequence() -> None:
    assert len(track(detections([]), ocsort_params())) == 0
    assert len(track(detections([], num_frames=0), ocsort_params())) == 0
    table = detections(walk(range(50, 60)))
    assert spans(track(table, ocsort_params())) == spans(track(table, ocsort_params())) == [(1, frames((50, 59)))]


def test_classes_are_tracked_apart_and_ids_do_not_repeat() -> None:
    rows = [row for frame in range(10) for row in (*walk([frame]), *walk([frame], y=102))]
    table = dataclasses.replace(detections(rows), class_ids=np.tile(np.array([0, 2], np.int16), 10))
    assert spans(track(table, ocsort_params())) == [(1, frames((0, 9))), (2, frames((0, 9)))]


@pytest.mark.parametrize("seed", range(5))
def test_a_camera_that_jumps_about_sees_the_same_tracks(seed: int) -> None:
    """Every frame is shifted by up to 200 px: predictions, observations and what is kept for the re-update go with it."""
    table, rng = crowd(seed), np.random.default_rng(seed)
    shifts = np.concatenate([[[0, 0]], rng.integers(-200, 200, (table.num_frames - 1, 2))])
    still = np.tile(np.eye(2, 3), (table.num_frames, 1, 1))
    moves = still.copy()
    moves[:, :, 2] = shifts
    offset = np.cumsum(shifts, axis=0)[table.frame_numbers].astype(np.float32)
    params = dataclasses.replace(ocsort_params().ocsort, use_byte=True)
    video = (table.confidences, table.frame_offsets(), table.fps)
    at_rest = oc_sort(table.bboxes, *video, still, params)
    moving = oc_sort(table.bboxes + np.tile(offset, 2), *video, moves, params)
    assert moving.tracks.tolist() == at_rest.tracks.tolist()
    assert moving.detections.tolist() == at_rest.detections.tolist()
    np.testing.assert_allclose(moving.bboxes - np.tile(offset[moving.detections], 2), at_rest.bboxes, atol=0.01)


def test_observations_turn_and_grow_with_the_picture() -> None:
    """A quarter turn, twice as large, shifted by (100, 0): a point x, y comes to 100 - 2y, 2x, a way x, y to -y, x."""
    seen = observations.room(1, 3)
    observations.forget(seen, 0)
    observations.observe(seen, 0, 0, (0.0, 0.0, 20.0, 40.0))
    observations.observe(seen, 0, 1, (10.0, 0.0, 30.0, 40.0))
    observations.transform(seen, 0, np.array([[0.0, -2.0, 100.0], [2.0, 0.0, 0.0]]))
    assert seen.boxes[0] == pytest.approx([40, 0, 80, 80])  # centre 20, 20 comes to 60, 40; 20 x 40 becomes 40 x 80
    assert seen.centres[0, :2].tolist() == [[60.0, 20.0], [60.0, 40.0]]
    assert seen.directions[0] == pytest.approx([0, 1])
