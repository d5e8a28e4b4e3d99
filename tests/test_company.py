"""Company: who walks beside whom, and what it says of who returned."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from stages.association.appearance import views_of
from stages.association.company import BESIDE, CHANCE, MET_S, NOBODY, STAYS, Company, learn_company
from stages.association.decisions import Decision
from stages.association.pairs import frames_together, seen_together
from stages.association.settling import _gain, _sights
from stages.contracts.tracklets import Tracklets
from stages.embed import no_embeddings
from stages.merge import acquaint, merge
from tests.tables import box, detections, embeddings_of, motionless, tracklets
from tests.test_merge import BLUE, GREEN, MERGE, RED, crowd, noisy


def walk(frames: range, beside: float = 0, behind: float = 0, step: float = 3) -> dict[int, Any]:
    """Somebody 100 px tall who crosses the lower half of the picture; the second of two is so many px beside and behind."""
    return {frame: box(20 + step * (frame - frames[0]) + beside, 300 - behind) for frame in frames}


def mates(paths: dict[int, Any]) -> dict[int, int | None]:
    table = tracklets(paths)
    found = learn_company(table)
    return {
        int(name): None if mate == NOBODY else int(table.ids[mate]) for name, mate in zip(table.ids, found.mates, strict=True)
    }


def test_the_ratio_by_hand() -> None:
    """Trust 0.5 and 0.8; companions who are one person, who are two, and who may be either."""
    known = Company(np.array([4, 5, NOBODY]), np.array([0.5, 0.8, 0.0]))
    alike = np.array([1.0, 0.0, 0.5])
    ratios = [STAYS / CHANCE, (1 - STAYS) / (1 - CHANCE)]
    expected = np.log(0.6 + 0.4 * np.array([*ratios, np.mean(ratios)]))
    np.testing.assert_allclose(known.nats(np.array([0, 0, 0]), np.array([1, 1, 1]), alike), expected)
    assert known.most_nats(np.array([0, 2])) == pytest.approx([np.log(0.5 + 0.5 * ratios[0]), 0])
    assert known.known(np.array([0, 0, 1]), np.array([1, 2, 2])).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("path", "is_mate"),
    [
        pytest.param(walk(range(40), beside=70), True, id="beside"),
        pytest.param(walk(range(40), beside=-70), True, id="on the other side"),
        pytest.param(walk(range(40), beside=85), False, id=f"farther than {BESIDE} body heights"),
        pytest.param(walk(range(40), beside=70, behind=40), False, id="at another depth"),
        pytest.param(walk(range(40), beside=120, step=-3), False, id="coming towards"),
        pytest.param(walk(range(25, 30), beside=75 + 70), True, id="seen for half a second, all of it beside"),
        pytest.param(walk(range(37, 43), beside=111 + 70), True, id="seen for 0.6 seconds, half of it beside"),
        pytest.param(walk(range(37, 44), beside=111 + 70), False, id="less than half of it"),
        pytest.param(walk(range(40, 60), beside=120), False, id="never there at one time"),
    ],
)
def test_who_walks_beside_somebody_is_a_mate(path: dict[int, Any], is_mate: bool) -> None:
    assert mates({1: walk(range(40)), 2: path})[2] == (1 if is_mate else None)


def test_where_nobody_walks_beside_anybody_all_are_alone() -> None:
    assert mates({1: walk(range(40)), 2: walk(range(40), beside=200)}) == {1: None, 2: None}


def test_how_near_is_beside_depends_on_the_taller_of_the_two_and_on_nobody_else() -> None:
    """A child of 60 px walks 70 px beside 1, and 3 farther than two of 100 px in company; 4, near the camera, has 300 px."""
    child = {frame: box(20 + 3 * frame - 70, 340, height=60) for frame in range(40)}
    giant = {frame: box(500, 100, height=300) for frame in range(40)}
    paths = {1: walk(range(40)), 2: child, 3: walk(range(40), beside=85), 4: giant}
    assert mates(paths) == {1: 2, 2: 1, 3: None, 4: None}


def test_of_two_companions_for_as_long_the_first_counts() -> None:
    assert mates({1: walk(range(40)), 2: walk(range(40), beside=60), 3: walk(range(40), beside=-60)}) == {1: 2, 2: 1, 3: 1}


def test_frames_that_show_both_are_counted() -> None:
    """1 in frames 0 to 9 and 15 to 19, 2 in 5 to 17, 3 later."""
    where = box(10, 10)
    paths = {1: [*range(10), *range(15, 20)], 2: range(5, 18), 3: range(30, 33)}
    table = tracklets({name: dict.fromkeys(seen, where) for name, seen in paths.items()})
    pairs, frames = frames_together(table)
    assert dict(zip(map(tuple, pairs.tolist()), frames.tolist(), strict=True)) == {
        (0, 0): 15, (0, 1): 8, (1, 0): 8, (1, 1): 13, (2, 2): 3
    }  # fmt: skip
    assert seen_together(table).tolist() == [[0, 1]]


def test_the_longest_company_counts_and_who_passes_by_does_not() -> None:
    passing = {frame: box(170 + 30 * (frame - 50), 300) for frame in range(45, 62)}
    paths = {
        1: walk(range(90)),
        2: walk(range(30), beside=60),
        3: {f: b for f, b in walk(range(90), beside=60).items() if f >= 30},
    }
    found = mates(paths | {4: passing})
    assert found == {1: 3, 2: 1, 3: 1, 4: None}
    table = tracklets(paths)
    assert learn_company(table).trust == pytest.approx([6 / (6 + MET_S), 3 / (3 + MET_S), 6 / (6 + MET_S)])
    twice_as_fast = learn_company(tracklets(paths, fps=20.0))
    assert twice_as_fast.trust == pytest.approx([3 / (3 + MET_S), 1.5 / (1.5 + MET_S), 3 / (3 + MET_S)])


def two_couples(back_with: Any) -> tuple[Tracklets, Any]:
    """Two in red leave, 1 beside somebody in blue (2) and 3 beside somebody in green (4); one in red returns (5) with 6."""
    paths, looks = crowd()
    paths |= {1: walk(range(30)), 2: walk(range(30), beside=60)}
    paths |= {3: walk(range(30), beside=300), 4: walk(range(30), beside=360)}
    paths |= {5: walk(range(110, 140), beside=200), 6: walk(range(110, 140), beside=260)}
    looks |= {1: noisy(RED, 30), 2: noisy(BLUE, 30, 2), 3: noisy(RED, 30, 3), 4: noisy(GREEN, 30, 4)}
    looks |= {5: noisy(RED, 30, 5), 6: noisy(back_with, 30, 6)}
    table = tracklets(paths, num_frames=150)
    return table, embeddings_of(table, looks)


def before_the_return(audit: list[Decision]) -> Decision:
    (row,) = [row for row in audit if row.other_tracklet_id == 5 and row.decision == "joined"]
    return row


@pytest.mark.parametrize(("companion", "before"), [(BLUE, 1), (GREEN, 3)])
def test_of_two_dressed_alike_the_one_with_the_same_companion_returned(companion: Any, before: int) -> None:
    table, embeddings = two_couples(companion)
    row = before_the_return(merge(table, embeddings, motionless(table), MERGE)[1])
    assert row.tracklet_id == before
    assert row.company_nats > 2
    odds = row.prior_nats + row.looks_nats + row.motion_nats + row.stature_nats + row.company_nats
    assert row.runner_up_nats is not None
    assert odds > row.runner_up_nats + 2


@pytest.mark.parametrize("again", [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005])
def test_nobody_likely_is_overlooked_among_many(again: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """However seldom people come back: those who are by all that is known, of few tracklets looked at at a time."""
    monkeypatch.setattr("stages.association.returning.AGAIN", again)
    table, embeddings = two_couples(BLUE)
    views = views_of(table, embeddings)
    known = acquaint(table, views, motionless(table), seen_together(table), MERGE, "same_person")
    odds = known.odds(*np.triu_indices(len(table.ids), 1))
    likely = set(zip(odds.first[odds.total > 0].tolist(), odds.second[odds.total > 0].tolist(), strict=True))
    for block in (256, 2):
        monkeypatch.setattr("stages.association.pair_odds.BLOCK", block)
        found = known.candidates()
        assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == likely


def test_without_company_nobody_can_tell_them_apart() -> None:
    returned = set()
    for companion in (BLUE, GREEN):
        table, embeddings = two_couples(companion)
        row = before_the_return(merge(table, embeddings, motionless(table), dataclasses.replace(MERGE, company=False))[1])
        assert row.company_nats == 0
        returned.add(row.tracklet_id)
    assert len(returned) == 1


def test_who_has_no_looks_has_no_company() -> None:
    """Whose neighbour stays is not known by it: among dancers everybody has one."""
    table, _ = two_couples(BLUE)
    blind = no_embeddings(detections([(0, box(0), 1.0)] * len(table), num_frames=150))
    audit = merge(table, blind, motionless(table), MERGE)[1]
    assert all(row.company_nats == 0 for row in audit)


def test_company_counts_for_whole_people_too() -> None:
    """1 came with somebody in blue (2), and 5 comes with somebody in blue (6)."""
    table, embeddings = two_couples(BLUE)
    views, together = views_of(table, embeddings), seen_together(table)
    known = acquaint(table, views, motionless(table), together, MERGE, "same_person")
    alone = dataclasses.replace(known, company=None)
    one, other = np.searchsorted(table.ids, [[1], [5]])
    company = float(known.odds(one, other).company[0])
    assert company > 2
    in_company, by_themselves = (_gain(one, other, what, _sights(what, views)) for what in (known, alone))
    assert in_company == pytest.approx(by_themselves + company, abs=1e-5)


@pytest.mark.parametrize("blind", [1, 5])
def test_company_counts_between_two_who_were_both_seen(blind: int) -> None:
    """Their companions, in blue both times, were."""
    table, embeddings = two_couples(BLUE)
    unseen = np.isin(embeddings.detection_indices, table.detection_indices[table.tracklet_ids == blind])
    half_blind = dataclasses.replace(
        embeddings, detection_indices=embeddings.detection_indices[~unseen], features=embeddings.features[~unseen]
    )
    one, other = np.searchsorted(table.ids, [[1], [5]])
    said = []
    for looks in (embeddings, half_blind):
        views = views_of(table, looks)
        known = acquaint(table, views, motionless(table), seen_together(table), MERGE, "same_person")
        said.append(known.odds(one, other).company.tolist())
    (seen,), (half_seen,) = said
    assert seen > 2
    assert half_seen == 0


def test_nobody_and_one_alone() -> None:
    assert learn_company(tracklets({})).mates.tolist() == []
    assert learn_company(tracklets({1: walk(range(9))})).mates.tolist() == [NOBODY]
