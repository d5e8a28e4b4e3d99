"""The comparison with stored tracks finds what differs, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from tests.parity import Parity, compare

FRAMES = np.array([0, 0, 1, 1, 2, 2])
IDS = np.array([1, 2, 1, 2, 1, 2])
BOXES = np.array([[x, 100.0, x + 40, 200.0] for x in (10, 300, 12, 302, 14, 304)])


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """The authors' output: the same boxes, their people called 7 and 3."""
    lines = [
        f"{frame + 1},{7 if name == 1 else 3},{x1},{y1},{x2 - x1},{y2 - y1},0.9"
        for frame, name, (x1, y1, x2, y2) in zip(FRAMES, IDS, BOXES, strict=True)
    ]
    (tmp_path / "reference.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "reference.txt"


def test_other_names_and_a_hundredth_of_a_pixel_are_the_same_tracks(reference: Path) -> None:
    assert compare(IDS, FRAMES, BOXES + 0.009, reference) == Parity(3, [], [])


def test_a_moved_a_missing_and_an_added_box_are_other_boxes(reference: Path) -> None:
    moved = BOXES.copy()
    moved[2, 0] += 0.02
    assert compare(IDS, FRAMES, moved, reference) == Parity(3, [1], [])
    assert compare(IDS[:-1], FRAMES[:-1], BOXES[:-1], reference) == Parity(3, [2], [])
    assert compare(np.append(IDS, 1), np.append(FRAMES, 9), np.append(BOXES, BOXES[:1], axis=0), reference) == Parity(
        4, [9], []
    )


def test_swapped_split_and_joined_ids_are_other_ids(reference: Path) -> None:
    assert compare(np.array([1, 2, 2, 1, 1, 2]), FRAMES, BOXES, reference) == Parity(3, [], [1])
    assert compare(np.array([1, 2, 1, 2, 1, 5]), FRAMES, BOXES, reference) == Parity(3, [], [2])
    assert compare(np.array([1, 2, 1, 2, 1, 1]), FRAMES, BOXES, reference).other_boxes == [2]  # one id cannot have two boxes
