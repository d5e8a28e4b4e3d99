"""Who is forgotten stays so: data/exclusions is read strictly, and detect and embed honour it."""

from pathlib import Path

import numpy as np
import pytest

from stages.contracts.detections import Detections
from stages.detect import without_forgotten
from stages.errors import DataError
from stages.exclusions import HEADER, Exclusions, append_exclusions, excluded_rows, read_exclusions
from stages.privacy.veil import forgotten, veiled
from tests.tables import detections


def exclusions(*rows: tuple[int, int, tuple[float, float, float, float]]) -> Exclusions:
    return Exclusions(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64).reshape(-1, 4),
    )


def test_rows_are_added_at_the_end_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "hall.csv"
    append_exclusions(path, exclusions((3, 5, (1.0, 2.0, 30.25, 40.5))))
    append_exclusions(path, exclusions((9, 9, (-4.0, 0.0, 6.0, 20.0))))
    assert path.read_text() == HEADER + "3,5,1.00,2.00,30.25,40.50\n9,9,-4.00,0.00,6.00,20.00\n"
    found = read_exclusions(path)
    assert found.first_frames.tolist() == [3, 9]
    assert found.last_frames.tolist() == [5, 9]
    assert found.bboxes.tolist() == [[1.0, 2.0, 30.25, 40.5], [-4.0, 0.0, 6.0, 20.0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected first_frame,last_frame,x1,y1,x2,y2, got ''"),
        ("frame,x1,y1,x2,y2\n", "line 1: expected first_frame"),
        (HEADER + "1,2,3,4,5\n", "line 2: expected two frames and four edges in px, got '1,2,3,4,5'"),
        (HEADER + "1,2,3,4,nan,9\n", "line 2: expected two frames"),
        (HEADER + "1,2,3,4,1e9,9\n", "line 2: expected two frames"),
        (HEADER + "1,2,3,4,5,6\n-1,2,3,4,5,6\n", "line 3: expected two frames"),
        (HEADER + "5,2,3,4,5,6\n", "line 2: expected first_frame <= last_frame < 10000000, got 5 and 2"),
        (HEADER + "1,99999999,3,4,5,6\n", "line 2: expected first_frame <= last_frame"),
        (HEADER + "1,2,5,4,5,6\n", "line 2: expected a box with x1 < x2 and y1 < y2, got 5, 4, 5, 6"),
    ],
)
def test_what_is_no_exclusion_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "hall.csv"
    path.write_text(text)
    with pytest.raises(DataError) as raised:
        read_exclusions(path)
    assert message in str(raised.value)
    with pytest.raises(DataError):
        append_exclusions(path, exclusions((1, 1, (0, 0, 1, 1))))
    assert path.read_text() == text


def test_rows_count_frames_of_the_source_whatever_the_clip() -> None:
    rows = exclusions((0, 11, (0, 0, 1, 1)), (14, 17, (5, 5, 9, 9)), (40, 50, (0, 0, 2, 2)))
    numbers, bboxes = rows.within(range(10, 20, 3))  # source frames 10, 13, 16 and 19
    assert numbers.tolist() == [0, 2]
    assert bboxes.tolist() == [[0, 0, 1, 1], [5, 5, 9, 9]]
    assert rows.within(range(0))[0].tolist() == []


def test_a_detection_goes_where_it_overlaps_or_lies_within_an_excluded_box() -> None:
    rows = exclusions((1, 1, (0, 0, 10, 20)))
    boxes = [
        (0, (0, 0, 10, 20), 0.9),   # another frame
        (1, (0, 0, 10, 10), 0.9),   # half of it: wholly inside
        (1, (0, 0, 20, 30), 0.9),   # IoU 200 / 600
        (1, (0, 0, 20, 40), 0.9),   # IoU 200 / 800, a quarter inside
        (1, (6, 0, 16, 20), 0.9),   # IoU 80 / 320
        (1, (4, 15, 14, 25), 0.9),  # 30 of its 100 px² inside
        (1, (50, 0, 60, 20), 0.9),
        (2, (0, 0, 10, 20), 0.9),
    ]  # fmt: skip
    found = detections(boxes, 3)
    excluded = excluded_rows(found.frame_numbers, found.bboxes, rows, range(3))
    assert np.flatnonzero(excluded).tolist() == [1, 2]


def test_detect_leaves_them_out_and_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "hall.csv"
    append_exclusions(path, exclusions((4, 5, (0, 0, 10, 20))))
    found = detections([(frame, (0, 0, 10, 20), 0.5 + frame / 10) for frame in range(4)], 4)
    kept = without_forgotten(found, path, range(0, 8, 2))  # source frames 0, 2, 4 and 6
    assert isinstance(kept, Detections)
    assert kept.frame_numbers.tolist() == [0, 1, 3]
    np.testing.assert_allclose(kept.confidences, [0.5, 0.6, 0.8], rtol=1e-6)


def test_nobody_is_embedded_with_the_pixels_of_who_is_forgotten() -> None:
    """`embed` reads its frames through this veil; chunks begin anywhere and may leave frames out."""
    noise = np.random.default_rng(1).integers(0, 255, (5, 40, 60, 3)).astype(np.uint8)
    veil = forgotten(exclusions((4, 4, (10, 0, 40, 40))), range(5))
    for frame, picture in zip((2, 4), veiled(iter(noise[[2, 4]].copy()), range(2, 5, 2), veil), strict=True):
        same = (picture == noise[frame]).all(axis=(0, 2))
        assert same.tolist() == ([True] * 60 if frame == 2 else [True] * 10 + [False] * 30 + [True] * 20)
