"""Correlation clustering under exclusions, beside all partitions there are."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.association.greedy_partition import greedy_partition, triangle_bound
from stages.association.partition import partition
from stages.errors import DataError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def rows(pairs: list[tuple[int, int]]) -> Ints:
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def all_partitions(count: int, labels: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    if len(labels) == count:
        yield labels
        return
    for label in range(max(labels, default=-1) + 2):
        yield from all_partitions(count, (*labels, label))


def value(labels: Ints, pairs: Ints, odds: Array) -> float:
    return float(odds[labels[pairs[:, 0]] == labels[pairs[:, 1]]].sum())


def allowed(labels: Ints, apart: Ints, together: Ints) -> bool:
    return not (labels[apart[:, 0]] == labels[apart[:, 1]]).any() and bool(
        (labels[together[:, 0]] == labels[together[:, 1]]).all()
    )


problems = st.integers(1, 6).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "count": st.just(n),
            "odds": st.lists(st.integers(-8, 8), min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2),
            "kind": st.lists(
                st.sampled_from(["known"] * 6 + ["unknown", "apart", "together"]),
                min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2,
            ),
        }
    )
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(problems)
def test_no_partition_is_better_and_none_is_above_the_bound(problem: dict[str, list[int] | list[str] | int]) -> None:
    count, kind = int(problem["count"]), np.array(problem["kind"], dtype=object)  # type: ignore[arg-type]
    pairs = np.stack(np.triu_indices(count, 1), axis=1)
    odds = np.array(problem["odds"], dtype=np.float64) / 2
    known, apart, together = pairs[kind != "unknown"], pairs[kind == "apart"], pairs[kind == "together"]
    odds = odds[kind != "unknown"]
    possible = [np.array(labels, dtype=np.int64) for labels in all_partitions(count)]
    possible = [labels for labels in possible if allowed(labels, apart, together)]
    if not possible:
        with pytest.raises(DataError, match="expected one cluster or two, got pairs that ask for both"):
            partition(count, known, odds, apart, together)
        return
    found = partition(count, known, odds, apart, together)
    assert allowed(found.labels, apart, together)
    assert found.value == pytest.approx(value(found.labels, known, odds))
    assert found.value == pytest.approx(max(value(labels, known, odds) for labels in possible))
    assert found.bound == pytest.approx(found.value)
    assert (found.labels[found.labels] == found.labels).all()
    assert (found.labels <= np.arange(count)).all()


def test_three_of_which_two_are_forbidden() -> None:
    """0-1 is worth 3, 1-2 is worth 4, 0 and 2 were seen together: the better of the two, and 4 is the most there can be."""
    found = partition(3, rows([(0, 1), (1, 2)]), np.array([3.0, 4.0]), rows([(0, 2)]))
    assert found.labels.tolist() == [0, 1, 1]
    assert (found.value, found.bound) == (4.0, 4.0)


def test_pairs_that_say_no_outvote_one_that_says_yes() -> None:
    pairs = rows([(0, 1), (1, 2), (0, 2)])
    assert partition(3, pairs, np.array([2.0, 2.0, -1.5])).labels.tolist() == [0, 0, 0]
    assert partition(3, pairs, np.array([2.0, 2.5, -5.0])).labels.tolist() == [0, 1, 1]


def test_who_must_be_together_is_whatever_it_costs_and_brings_their_pairs() -> None:
    found = partition(3, rows([(0, 1), (1, 2)]), np.array([-9.0, 1.0]), together=rows([(0, 1)]))
    assert found.labels.tolist() == [0, 0, 0]
    assert found.value == -8.0


def test_a_large_component_is_within_its_bound() -> None:
    rng = np.random.default_rng(5)
    pairs = np.stack(np.triu_indices(60, 1), axis=1)
    odds = rng.normal(-1, 2, len(pairs))
    apart = pairs[rng.random(len(pairs)) < 0.2]
    found = partition(60, pairs, odds, apart)
    assert 0 < found.value <= found.bound < odds[odds > 0].sum()
    again = partition(60, pairs, odds, apart)
    assert again.labels.tolist() == found.labels.tolist()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_greedy_and_bound_enclose_the_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.stack(np.triu_indices(6, 1), axis=1)
    odds, forbidden = rng.normal(0, 2, len(pairs)), rng.random(len(pairs)) < 0.2
    known, apart = pairs[~forbidden], pairs[forbidden]
    best = partition(6, known, odds[~forbidden], apart).value
    labels = greedy_partition(6, known, odds[~forbidden], apart)
    assert allowed(labels, apart, rows([]))
    assert value(labels, known, odds[~forbidden]) <= best + 1e-9
    assert best <= triangle_bound(6, known, odds[~forbidden], apart) + 1e-9


def test_wholes_are_joined_as_wholes_and_who_is_better_off_elsewhere_moves() -> None:
    """Four who hold together with 5 nats a pair and two who do are one by eight pairs of half a nat, and two by less."""
    inside = [(2, 3), (2, 4), (2, 5), (3, 4), (3, 5), (4, 5), (0, 1)]
    across = [(a, b) for a in (0, 1) for b in (2, 3, 4, 5)]
    for nats, expected in ((0.5, [0, 0, 0, 0, 0, 0]), (-0.5, [0, 0, 2, 2, 2, 2])):
        odds = np.array([5.0] * len(inside) + [nats] * len(across))
        assert greedy_partition(6, rows(inside + across), odds, rows([])).tolist() == expected
    # 0 and 1 are joined first, which 1 leaves for 2 and 3 together; 5 stays with 4, though 6 likes them, too
    pairs = rows([(0, 1), (1, 2), (1, 3), (2, 3), (0, 2), (0, 3), (4, 5), (5, 6), (4, 6)])
    odds = np.array([5, 4, 4, 3, -4.5, -4.5, 5, 1, -3])
    assert greedy_partition(7, pairs, odds, rows([])).tolist() == [0, 1, 1, 1, 4, 4, 6]


def test_those_who_are_asked_for_together_and_apart_are_named() -> None:
    with pytest.raises(DataError, match="items 0 and 2: expected one cluster or two, got pairs that ask for both"):
        partition(3, rows([]), np.zeros(0), rows([(0, 2)]), rows([(0, 1), (1, 2)]))


def test_nothing_to_cluster_is_normal() -> None:
    assert partition(0, rows([]), np.zeros(0)).labels.tolist() == []
    assert partition(3, rows([]), np.zeros(0)).labels.tolist() == [0, 1, 2]
