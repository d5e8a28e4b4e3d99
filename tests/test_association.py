"""Linking and identify: who is one person in two cameras."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.association.linking import _link_component, link
from stages.errors import DataError
from stages.identify import IdentifyParams, identify
from stages.merge import gallery
from tests.tables import box, embeddings_of, tracklets

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def standing(frames: Any, x: float = 100, height: float = 100) -> dict[int, Any]:
    return {frame: box(x, 100, 40, height) for frame in frames}


costs = st.integers(2, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.4, np.nan]), min_size=n, max_size=n), min_size=n, max_size=n),
        st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n),
    )
)


@settings(max_examples=200, deadline=None)
@given(costs)
def test_linking_never_joins_the_forbidden_nor_exceeds_the_gate(tables: Any) -> None:
    cost, apart = (np.triu(np.array(table), 1) for table in tables)
    cost, apart = cost + cost.T, (apart + apart.T).astype(bool)
    labels, joins = link(cost, apart, 0.25)
    same = labels[:, None] == labels[None, :]
    assert not (same & apart).any()
    assert len(joins) == len(cost) - len(np.unique(labels))
    assert all(join.cost <= 0.25 and join.cost <= join.runner_up + 1e-12 for join in joins)
    assert (labels <= np.arange(len(labels))).all()


def test_linking_averages_known_pairs_by_hand() -> None:
    """0-1 join at 0.1. Then 2 is at (0.2 + 0.4) / 2 = 0.3 from both: over the gate of 0.25. 3 knows 0 alone: 0.2."""
    unknown = np.nan
    cost = np.array([[0, 0.1, 0.2, 0.2], [0.1, 0, 0.4, unknown], [0.2, 0.4, 0, 0.9], [0.2, unknown, 0.9, 0]])
    labels, joins = link(cost, np.zeros((4, 4), bool), 0.25)
    assert labels.tolist() == [0, 0, 2, 0]
    assert [(join.first, join.second) for join in joins] == [(0, 1), (0, 3)]
    assert [join.cost for join in joins] == pytest.approx([0.1, 0.2])


def camera(name: str, colours: dict[int, Any]) -> Any:
    table = tracklets({track: standing(range(5), x=60 * track) for track in colours}, sequence=name)
    return gallery(table, embeddings_of(table, colours), 4)


def test_the_same_person_in_two_cameras_of_a_group_is_one_identity() -> None:
    left, right = camera("left", {1: RED, 2: BLUE}), camera("right", {1: BLUE, 2: (0, 0, 1.0)})
    found = identify([left, right], IdentifyParams(0.3))
    assert found.sequences.tolist() == ["left", "left", "right", "right"]
    assert found.identity_ids.tolist() == [1, 2, 2, 3]
    assert found.distances.tolist() == pytest.approx([0, 0, 0, 0], abs=1e-3)


def test_a_camera_on_its_own_keeps_its_numbers() -> None:
    assert identify([camera("left", {1: RED, 2: RED, 3: BLUE})], IdentifyParams(0.3)).identity_ids.tolist() == [1, 2, 3]


def test_features_of_different_networks_are_not_compared() -> None:
    left, right = camera("left", {1: RED}), camera("right", {1: RED})
    other = dataclasses.replace(right, model="another")
    with pytest.raises(DataError, match="expected one Re-ID model, got another, made up"):
        identify([left, other], IdentifyParams(0.3))


def test_linking_is_the_same_in_components_as_all_at_once() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        cost = np.triu(np.where(rng.random((12, 12)) < 0.2, np.nan, rng.random((12, 12))), 1)
        cost = cost + cost.T
        apart = np.triu(rng.random((12, 12)) < 0.2, 1)
        apart = apart | apart.T
        labels, joins = link(cost, apart, 0.25)
        whole, all_joins = _link_component(cost, apart, 0.25)
        assert labels.tolist() == whole.tolist()
        assert sorted(join.cost for join in joins) == sorted(join.cost for join in all_joins)


def test_two_tracks_of_one_camera_are_never_one_identity() -> None:
    left, right = camera("left", {1: RED, 2: RED}), camera("right", {1: RED})
    ids = identify([left, right], IdentifyParams(0.3)).identity_ids.tolist()
    assert ids[0] != ids[1]
    assert ids[2] in ids[:2]


def test_no_tracks_and_no_looks_have_identities_too() -> None:
    assert len(identify([camera("left", {})], IdentifyParams(0.3)).identity_ids) == 0
    blind = without_looks("left")
    assert identify([blind, without_looks("right")], IdentifyParams(0.3)).identity_ids.tolist() == [1, 2]


def without_looks(name: str) -> Any:
    table = tracklets({1: standing(range(5))}, sequence=name)
    return gallery(table, embeddings_of(table, {}), 4)
