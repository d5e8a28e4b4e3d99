"""Two who walked as one box: who came out as each other gets their own way back, and nobody else is touched."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.association.appearance import views_of
from stages.association.decisions import Decision
from stages.association.likeness import learn_looks
from stages.association.pairs import seen_together
from stages.association.rewiring import RewireParams
from stages.association.shared_boxes import EXCHANGED_NATS, MixUp, Sharing, mix_ups, sharings
from stages.audit import write_audit
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets
from stages.corrections.constraining import Apart
from stages.decisions import read_decisions
from stages.rewire import Rewire, rewire
from stages.split import Split
from tests.tables import box, embeddings_of, tracklets
from tests.test_rewire import detected

PARAMS = RewireParams(
    enabled=True, min_gain=1000.0, end_cost=12.0, miss_cost=0.2, max_gap_frames=60, min_shared_gain=0.0
)  # by motion nobody is exchanged
DIM = 32
COAT, SCARF, HAT = np.eye(DIM)[:3]
ANNA, BEN = COAT + 0.7 * SCARF, COAT + 0.7 * HAT  # a couple in the same coat: the cosine of their looks is 0.67
Looks = NDArray[np.float64]
Paths = dict[int, dict[int, Any]]


def standing(frames: Any, x: float = 100.0) -> dict[int, Any]:
    return {frame: box(x) for frame in frames}


def couple(begun: int = 60, x: float = 110.0) -> Paths:
    """1 is there all the time, 2 ends beside it in frame 39, and 3 begins beside it; in between one box is found of both."""
    return {1: standing(range(100)), 2: standing(range(40), x), 3: standing(range(begun, 100), x)}


def filmed(paths: Paths, looks: dict[int, list[Looks]], seed: int = 3) -> tuple[Tracklets, Embeddings]:
    """The tracklets with a look a box, and ten bystanders who show what looks are worth."""
    rng = np.random.default_rng(seed)
    bystanders = {11 + k: [np.eye(DIM)[5 + k]] * 100 for k in range(10)}
    table = tracklets(paths | {name: standing(range(100), 200.0 + 44 * n) for n, name in enumerate(bystanders)})
    every = {name: np.array(seen) + 0.1 * rng.normal(0, 1, (len(seen), DIM)) for name, seen in (looks | bystanders).items()}
    return table, embeddings_of(table, every)


def exchanged(change: int = 52) -> tuple[Tracklets, Embeddings]:
    """Anna's box becomes Ben's: she is hidden from frame `change` on, and begins anew as 3."""
    return filmed(couple(), {1: [ANNA] * change + [BEN] * (100 - change), 2: [BEN] * 40, 3: [ANNA] * 40})


def found(table: Tracklets, embeddings: Embeddings, min_odds: float = 0.0) -> list[MixUp]:
    views = views_of(table, embeddings)
    return mix_ups(table, views, learn_looks(views, table.fps, seen_together(table), pure=False), min_odds)


def rewired(
    table: Tracklets, embeddings: Embeddings, params: RewireParams = PARAMS, apart: Any = ()
) -> tuple[Tracklets, list[Rewire]]:
    return rewire(table, detected(table), embeddings, CameraMotion.still(table.sequence, table.num_frames), params, apart)


def frames_of(table: Tracklets, name: int) -> list[int]:
    return [int(frame) for frame in table.frame_numbers[table.tracklet_ids == name]]


@pytest.mark.parametrize("change", [40, 52, 60])
def test_who_came_out_of_one_box_as_each_other_get_their_own_way_back(change: int) -> None:
    table, embeddings = exchanged(change)
    result, audit = rewired(table, embeddings)
    assert frames_of(result, 1) == [*range(change), *range(60, 100)], "Anna: before, and as whom 3 began"
    assert frames_of(result, 2) == [*range(40), *range(change, 100)], "Ben: before, and in the box that was hers"
    assert result.ids.tolist() == [1, 2, *range(11, 21)]
    told = [(made.frame_number, made.kind, made.tracklet_id, made.other_tracklet_id) for made in audit]
    assert told == [(change - 1, "transfer", 1, 3), (39, "join", 2, 1)], "Anna goes on as 3, and Ben in the box of 1"
    for made in audit:
        assert made.gain_nats == pytest.approx(made.looks_nats + EXCHANGED_NATS)
        assert made.gain_nats > 0
        assert made.runner_up_nats is None


def test_who_came_out_as_they_went_in_are_left_alone() -> None:
    """Even where the hidden one shows in the box for some frames."""
    looks = {1: [ANNA] * 45 + [BEN] * 10 + [ANNA] * 45, 2: [BEN] * 40, 3: [BEN] * 40}
    table, embeddings = filmed(couple(), looks)
    assert found(table, embeddings, min_odds=-1000)[0].odds_nats < EXCHANGED_NATS
    result, audit = rewired(table, embeddings)
    assert (result.tracklet_ids.tolist(), audit) == (table.tracklet_ids.tolist(), [])


def test_a_stranger_who_begins_beside_the_box_is_nobody_of_the_two() -> None:
    stranger = np.eye(DIM)[20]
    table, embeddings = filmed(couple(), {1: [ANNA] * 100, 2: [BEN] * 40, 3: [stranger] * 40})
    assert found(table, embeddings) == []


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        pytest.param(couple(x=150.0), "their boxes do not meet", id="apart"),
        pytest.param({1: standing(range(39)), 2: standing(range(40), 110.0), 3: standing(range(60, 100), 110.0)},
                     "who ended outlived the other", id="nobody keeps the box"),
        pytest.param({1: standing(range(100)), 2: standing(range(70), 110.0), 3: standing(range(60, 100), 120.0)},
                     "they were seen together", id="began before the other ended"),
    ],
)  # fmt: skip
def test_nothing_is_shared_where(paths: Paths, why: str) -> None:
    assert sharings(tracklets(paths)) == [], why


def test_sharing_ends_after_twenty_seconds_and_takes_a_box_nearby_in_time() -> None:
    """At 10 frames a second: 7 frames around, and 200 between."""
    assert sharings(tracklets(couple())) == [Sharing(0, 1, 2, 39, 60)]
    for begun, expected in ((239, 1), (240, 0)):
        paths = {1: standing(range(300)), 2: standing(range(40), 110.0), 3: standing(range(begun, 300), 110.0)}
        assert len(sharings(tracklets(paths, 300))) == expected
    for missing, expected in ((range(39, 46), 1), (range(39, 47), 0)):
        paths = couple() | {1: standing(frame for frame in range(100) if frame not in missing)}
        assert len(sharings(tracklets(paths))) == expected


def test_too_few_views_say_nothing() -> None:
    looks = {1: [ANNA] * 52 + [BEN] * 48, 2: [BEN] * 40, 3: [ANNA] * 40}
    for unseen, expected in ((range(35), 1), (range(36), 0)):
        table, embeddings = filmed(couple(), looks)
        rows = table.detection_indices[(table.tracklet_ids == 1) & np.isin(table.frame_numbers, unseen)]
        kept = ~np.isin(embeddings.detection_indices, rows)
        few = dataclasses.replace(
            embeddings, detection_indices=embeddings.detection_indices[kept], features=embeddings.features[kept]
        )
        assert len(found(table, few)) == expected


def test_who_stands_there_for_hours_is_known_by_the_views_nearby(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long before, 1 was dressed like Ben, and long after like Anna."""
    changing = [BEN] * 24 + [ANNA] * 28 + [BEN] * 24 + [ANNA] * 24
    table, embeddings = filmed(couple(), {1: changing, 2: [BEN] * 40, 3: [ANNA] * 40})
    assert found(table, embeddings) == []
    monkeypatch.setattr("stages.association.shared_boxes.MOST_VIEWS", 16)
    assert len(found(table, embeddings)) == 1


def test_a_tracklet_is_exchanged_once_by_what_is_surest() -> None:
    """Who began twice beside the box: as Anna, clearly, and as somebody half like her."""
    paths = couple() | {4: standing(range(60, 100), 90.0)}
    looks = {1: [ANNA] * 52 + [BEN] * 48, 2: [BEN] * 40, 3: [ANNA] * 40, 4: [COAT] * 40}
    table, embeddings = filmed(paths, looks)
    assert len(sharings(table)) == 2
    (made,) = found(table, embeddings, min_odds=-1000)
    assert made.sharing == Sharing(0, 1, 2, 39, 60)


@pytest.mark.parametrize(
    "apart",
    [
        pytest.param(Apart(1, 3, 20, 70), id="who Anna would be"),
        pytest.param(Apart(2, 1, 20, 70), id="who Ben would be"),
    ],
)
def test_what_a_person_cut_is_not_exchanged(apart: Apart) -> None:
    table, embeddings = exchanged()
    assert len(rewired(table, embeddings)[1]) == 2
    result, audit = rewired(table, embeddings, apart=[apart])
    assert (result.tracklet_ids.tolist(), audit) == (table.tracklet_ids.tolist(), [])


@pytest.mark.parametrize(
    "apart",
    [
        pytest.param(Apart(1, 99, 20, 70), id="of which nobody is there"),
        pytest.param(Apart(99, 3, 20, 70), id="of which the first is nobody"),
        pytest.param(Apart(1, 20, 20, 70), id="of a person and a car"),
        pytest.param(Apart(20, 3, 20, 70), id="of a car and a person"),
    ],
)
def test_a_cut_says_something_where_both_its_sides_are_of_one_class(apart: Apart) -> None:
    table, embeddings = exchanged()
    table.class_ids[table.tracklet_ids == 20] = 2
    assert rewired(table, embeddings, apart=[apart])[1] == rewired(table, embeddings)[1] != []


def test_how_one_persons_looks_vary_is_not_learnt_from_a_box_of_two() -> None:
    """Over the whole of 1, Anna's looks and Ben's would be one person's."""
    table, embeddings = exchanged()
    assert [made.looks_nats for made in rewired(table, embeddings)[1]] == [found(table, embeddings)[0].looks_nats] * 2
    views = views_of(table, embeddings)
    (as_one,) = mix_ups(table, views, learn_looks(views, table.fps, seen_together(table)), 0.0)
    assert found(table, embeddings)[0].looks_nats > as_one.looks_nats + 3


def test_more_can_be_asked_for_and_without_looks_nobody_is_exchanged() -> None:
    table, embeddings = exchanged()
    gain = rewired(table, embeddings)[1][0].gain_nats
    for asked, expected in ((gain - 0.01, 2), (gain + 0.01, 0)):
        assert len(rewired(table, embeddings, dataclasses.replace(PARAMS, min_shared_gain=asked))[1]) == expected
    assert rewired(table, embeddings_of(table, {}))[1] == []


def test_by_looks_alone_the_couple_is_one_person() -> None:
    """So `split` would not cut, and who is who shows crosswise alone."""
    table, embeddings = exchanged()
    views = views_of(table, embeddings)
    looks = learn_looks(views, table.fps, seen_together(table), pure=False)
    assert looks.nats(np.array([1]), np.array([2]))[0] > 0


def test_the_audit_shows_both_sides_of_both(tmp_path: Path) -> None:
    """`read_decisions` finds who is before and after each row, by raw tracklets and frame."""
    table, embeddings = exchanged()
    result, audit = rewired(table, embeddings)
    for name, kind, rows in (("rewires", Rewire, audit), ("splits", Split, []), ("merges", Decision, [])):
        write_audit(tmp_path / f"{name}.csv", kind, rows)
    levels = {"raw": table, "rewired": result, "split": result, "merged": result, "final": result}
    found = read_decisions(tmp_path / "rewires.csv", tmp_path / "splits.csv", tmp_path / "merges.csv", levels)
    frame = dict(zip(table.detection_indices.tolist(), table.frame_numbers.tolist(), strict=True))
    sides = {
        (one.frame_number, pair.tracks, frame[pair.before[-1]], frame[pair.after[0]]) for one in found for pair in one.pairs
    }
    assert sides == {(52, (1, 1), 51, 60), (40, (2, 2), 39, 52)}
