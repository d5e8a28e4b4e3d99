"""Identify and portray: who is one person in several cameras, why, and what is said of it."""

import csv
import dataclasses
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages import identify as identify_stage
from stages import portray as portray_stage
from stages.contracts.gallery import MOMENTS_PER_S, Gallery
from stages.contracts.identities import Identities
from stages.contracts.tracklets import with_bboxes
from stages.corrections.constraining import told_apart
from stages.corrections.rows import HEADER, Correction, Place, append_row
from stages.errors import DataError
from stages.identify import Decision, IdentifyParams, identify
from stages.identity.evidence import gather
from stages.identity.looks import MIN_SPREAD, SURE_NATS, WITHIN, Calibration, calibrate, compare_looks, expected_across
from stages.identity.partition import partition, standing
from stages.identity.portraits import PortrayParams, portray
from stages.identity.whereabouts import compare_places, moment_log_odds
from stages.seqinfo import SequenceInfo, format_seqinfo
from tests.conftest import ROOT
from tests.tables import box, embeddings_of, tracklets
from tests.test_rewire import detected

RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
PARAMS = IdentifyParams(min_log_odds=0.0, same_camera=True)
VIEWS = PortrayParams(views=4)
Tables = NDArray[np.float64]


def camera(name: str, looks: dict[int, Any], frames: Any = range(5), **other: Any) -> Gallery:
    """People side by side in every frame, each in one colour; no places."""
    table = tracklets({track: {f: box(60 * track) for f in frames} for track in looks}, sequence=name)
    made = portray(table, embeddings_of(table, looks), other.pop("names", {}), (), None, None, VIEWS)
    return dataclasses.replace(made, **other)


def crowded(name: str, looks: Tables) -> Gallery:
    """Many people with a view each, all of whom are there at once."""
    tracks = np.arange(1, len(looks) + 1, dtype=np.int32)
    unit = (looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float16)
    together = np.stack(np.triu_indices(len(looks), 1), axis=1).astype(np.int32) + 1
    nobody = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros((0, 2), np.float32)
    classes, names = np.zeros(len(looks), np.int16), np.full(len(looks), "")
    return Gallery(name, "made up", tracks, classes, names, tracks, unit, together, *nobody)


def placed(gallery: Gallery, ways: dict[int, tuple[int, list[tuple[float, float]]]]) -> Gallery:
    """The gallery with places: {track: (first moment, places of the moments from there)}."""
    tracks = np.concatenate([np.full(len(places), track) for track, (_, places) in ways.items()])
    moments = np.concatenate([first + np.arange(len(places)) for first, places in ways.values()])
    at = np.concatenate([np.array(places, dtype=np.float32) for _, places in ways.values()])
    return dataclasses.replace(
        gallery, place_tracklet_ids=tracks.astype(np.int32), place_moments=moments.astype(np.int64), places=at
    )


def walk(x: float, y: float, steps: int = 20, dx: float = 0.0) -> list[tuple[float, float]]:
    return [(x + dx * step, y) for step in range(steps)]


def ids(*galleries: Gallery, params: IdentifyParams = PARAMS) -> list[int]:
    return [int(identity) for identity in identify(list(galleries), params)[0].identity_ids]


def test_the_same_person_in_two_cameras_of_a_group_is_one_identity() -> None:
    left, right = camera("left", {1: RED, 2: BLUE}), camera("right", {1: BLUE, 2: GREEN})
    found, decisions = identify([left, right], PARAMS)
    assert found.sequences.tolist() == ["left", "left", "right", "right"]
    assert found.identity_ids.tolist() == [1, 2, 2, 3]
    assert found.distances.tolist() == pytest.approx([0, 0, 0, 0], abs=1e-3)
    alone, blue = decisions[0], decisions[1]
    assert (alone.other_sequence, alone.other_tracklet_id, alone.log_odds) == (None, None, None)
    assert (blue.other_sequence, blue.other_tracklet_id) == ("right", 1)
    assert blue.looks_distance == pytest.approx(0, abs=1e-3)
    assert blue.log_odds is not None
    assert blue.looks_nats is not None
    assert blue.log_odds == pytest.approx(blue.looks_nats - np.log(2))  # one of two people there
    assert blue.margin_nats == pytest.approx(blue.log_odds)  # alone, it would lose just that
    assert blue.runner_up == 0


def test_the_other_track_that_is_named_is_the_one_most_like_it() -> None:
    angles = {"left": 0.0, "right": 0.2, "yard": 0.3}
    found, decisions = identify([camera(name, {1: facing(angle) * 5}) for name, angle in angles.items()], PARAMS)
    assert found.identity_ids.tolist() == [1, 1, 1]
    assert [row.other_sequence for row in decisions] == ["right", "yard", "right"]
    assert found.distances == pytest.approx(1 - np.cos([0.2, 0.1, 0.1]), abs=1e-3)


def test_of_whom_nothing_is_known_nothing_is_said_however_little_is_asked_for() -> None:
    table = tracklets({1: {0: box(0)}})
    blind = portray(table, embeddings_of(table, {}), {}, (), None, None, VIEWS)
    galleries = [camera("left", {1: RED}), dataclasses.replace(blind, sequence="right")]
    assert ids(*galleries, params=dataclasses.replace(PARAMS, min_log_odds=-50.0)) == [1, 2]
    assert [(row.margin_nats, row.runner_up) for row in identify(galleries, PARAMS)[1]] == [(None, None)] * 2
    named = [dataclasses.replace(gallery, names=np.array(["Ann"])) for gallery in galleries]
    assert identify(named, PARAMS)[0].distances.tolist() == [0, 0], "of one who was never seen well"


def test_a_camera_on_its_own_keeps_its_numbers() -> None:
    assert ids(camera("left", {1: RED, 2: RED, 3: BLUE})) == [1, 2, 3]


def test_two_who_are_seen_together_are_two_people_and_two_who_are_not_may_be_one_who_returned() -> None:
    left, right = camera("left", {1: RED, 2: RED}), camera("right", {1: RED})
    found = ids(left, right)
    assert found[0] != found[1]
    assert found[2] in found[:2]
    in_turn = dataclasses.replace(left, coexisting=np.zeros((0, 2), np.int32))
    assert ids(in_turn, right) == [1, 1, 1]
    kept = ids(in_turn, right, params=dataclasses.replace(PARAMS, same_camera=False))
    assert kept[0] != kept[1]


def test_two_whom_a_person_told_apart_are_not_one_who_returned() -> None:
    """Alike, one after the other; a row of `different` names a box of each, another names somebody who was deleted."""
    table = tracklets({1: {f: box(60) for f in range(5)}, 2: {f: box(300) for f in range(20, 25)}})
    looks = embeddings_of(table, {1: RED, 2: RED})
    rows = [
        Correction("different", Place(21, box(300)), Place(3, box(60))),
        Correction("different", Place(3, box(60)), Place(9, box(0))),
    ]
    assert told_apart(table, rows) == [(1, 2)]
    assert told_apart(table, rows[1:]) == []
    right = camera("right", {1: RED})
    assert ids(portray(table, looks, {}, (), None, None, VIEWS), right) == [1, 1, 1]
    first, second, _ = ids(portray(table, looks, {}, told_apart(table, rows), None, None, VIEWS), right)
    assert first != second


def test_more_evidence_may_be_asked_for_than_there_is() -> None:
    left, right = camera("left", {1: RED}), camera("right", {1: RED})
    assert ids(left, right) == [1, 1]
    assert ids(left, right, params=dataclasses.replace(PARAMS, min_log_odds=2 * SURE_NATS)) == [1, 2]


def test_people_in_uniform_are_told_apart_by_where_they_stand() -> None:
    """Two cameras, three people in red; the second camera numbers them the other way round and places them 20 cm off."""
    left = placed(camera("left", dict.fromkeys((1, 2, 3), RED)), {n: (0, walk(4.0 * n, 0)) for n in (1, 2, 3)})
    right = placed(camera("right", dict.fromkeys((1, 2, 3), RED)), {n: (0, walk(16.2 - 4.0 * n, 0)) for n in (1, 2, 3)})
    found, decisions = identify([left, right], PARAMS)
    assert found.identity_ids.tolist() == [1, 2, 3, 3, 2, 1]
    assert decisions[0].apart_m == pytest.approx(0.2, abs=1e-5)
    assert decisions[0].shared_s == 20 / MOMENTS_PER_S
    assert (decisions[0].places_nats or 0) > 5


def test_who_stands_elsewhere_at_the_same_moment_is_somebody_else_however_alike() -> None:
    left = placed(camera("left", {1: RED}), {1: (0, walk(0, 0))})
    right = placed(camera("right", {1: RED}), {1: (0, walk(6, 0))})
    assert ids(left, right) == [1, 2]
    earlier = placed(camera("right", {1: RED}), {1: (-100, walk(6, 0))})  # 16 s before: there is time to walk there
    assert ids(left, earlier) == [1, 1]
    flown = placed(camera("right", {1: RED}), {1: (-22, walk(60, 0))})  # 0.6 s before, 60 m away
    assert ids(left, flown) == [1, 2]
    much_farther = placed(camera("right", {1: RED}), {1: (-50, walk(200, 0))})  # too long before for a walk to say anything
    assert ids(left, much_farther) == [1, 2]


def test_other_classes_are_other_things() -> None:
    left, right = camera("left", {1: RED}), camera("right", {1: RED}, class_ids=np.array([2], np.int16))
    assert ids(left, right) == [1, 2]


def test_cars_say_nothing_of_people() -> None:
    """Neither how many people there are, nor how unlike two of them look, nor who is beside whom."""
    people = {1: (1.0, 0.3, 0.0), 2: (1.0, -0.3, 0.0)}
    cars = people | {name: (0.0, (name - 5) / 10, 1.0) for name in range(3, 9)}
    alone = [camera("left", people), camera("right", people)]
    classes = np.array([0, 0, *[2] * 6], np.int16)
    beside = [camera("left", cars, class_ids=classes), camera("right", cars, class_ids=classes)]
    expected, decisions = identify(alone, PARAMS)
    found, others = identify(beside, PARAMS)
    rows = [0, 1, 8, 9]
    assert found.identity_ids[rows].tolist() == expected.identity_ids.tolist()
    assert [others[row] for row in rows] == decisions


def test_a_name_given_by_hand_is_one_person_in_all_cameras_and_two_names_are_two() -> None:
    left, right = camera("left", {1: RED}, names={1: "Ann"}), camera("right", {1: BLUE}, names={1: "Ann"})
    found, _ = identify([left, right], PARAMS)
    assert found.identity_ids.tolist() == [1, 1]
    nameless = camera("yard", {1: BLUE})
    found, decisions = identify([left, right, nameless], PARAMS)
    assert found.names.tolist()[:2] == ["Ann", "Ann"]
    assert [row.name for row in decisions] == found.names.tolist()
    assert ids(left, camera("right", {1: RED}, names={1: "Ben"})) == [1, 2]
    assert ids(placed(left, {1: (0, walk(0, 0))}), placed(right, {1: (-22, walk(60, 0))})) == [1, 1], "though they flew"


def test_one_name_for_two_classes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    left = camera("left", {1: RED}, names={1: "Ann"})
    right = camera("right", {1: RED, 2: RED}, names={1: "Ann"}, class_ids=np.array([2, 0], np.int16))
    with pytest.raises(DataError, match="left and right: expected one class under the name 'Ann', got 0 and 2"):
        identify([left, right], PARAMS)
    monkeypatch.setattr(identify_stage, "MOST_TRACKS", 1)
    both = camera("left", {1: RED, 2: RED}, names={1: "Ann", 2: "Ann"}, class_ids=np.array([2, 0], np.int16))
    with pytest.raises(DataError, match="left and left: expected one class under the name 'Ann', got 2 and 0"):
        identify([both], PARAMS)


def test_features_of_different_networks_are_not_compared() -> None:
    left, right = camera("left", {1: RED}), camera("right", {1: RED}, model="another")
    with pytest.raises(DataError, match="expected one Re-ID model, got another, made up"):
        identify([left, right], PARAMS)


def test_no_tracks_and_no_looks_have_identities_too() -> None:
    assert ids(camera("left", {})) == []
    assert ids(camera("left", {}), camera("right", {})) == []
    table = tracklets({1: {0: box(0)}})
    blind = portray(table, embeddings_of(table, {}), {}, (), None, None, VIEWS)
    assert ids(blind, dataclasses.replace(blind, sequence="right")) == [1, 2]
    blind_too = placed(dataclasses.replace(blind, sequence="right"), {1: (0, walk(0, 0))})
    _, decisions = identify([placed(blind, {1: (0, walk(0, 0))}), blind_too], PARAMS)
    assert [(row.identity_id, row.looks_distance, row.looks_nats) for row in decisions] == [(1, None, 0), (1, None, 0)]
    unfilmed = dataclasses.replace(blind, sequence="yard", model="none", view_features=np.zeros((0, 0), np.float16))
    assert ids(camera("left", {1: RED}), camera("right", {1: RED}), unfilmed) == [1, 1, 2]


def test_more_tracks_than_can_be_compared_are_named_alone_in_one_camera_and_refused_in_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identify_stage, "MOST_TRACKS", 2)
    west = camera("west", {4: RED, 5: RED, 9: BLUE}, names={4: "Ann", 9: "Ann"})
    identities, decisions = identify([west], PARAMS)
    assert identities.identity_ids.tolist() == [1, 2, 1]
    assert [(row.tracklet_id, row.identity_id, row.name, row.margin_nats) for row in decisions] == [
        (4, 1, "Ann", None), (5, 2, "", None), (9, 1, "Ann", None)]  # fmt: skip
    with pytest.raises(DataError, match=r"galleries of west, east: expected at most 2 tracks in one camera group, got 4$"):
        identify([west, camera("east", {1: RED})], PARAMS)


def test_the_order_of_cameras_changes_numbers_alone() -> None:
    galleries = [camera("a", {1: RED, 2: BLUE}), camera("b", {1: BLUE, 2: GREEN}), camera("c", {1: GREEN, 2: RED})]
    together = []
    for order in itertools.permutations(galleries):
        found, _ = identify(list(order), PARAMS)
        key = zip(found.sequences.tolist(), found.tracklet_ids.tolist(), strict=True)
        parts: dict[int, set[Any]] = {}
        for who, identity in zip(key, found.identity_ids.tolist(), strict=True):
            parts.setdefault(identity, set()).add(who)
        together.append({frozenset(part) for part in parts.values()})
    assert together[0] == {frozenset({("a", 1), ("c", 2)}), frozenset({("a", 2), ("b", 1)}), frozenset({("b", 2), ("c", 1)})}
    assert all(parts == together[0] for parts in together)


# The partition.


def symmetric(values: Any) -> Tables:
    upper = np.triu(np.asarray(values, dtype=np.float64), 1)
    return np.asarray(upper + upper.T)


def value(log_odds: Tables, labels: Any) -> float:
    pairs = itertools.combinations(range(len(labels)), 2)
    return float(sum(log_odds[i, j] for i, j in pairs if labels[i] == labels[j]))


def neighbours(labels: list[int]) -> Iterator[list[int]]:
    """Every partition that one move of an item, one exchange of two or one union of two parts away."""
    count, new = len(labels), max(labels, default=-1) + 1
    for i in range(count):
        for part in range(new + 1):
            yield [part if n == i else label for n, label in enumerate(labels)]
    for i, j in itertools.combinations(range(count), 2):
        yield [{i: labels[j], j: labels[i]}.get(n, label) for n, label in enumerate(labels)]
        yield [labels[i] if label == labels[j] else label for label in labels]


@given(st.integers(0, 2**32 - 1), st.integers(0, 9), st.floats(0, 0.6))
@settings(max_examples=50, deadline=None)
def test_no_move_exchange_or_union_betters_a_partition(seed: int, count: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    log_odds = symmetric(rng.normal(0, 3, (count, count)))
    forbidden = symmetric(rng.random((count, count)) < share).astype(bool)
    labels = partition(log_odds, forbidden)
    assert not (forbidden & (labels[:, None] == labels[None, :])).any()
    allowed = np.where(forbidden, -1e9, log_odds)
    found = value(allowed, labels)
    assert all(value(allowed, other) <= found + 1e-6 for other in neighbours(labels.tolist()))


def test_clear_evidence_gives_the_best_partition() -> None:
    rng = np.random.default_rng(3)
    true = rng.integers(0, 12, 60)
    log_odds = symmetric(np.where(true[:, None] == true[None, :], 4, -4) + rng.normal(0, 2, (60, 60)))
    labels = partition(log_odds, np.zeros((60, 60), bool))
    assert ((labels[:, None] == labels[None, :]) == (true[:, None] == true[None, :])).all()


def test_one_to_one_is_decided_over_all_pairs_and_not_pair_by_pair() -> None:
    """Items 0, 1 of one camera and 2, 3 of another: 0-2 is the best pair, but 0-3 with 1-2 is the better whole."""
    log_odds = symmetric([[0, 0, 9, 8], [0, 0, 8, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    forbidden = symmetric([[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]).astype(bool)
    labels = partition(log_odds, forbidden)
    assert labels.tolist() == [0, 1, 1, 0]
    second, margin = standing(log_odds, forbidden, labels)
    assert second.tolist() == [-1, -1, -1, -1]
    assert margin.tolist() == [8, 8, 8, 8]


def test_who_may_not_be_anybody_else_or_has_nothing_in_common_with_them_has_nobody_in_the_second_place() -> None:
    """0 and 1 are one person; nothing is known of 2, and 3 is like 1 but was seen together with 0."""
    log_odds, forbidden = symmetric(np.zeros((4, 4))), np.zeros((4, 4), bool)
    log_odds[[0, 1, 1, 3], [1, 0, 3, 1]] = 5
    forbidden[[0, 3], [3, 0]] = True
    labels = partition(log_odds, forbidden)
    assert labels.tolist() == [0, 0, 1, 2]
    second, margins = standing(log_odds, forbidden, labels)
    assert np.isnan(margins).tolist() == [False, False, True, True]
    assert second[:2].tolist() == [-1, 2]
    assert margins[:2].tolist() == [5, 0]


def test_who_came_second_is_named_by_their_number() -> None:
    """A car and one in red are seen first, so the one in blue is 3; 4 is in orange, beside somebody in red."""
    orange = (0.8, 0.6, 0.0)
    first = camera("a", {1: GREEN, 2: RED}, class_ids=np.array([2, 0], np.int16))
    galleries = [first, camera("b", {1: RED, 2: BLUE}), camera("c", {1: RED, 2: orange})]
    found, decisions = identify(galleries, PARAMS)
    assert found.identity_ids.tolist() == [1, 2, 2, 3, 2, 4]
    car, red, _, blue, _, last = decisions
    assert (car.runner_up, red.runner_up, blue.runner_up, last.runner_up) == (None, 4, 4, 3)
    odds = gather([gallery.of_class(0) for gallery in galleries], same_camera=True).log_odds
    assert odds[0, 4] > 0 > odds[2, 4], "orange is more like red, and 4 would be, were it not for who is beside them"
    for least in (0.0, 0.2):
        rows = identify(galleries, dataclasses.replace(PARAMS, min_log_odds=least))[1]
        assert [rows[n].margin_nats for n in (3, 5)] == pytest.approx([least - odds[2, 4]] * 2)
        assert rows[1].margin_nats == pytest.approx(odds[0, 1] + odds[0, 3] - 2 * least - (odds[0, 4] - least))


def test_a_demanded_pair_is_joined_against_all_evidence() -> None:
    against = symmetric([[0, -50, 3], [0, 0, -2], [0, 0, 0]])
    none = np.zeros((3, 3), bool)
    assert partition(against, none).tolist() == [0, 1, 0]
    assert partition(against, none, [(0, 1)]).tolist() == [0, 0, 0]  # 2 gains 3 with 0 and loses 2 with 1


# Looks.


def test_log_odds_are_those_of_two_normal_distributions() -> None:
    """Means 0.2 and 0.4, spread 0.1: at 0.3 even odds; at 0.25, ((0.15)^2 - (0.05)^2) / (2 * 0.01) = 1 nat."""
    known = Calibration(0.2, 0.4, 0.1)
    assert known.log_odds(np.array([0.3, 0.25, 0.35])) == pytest.approx([0, 1, -1])
    far = SURE_NATS + np.log1p(20 * 9.3 - SURE_NATS)  # 20 nats for each 1 that the distance is from the middle
    assert known.log_odds(np.array([-9.0, 9.6])) == pytest.approx([far, -far])


def test_among_a_thousand_people_whoever_looks_like_nobody_else_is_known() -> None:
    """By chance two are one with odds of a thousand to one against; no two of these look alike."""
    looks = np.random.default_rng(8).normal(0, 1, (1000, 64))
    galleries = [crowded(f"hall {n}", looks + np.random.default_rng(n).normal(0, 0.1, looks.shape)) for n in (1, 2)]
    found = identify(galleries, dataclasses.replace(PARAMS, min_log_odds=1.4))[0].identity_ids
    assert found[:1000].tolist() == found[1000:].tolist()


def test_distances_of_certain_pairs_teach_the_calibration_and_few_of_them_little() -> None:
    rng = np.random.default_rng(5)
    same, different, none = rng.normal(0.2, 0.05, 500), rng.normal(0.6, 0.05, 500), np.zeros(0)
    learnt = calibrate(same, different, none, none, WITHIN)
    assert (learnt.same, learnt.different, learnt.spread) == pytest.approx((0.2, 0.6, 0.05), abs=0.01)
    assert calibrate(none, none, none, none, WITHIN) == WITHIN
    one = calibrate(np.array([0.35]), none, none, none, WITHIN)
    assert one.same == pytest.approx((4 * 0.1 + 0.35) / 5)
    variance = (4 * (WITHIN.spread**2 + 0.05**2) + 0.2**2) / 5  # about 0.15
    assert one.spread == pytest.approx(np.sqrt((variance + WITHIN.spread**2) / 2))
    assert calibrate(np.full(999, 0.1), np.full(999, 0.4), none, none, WITHIN).spread == MIN_SPREAD
    odd = calibrate(np.full(999, 0.9), np.full(999, 0.2), none, none, WITHIN)
    assert odd.same == odd.different == pytest.approx(0.2, abs=0.01)


def facing(*angles: float) -> list[tuple[float, float]]:
    return [(np.cos(angle), np.sin(angle)) for angle in angles]


def test_each_kind_of_pair_teaches_what_it_is_known_to_be() -> None:
    """1 and 2 of the left camera are two people, 1 of both is one, 2 of the left and 1 of the right are two; angles by hand."""
    left = camera("left", {1: facing(0.0, 0.2, 0.4, 0.6), 2: facing(0.9, 0.9, 0.9, 0.9)}, range(4))
    right = camera("right", {1: facing(0.5, 0.5, 0.5), 2: facing(1.2, 1.2, 1.2)}, range(3))  # too short for halves
    same, different, none = np.zeros((4, 4), bool), np.zeros((4, 4), bool), np.zeros(0)
    same[[0, 2], [2, 0]] = different[[0, 1], [1, 0]] = different[[1, 2], [2, 1]] = True
    found = compare_looks([left, right], same, different, np.full((4, 4), -1.0))
    far = 1 - np.cos(np.array([0.4, 0, 0.6, 0.2, 0.4, 0.9, 0.3]))
    within = calibrate(far[:2], far[2:3], none, none, WITHIN)
    across = calibrate(far[3:4], far[4:5], far[5:], np.full(2, -1.0), expected_across(within))
    assert found.log_odds[0, 1] == pytest.approx(within.log_odds(far[2:3])[0], abs=0.05)
    assert found.log_odds[0, 2] == pytest.approx(across.log_odds(far[3:4])[0], abs=0.05)


def test_who_is_where_another_is_teaches_what_one_person_looks_like_and_who_cannot_be_what_two_do() -> None:
    """1 of both cameras are at one place and choose each other; 3 of the right one is 20 m off, 4 too soon too far away."""
    left = camera("left", {1: facing(0.0) * 5, 2: facing(0.2) * 5})
    right = camera("right", {1: facing(0.4) * 5, 2: facing(0.8) * 5, 3: facing(1.2) * 5, 4: facing(1.4) * 5})
    ways = {1: walk(0, 0), 2: walk(0.5, 0), 3: walk(20, 0)}
    galleries = [
        placed(left, {1: (0, walk(0, 0)), 2: (0, walk(0, 0.3))}),
        placed(right, {track: (0, way) for track, way in ways.items()} | {4: (60, walk(200, 0))}),
    ]
    evidence = gather(galleries, same_camera=True)
    assert (evidence.places.log_odds[:2, 2:4] > 6).all()
    assert (evidence.places.log_odds[:2, 5] == 0).all()
    same, different = np.zeros((6, 6), bool), np.zeros((6, 6), bool)
    same[[0, 2], [2, 0]] = True
    different[:2, :2] = different[2:, 2:] = different[:2, 4:] = different[4:, :2] = True
    expected = compare_looks(galleries, same, different, np.full((6, 6), -np.log(4)))
    np.testing.assert_array_equal(evidence.looks.log_odds, expected.log_odds)


def test_without_any_certain_pair_the_mixture_is_found() -> None:
    """30 friends at 0.3 among 870 strangers at 0.7: one in thirty."""
    rng, across = np.random.default_rng(6), expected_across(WITHIN)
    assert across.same == pytest.approx(0.1 + 0.3 / 4)
    distances = np.concatenate([rng.normal(0.3, 0.05, 30), rng.normal(0.7, 0.05, 870)])
    learnt = calibrate(np.zeros(0), np.zeros(0), distances, np.full(900, -np.log(30)), across)
    assert (learnt.same, learnt.different) == pytest.approx((0.3, 0.7), abs=0.03)
    only_strangers = calibrate(np.zeros(0), np.zeros(0), distances[30:], np.full(870, -np.log(30)), across)
    assert (only_strangers.log_odds(distances[30:]) - np.log(30) > 0).mean() < 0.01


# Whereabouts.


def test_a_moment_counts_for_one_person_where_places_agree() -> None:
    """At no distance with an error of 0.3 m, on 200 m2: t's peak 1 / (2 pi 0.09) against 0.95 / 200 and 0.05 / (2 pi)."""
    expected = np.log(1 / (2 * np.pi * 0.09)) - np.log(0.95 / 200 + 0.05 / (2 * np.pi))
    assert moment_log_odds(np.array(0.0), 0.3, 200.0) == pytest.approx(expected)
    falling = moment_log_odds(np.linspace(0, 8, 50), 0.3, 200.0)
    assert (np.diff(falling) < 0).all()
    assert falling[-1] < -5


def test_places_are_compared_at_shared_moments_between_cameras_alone() -> None:
    """Track 0 and 1 of camera 0, 2 of camera 1: 2 walks where 0 does, for the last 10 of its 20 moments."""
    tracks = np.repeat([0, 1, 2], 20)
    moments = np.concatenate([np.arange(20), np.arange(20), np.arange(10, 30)])
    places = np.concatenate([walk(0, 0, 20, 0.3), walk(0, 3, 20, 0.3), walk(3.0, 0.3, 20, 0.3)])
    found = compare_places(tracks, moments, np.array(places), np.array([0, 0, 1]))
    assert found.seconds.tolist() == [[0, 0, 2], [0, 0, 2], [2, 2, 0]]
    assert found.distance_m[0, 2] == pytest.approx(0.3)
    assert found.distance_m[1, 2] == pytest.approx(2.7)
    assert np.isnan(found.distance_m[0, 1])
    assert found.log_odds[0, 2] > 3
    assert found.log_odds[1, 2] < -3
    assert found.log_odds[0, 1] == 0
    assert (found.log_odds == found.log_odds.T).all()
    assert not found.impossible.any()
    assert found.error_m == pytest.approx((0.3 / 1.177 + 3 * 0.3) / 4), "0 and 2 choose each other, and 1 is chosen by nobody"


def test_places_of_a_minute_say_no_more_than_those_of_four_seconds() -> None:
    def both(steps: int) -> Any:
        places = np.array(walk(0, 0, steps) + walk(0.3, 0, steps))
        return compare_places(np.repeat([0, 1], steps), np.tile(np.arange(steps), 2), places, np.array([0, 1])).log_odds[0, 1]

    assert both(300) == pytest.approx(both(20)) == pytest.approx(2 * both(10))


def test_how_far_places_differ_and_people_are_spread_is_learnt_within_reason() -> None:
    """Eight people, placed at the same points by both cameras, or 90 m apart; and one who walks all over 10 m."""
    tracks, cameras = np.arange(16), np.repeat([0, 1], 8)
    for far, expected in ((0.0, 0.1), (90.0, 1.0)):
        places = np.array([(200.0 * n, y) for y in (0.0, far) for n in range(8)])
        found = compare_places(tracks, np.zeros(16, np.int64), places, cameras)
        assert found.error_m == expected
        assert found.distance_m[0, 8] == min(far, 10)
    grid = np.array([(x, y) for x in np.linspace(0, 10, 21) for y in np.linspace(0, 10, 21)])
    assert compare_places(np.zeros(441, np.int64), np.arange(441), grid, np.array([0])).area_m2 == pytest.approx(100)


def test_who_goes_on_where_another_ended_is_likely_the_same() -> None:
    tracks, places = np.array([0, 1, 2]), np.array([(0, 0), (1, 0), (30.0, 0)])
    found = compare_places(tracks, np.array([0, 5, 10]), places, np.array([0, 1, 1]))
    apart, error = np.array(1.0), np.hypot(0.3, 1.0)  # a metre in a second
    assert found.log_odds[0, 1] == pytest.approx(float(moment_log_odds(apart, error, found.area_m2)))
    assert found.log_odds[0, 1] > 1
    assert found.impossible.tolist() == [[False, False, True], [False, False, True], [True, True, False]]
    later = compare_places(tracks, np.array([0, 50, 300]), places, np.array([0, 1, 1]))
    assert later.log_odds[0, 1] == 0  # ten seconds after
    assert not later.impossible.any()
    running = compare_places(np.array([0, 1]), np.array([0, 5]), np.array([(0, 0), (5.0, 0)]), np.array([0, 1]))
    assert not running.impossible.any()  # four metres, and one and a half that places may be off


# Portray.


def test_places_are_the_feet_on_the_ground_at_moments_of_the_groups_clock() -> None:
    """10 frames/s from 100.05 s on; 0.01 m a pixel; toes at (100 + 10 f, 200), feet 3 px above: 100.2 s is 1.5 frames later."""
    table = tracklets({3: {f: box(80 + 10 * f) for f in range(8)}}, 20)
    made = portray(
        table, embeddings_of(table, {}), {3: "Ann"}, (), np.diag([0.01, 0.01, 1.0]), 100.05 + np.arange(20) / 10, VIEWS
    )
    assert made.place_moments.tolist() == [501, 502, 503]
    assert made.places.tolist() == [pytest.approx((x, 1.97)) for x in (1.15, 1.35, 1.55)]
    assert (made.tracklet_ids.tolist(), made.names.tolist(), len(made.view_features)) == ([3], ["Ann"], 0)
    assert made.coexisting.shape == (0, 2)


def test_nobody_is_placed_in_long_gaps_at_the_lower_border_or_with_an_unknown_clock() -> None:
    table = tracklets({1: {0: box(0), 1: box(0), 8: box(0)}, 2: {0: box(0, y=379), 1: box(0, y=379)}}, 20)
    ground, times = np.diag([0.01, 0.01, 1.0]), np.arange(20) / 5
    made = portray(table, embeddings_of(table, {}), {}, (), ground, times, VIEWS)
    assert made.place_tracklet_ids.tolist() == [1, 1, 1]
    assert made.place_moments.tolist() == [0, 1, 8]
    assert made.coexisting.tolist() == [[1, 2]]
    assert portray(table, embeddings_of(table, {}), {}, [(1, 2)], ground, times, VIEWS).coexisting.tolist() == [[1, 2]]
    for camera_, clock in ((None, times), (ground, None)):
        assert len(portray(table, embeddings_of(table, {}), {}, (), camera_, clock, VIEWS).places) == 0


def test_nobody_is_placed_above_the_horizon() -> None:
    """It is at y = 100 px; in frames 3 and 4 the box ends at 90. Between frames 2 and 5 at 10 frames/s are moments 2 and 3."""
    table = tracklets({1: {f: box(0, y=-10 if f in (3, 4) else 100) for f in range(8)}}, 20)
    ground = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, -100.0]])
    made = portray(table, embeddings_of(table, {}), {}, (), ground, np.arange(20) / 10, VIEWS)
    assert made.place_moments.tolist() == [0, 1, 2, 3]
    assert made.places[:, 1] == pytest.approx(197 / 97)


@pytest.mark.parametrize(("offset", "first"), [(0.0, 15), (-2.4, 3), (None, None)])
def test_the_stage_counts_time_from_the_clips_first_frame_and_the_clocks_offset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: float | None, first: int | None
) -> None:
    """10 frames/s, from source frame 30 each second one: the clip's first frame is at 3.0 s, a moment every 0.2 s."""
    monkeypatch.chdir(tmp_path)
    table = tracklets({1: {f: box(0) for f in range(4)}}, 4, fps=5.0)
    table.save(Path("tracks.npz"))
    embeddings_of(table, {}).save(Path("embeddings.npz"))
    Path("corrections.csv").write_text(f"{HEADER}rename,2,0,100,40,200,,,,,,Ann\n")
    Path("camera.json").write_text('{"image_to_ground": [[0.01, 0, 0], [0, 0.01, 0], [0, 0, 1]]}')
    Path("seqinfo.ini").write_text(format_seqinfo(SequenceInfo("hall", 640, 480, 10.0, 38, variable_rate=False)))
    clip = {"start_frame": 30, "end_frame": None, "frame_stride": 2}
    settings = {"clip": clip, "clock_offset_s": offset}
    Path("params.yaml").write_text(json.dumps({"portray": {"views": 4}, "sequences": {"hall": settings}}))
    detected(table).save(Path("detections.npz"))
    run_stage(portray_stage, monkeypatch, tracks="tracks.npz", detections="detections.npz", embeddings="embeddings.npz",
              corrections="corrections.csv", camera="camera.json", seqinfo="seqinfo.ini",
              gallery="galleries/hall.npz")  # fmt: skip
    made = Gallery.load(Path("galleries/hall.npz"))
    assert made.names.tolist() == ["Ann"]
    assert made.place_moments.tolist() == ([] if first is None else [first, first + 1, first + 2, first + 3])


def test_the_stage_tells_apart_whom_rows_tell_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three one after the other: 1 and 2 are different, and between 2 and 3 somebody cut; smoothing moved their boxes."""
    monkeypatch.chdir(tmp_path)
    table = tracklets({k: {f: box(200 * k) for f in range(10 * k, 10 * k + 5)} for k in (1, 2, 3)}, 40)
    with_bboxes(table, table.bboxes + np.array([30, 0, 30, 0])).save(Path("tracks.npz"))
    detected(table).save(Path("detections.npz"))
    embeddings_of(table, {}).save(Path("embeddings.npz"))
    Path("camera.json").write_text('{"image_to_ground": null}')
    Path("seqinfo.ini").write_text(format_seqinfo(SequenceInfo("hall", 640, 480, 10.0, 40, variable_rate=False)))
    settings = {"clip": {"start_frame": 0, "end_frame": None, "frame_stride": 1}, "clock_offset_s": None}
    Path("params.yaml").write_text(json.dumps({"portray": {"views": 4}, "sequences": {"hall": settings}}))
    Path("corrections.csv").write_text(HEADER)
    rows = [
        Correction("different", Place(11, box(200)), Place(23, box(400))),
        Correction("cut", Place(24, box(400)), Place(30, box(600))),
    ]
    told = []
    for row in (None, *rows):
        if row:
            append_row(Path("corrections.csv"), row)
        run_stage(portray_stage, monkeypatch, tracks="tracks.npz", detections="detections.npz", embeddings="embeddings.npz",
                  corrections="corrections.csv", camera="camera.json", seqinfo="seqinfo.ini",
                  gallery="galleries/hall.npz")  # fmt: skip
        told.append(Gallery.load(Path("galleries/hall.npz")).coexisting.tolist())
    assert told == [[], [[1, 2]], [[1, 2], [2, 3]]]


def test_each_sequence_keeps_its_own_rows_of_the_groups_identities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, looks in {"left": {1: RED, 2: BLUE}, "hall": {1: GREEN, 2: BLUE}}.items():
        camera(name, looks).save(Path(f"galleries/{name}.npz"))
    Path("params.yaml").write_text(json.dumps({"identify": dataclasses.asdict(PARAMS)}))
    run_stage(identify_stage, monkeypatch, galleries="galleries", identities="identities.npz", decisions="identities.csv")
    mine = Identities.load(Path("identities.npz"))
    assert (mine.sequences.tolist(), mine.identity_ids.tolist()) == (["hall", "hall"], [1, 2])
    with open("identities.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["tracklet_id"], row["identity_id"], row["other_sequence"]) for row in rows] == [
        ("1", "1", ""),
        ("2", "2", "left"),
    ]


def run_stage(stage: Any, monkeypatch: pytest.MonkeyPatch, **options: str) -> None:
    """The stage's command for the sequence `hall` in the current folder."""
    options |= {"sequence": "hall", "pins": str(ROOT / "constraints/numerics.txt"), "timings": "timings.json"}
    monkeypatch.setattr(sys, "argv", ["stage", *(part for name, value in options.items() for part in (f"--{name}", value))])
    stage.main()


def test_views_are_spread_over_a_track() -> None:
    table = tracklets({1: {f: box(0) for f in range(16)}})
    shades = [(1.0, 0.1 * f) for f in range(16)]
    made = portray(table, embeddings_of(table, {1: shades}), {}, (), None, None, VIEWS)
    slopes = made.view_features[:, 1].astype(float) / made.view_features[:, 0]
    assert slopes == pytest.approx([0.0, 0.4, 0.8, 1.2], abs=2e-3)


def test_the_audit_has_a_row_a_track_with_its_reasons() -> None:
    names = [field.name for field in dataclasses.fields(Decision)]
    assert names[:3] == ["tracklet_id", "identity_id", "name"]
    _, rows = identify([camera("left", {1: RED}), camera("right", {1: RED})], PARAMS)
    assert [(row.tracklet_id, row.identity_id, row.other_sequence) for row in rows] == [(1, 1, "right"), (1, 1, "left")]
