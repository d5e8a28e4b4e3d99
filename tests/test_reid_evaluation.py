"""Evaluation of Re-ID: hand-computed ranks, torchreid's own evaluation as an oracle, and what is left out."""

import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.reid import ranking
from training.reid.crops import Crops
from training.reid.distances import spreads
from training.reid.features import unit
from training.reid.ranked_lists import RIGHT, WRONG, draw_ranked_lists, nearest
from training.reid.ranking import Scores, blocks, distances, rank_all, right_ranks, summarize

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torchreid misses a compiled extension for its evaluation
    from torchreid.reid.metrics.rank import evaluate_rank


def crops(identities: list[int], cameras: list[int], sequences: list[int] | None = None) -> Crops:
    paths = tuple(Path(f"{k}.jpg") for k in range(len(identities)))
    return Crops(paths, np.array(identities), np.array(cameras), np.array(sequences or [1] * len(identities)))


def ranks(apart: list[float], query: tuple[int, int], gallery: list[tuple[int, int]]) -> list[int]:
    """Ranks of the right crops for one query; people and cameras as (identity, camera)."""
    asked = crops([query[0]], [query[1]])
    (found,) = right_ranks(np.array([apart]), asked, crops(*(list(column) for column in zip(*gallery, strict=True))))
    return [int(rank) for rank in found]


def test_right_crops_are_ranked_by_distance() -> None:
    # sorted: 0.1 other, 0.2 right, 0.3 other, 0.4 right
    assert ranks([0.4, 0.1, 0.2, 0.3], (7, 1), [(7, 2), (8, 2), (7, 3), (9, 1)]) == [2, 4]


def test_the_same_person_in_the_same_camera_is_left_out() -> None:
    # the nearest is the query's own camera's picture; without it the order is right, other
    assert ranks([0.0, 0.3, 0.2], (7, 1), [(7, 1), (8, 1), (7, 2)]) == [1]


def test_other_people_in_the_same_camera_stay() -> None:
    assert ranks([0.1, 0.2], (7, 1), [(8, 1), (7, 2)]) == [2]


def test_junk_is_left_out_and_distractors_are_wrong() -> None:
    # junk (-1) at 0.1 does not count, the distractor (0) at 0.2 does
    assert ranks([0.1, 0.2, 0.3], (7, 1), [(-1, 2), (0, 2), (7, 2)]) == [2]


def test_ties_are_ordered_by_the_row_of_the_gallery() -> None:
    # all equally far: rows 0 and 2 are other people, rows 1 and 3 are right
    assert ranks([0.5, 0.5, 0.5, 0.5], (7, 1), [(8, 2), (7, 2), (9, 2), (7, 3)]) == [2, 4]
    # row 0 is left out, so that row 1 comes first, and row 3 after row 2
    assert ranks([0.5, 0.5, 0.5, 0.5], (7, 1), [(7, 1), (7, 2), (9, 2), (7, 3)]) == [1, 3]
    # nearer than the tie: row 2
    assert ranks([0.5, 0.5, 0.4, 0.5], (7, 1), [(7, 2), (8, 2), (9, 2), (7, 3)]) == [2, 4]


def test_figures_of_two_queries_by_hand() -> None:
    # Ranks 1 and 4: AP = (1/1 + 2/4) / 2 = 0.75, INP = 2 / 4. Rank 6: AP = 1/6, INP = 1/6. The third has nobody to find.
    scores = summarize([np.array([1, 4]), np.array([6]), np.array([], dtype=np.int64)])
    assert (scores.rank1, scores.rank5, scores.rank10, scores.queries) == (0.5, 0.5, 1.0, 2)
    assert scores.mean_average_precision == pytest.approx((0.75 + 1 / 6) / 2)
    assert scores.mean_inverse_negative_penalty == pytest.approx((0.5 + 1 / 6) / 2)


def test_nobody_to_find_gives_no_score() -> None:
    assert summarize([]) == Scores(0, 0, 0, 0, 0, 0)
    assert ranks([0.1], (7, 1), [(8, 2)]) == []


@st.composite
def rankings(draw: Any) -> tuple[NDArray[np.float32], Crops, Crops]:
    """Distances without ties among some people and cameras; each query has somebody to find."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    people, cameras = draw(st.integers(1, 6)), draw(st.integers(2, 4))
    queries, gallery = draw(st.integers(1, 8)), draw(st.integers(12, 60))
    query = crops(rng.integers(1, people + 1, queries).tolist(), rng.integers(1, cameras, queries).tolist())
    found = crops(
        [*range(1, people + 1), *rng.integers(0, people + 3, gallery).tolist()],
        [*[cameras] * people, *rng.integers(1, cameras + 1, gallery).tolist()],
    )
    apart = rng.permutation(queries * len(found)).reshape(queries, -1) / (queries * len(found))
    return apart.astype(np.float32), query, found


@settings(max_examples=150, deadline=None)
@given(rankings())
def test_equal_to_torchreid_without_ties(case: tuple[NDArray[np.float32], Crops, Crops]) -> None:
    apart, query, gallery = case
    kept = min(len(gallery) - np.count_nonzero(_left_out(query, gallery, row)) for row in range(len(query)))
    cmc, mean_precision = evaluate_rank(
        apart,
        query.identity_ids,
        gallery.identity_ids,
        query.camera_ids,
        gallery.camera_ids,
        max_rank=int(kept),
        use_cython=False,
    )
    scores = summarize(right_ranks(apart, query, gallery))
    assert scores.mean_average_precision == pytest.approx(mean_precision, abs=1e-6)
    for value, rank in ((scores.rank1, 1), (scores.rank5, 5), (scores.rank10, 10)):
        if rank <= kept:
            assert value == pytest.approx(cmc[rank - 1], abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(rankings(), st.integers(1, 5))
def test_equal_to_a_stable_sort_with_ties(case: tuple[NDArray[np.float32], Crops, Crops], levels: int) -> None:
    apart, query, gallery = case
    tied = np.floor(apart * levels)
    for row, found in enumerate(right_ranks(tied, query, gallery)):
        kept = np.flatnonzero(~_left_out(query, gallery, row) & (gallery.identity_ids != -1))
        order = kept[np.argsort(tied[row, kept], kind="stable")]
        assert found.tolist() == (np.flatnonzero(gallery.identity_ids[order] == query.identity_ids[row]) + 1).tolist()


def _left_out(query: Crops, gallery: Crops, row: int) -> NDArray[np.bool_]:
    return np.asarray((gallery.identity_ids == query.identity_ids[row]) & (gallery.camera_ids == query.camera_ids[row]))


def test_blocks_of_queries_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    query, gallery = (crops(rng.integers(1, 9, size).tolist(), rng.integers(1, 4, size).tolist()) for size in (23, 40))
    features = unit(rng.standard_normal((23, 16))), unit(rng.standard_normal((40, 16)))
    whole = rank_all(*features, query, gallery)
    monkeypatch.setattr(ranking, "BLOCK_VALUES", 100)
    assert [len(range(*block.indices(23))) for block in blocks(23, 40)] == [2] * 11 + [1]
    assert [found.tolist() for found in rank_all(*features, query, gallery)] == [found.tolist() for found in whole]


def test_distances_are_cosine() -> None:
    features = unit(np.array([[1.0, 0], [0, 2], [-3, 0]]))
    assert distances(features[:1], features).tolist() == [[0, 1, 2]]


def test_a_network_that_diverged_is_refused() -> None:
    with pytest.raises(ValueError, match="did the training diverge"):
        unit(np.array([[1.0, np.nan]]))
    with pytest.raises(ValueError, match="did the training diverge"):
        unit(np.zeros((1, 4)))


def test_spreads_tell_pairs_of_one_person_from_others() -> None:
    # query: person 1 in camera 1, sequence 1. Gallery: the same person elsewhere, the same camera (left out), another person of
    # the sequence, another of another sequence, junk (left out).
    query, gallery = crops([1], [1], [1]), crops([1, 1, 2, 3, -1], [2, 1, 2, 2, 2], [1, 1, 1, 2, 1])
    asked = unit(np.array([[1.0, 0]]))
    there = unit(np.array([[1.0, 0], [0, 1], [0, 1], [-1, 0], [1, 0]]))
    found = spreads(asked, there, query, gallery)
    assert {kind: spread.mean for kind, spread in found.items()} == pytest.approx(
        {"same_person": 0, "same_sequence": 1, "other_sequence": 2}, abs=0.002
    )


def test_ranked_lists_show_right_and_wrong(tmp_path: Path) -> None:
    names = []
    for k in range(4):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((20, 10, 3), 200, dtype=np.uint8))
        names.append(tmp_path / f"{k}.png")
    query = Crops((names[0],), np.array([1]), np.array([1]), np.array([1]))
    gallery = Crops((*names[1:], names[0]), np.array([2, 1, 1, -1]), np.array([1, 2, 1, 2]), np.array([1, 1, 1, 1]))
    rows = nearest(np.array([0.1, 0.2, 0.0, 0.0]), query, 0, gallery, 10)
    assert rows.tolist() == [0, 1]  # the same camera's and junk are left out
    picture = draw_ranked_lists(query, np.array([0]), gallery, [rows])
    first, second = 68 + 12, 68 + 12 + 68  # a tile is 64 wide and has 4 px of paper beside it; 12 px part query and list
    assert picture[0, first].tolist() == list(WRONG)
    assert picture[0, second].tolist() == list(RIGHT)
