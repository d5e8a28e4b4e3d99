"""The benchmark across cameras: whom tracks show, what is joined rightly and wrongly, and what could be reached."""

from collections import Counter

from stages.scoring.across_cameras import IdentityMatches
from tests.benchmarks.cameras import COLUMNS, Joins, Outcome, joins, judged, renamed

WEST = IdentityMatches(Counter({1: 10, 2: 10}), Counter({1: 10, 2: 9}), Counter({(1, 1): 10, (2, 1): 2, (2, 2): 8}))
EAST = IdentityMatches(Counter({1: 10, 3: 10}), Counter({5: 10, 6: 10}), Counter({(1, 5): 10, (3, 6): 10}))


def test_a_track_shows_whom_most_of_its_boxes_show() -> None:
    assert Outcome(WEST, {}).people() == {1: 1, 2: 2}


def test_boxes_of_tracks_under_one_name_are_one_track_and_others_stay_apart() -> None:
    one = renamed(WEST, {1: 7, 2: 7})
    assert (one.found, one.both) == (Counter({7: 19}), Counter({(1, 7): 10, (2, 7): 10}))
    assert renamed(WEST, {1: 2}).found == Counter({2: 10, -2: 9})  # track 2 is not the identity 2


def test_missed_and_wrong_joins_are_counted_across_cameras_and_within() -> None:
    """Person 1 is in both views and missed; persons 2 and 3 are wrongly one."""
    outcomes = [Outcome(WEST, {1: 1, 2: 2}), Outcome(EAST, {5: 3, 6: 2})]
    assert joins(outcomes, across=True) == Joins(pairs=1, missed=1, wrong=1)
    assert joins(outcomes, across=False) == Joins(pairs=0, missed=0, wrong=0)
    assert joins([Outcome(WEST, {1: 1, 2: 2}), Outcome(EAST, {5: 1, 6: 3})], across=True) == Joins(1, 0, 0)


def test_a_row_says_what_was_reached_and_what_could_be() -> None:
    """40 true and 39 found boxes. At best 10 + 8 + 10 + 10 match: 2 * 38 / 79.

    With 1 missed and 2 and 3 one, 1 is found in one view (10), 3 is the joint identity (10), and 2 has what is left (2).
    """
    cells = dict(zip(COLUMNS[1:7], judged([Outcome(WEST, {1: 1, 2: 2}), Outcome(EAST, {5: 3, 6: 2})]), strict=False))
    assert cells == {
        "IDF1 across": 55.7,
        "at most": 96.2,
        "IDF1 west": 92.31,
        "IDF1 east": 100.0,
        "people": 3,
        "identities": 3,
    }
