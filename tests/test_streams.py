"""The boxes that benchmarks measure with have the shape that their tables claim."""

import dataclasses

import numpy as np
import pytest

from tests.benchmarks.streams import crowd, dense, people_present, sparse, walk


def test_the_sparse_stream_is_81_seconds_with_4_to_15_people() -> None:
    people = people_present(sparse())
    assert (len(people), people.min(), people.max()) == (2025, 4, 15)
    assert len(walk(sparse())) == pytest.approx(8800, abs=100)


def test_crowds_have_the_boxes_that_were_asked_for_in_every_frame() -> None:
    for wish in (dense(50), crowd(500, 20_000)):
        counts = np.bincount(walk(wish).frame_numbers, minlength=wish.num_frames)
        assert counts == pytest.approx(wish.people, rel=0.1)


def test_boxes_lie_in_the_picture_and_most_scores_are_high() -> None:
    table = walk(dense(50))
    assert (table.bboxes >= 0).all()
    assert (table.bboxes <= np.tile([1920, 1080], 2)).all()
    assert 0.85 < (table.confidences > 0.5).mean() < 0.95


def test_the_same_wish_is_the_same_stream_and_another_seed_another() -> None:
    a, b = walk(dense(20)), walk(dense(20))
    assert np.array_equal(a.bboxes, b.bboxes)
    assert not np.array_equal(a.bboxes[:5], walk(dataclasses.replace(dense(20), seed=2)).bboxes[:5])
