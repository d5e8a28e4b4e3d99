"""People whom the picture's border cuts: how large their boxes become, and when they stay as they are."""

import numpy as np
import pytest

from stages.contracts.tracklets import Tracklets, with_bboxes
from stages.smooth import SmoothParams, smooth
from stages.smoothing.border import complete_at_border
from tests.tables import box, detections, motionless, tracklets

Box = tuple[float, float, float, float]
WHOLE = {frame: box(300, 200) for frame in range(10)}  # 40 x 100 px in a picture of 640 x 480


def completed(cut: Box, whole: dict[int, Box] = WHOLE) -> list[float]:
    """What becomes of a box in the frame after somebody was seen whole."""
    table = complete_at_border(tracklets({1: {**whole, 10: cut}}))
    assert table.bboxes[:-1].tolist() == [list(each) for each in whole.values()]
    return [round(float(edge), 3) for edge in table.bboxes[-1]]


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ((300, 420, 340, 480), (300, 420, 340, 520)),  # legs below the picture
        ((300, 0, 340, 70), (300, -30, 340, 70)),  # head above
        ((0, 200, 15, 300), (-25, 200, 15, 300)),  # half of the body on the left
        ((625, 200, 640, 300), (625, 200, 665, 300)),  # and on the right
        ((620, 430, 640, 480), (620, 430, 660, 530)),  # in a corner: as high, then as wide
        ((638, 200, 639, 300), (638, 200, 678, 300)),  # a pixel off the border is at it
        ((630, 200, 640, 250), (630, 200, 650, 250)),  # half as high, so half as wide: farther away by now, or only half seen
        ((300, 370, 340, 480), (300, 370, 340, 480)),  # larger than ever: boxes only grow
        ((300, 200, 320, 250), (300, 200, 320, 250)),  # nothing cuts it: hidden by something in the picture
        ((0, 200, 640, 300), (0, 200, 640, 300)),  # from left to right: nothing says which side is how much longer
    ],
)
def test_who_is_cut_becomes_as_large_as_when_seen_whole(cut: Box, expected: Box) -> None:
    assert completed(cut) == list(expected)


def test_the_size_is_that_of_a_second_of_boxes_nearest_in_time() -> None:
    """10 frames a second: of 20 boxes, those of frames 10 to 19 count, and their median is 120 high."""
    whole = {frame: box(300, 200, height=60) for frame in range(10)}
    whole |= {frame: box(300, 200, height=120 if frame != 19 else 30) for frame in range(10, 20)}
    table = complete_at_border(tracklets({1: {**whole, 20: (300, 440, 340, 480)}}))
    assert table.bboxes[-1].tolist() == [300, 440, 340, 560]
    backwards = complete_at_border(
        tracklets({1: {40 - frame: each for frame, each in whole.items()} | {20: (300, 440, 340, 480)}})
    )
    assert backwards.bboxes[0].tolist() == [300, 440, 340, 560]


def test_a_car_as_wide_as_the_picture_does_not_grow() -> None:
    """Nearer by now, it would be 900 px wide, and nothing says on which side."""
    car = dict.fromkeys(range(10), (100.0, 200.0, 400.0, 220.0))
    assert completed((0, 200, 640, 260), car) == [0, 200, 640, 260]


def test_nobody_else_says_how_large_one_is() -> None:
    cut = dict.fromkeys(range(5), (0.0, 200.0, 15.0, 300.0))
    table = tracklets({1: cut, 2: WHOLE})
    np.testing.assert_array_equal(complete_at_border(table).bboxes, table.bboxes)


def test_a_detector_that_draws_beyond_the_border_is_not_overruled() -> None:
    for beyond in ((-5, 100, 30, 200), (600, 100, 645, 200), (300, -5, 340, 100), (300, 400, 340, 485)):
        table = tracklets({1: {**WHOLE, 10: (0, 200, 15, 300)}, 2: {0: beyond}})
        np.testing.assert_array_equal(complete_at_border(table).bboxes, table.bboxes)


def test_nothing_to_complete_is_normal() -> None:
    assert len(complete_at_border(tracklets({}))) == 0


def walking_out() -> tuple[Tracklets, list[float]]:
    """Somebody 40 px wide who walks out to the right, 4 px a frame, as a detector sees it; and their left edges."""
    left = [560.0 + 4 * frame for frame in range(20)]
    seen = {frame: (x, 200.0, min(x + 40, 640.0), 300.0) for frame, x in enumerate(left) if frame != 15}
    return tracklets({1: seen}), left


@pytest.mark.parametrize("method", ["none", "regression"])
def test_final_tracks_go_on_beyond_the_border_where_the_sequence_says_so(method: str) -> None:
    """With a gap that is filled, too, and under a smoother that would make the box thinner."""
    table, left = walking_out()
    boxes = detections([(int(f), b, 0.9) for f, b in zip(table.frame_numbers, table.bboxes, strict=True)])
    params = SmoothParams(doubtful_s=0.0, max_gap_s=1.0, method=method, sigma_s=0.1)  # type: ignore[arg-type]
    filtered = with_bboxes(table, table.bboxes - [30, 0, 30, 0])  # what the tracker made of the detected boxes
    whole = smooth(filtered, boxes, motionless(table), params, "whole")
    np.testing.assert_allclose(whole.bboxes, [(x, 200, x + 40, 300) for x in left], atol=1e-3)
    assert smooth(table, boxes, motionless(table), params, "seen").bboxes[:, 2].max() < 641
