"""analyze: tables of tracklets and people by hand-computed rows, and the camera that turns pixels into metres."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.analyze import analyze, main, to_csv
from stages.boxes import iou, largest_overlaps
from stages.camera import read_camera, to_ground
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets, make_tracklets
from stages.errors import DataError
from stages.scoring.levels import LEVELS
from stages.scoring.people import people_table
from stages.scoring.quality import AnalyzeParams, level_quality, tracklet_table
from tests.conftest import ROOT

PARAMS = AnalyzeParams(min_duration_s=0.5, min_coverage=0.7, max_step_heights=0.5, high_confidence=0.5, path_step_s=1.0)
FPS = 10.0
VIDEO = SimpleNamespace(sequence="street", num_frames=100, width_px=640, height_px=480, fps=FPS)
Row = tuple[int, int, float, float, float]  # tracklet, frame, x1, y1, height; 20 px wide


def tracklets(rows: list[Row], indices: list[int] | None = None) -> Tracklets:
    ids, frames, x, y, heights = (np.asarray(column) for column in zip(*rows, strict=True)) if rows else [np.zeros(0)] * 5
    boxes = np.stack([x, y, x + 20, y + heights], axis=1)
    found = np.arange(len(rows)) if indices is None else np.asarray(indices)
    return make_tracklets(VIDEO, ids, frames, boxes, np.full(len(rows), 0.5), np.zeros(len(rows)), found)


def detections(confidences: list[float]) -> Detections:
    count = len(confidences)
    return Detections("street", 100, 640, 480, FPS, np.arange(count, dtype=np.int32), np.zeros((count, 4), dtype=np.float32),
                      np.asarray(confidences, dtype=np.float32), np.zeros(count, dtype=np.int16))  # fmt: skip


def row(rows: list[Row], indices: list[int] | None = None) -> dict[str, Any]:
    table = tracklet_table("raw", tracklets(rows, indices), PARAMS)
    return {str(name): value for name, value in table.iloc[0].items()}


WALK: list[Row] = [(1, frame, 5 * frame, 100, 100) for frame in range(21)]  # 0.5 heights per second for 2 seconds


def test_a_steady_walk_has_its_speed_and_no_flag() -> None:
    found = row(WALK, indices=[-1, *range(1, 21)])
    assert found["level"] == "raw"
    assert (found["first_frame"], found["last_frame"], found["boxes"], found["gaps"]) == (0, 20, 21, 0)
    assert found["duration_s"] == 2.1  # frames 0 to 20, both included
    assert found["mean_speed_heights_per_s"] == pytest.approx(0.5)
    assert found["largest_step_heights"] == pytest.approx(0.05)
    assert found["interpolated"] == pytest.approx(1 / 21)
    assert (found["median_height_px"], found["mean_confidence"], found["max_overlap"]) == (100, 0.5, 0)
    assert (found["short"], found["fragmented"], found["teleports"]) == (0, 0, 0)


def test_jitter_of_a_standing_person_is_no_walk() -> None:
    """2 px to and fro in every frame: 19 steps a second, of which one is measured a second."""
    found = row([(1, frame, 2 * (frame % 2), 100, 100) for frame in range(41)])
    assert found["mean_speed_heights_per_s"] <= 0.02


def test_gaps_are_counted_and_their_steps_are_per_frame() -> None:
    """Frames 3 to 5 and 7 are missing: 4 of 10; the step over three missing frames is 80 px in 4 frames."""
    found = row([(1, frame, x, 100, 100) for frame, x in [(0, 0), (1, 0), (2, 0), (6, 80), (8, 80), (9, 80)]])
    assert (found["gaps"], found["longest_gap_s"], found["boxes"]) == (2, 0.3, 6)
    assert found["largest_step_heights"] == pytest.approx(0.2)
    assert (found["fragmented"], found["teleports"]) == (1, 0)


@pytest.mark.parametrize(("step_px", "flag"), [(50, 0), (51, 1)])
def test_a_step_of_more_than_half_a_height_is_a_teleport(step_px: float, flag: int) -> None:
    found = row([(1, frame, step_px * (frame > 5), 100, 100) for frame in range(10)])
    assert found["teleports"] == flag


@pytest.mark.parametrize(("frames", "flag"), [(4, 1), (5, 0)])
def test_a_tracklet_under_half_a_second_is_short(frames: int, flag: int) -> None:
    assert row(WALK[:frames])["short"] == flag


def test_a_single_box_is_a_row_without_speed() -> None:
    found = row([(7, 3, 10, 10, 50)])
    assert (found["tracklet_id"], found["boxes"], found["duration_s"], found["mean_speed_heights_per_s"]) == (7, 1, 0.1, 0)


def test_overlap_is_the_largest_with_another_tracklet_of_the_same_frame() -> None:
    """1 and 2 share 10 of 30 px of width once; 3 stands where 1 does, but later."""
    table = tracklet_table("raw", tracklets([(1, 0, 0, 0, 100), (1, 1, 0, 0, 100), (2, 1, 10, 0, 100), (3, 2, 0, 0, 100)]),
                           PARAMS)  # fmt: skip
    assert table["max_overlap"].tolist() == pytest.approx([1 / 3, 1 / 3, 0])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3), st.integers(0, 50)), unique_by=lambda r: r[:2]))
def test_overlaps_equal_brute_force(rows: list[tuple[int, int, int]]) -> None:
    made = tracklets([(i, frame, x, 0, 30 + x % 7) for i, frame, x in rows])
    overlaps = (
        iou(made.bboxes, made.bboxes) * (made.frame_numbers[:, None] == made.frame_numbers) * ~np.eye(len(made), dtype=bool)
    )
    np.testing.assert_allclose(largest_overlaps(made.frame_numbers, made.bboxes), overlaps.max(axis=1, initial=0))


def test_quality_counts_what_was_tracked() -> None:
    """Four detections, three of them high; rows take 0 and 1 (high), 3 (low), and one row none."""
    made = tracklets([(1, 0, 0, 0, 50), (1, 1, 0, 0, 50), (1, 3, 0, 0, 50), (2, 0, 300, 0, 50)], indices=[0, 1, 3, -1])
    found = level_quality(tracklet_table("raw", made, PARAMS), made, detections([0.9, 0.8, 0.5, 0.2]), PARAMS)
    assert found == {"tracklets": 2, "boxes": 4, "detections": 4, "detections_tracked": 3, "share_of_detections_tracked": 0.75,
                     "share_of_high_detections_tracked": 0.666667, "mean_tracklet_s": 0.25, "gaps": 1,
                     "suspicious_tracklets": 2}  # fmt: skip


def test_who_has_two_flags_is_suspicious_once_and_confidences_are_rounded_as_the_limit_is() -> None:
    """Two of four frames, in less than half a second. 0.7 is less as a float32; 7 of 10 boxes are no less than 0.7."""
    params = dataclasses.replace(PARAMS, high_confidence=0.7)
    made = tracklets([(1, 0, 0, 0, 50), (1, 3, 0, 0, 50), *((2, f, 300, 0, 50) for f in (0, 1, 2, 3, 4, 5, 9))])
    table = tracklet_table("raw", made, params)
    assert table[["short", "fragmented"]].values.tolist() == [[1, 1], [0, 0]]
    found = level_quality(table, made, detections([0.7] * 9), params)
    assert (found["suspicious_tracklets"], found["share_of_high_detections_tracked"]) == (1, 1)


@pytest.mark.parametrize("index", [2, 4])
def test_tracklets_of_other_detections_are_refused(index: int) -> None:
    made = tracklets([(1, 0, 0, 0, 50)], indices=[index])
    with pytest.raises(DataError, match=f"expected detection_indices below 2, got {index}"):
        level_quality(tracklet_table("raw", made, PARAMS), made, detections([0.9, 0.8]), PARAMS)


def numbers(*tracks: int) -> Identities:
    """Track n is person 10 + n."""
    ids = np.array(tracks, dtype=np.int32)
    return Identities(np.full(len(ids), "street"), ids, ids + 10, np.full(len(ids), ""), np.zeros(len(ids), dtype=np.float32))


def test_nothing_tracked_is_an_empty_table_with_its_columns() -> None:
    empty = tracklets([])
    table, quality = analyze(detections([]), dict.fromkeys(LEVELS, empty), PARAMS)
    assert to_csv(table) == to_csv(tracklet_table("raw", tracklets(WALK), PARAMS)).split("\n")[0] + "\n"
    assert quality["levels"]["final"]["mean_tracklet_s"] == 0
    assert len(people_table(empty, numbers(), None, 1.0)) == 0
    assert len(people_table(empty, numbers(), np.eye(3), 1.0)) == 0


def test_people_without_a_camera_go_body_heights() -> None:
    """Feet move 0.5 heights a second for 2 seconds; the second person is seen once."""
    people = people_table(tracklets([*WALK, (4, 50, 0, 0, 80)]), numbers(1, 4), None, 1.0)
    assert to_csv(people) == (
        "tracklet_id,identity_id,name,class_id,first_seen_s,last_seen_s,visible_s,distance,unit,boxes\n"
        "1,11,,0,0.000,2.000,2.100,1.000,heights,21\n"
        "4,14,,0,5.000,5.000,0.100,0.000,heights,1\n"
    )


def test_the_way_of_each_is_from_their_first_box_to_their_last() -> None:
    """Each walks for half a second, 25 px; 2 becomes half as tall, so that the step is one of 75 px on average."""
    rows: list[Row] = [(track, frame, 5 * frame, 100, 100) for track in (1, 2, 3) for frame in range(6)]
    rows[11] = (2, 5, 25, 150, 50)
    made = tracklets(rows)
    made.class_ids[6:] = 2
    people = people_table(made, numbers(3, 1, 2), None, 1.0)
    assert people["distance"].tolist() == pytest.approx([0.25, 25 / 75, 0.25])
    assert (people["identity_id"].tolist(), people["class_id"].tolist()) == ([11, 12, 13], [0, 2, 2])
    flat = people_table(tracklets([(1, 0, 0, 100, 0), (1, 1, 5, 100, 0)]), numbers(1), None, 1.0)
    assert flat["distance"].tolist() == [5], "of at least a pixel"


@pytest.mark.parametrize("born", [0, 5])
def test_people_with_a_camera_go_metres(born: int) -> None:
    """0.05 m a pixel: 100 px are 5 m. The way back counts, too."""
    there_and_back: list[Row] = [(1, born + frame, 10 * min(frame, 20 - frame), 100, 100) for frame in range(21)]
    people = people_table(tracklets(there_and_back), numbers(1), np.diag([0.05, 0.05, 1.0]), 1.0)
    assert people[["distance", "unit"]].values.tolist() == [[pytest.approx(10.0), "m"]]


def test_steps_beyond_the_horizon_count_nothing() -> None:
    """The horizon is at y = 100 px; feet at y = 50 see no ground."""
    camera = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, -100.0]])
    rows: list[Row] = [(1, frame, 10.0 * frame, 0, 50) for frame in range(21)]
    assert people_table(tracklets(rows), numbers(1), camera, 1.0)["distance"].tolist() == [0.0]


@pytest.mark.parametrize("scale", [1.0, -3.0])
def test_ground_points_divide_by_depth_whatever_the_matrix_is_scaled_by(scale: float) -> None:
    """(x, y) / (y - 100) below the horizon at y = 100, NaN on it and above."""
    camera = scale * np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, -100.0]])
    points = np.array([[50.0, 200.0], [0.0, 150.0], [10.0, 100.0], [10.0, 20.0]])
    ground = to_ground(points, camera, (320.0, 480.0))
    np.testing.assert_allclose(ground, [[0.5, 2.0], [0.0, 3.0], [np.nan] * 2, [np.nan] * 2])


def test_a_camera_that_sees_no_ground_is_refused() -> None:
    with pytest.raises(DataError, match="expected the ground at pixel"):
        to_ground(np.zeros((1, 2)), np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, -480.0]]), (320.0, 480.0))


def test_a_camera_file_is_a_matrix_or_null(tmp_path: Path) -> None:
    path = tmp_path / "camera.json"
    path.write_text('{"image_to_ground": null}')
    assert read_camera(path) is None
    path.write_text('{"image_to_ground": [[1, 0, 0], [0, 2, 0], [0, 0, 1]]}')
    camera = read_camera(path)
    assert camera is not None
    assert camera.tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", 'expected {"image_to_ground": null or a 3x3 matrix}, got {}'),
        (
            '{"image_to_ground": [[1, 0], [0, 1]]}',
            r"expected three rows of three finite numbers .*, got \[\[1, 0\], \[0, 1\]\]",
        ),
        ('{"image_to_ground": [[1, 0, 0], [0, 1, 0], [1, 1, 0]]}', "that can be inverted"),
        ('{"image_to_ground": [[1, 0, 0], [0, 1, 0], [0, 0, NaN]]}', "finite numbers"),
        ('{"image_to_ground": "north"}', "got 'north'"),
        ("homography", "expected JSON"),
    ],
)
def test_a_camera_file_that_is_neither_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "camera.json"
    path.write_text(text)
    with pytest.raises(DataError, match=f"camera.json: .*{message}"):
        read_camera(path)


def run_stage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run of analyze on the walk at every level."""
    folder.mkdir()
    params = {name: getattr(PARAMS, name) for name in PARAMS.__dataclass_fields__}
    (folder / "params.yaml").write_text(json.dumps({"analyze": params}))  # JSON is YAML
    (folder / "camera.json").write_text('{"image_to_ground": null}')
    detections([0.9] * 21).save(folder / "detections.npz")
    for level in LEVELS:
        tracklets(WALK).save(folder / f"{level}.npz")
    numbers(1).save(folder / "identities.npz")
    monkeypatch.chdir(folder)
    options = {"sequence": "street", "pins": str(ROOT / "constraints" / "scoring.txt"), "detections": "detections.npz",
               **{level: f"{level}.npz" for level in LEVELS}, "identities": "identities.npz", "camera": "camera.json",
               "tracklets": "tracklets.csv",
               "people": "people.csv", "quality": "quality.json", "timings": "timings.json"}  # fmt: skip
    monkeypatch.setattr("sys.argv", ["analyze", *(x for k, v in options.items() for x in (f"--{k}", v))])
    main()


def test_the_stage_writes_tables_that_pandas_reads_and_equal_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        run_stage(tmp_path / name, monkeypatch)
    for file in ("tracklets.csv", "people.csv", "quality.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    table = pd.read_csv(tmp_path / "a" / "tracklets.csv")
    assert table["level"].tolist() == list(LEVELS)
    quality = json.loads((tmp_path / "a" / "quality.json").read_text())
    assert (quality["sequence"], quality["detections"], quality["levels"]["raw"]["boxes"]) == ("street", 21, 21)
