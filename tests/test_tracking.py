"""The tracker: the authors' output to the last box, and the reasons for it one by one."""

import dataclasses
import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stages import track as stage
from stages.boxes import iou
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets
from stages.motchallenge import read_rows
from stages.regions import EVERYWHERE, RegionParams
from stages.seqinfo import read_seqinfo
from stages.tracking import kalman
from stages.tracking.assignment import assign
from stages.tracking.bytetrack import ByteTrackParams
from tests.tables import box, detections

PARAMS = ByteTrackParams(track_thresh=0.5, match_thresh=0.8, track_buffer=30, mot20=False, bboxes="filtered")


def track(table: Detections, params: ByteTrackParams, regions: RegionParams = EVERYWHERE) -> Tracklets:
    """Raw tracklets before a camera that stands still."""
    return stage.track(table, CameraMotion.still(table.sequence, table.num_frames), params, regions)


def shared_sequence(folder: Path, fps: float | None = None) -> Detections:
    info, rows = read_seqinfo(folder / "seqinfo.ini"), read_rows(folder / "det" / "det.txt")
    return Detections(
        info.name, info.num_frames, info.width_px, info.height_px, fps or info.fps,
        rows.frame_numbers, rows.bboxes, rows.scores, np.zeros(len(rows), np.int16),
    )  # fmt: skip


def partition(ids: Any, frames: Any, boxes: Any) -> dict[int, dict[int, Any]]:
    """{frame: {id: box}}."""
    table: dict[int, dict[int, Any]] = {}
    for name, frame, corners in zip(ids.tolist(), frames.tolist(), boxes.astype(np.float64), strict=True):
        table.setdefault(frame, {})[name] = corners
    return table


def differing_frames(ours: Tracklets, reference: Path) -> list[int]:
    """Frames whose boxes (to 0.01 px) or ids, under one renaming for the whole sequence, differ."""
    rows = read_rows(reference)
    a = partition(ours.tracklet_ids, ours.frame_numbers, ours.bboxes)
    b = partition(rows.ids, rows.frame_numbers, rows.bboxes)
    forward: dict[int, int] = {}
    backward: dict[int, int] = {}
    different = []
    for frame in sorted(set(a) | set(b)):
        mine, theirs = a.get(frame, {}), b.get(frame, {})
        good = len(mine) == len(theirs)
        for name, corners in mine.items():
            match = [other for other, values in theirs.items() if np.abs(values - corners).max() <= 0.01]
            known = forward.get(name)
            other = known if known in match else next(iter(match), None)
            good &= other is not None and forward.setdefault(name, other) == other and backward.setdefault(other, name) == name
        if not good:
            different.append(frame)
    return different


REFERENCES = [
    (f"mot17_first_half/MOT17-{number}", name)
    for number in ("02", "04", "05", "09", "10", "11", "13")
    for name in ("thresh0.5_match0.8_buffer30", "thresh0.6_match0.9_buffer30")
] + [(f"dancetrack/dancetrack{number}", "thresh0.6_match0.8_buffer30") for number in ("0004", "0005", "0007", "0010", "0014")]


@pytest.mark.parametrize(("folder", "name"), REFERENCES)
def test_every_frame_equals_the_authors_code(shared_data: Path, folder: str, name: str) -> None:
    thresh, match, buffer = re.findall(r"[\d.]+", name)
    params = ByteTrackParams(float(thresh), float(match), int(buffer), mot20=False, bboxes="filtered")
    tracklets = track(shared_sequence(shared_data / folder, fps=30.0), params)  # the references ran at a nominal 30 fps
    assert differing_frames(tracklets, shared_data / folder / "bytetrack" / f"{name}.txt") == []


def walk(frames: Any, start: float = 100, step: float = 4, score: float = 0.9, y: float = 100) -> list[Any]:
    """Rows of a person who walks to the right."""
    return [(frame, box(start + step * frame, y), score) for frame in frames]


def spans(tracklets: Tracklets) -> list[tuple[int, int, int]]:
    """(id, first frame, last frame) of each tracklet."""
    return [
        (entry["tracklet_id"], int(entry["frame_numbers"][0]), int(entry["frame_numbers"][-1]))
        for entry in tracklets.to_dicts()
    ]


def test_one_person_is_one_tracklet_linked_to_the_detections() -> None:
    tracklets = track(detections(walk(range(20))), PARAMS)
    assert spans(tracklets) == [(1, 0, 19)]
    assert tracklets.detection_indices.tolist() == list(range(20))


def test_detected_boxes_are_the_detections_and_filtered_ones_are_near() -> None:
    table = detections(walk(range(20)))
    detected = track(table, ByteTrackParams(0.5, 0.8, 30, False, "detected"))
    assert np.array_equal(detected.bboxes, table.bboxes)
    filtered = track(table, PARAMS)
    assert not np.array_equal(filtered.bboxes, table.bboxes)
    assert np.abs(filtered.bboxes - table.bboxes).max() < 4


def test_a_track_born_after_the_first_frame_needs_a_second_look_and_shows_from_there() -> None:
    assert spans(track(detections(walk(range(5, 10))), PARAMS)) == [(1, 6, 9)]
    assert spans(track(detections(walk([5])), PARAMS)) == []


def test_a_new_track_needs_the_threshold_plus_a_tenth() -> None:
    assert spans(track(detections(walk(range(10), score=0.55)), PARAMS)) == []
    assert spans(track(detections(walk(range(10), score=0.61)), PARAMS)) == [(1, 0, 9)]


def test_low_scores_extend_a_track_and_begin_none() -> None:
    rows = walk(range(5)) + walk(range(5, 9), score=0.2) + walk(range(9, 12))
    assert spans(track(detections(rows), PARAMS)) == [(1, 0, 11)]
    assert spans(track(detections(walk(range(5)) + walk(range(5, 9), score=0.1)), PARAMS)) == [(1, 0, 4)]


def test_a_score_on_the_threshold_is_neither_high_nor_low() -> None:
    """0.5 in float32 is exactly 0.5: not above, not below, so the detection is never used."""
    rows = walk(range(5)) + walk(range(5, 9), score=0.5)
    assert spans(track(detections(rows), PARAMS)) == [(1, 0, 4)]


@pytest.mark.parametrize(("fps", "gap", "survives"), [(30.0, 31, True), (30.0, 32, False), (10.0, 11, True), (10.0, 12, False)])
def test_the_buffer_counts_frames_at_thirty_per_second(fps: float, gap: int, survives: bool) -> None:
    """A person who stands still is missed for `gap` frames. Kept 30 frames at 30 fps and 10 at 10 fps; then a track counts as
    removed, yet leaves the list of lost tracks a frame later, so that one frame more is survived."""
    rows = walk(range(10), step=0) + walk(range(10 + gap, 30 + gap), step=0)
    assert len(track(detections(rows, fps=fps), PARAMS).ids) == (1 if survives else 2)


def test_of_two_tracks_on_one_spot_the_older_stays() -> None:
    """One stands until frame 19 and is lost; another walks onto the spot and is removed there, being younger; then the lost
    track, still on that spot, takes the detections over."""
    rows = walk(range(20), step=0) + [(20 + k, box(max(150 - 4 * k, 100)), 0.9) for k in range(25)]
    (first, second) = track(detections(rows, fps=30.0), PARAMS).to_dicts()
    assert (first["frame_numbers"][0], first["frame_numbers"][-1]) == (0, 44)
    assert second["frame_numbers"][0] == 21
    assert second["frame_numbers"][-1] < 34
    assert not set(first["frame_numbers"].tolist()) & set(second["frame_numbers"].tolist())


def test_scores_are_fused_into_the_cost_unless_mot20() -> None:
    """IoU 0.33 after a jump: cost 0.67 alone passes 0.8, but fused with score 0.55 it is 0.82 and does not."""
    jump = [(0, box(100), 0.9), (1, box(100), 0.9), (2, box(120), 0.55)]
    fused = track(detections(jump), PARAMS)
    plain = track(detections(jump), ByteTrackParams(0.5, 0.8, 30, True, "filtered"))
    assert spans(fused) == [(1, 0, 1)]
    assert spans(plain) == [(1, 0, 2)]


def test_classes_are_tracked_apart_and_ids_do_not_repeat() -> None:
    rows = [row for frame in range(10) for row in (*walk([frame]), *walk([frame], y=102))]
    table = detections(rows)
    classes = np.tile(np.array([0, 2], np.int16), 10)
    two = dataclasses.replace(table, class_ids=classes)
    tracklets = track(two, PARAMS)
    assert spans(tracklets) == [(1, 0, 9), (2, 0, 9)]
    assert [int(tracklets.class_ids[tracklets.tracklet_ids == name][0]) for name in (1, 2)] == [0, 2]


def test_only_people_who_stand_in_the_region_of_interest_and_in_no_ignored_one_are_tracked() -> None:
    """Two walk from 100 to 176 px, feet at 200 and 300 px; a third stands at 500 px. Rows keep their numbers."""
    rows = [row for frame in range(20) for row in (*walk([frame]), *walk([frame], y=200), (frame, box(480), 0.9))]
    left = RegionParams(
        interest=((0, 0), (400, 0), (400, 480), (0, 480)), ignored=(((0, 250), (640, 250), (640, 480), (0, 480)),)
    )
    tracklets = track(detections(rows), PARAMS, left)
    assert spans(tracklets) == [(1, 0, 19)]
    assert tracklets.detection_indices.tolist() == list(range(0, 60, 3))


def test_nothing_survives_from_one_sequence_to_the_next() -> None:
    table = detections(walk(range(20)))
    first, second = track(table, PARAMS), track(table, PARAMS)
    assert spans(first) == spans(second) == [(1, 0, 19)]
    assert np.array_equal(first.bboxes, second.bboxes)


def test_no_detections_no_frames_and_flat_boxes_are_normal() -> None:
    assert len(track(detections([]), PARAMS)) == 0
    assert len(track(detections([], num_frames=0), PARAMS)) == 0
    assert len(track(detections([(0, (5, 5, 9, 5), 0.9)]), PARAMS)) == 0


def crowd(seed: int) -> Detections:
    """Fifteen people walking about with jitter and misses; no two equal scores or positions."""
    rng = np.random.default_rng(seed)
    start, step = rng.uniform(0, 500, (15, 2)), rng.uniform(-4, 4, (15, 2))
    rows = []
    for frame in range(40):
        centre = start + frame * step + rng.normal(0, 1, (15, 2))
        rows += [(frame, box(x, y), rng.uniform(0.15, 0.95)) for x, y in centre if rng.random() < 0.85]
    return detections(rows)


def moved(table: Detections, order: Any, shift: float = 0.0) -> Detections:
    return Detections(table.sequence, table.num_frames, table.width_px, table.height_px, table.fps, table.frame_numbers[order],
                      table.bboxes[order] + np.float32(shift), table.confidences[order], table.class_ids[order])  # fmt: skip


def groups(tracklets: Tracklets, rows: Any) -> set[frozenset[int]]:
    """The tracklets as sets of original detection rows."""
    return {frozenset(rows[entry["detection_indices"]].tolist()) for entry in tracklets.to_dicts()}


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_detections_within_a_frame_does_not_matter(seed: int) -> None:
    table = crowd(seed)
    order = np.lexsort((np.random.default_rng(seed).random(len(table)), table.frame_numbers))
    assert groups(track(table, PARAMS), np.arange(len(table))) == groups(track(moved(table, order), PARAMS), order)


def test_a_shifted_picture_has_the_same_tracks() -> None:
    table = crowd(7)
    rows = np.arange(len(table))
    shifted = track(moved(table, rows, 256.0), PARAMS)  # a power of two: float32 keeps the fractions
    assert groups(track(table, PARAMS), rows) == groups(shifted, rows)


def dense_kalman(measured: Any) -> Any:
    """The published 8x8 filter, written with full matrices: mean after each of the measurements (F, 4)."""
    motion = np.eye(8)
    motion[:4, 4:] = np.eye(4)
    project = np.eye(4, 8)

    def noise(height: float, position: float, aspect: float) -> list[float]:
        return [position * height, position * height, aspect, position * height]

    height = measured[0, 3]
    mean = np.concatenate([measured[0], np.zeros(4)])
    covariance = np.diag(np.square(noise(height, 2 / 20, 1e-2) + noise(height, 10 / 160, 1e-5)))
    means = [mean]
    for row in measured[1:]:
        process = np.diag(np.square(noise(mean[3], 1 / 20, 1e-2) + noise(mean[3], 1 / 160, 1e-5)))
        mean, covariance = motion @ mean, motion @ covariance @ motion.T + process
        innovation = project @ covariance @ project.T + np.diag(np.square(noise(mean[3], 1 / 20, 1e-1)))
        gain = covariance @ project.T @ np.linalg.inv(innovation)
        mean = mean + gain @ (row - project @ mean)
        covariance = covariance - gain @ innovation @ gain.T
        means.append(mean)
    return np.array(means)


def test_four_small_filters_are_the_published_eight_by_eight() -> None:
    rng = np.random.default_rng(3)
    measured = np.cumsum(rng.normal([3, 1, 0, 0.2], [2, 2, 0.02, 1], (30, 4)), axis=0) + np.array([100, 100, 0.4, 90])
    state = kalman.initiate(measured[:1])
    ours = [np.concatenate([state.position[0], state.velocity[0]])]
    for row in measured[1:]:
        state = kalman.update(kalman.predict(state), row[None])
        ours.append(np.concatenate([state.position[0], state.velocity[0]]))
    np.testing.assert_allclose(ours, dense_kalman(measured), rtol=1e-9, atol=1e-9)


def test_boxes_and_measurements_are_inverse() -> None:
    boxes = np.array([[10, 20, 50, 120], [0.5, 0.25, 8.5, 20.75]], np.float32)
    np.testing.assert_allclose(kalman.boxes_of(kalman.measurements(boxes)), boxes, atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4), elements=st.floats(0, 1)))
def test_assignment_is_the_best_of_all_under_the_limit(cost: Any) -> None:
    limit = 0.6
    rows, columns, free_rows, free_columns = assign(cost, limit)
    assert sorted([*rows, *free_rows]) == list(range(cost.shape[0]))
    assert sorted([*columns, *free_columns]) == list(range(cost.shape[1]))
    assert (cost[rows, columns] <= limit).all()
    best = 0.0
    for size in range(min(cost.shape) + 1):
        for some in itertools.combinations(range(cost.shape[0]), size):
            for others in itertools.permutations(range(cost.shape[1]), size):
                best = min(best, sum(cost[a, b] - limit for a, b in zip(some, others, strict=True)))
    assert (cost[rows, columns] - limit).sum() == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "border", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 0.0, 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 0.0, 50 / 150),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0, 0.0),  # they touch
        ((0, 0, 9, 9), (5, 0, 14, 9), 1.0, 50 / 150),  # pixels 0 to 9 and 5 to 14, last ones inside
        ((0, 0, 9, 9), (9, 0, 18, 9), 1.0, 10 / 190),  # they share one column of pixels
        ((3, 3, 3, 3), (3, 3, 3, 3), 0.0, 0.0),  # nothing and nothing
    ],
)
def test_iou_by_hand(a: Any, b: Any, border: float, expected: float) -> None:
    assert iou(np.array([a]), np.array([b]), border)[0, 0] == pytest.approx(expected)
