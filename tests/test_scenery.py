"""What scenery in front of people hides, drawn by hand."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.reid.crops import BLANK, cut_out
from stages.reid.scenery import SAMPLES, Scenery, sampled

GROUND, LEAVES = 180, 90
WINDOW = np.array([40, 20, 70, 100])  # of 30 x 80 px
Picture = NDArray[np.uint8]


def empty() -> Picture:
    """Ground, and the crown of a tree down to row 60."""
    picture = np.full((120, 160, 3), GROUND, np.uint8)
    picture[:60] = LEAVES
    return picture


def with_person(picture: Picture, top: int, bottom: int, left: int = 45, right: int = 65) -> Picture:
    """Somebody in a dark coat whom these rows and columns show."""
    picture[top:bottom, left:right] = 20
    return picture


def hidden(crop: Picture) -> list[list[int]]:
    """Rows and columns that are blank all along."""
    blank = (crop == np.array(BLANK, np.uint8)).all(axis=2)
    return [np.flatnonzero(blank.all(axis=axis)).tolist() for axis in (1, 0)]


def crop_of(picture: Picture, scenery: Scenery, window: NDArray[Any] = WINDOW) -> Picture:
    crop = cut_out(picture, window)
    scenery.hide(crop, window)
    return crop


@pytest.fixture
def scenery() -> Scenery:
    """Somebody crosses the picture meanwhile; in no place are they most of the time."""
    return Scenery([with_person(empty(), 60, 100, 10 + 8 * k, 30 + 8 * k) for k in range(12)])


def test_the_median_over_time_shows_nobody(scenery: Scenery) -> None:
    np.testing.assert_array_equal(scenery.picture, empty())


def test_who_is_seen_by_the_legs_is_blank_above(scenery: Scenery) -> None:
    crop = crop_of(with_person(empty(), 60, 100), scenery)
    rows, columns = hidden(crop)
    assert len(columns) == 0
    assert rows == list(range(rows[-1] + 1))
    assert abs(rows[-1] + 1 - 40) <= 5  # row 60 of the picture is the crop's row 40
    np.testing.assert_array_equal(crop[40:], cut_out(with_person(empty(), 60, 100), WINDOW)[40:])


@pytest.mark.parametrize(
    ("shown", "axis", "first"),
    [
        pytest.param((20, 60, 45, 65), 0, False, id="legs behind a bench"),
        pytest.param((20, 100, 58, 70), 1, True, id="left half behind a column"),
        pytest.param((20, 100, 40, 52), 1, False, id="right half behind a column"),
    ],
)
def test_any_side_may_be_hidden(scenery: Scenery, shown: tuple[int, int, int, int], axis: int, first: bool) -> None:
    blank = hidden(crop_of(with_person(empty(), *shown), scenery))
    assert len(blank[axis]) > 0
    assert len(blank[1 - axis]) == 0
    assert (0 in blank[axis]) == first


def test_who_is_seen_whole_stays_as_they_are(scenery: Scenery) -> None:
    picture = with_person(empty(), 22, 98)
    np.testing.assert_array_equal(crop_of(picture.copy(), scenery), cut_out(picture, WINDOW))


def test_who_stands_there_most_of_the_time_stays_as_they_are() -> None:
    standing = [with_person(empty(), 22, 98) for _ in range(9)]
    moved = with_person(empty(), 22, 98)
    moved[60:64, 65:68] = 20  # a hand
    np.testing.assert_array_equal(crop_of(moved.copy(), Scenery(standing)), cut_out(moved, WINDOW))


def test_where_light_has_changed_nothing_is_blanked(scenery: Scenery) -> None:
    picture = with_person(empty() // 2, 60, 100)
    np.testing.assert_array_equal(crop_of(picture.copy(), scenery), cut_out(picture, WINDOW))


def test_what_is_outside_of_the_picture_stays_blank(scenery: Scenery) -> None:
    window = np.array([-20, 20, 25, 140])
    crop = crop_of(with_person(empty(), 60, 120, 0, 20), scenery, window)
    assert (crop[:, :20] == BLANK).all()
    assert (crop[100:] == BLANK).all()
    assert (crop[:35, 20:] == BLANK).all()
    assert (crop[45:100, 20:40] == 20).all()


def test_samples_are_spread_and_none_of_a_short_video() -> None:
    assert sampled(100, 10.0) == range(0)
    assert sampled(150, 10.0) == range(0, 150, 6)
    assert all(1 <= len(sampled(count, 1.0)) <= SAMPLES for count in range(15, 400))
