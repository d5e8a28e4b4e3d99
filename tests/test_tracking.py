"""The tracker: the authors' output to the last box, and the reasons for it one by one."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages import track as stage
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets
from stages.errors import ParamsError
from stages.regions import RegionParams
from stages.tracking.bytetrack import PUBLISHED, RetraceParams
from tests.parity import REFERENCES, Reference, compare
from tests.tables import box, detections, track, track_params

PARAMS = track_params()


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: f"{reference.folder} {reference.name}")
def test_every_frame_equals_the_authors_code(shared_data: Path, reference: Reference) -> None:
    tracklets = track(reference.detections(shared_data), reference.params)
    parity = compare(tracklets.tracklet_ids, tracklets.frame_numbers, tracklets.bboxes, reference.path(shared_data))
    assert parity.frames > 0
    assert (parity.other_boxes, parity.other_ids) == ([], [])


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
    detected = track(table, track_params(bboxes="detected"))
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
    plain = track(detections(jump), track_params(mot20=True))
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


@pytest.mark.parametrize("polygon", [((0.1, 0.1), (0.9, 0.1), (0.9, 0.9)), ((0, 40), (200, 40), (400, 40.5))])
def test_a_region_in_shares_of_the_picture_or_without_area_is_refused(polygon: tuple[tuple[float, float], ...]) -> None:
    """Nobody would stand in it, and the pipeline would go on without a track."""
    with pytest.raises(ParamsError, match="interest: expected points in pixels, more than one apart in x and in y"):
        RegionParams(polygon, ())
    with pytest.raises(ParamsError, match="ignored: expected points in pixels"):
        RegionParams((), (polygon,))


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


@pytest.mark.parametrize(("compensated", "tracklets"), [(True, 3), (False, 0)])
def test_a_panning_camera_loses_nobody_whose_motion_is_known(compensated: bool, tracklets: int) -> None:
    """People stand 60 px apart and the camera turns by 45 px a frame, more than a person's width, now left, now right."""
    shifts = np.where(np.arange(20) // 3 % 2, 45.0, -45.0)
    shifts[0] = 0
    offsets = 500 + np.cumsum(shifts)
    table = detections([(frame, box(x + offsets[frame], 100), 0.9) for frame in range(20) for x in (0, 400, 800)])
    transforms = np.tile(np.eye(2, 3), (table.num_frames, 1, 1))
    if compensated:
        transforms[:20, 0, 2] = shifts
    ids = stage.track(table, CameraMotion(table.sequence, table.num_frames, transforms), PARAMS).to_dicts()
    assert sum(len(entry["frame_numbers"]) == 20 for entry in ids) == tracklets


RETRACE = track_params(
    algorithm="retrace",
    retrace=RetraceParams(vertical_power=2.0, vertical_power_low=1.0, follow_camera=True),
    bboxes="detected",
)


@pytest.mark.parametrize(("power", "chosen"), [(0.0, 0), (2.0, 1)])
def test_the_vertical_overlap_prefers_who_stands_at_the_same_depth(power: float, chosen: int) -> None:
    """One candidate is 20 px lower (IoU 0.67, vertical overlap 0.67), the other 10 px to the side (IoU 0.60, vertical 1)."""
    beyond = RetraceParams(vertical_power=power, vertical_power_low=0.0, follow_camera=False)
    person, lower, beside = (100, 100, 140, 200), (100, 120, 140, 220), (110, 100, 150, 200)
    rows = [(frame, person, 0.9) for frame in range(3)] + [(3, lower, 0.9), (3, beside, 0.9)]
    first = track(detections(rows), track_params(algorithm="retrace", retrace=beyond)).to_dicts()[0]
    assert first["detection_indices"][3] - 3 == chosen


@pytest.mark.parametrize(("follow", "whole"), [(True, 5), (False, 0)])
def test_a_shift_that_all_have_in_common_is_the_cameras(follow: bool, whole: int) -> None:
    """Five people stand still and the picture jumps once by 22 px, half their width: IoU 0.3, too little at this score."""
    beyond = RetraceParams(vertical_power=0.0, vertical_power_low=0.0, follow_camera=follow)
    rows = [(frame, box(100 + 90 * person + 22 * (frame > 8), 100), 0.62) for frame in range(18) for person in range(5)]
    found = track(detections(rows), track_params(algorithm="retrace", retrace=beyond)).to_dicts()
    assert sum(len(entry["frame_numbers"]) == 18 for entry in found) == whole


def test_nothing_beyond_the_published_algorithm_is_the_published_algorithm() -> None:
    table = crowd(3)
    nothing = track_params(algorithm="retrace", retrace=PUBLISHED)
    assert groups(track(table, nothing), np.arange(len(table))) == groups(track(table, PARAMS), np.arange(len(table)))


@pytest.mark.parametrize("seed", range(3))
def test_what_goes_beyond_it_does_not_depend_on_the_order_within_a_frame(seed: int) -> None:
    table = crowd(seed)
    order = np.lexsort((np.random.default_rng(seed).random(len(table)), table.frame_numbers))
    assert groups(track(table, RETRACE), np.arange(len(table))) == groups(track(moved(table, order), RETRACE), order)
