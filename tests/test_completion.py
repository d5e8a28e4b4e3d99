"""embed: people whom the picture's edge cuts off are completed to whole ones."""

from collections.abc import Sequence

import numpy as np
import pytest

from stages.contracts.detections import Detections
from stages.reid.completion import completed
from stages.reid.crops import BLANK, cut_out, whole_windows

WIDTH, HEIGHT = 200, 180
Box = Sequence[float]


def person(x: float, top: float) -> Box:
    """As this camera sees people: 60 px and half of `top` high, and 0.4 times as wide."""
    height = 60 + top / 2
    return (x, top, x + 0.4 * height, top + height)


def scene(boxes: Sequence[Box], others: Sequence[Box], confidence: float = 0.9) -> Detections:
    """The boxes, and others to learn from."""
    rows = [*boxes, *others]
    confidences = [0.9] * len(boxes) + [confidence] * len(others)
    return Detections(
        "clip", 1, WIDTH, HEIGHT, 25.0, np.zeros(len(rows), np.int32), np.array(rows, np.float32).reshape(-1, 4),
        np.array(confidences, np.float32), np.zeros(len(rows), np.int16),
    )  # fmt: skip


PEOPLE = [person(20 + k, 4 + k % 50) for k in range(100)]


@pytest.mark.parametrize(
    ("seen", "whole"),
    [
        ((50, 100, 94, 180), (50, 100, 94, 210)),     # 60 + 100 / 2 = 110 px high
        ((50, 100, 74, 180), (50, 100, 74, 210)),     # not wider: its sides are in the picture
        ((50, 160, 98, 180), (50, 160, 98, 200)),     # of 140 px at most twice what is seen
        ((0, 20, 20, 90), (-8, 20, 20, 90)),          # 0.4 * 70 = 28 px wide
        ((172, 20, 200, 90), (172, 20, 200, 90)),     # as wide as that already
        ((180, 100, 200, 180), (180, 100, 220, 210)),  # 110 px high, 44 wide, of which 40 count
        ((50, 0, 70, 50), (50, 50 - 85 / 1.5, 70, 50)),  # who stands at 50 is (60 + 50 / 2) / 1.5 high
        ((50, 0, 90, 180), (50, 0, 90, 180)),         # above and below: nothing says how much
        ((60, 40, 92, 120), (60, 40, 92, 120)),       # whole
    ],
)  # fmt: skip
def test_what_the_edge_cuts_off_follows_from_where_people_are(seen: Box, whole: Box) -> None:
    assert completed(scene([seen], PEOPLE))[0].tolist() == pytest.approx(whole, abs=1e-4)


def test_stored_boxes_without_a_size_are_nobody_to_learn_from() -> None:
    found = whole_windows(scene([(50, 100, 94, 180), (0, 20, 20, 90), (60, 60, 60, 60), (60, 60, 80, 60)], PEOPLE))
    assert found[:4].tolist() == [[50, 100, 94, 210], [-8, 20, 20, 90], [60, 60, 60, 60], [60, 60, 80, 60]]


def test_boxes_beyond_the_picture_count_as_far_as_it_goes() -> None:
    found = completed(scene([(50, 100, 94, 1e6), (-1e6, 20, 20, 90)], PEOPLE))
    np.testing.assert_allclose(found[:2], [(50, 100, 94, 210), (-8, 20, 20, 90)], atol=1e-4)


RNG = np.random.default_rng(0)
ANYHOW = [(x, y, x + 20, y + h) for x, y, h in zip(*RNG.uniform((20, 4, 10), (100, 40, 100), (100, 3)).T, strict=True)]
SHRINKING = [(x, top, x + 20, top + 100 - top) for x, top in RNG.uniform((20, 4), (100, 50), (100, 2))]


@pytest.mark.parametrize(
    ("others", "confidence"), [(PEOPLE[:48], 0.9), (PEOPLE, 0.4), (ANYHOW, 0.9), (SHRINKING, 0.9), ([], 0.9)]
)
def test_where_no_line_is_known_people_stay_as_they_are(others: Sequence[Box], confidence: float) -> None:
    assert completed(scene([(50, 100, 94, 180)], others, confidence))[0].tolist() == [50, 100, 94, 180]


def test_a_window_beyond_the_picture_is_blank_there() -> None:
    picture = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    crop = cut_out(picture, np.array([3, -1, 7, 2]))
    assert crop.shape == (3, 4, 3)
    assert crop[1:, :2].tolist() == picture[:2, 3:].tolist()
    crop[1:, :2] = BLANK
    assert (crop == BLANK).all()
    assert (cut_out(picture, np.array([5, 4, 7, 6])) == BLANK).all()


def test_windows_are_of_whole_pixels() -> None:
    assert whole_windows(scene([(50.4, 100, 94.6, 180)], PEOPLE))[0].tolist() == [50, 100, 95, 210]
