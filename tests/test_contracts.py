"""Contracts: what is refused, what survives a round trip, and equal bytes."""

import dataclasses
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.gallery import Gallery
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.errors import ContractError, DataError
from tests.tables import box, detections, tracklets

DETECTIONS = detections([(0, box(10), 0.9), (0, box(200), 0.4), (3, box(20), 0.8)])
TRACKLETS = tracklets({1: {0: box(10), 1: box(11)}, 2: {0: box(300)}})
EMBEDDINGS = Embeddings("hall", 3, "made up", np.array([0, 2], np.int32), np.array([[1, 0], [0.6, 0.8]], np.float16))
GALLERY = Gallery(
    "hall", "made up", np.array([1, 2], np.int32), np.zeros(2, np.int16), np.array(["", "Ann"]), np.array([2], np.int32),
    np.array([[1, 0]], np.float16), np.array([[1, 2]], np.int32), np.array([1, 1, 2], np.int32), np.array([4, 5, 4]),
    np.zeros((3, 2), np.float32),
)  # fmt: skip
IDENTITIES = Identities(
    np.array(["hall", "yard"]),
    np.array([1, 1], np.int32),
    np.array([1, 1], np.int32),
    np.array(["Ann", "Ann"]),
    np.array([0.1, 0.1], np.float32),
)
CAMERA_MOTION = CameraMotion("hall", 2, np.array([[[1, 0, 0], [0, 1, 0]], [[0.6, -0.8, 7], [0.8, 0.6, -9]]], np.float64))
ALL = [DETECTIONS, TRACKLETS, EMBEDDINGS, GALLERY, IDENTITIES, CAMERA_MOTION]


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.SCHEMA)
def test_a_table_survives_the_disk_and_equal_tables_are_equal_bytes(table: Any, tmp_path: Path) -> None:
    table.save(tmp_path / "a.npz")
    table.save(tmp_path / "b.npz")
    loaded = type(table).load(tmp_path / "a.npz")
    for field in dataclasses.fields(table):
        assert np.array_equal(getattr(loaded, field.name), getattr(table, field.name))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    for table in (detections([]), tracklets({}), CameraMotion.still("hall", 0)):
        table.save(tmp_path / "empty.npz")
        loaded = type(table).load(tmp_path / "empty.npz")
        assert len(loaded.transforms if isinstance(loaded, CameraMotion) else loaded) == 0


def moved(place: Any, value: Any) -> Any:
    """(2, 2, 3) identities, this value at this place of the second."""
    transforms = np.tile(np.eye(2, 3), (2, 1, 1))
    transforms[1][place] = value
    return transforms


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (DETECTIONS, {"bboxes": np.zeros((3, 5), np.float32)}, "bboxes: expected shape (3, 4), got (3, 5)"),
    (DETECTIONS, {"bboxes": np.zeros((2, 4), np.float32)}, "bboxes: expected shape (3, 4), got (2, 4)"),
    (DETECTIONS, {"confidences": np.ones(3)}, "confidences: expected dtype float32, got float64"),
    (DETECTIONS, {"confidences": np.array([0.5, np.nan, 0.5], np.float32)}, "confidences: expected finite values"),
    (DETECTIONS, {"confidences": np.array([0.5, 1.5, 0.5], np.float32)}, "confidences: expected values in [0, 1], got [1.5]"),
    (DETECTIONS, {"frame_numbers": np.array([3, 0, 0], np.int32)}, "frame_numbers: expected rows sorted by frame"),
    (DETECTIONS, {"frame_numbers": np.array([0, 0, 100], np.int32)}, "frame_numbers: expected frames in [0, 100), got [100]"),
    (DETECTIONS, {"bboxes": np.array([[9, 9, 1, 10]] * 3, np.float32)}, "bboxes: expected x1 <= x2 and y1 <= y2"),
    (DETECTIONS, {"frame_numbers": np.array([-1, 0, 0], np.int32)}, "frame_numbers: expected frames in [0, 100), got [-1]"),
    (DETECTIONS, {"confidences": np.array([0.5, -0.5, 0.5], np.float32)}, "confidences: expected values in [0, 1], got [-0.5]"),
    (DETECTIONS, {"fps": 0.0}, "fps: expected frames per second in (0, 10000), got 0.0"),
    (DETECTIONS, {"fps": 1e4}, "fps: expected frames per second in (0, 10000), got 10000.0"),
    (DETECTIONS, {"width_px": 0}, "width_px, height_px: expected pixels in [1, 100000], got 0 x 480"),
    (DETECTIONS, {"height_px": 100_001}, "width_px, height_px: expected pixels in [1, 100000], got 640 x 100001"),
    (DETECTIONS, {"num_frames": -1}, "num_frames: expected a number in [0, 10000000], got -1"),
    (DETECTIONS, {"num_frames": 3.5}, "num_frames: expected int, got 3.5"),
    (TRACKLETS, {"tracklet_ids": np.array([1, 1, 1], np.int32)}, "expected rows sorted by tracklet and frame, each pair once"),
    (TRACKLETS, {"tracklet_ids": np.array([0, 0, 2], np.int32)}, "tracklet_ids: expected ids from 1"),
    (TRACKLETS, {"tracklet_ids": np.array([2, 2, 1], np.int32)}, "expected rows sorted by tracklet and frame, each pair once"),
    (TRACKLETS, {"detection_indices": np.array([-2, 0, 1], np.int32)}, "detection_indices: expected at least -1"),
    (TRACKLETS, {"frame_numbers": np.array([0, 100, 0], np.int32)}, "frame_numbers: expected frames in [0, 100), got [100]"),
    (TRACKLETS, {"confidences": np.array([0.5, 1.5, 0.5], np.float32)}, "confidences: expected values in [0, 1], got [1.5]"),
    (TRACKLETS, {"fps": 0.0}, "fps: expected frames per second in (0, 10000), got 0.0"),
    (EMBEDDINGS, {"features": np.ones((2, 2), np.float16)}, "features: expected unit length"),
    (EMBEDDINGS, {"detection_indices": np.array([2, 0], np.int32)}, "expected ascending rows, each once"),
    (EMBEDDINGS, {"detection_indices": np.array([1, 1], np.int32)}, "expected ascending rows, each once"),
    (EMBEDDINGS, {"detection_indices": np.array([0, 3], np.int32)}, "expected rows in [0, 3)"),
    (EMBEDDINGS, {"detection_indices": np.array([-1, 0], np.int32)}, "expected rows in [0, 3)"),
    (EMBEDDINGS, {"num_detections": 2**31}, "num_detections: expected a number in [0, 2147483647], got 2147483648"),
    (GALLERY, {"view_tracklet_ids": np.array([7], np.int32)}, "view_tracklet_ids: expected ids of tracklet_ids"),
    (GALLERY, {"tracklet_ids": np.array([2, 2], np.int32)}, "tracklet_ids: expected ascending ids, each once"),
    (GALLERY, {"coexisting": np.array([[2, 1]], np.int32)}, "coexisting: expected the smaller id first"),
    (GALLERY, {"coexisting": np.array([[2, 2]], np.int32)}, "coexisting: expected the smaller id first"),
    (GALLERY, {"coexisting": np.array([[1, 3]], np.int32)}, "coexisting: expected ids of tracklet_ids, got [3]"),
    (
        GALLERY,
        {"view_tracklet_ids": np.array([2, 1], np.int32), "view_features": np.eye(2, dtype=np.float16)},
        "view_tracklet_ids: expected rows sorted by track",
    ),
    (GALLERY, {"place_tracklet_ids": np.array([1, 1, 3], np.int32)}, "place_tracklet_ids: expected ids of tracklet_ids"),
    (GALLERY, {"place_tracklet_ids": np.array([2, 2, 1], np.int32)}, "place_tracklet_ids, place_moments: expected rows sorted"),
    (GALLERY, {"place_moments": np.array([5, 4, 4])}, "place_tracklet_ids, place_moments: expected rows sorted"),
    (GALLERY, {"place_moments": np.array([4, 4, 4])}, "place_tracklet_ids, place_moments: expected rows sorted"),
    (IDENTITIES, {"sequences": np.array(["hall", "hall"])}, "expected each pair once"),
    (IDENTITIES, {"identity_ids": np.array([1, 0], np.int32)}, "identity_ids: expected ids from 1"),
    (CAMERA_MOTION, {"num_frames": 3}, "transforms: expected a row for each of 3 frames, got 2 rows"),
    (CAMERA_MOTION, {"transforms": np.ones((2, 3, 3))}, "transforms: expected shape (F, 2, 3), got (2, 3, 3)"),
    (CAMERA_MOTION, {"transforms": moved((1, 1), np.inf)}, "transforms: expected finite values, got NaN or infinity in row 1"),
    (CAMERA_MOTION, {"transforms": CAMERA_MOTION.transforms[[1, 1]]}, "transforms: expected the identity in row 0, got [[[0.6"),
    (
        CAMERA_MOTION,
        {"transforms": moved((0, 0), 1.01)},
        "transforms: expected similarities [[a, -b, tx], [b, a, ty]], got [[1.01,",
    ),
    (CAMERA_MOTION, {"transforms": moved((0, 1), 0.02)}, "got [[1.0, 0.02, 0.0], [0.0, 1.0, 0.0]] in row 1"),
    (CAMERA_MOTION, {"transforms": moved(([0, 1], [0, 1]), [1, -1])}, "transforms: expected similarities"),  # mirrored
    (CAMERA_MOTION, {"transforms": moved(([0, 1], [0, 1]), 0.0)}, "transforms: expected scales in [0.1, 10], got 0 in row 1"),
    (CAMERA_MOTION, {"transforms": moved(([0, 1], [0, 1]), 11.0)}, "transforms: expected scales in [0.1, 10], got 11 in row 1"),
]


@pytest.mark.parametrize(("table", "change", "message"), WRONG, ids=lambda value: value[:40] if isinstance(value, str) else "")
def test_a_broken_table_is_refused_with_expectation_and_finding(table: Any, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as error:
        dataclasses.replace(table, **change)
    assert message in str(error.value)


def test_files_that_are_no_tables_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "detections_raw.npz"
    with pytest.raises(DataError, match=r"detections_raw\.npz: expected a file, found none"):
        Detections.load(path)
    path.write_bytes(b"")
    with pytest.raises(ContractError, match=r"detections_raw\.npz: expected"):
        Detections.load(path)
    path.write_text("frame,id,left\n")
    with pytest.raises(ContractError, match=r"detections_raw\.npz: expected"):
        Detections.load(path)
    np.savez(path, frame_numbers=np.array([object()]))
    with pytest.raises(ContractError, match="expected plain arrays"):
        Detections.load(path)
    TRACKLETS.save(path)
    with pytest.raises(ContractError, match="schema: expected detections/1, got tracklets/1"):
        Detections.load(path)
    DETECTIONS.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ContractError, match=r"expected an \.npz archive"):
        Detections.load(path)


def test_a_pickle_inside_is_never_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path(tmp_path / "exploded").touch, ())

    path = tmp_path / "a.npz"
    DETECTIONS.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    np.save(tmp_path / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    members["bboxes.npy"] = (tmp_path / "bomb.npy").read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ContractError, match="expected plain arrays"):
        Detections.load(path)
    assert not (tmp_path / "exploded").exists()


def test_a_box_without_width_and_a_quarter_turn_are_nothing_wrong() -> None:
    dataclasses.replace(DETECTIONS, bboxes=np.array([[9, 9, 9, 10]] * 3, np.float32))
    dataclasses.replace(CAMERA_MOTION, transforms=moved((slice(None), slice(2)), [[0, -1], [1, 0]]))


@pytest.mark.parametrize("num_frames", [1, 3])
def test_motion_of_other_frames_than_the_boxes_is_refused(tmp_path: Path, num_frames: int) -> None:
    CAMERA_MOTION.save(tmp_path / "motion.npz")
    with pytest.raises(ContractError, match=rf"motion.npz: num_frames: expected the boxes' {num_frames}, got 2"):
        CameraMotion.load_of(tmp_path / "motion.npz", "hall", num_frames)


def test_identities_are_found_in_whatever_order_tracks_are_asked_for() -> None:
    ids = np.array([3, 1, 2, 1], np.int32)
    table = Identities(np.array(["hall"] * 3 + ["yard"]), ids, ids + 10, np.array([""] * 4), np.zeros(4, np.float32))
    assert table.identities_of("hall", np.array([1, 3, 2, 3], np.int32)).tolist() == [11, 13, 12, 13]
    assert table.identities_of("nowhere", np.zeros(0, np.int32)).tolist() == []
    for sequence, track in (("hall", 4), ("yard", 2), ("nowhere", 1)):
        with pytest.raises(
            ContractError, match=rf"identities of {sequence}: expected one for each track, got none for \[{track}"
        ):
            table.rows_of(sequence, np.array([track], np.int32))


def test_what_is_known_of_one_class_names_nobody_of_another() -> None:
    one = dataclasses.replace(GALLERY, class_ids=np.array([0, 2], np.int16)).of_class(2)
    assert (one.tracklet_ids.tolist(), one.names.tolist(), one.view_tracklet_ids.tolist()) == ([2], ["Ann"], [2])
    assert (one.coexisting.tolist(), one.place_tracklet_ids.tolist()) == ([], [2])


def test_to_dicts_gives_one_entry_a_tracklet() -> None:
    first, second = TRACKLETS.to_dicts()
    assert (first["tracklet_id"], first["frame_numbers"].tolist()) == (1, [0, 1])
    assert (second["tracklet_id"], second["bboxes"].tolist()) == (2, [[300, 100, 340, 200]])
    assert tracklets({}).to_dicts() == []


def test_rows_of_finds_embeddings_and_says_minus_one_elsewhere() -> None:
    assert EMBEDDINGS.rows_of(np.array([2, 1, 0, -1], np.int32)).tolist() == [1, -1, 0, -1]
    with pytest.raises(ContractError, match=r"expected rows of 3 detections, got \[3\]"):
        EMBEDDINGS.rows_of(np.array([3], np.int32))


@given(st.dictionaries(st.integers(1, 9), st.sets(st.integers(0, 99), min_size=1), max_size=4))
def test_offsets_cut_the_table_into_its_tracklets(frames: dict[int, set[int]]) -> None:
    table = tracklets({name: dict.fromkeys(seen, box(10 * name)) for name, seen in frames.items()})
    offsets = table.offsets()
    assert table.ids.tolist() == sorted(frames)
    for name, start, stop in zip(sorted(frames), offsets[:-1], offsets[1:], strict=True):
        assert table.frame_numbers[start:stop].tolist() == sorted(frames[name])
    assert isinstance(table, Tracklets)
