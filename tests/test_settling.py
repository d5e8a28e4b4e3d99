"""Whole people joined: a glimpse pays for its neighbours in time alone, and nobody is joined with a stranger."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from stages.association.appearance import Views, views_of
from stages.association.pair_odds import IMPOSSIBLE, Acquaintance
from stages.association.pairs import seen_together
from stages.association.settling import _gain, _in_time, _links, _sights, in_chains, part, settle
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets
from stages.embed import no_embeddings
from stages.merge import acquaint, merge, solve, with_inside
from tests.tables import embeddings_of, motionless, tracklets
from tests.test_merge import BLUE, DIM, MERGE, RED, crowd, noisy, standing, walking
from tests.test_rewire import detected

GLIMPSE = 9
NO_PAIRS = np.zeros((0, 2), np.int64)


@pytest.fixture(autouse=True)
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """People are seldom seen again, so that tracklets far apart in time count against each other."""
    monkeypatch.setattr("stages.association.returning.AGAIN", 0.3)


def returning(later: Any = RED, last: Any = None) -> tuple[Tracklets, Embeddings]:
    """Somebody (1 to 5) who is away for seven seconds again and again, and once is seen for a moment in between.

    later: the look from tracklet 3 on; last: that of somebody (6) who comes after that.
    """
    paths, looks = crowd()
    clear: dict[int, Any] = {name: standing(range(100 * name, 100 * name + 30), x=300) for name in range(1, 6)}
    paths |= clear | {GLIMPSE: standing(range(333, 336), x=300)}
    looks |= {name: noisy(RED if name < 3 else later, 30, name) for name in clear}
    looks |= {GLIMPSE: np.random.default_rng(5).normal(0, 1, (3, DIM))}
    if last is not None:
        paths |= {6: standing(range(600, 630), x=300)}
        looks |= {6: noisy(last, 30, 6)}
    table = tracklets(paths, num_frames=600 if last is None else 700)
    table.confidences[table.tracklet_ids == GLIMPSE] = 0.4
    return table, embeddings_of(table, looks)


def test_a_glimpse_belongs_to_whom_it_follows() -> None:
    table, embeddings = returning()
    merged, audit = merge(table, embeddings, motionless(table), MERGE)
    own = [*range(100, 130), *range(200, 230), *range(300, 330), *range(333, 336), *range(400, 430), *range(500, 530)]
    assert own in [entry["frame_numbers"].tolist() for entry in merged.to_dicts()]
    (row,) = [row for row in audit if (row.tracklet_id, row.other_tracklet_id) == (3, GLIMPSE)]
    assert row.decision == "joined"
    assert 0.5 < row.probability < 1
    by_pairs, _ = merge(table, embeddings, motionless(table), dataclasses.replace(MERGE, settle=False))
    assert [*range(333, 336)] in [entry["frame_numbers"].tolist() for entry in by_pairs.to_dicts()]


@pytest.mark.parametrize("glimpsed", [False, True])
def test_a_glimpse_without_a_look_does_not_pay_for_the_absence_after_it(glimpsed: bool) -> None:
    """Somebody like 1 comes 41 seconds later, not alike enough after so long; 1 was seen once more as it left."""
    paths, looks = crowd()
    paths |= {1: standing(range(100, 130), x=560), 2: standing(range(540, 570), x=560)}
    if glimpsed:
        paths |= {GLIMPSE: standing(range(131, 134), x=560)}
    looks |= {1: noisy(RED, 30), 2: noisy(RED + 1.1 * BLUE, 30, 2)}
    table = tracklets(paths, num_frames=600)
    merged, _ = merge(table, embeddings_of(table, looks), motionless(table), MERGE)
    whose = dict(zip(table.ids.tolist(), merged_of(table, merged), strict=True))
    assert whose[1] != whose[2]
    assert not glimpsed or whose[GLIMPSE] == whose[1]


def merged_of(table: Tracklets, merged: Tracklets) -> list[int]:
    """The person of each tracklet."""
    first = table.detection_indices[table.offsets()[:-1]]
    return [int(merged.tracklet_ids[merged.detection_indices == row][0]) for row in first]


def test_pairs_alone_would_leave_it_out_and_strangers_stay_apart() -> None:
    table, embeddings = returning()
    together, views = seen_together(table), views_of(table, embeddings)
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    odds, people = solve(known, known.candidates(), together, NO_PAIRS)
    glimpse, before = np.searchsorted(table.ids, [GLIMPSE, 3])
    assert (people.labels == people.labels[glimpse]).sum() == 1
    settled = settle(known, views, people.labels, odds, together)
    assert settled[glimpse] == settled[before]
    assert np.array_equal(np.delete(settled, glimpse), np.delete(people.labels, glimpse))
    apart = np.concatenate([together, [[glimpse, np.searchsorted(table.ids, 1)]]])
    assert np.array_equal(settle(known, views, people.labels, odds, apart), people.labels)


def test_who_is_joined_brings_the_strangers_of_both() -> None:
    """All five look alike, and somebody said that the first and the last are two: no third makes them one."""
    table, embeddings = returning()
    together, views = seen_together(table), views_of(table, embeddings)
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    alone, first, last = np.arange(len(table.ids)), *np.searchsorted(table.ids, [1, 5])
    assert len(np.unique(settle(known, views, alone, known.candidates(), together)[first : last + 1])) == 1
    apart = np.concatenate([together, [[first, last]]])
    settled = settle(known, views, alone, known.candidates(), apart)
    assert settled[first] != settled[last]
    assert len(np.unique(settled[first : last + 1])) == 2


def test_who_is_joined_in_between_is_in_between_for_the_next() -> None:
    """6 does not look enough like 1 to 5; nor does it once the glimpse between 3 and 4 is theirs.

    Were the glimpse taken for what follows 5, the five would hang together so badly that anybody betters it.
    """
    table, embeddings = returning(last=RED + 1.2 * BLUE)
    together, views = seen_together(table), views_of(table, embeddings)
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    five, (glimpse, last) = np.arange(5), np.searchsorted(table.ids, [GLIMPSE, 6])
    six, lone, sights = _in_time(np.array([*five, glimpse]), known), np.array([last]), _sights(known, views)
    assert table.ids[six].tolist() == [1, 2, 3, GLIMPSE, 4, 5]
    assert _gain(five, np.array([glimpse]), known, sights) > 0 > _gain(six, lone, known, sights)
    in_a_row = [float(_links(members[:-1], members[1:], known).sum()) for members in (six, np.array([*five, glimpse]))]
    assert in_a_row[0] - in_a_row[1] + _gain(six, lone, known, sights) > 0
    labels = np.where(table.ids <= 5, 0, np.arange(len(table.ids)))
    odds = known.odds(np.array([0, 0]), np.array([glimpse, last]))
    settled = settle(known, views, labels, dataclasses.replace(odds, total=np.ones(2)), together)
    assert np.flatnonzero(settled == 0).tolist() == sorted(six.tolist())


def test_who_interlocks_with_one_tracklet_of_a_person_is_nobody_of_theirs() -> None:
    """1 and 2 are found in turn, in no frame together, where 3 stands later; all look alike."""
    paths, looks = crowd()
    paths |= {
        1: standing(range(100, 130, 2), x=560),
        2: standing(range(121, 131, 2), x=560),
        3: standing(range(140, 170), x=560),
    }
    looks |= {1: noisy(RED, 15), 2: noisy(RED, 5, 2), 3: noisy(RED, 30, 3)}
    table = tracklets(paths, num_frames=200)
    together, views = seen_together(table), views_of(table, embeddings_of(table, looks))
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    assert not np.isin(together, range(3)).any()
    one, two, three = (np.array([k]) for k in range(3))
    sights = _sights(known, views)
    assert min(_gain(one, three, known, sights), _gain(two, three, known, sights)) > 0
    for either, other in ((one, two), (two, one)):
        assert _gain(np.concatenate([either, three]), other, known, sights) == IMPOSSIBLE
    settled = settle(known, views, np.arange(len(table.ids)), known.candidates(), together)
    assert len(set(settled[:3].tolist())) == 2
    assert settled[0] != settled[1]


def test_between_tracklets_that_are_no_neighbours_looks_and_stature_alone_count() -> None:
    table, embeddings = returning()
    together, views = seen_together(table), views_of(table, embeddings)
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    labels = np.where(table.ids <= GLIMPSE, 0, np.arange(len(table.ids)))
    asked = with_inside(known, known.candidates().take(np.zeros(0, np.int64)), labels)
    found = in_chains(asked, labels, known)
    apart = in_chains(asked, np.arange(len(table.ids)), known)
    assert all(np.array_equal(getattr(apart, name), getattr(asked, name)) for name in ("prior", "motion", "company", "total"))
    order = [1, 2, 3, GLIMPSE, 4, 5]
    for n in range(len(found)):
        pair = [int(table.ids[k]) for k in (found.first[n], found.second[n])]
        assert found.looks[n] == asked.looks[n]
        if order.index(pair[1]) - order.index(pair[0]) == 1:
            assert found.total[n] == asked.total[n]
        else:
            assert (found.prior[n], found.motion[n]) == (0, 0)
            assert found.total[n] == pytest.approx(found.looks[n] + found.stature[n], abs=1e-6)


def test_neighbours_of_whom_one_was_hardly_seen_have_the_prior_of_their_absence() -> None:
    table, embeddings = returning()
    known = acquaint(table, views_of(table, embeddings), motionless(table), seen_together(table), MERGE, "same_person")
    glimpse, five = np.searchsorted(table.ids, [[GLIMPSE], [5]])
    known.looks.supports[glimpse] = 0
    asked = known.odds(glimpse, five)
    found = in_chains(asked, np.where(np.isin(table.ids, [GLIMPSE, 5]), 0, np.arange(1, len(table.ids) + 1)), known)
    assert asked.prior.tolist() == [0]
    assert found.prior == pytest.approx(known.returning.nats(asked.gap_s), abs=1e-6)
    assert found.total == pytest.approx(asked.total + found.prior, abs=1e-6)


def test_who_was_said_to_be_one_person_though_seen_in_two_places_keeps_the_odds() -> None:
    table, embeddings = returning()
    together, views = seen_together(table), views_of(table, embeddings)
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    asked = known.odds(*together[:1].T)
    assert asked.total.tolist() == [IMPOSSIBLE]
    found = in_chains(asked, np.zeros(len(table.ids), np.int64), known)
    assert [column.tolist() for column in vars(found).values()] == [column.tolist() for column in vars(asked).values()]


@pytest.mark.parametrize("again", [0.3, 0.6])
def test_all_ways_of_being_seen_again_weigh_as_much_as_never_and_somebody_new(
    again: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.association.returning.AGAIN", again)
    table, embeddings = returning()
    known = acquaint(table, views_of(table, embeddings), motionless(table), seen_together(table), MERGE, "same_person")
    gaps_s = np.linspace(0, known.returning.longest_s, 100_001)
    seen_again = np.trapezoid(np.exp(known.returning.nats(gaps_s)), gaps_s)
    assert seen_again * (1 - again) * (1 - again) * known.returning.births_per_s == pytest.approx(again, rel=1e-3)


def person() -> tuple[Acquaintance, Views, Any, Any]:
    """What is known, the views, labels with which 1 to 5 are one person, and those five; from 3 on they look otherwise."""
    table, embeddings = returning(later=RED + 0.8 * BLUE)
    views = views_of(table, embeddings)
    known = acquaint(table, views, motionless(table), seen_together(table), MERGE, "same_person")
    labels = np.where(table.ids < GLIMPSE, 0, np.arange(len(table.ids)))
    return known, views, labels, _in_time(np.flatnonzero(labels == 0), known)


def gains(members: Any, known: Acquaintance, views: Views) -> Any:
    """What joining all up to each tracklet with all after it gains."""
    return np.array([_gain(members[:k], members[k:], known, _sights(known, views)) for k in range(1, len(members))])


def test_people_are_parted_at_the_loosest_tie_until_all_hold() -> None:
    known, views, labels, members = person()
    found = gains(members, known, views)
    assert found.argmin() == 1
    assert np.array_equal(part(known, views, labels, found.min() - 0.001, NO_PAIRS), labels)
    parted = part(known, views, labels, found.min() + 0.001, NO_PAIRS)
    before, after = members[:2], members[2:]
    assert [len(np.unique(parted[half])) for half in (before, after, members)] == [1, 1, 2]
    for half in (before, after):
        firm = gains(half, known, views).min()
        assert firm > found.min()
        parted = part(known, views, labels, firm + 0.001, NO_PAIRS)
        assert len(np.unique(parted[half])) > 1
    others = np.setdiff1d(np.arange(len(labels)), members)
    assert np.array_equal(parted[others], labels[others])
    assert len(np.unique(part(known, views, labels, 1000.0, NO_PAIRS))) == len(labels)


def test_who_was_said_to_be_one_person_is_never_parted() -> None:
    known, views, labels, members = person()
    forced = np.array([[members[3], members[1]]])
    parted = part(known, views, labels, 1000.0, forced)
    assert len(set(parted[members[1:4]])) == 1  # and whoever is between the two
    assert len(np.unique(parted)) == len(labels) - 2


def test_nobody_without_looks_is_parted() -> None:
    paths = {1: walking(range(30)), 2: walking(range(40, 70)), 3: standing(range(70), x=900)}
    table = tracklets(paths)
    joined = [
        merge(table, no_embeddings(detected(table)), motionless(table), dataclasses.replace(MERGE, min_gain=gain))[0]
        for gain in (-1000.0, 1000.0)
    ]
    assert len(joined[0].ids) == len(joined[1].ids) == 2


def test_joins_that_are_not_sure_enough_are_not_made_and_told_with_their_odds() -> None:
    table, embeddings = returning()
    cautious = dataclasses.replace(MERGE, min_gain=1000.0)
    for settling in (True, False):
        merged, audit = merge(table, embeddings, motionless(table), dataclasses.replace(cautious, settle=settling))
        assert np.array_equal(np.diff(merged.offsets()), np.diff(table.offsets()))
        assert {row.decision for row in audit} == {"refused"}
        assert {(1, 2), (2, 3)} <= {(row.tracklet_id, row.other_tracklet_id) for row in audit}
