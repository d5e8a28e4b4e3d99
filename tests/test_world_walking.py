"""Who walks where: human speeds, nobody through things or each other, pairs together, people who leave and return."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.world.agenda import make_agendas
from stages.world.body import JOINTS, make_joints, step_lengths
from stages.world.place import FOOTPRINTS, make_place
from stages.world.scene import SceneParams
from stages.world.walking import TICK_S, WARM_UP_S, Walk, walk
from tests.worlds import scene

BUSY = scene(seconds=60.0, people=14, arrivals_per_minute=30.0, return_share=0.8)


def walked(params: SceneParams) -> Walk:
    place = make_place(params)
    return walk(place, make_agendas(params, place, -WARM_UP_S), params.seconds)


@pytest.fixture(scope="module")
def busy() -> Walk:
    return walked(BUSY)


def runs(present: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last tick of each time somebody is there."""
    edges = np.flatnonzero(np.diff(np.r_[False, present, False]))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def test_nobody_walks_through_a_thing_or_a_house(busy: Walk) -> None:
    """Also between ticks: the straight line between two points outside a circle enters it by millimetres at most."""
    place = make_place(BUSY)
    assert {thing.kind for thing in place.things} == set(FOOTPRINTS)
    inside = np.flatnonzero((busy.present[1:] & busy.present[:-1]).ravel())
    for share in (0.0, 0.5):
        points = ((1 - share) * busy.points[:-1] + share * busy.points[1:]).reshape(-1, 2)[inside]
        for thing in place.things:
            half_x, half_y = thing.half_sides
            if thing.kind in ("kiosk", "bench", "planter"):
                assert not ((np.abs(points[:, 0] - thing.x) < half_x) & (np.abs(points[:, 1] - thing.y) < half_y)).any()
            assert np.hypot(points[:, 0] - thing.x, points[:, 1] - thing.y).min() > thing.keep_out - 0.02
        for block in place.blocks:
            x, y = points.T
            assert not ((x > block.x1) & (x < block.x2) & (y > block.y1) & (y < block.y2)).any()


def test_speeds_are_those_of_people_who_walk_and_stop(busy: Walk) -> None:
    speeds = np.concatenate([busy.at(t).speeds for t in np.arange(0, 60, 0.1)])
    assert speeds.max() <= 2.1 + 1e-9
    assert 1.0 < np.median(speeds) < 1.6
    assert (speeds < 0.1).mean() > 0.02


def test_people_keep_out_of_each_other(busy: Walk) -> None:
    nearest = []
    for t in np.arange(0, 60, 0.5):
        points = busy.at(t).points
        apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) + 9 * np.eye(len(points))
        nearest += apart.min(axis=1).tolist()
    assert np.quantile(nearest, 0.02) > 0.35
    assert min(nearest) > 0.15


def test_a_pair_stays_side_by_side(busy: Walk) -> None:
    place = make_place(BUSY)
    agendas = make_agendas(BUSY, place, -WARM_UP_S)
    pairs = [(agenda.leader, k) for k, agenda in enumerate(agendas) if agenda.leader >= 0]
    assert len(pairs) >= 3
    for leader, follower in pairs:
        both = busy.present[:, leader] & busy.present[:, follower]
        gap = np.hypot(*(busy.points[both, leader] - busy.points[both, follower]).T)
        assert (busy.present[:, leader] == busy.present[:, follower]).mean() > 0.99
        assert np.median(gap) < 1.1


def test_people_return_under_their_own_identity_after_an_absence(busy: Walk) -> None:
    absences = []
    for person in range(busy.present.shape[1]):
        stays = runs(busy.present[:, person])
        absences += [(b[0] - a[1]) * TICK_S for a, b in zip(stays[:-1], stays[1:], strict=True)]
    assert len(absences) >= 3
    assert all(2.0 <= seconds <= 6.5 for seconds in absences)


def test_who_leaves_is_behind_the_houses(busy: Walk) -> None:
    for person in range(busy.present.shape[1]):
        for _, last in runs(busy.present[:, person])[:-1]:
            x, y = np.abs(busy.points[last, person])
            assert x > BUSY.area_m[0] / 2 + 4 or y > BUSY.area_m[1] / 2 + 4


def test_positions_and_speeds_of_a_moment_agree() -> None:
    """The speed is that of the straight way between two ticks, whatever the moment between them."""
    path = walked(scene())
    one, other = path.at(1.01), path.at(1.08)
    assert one.identity_ids.tolist() == other.identity_ids.tolist()
    moved = np.hypot(*(other.points - one.points).T)
    np.testing.assert_allclose(moved, 0.07 * one.speeds, atol=1e-9)


def test_the_same_seed_is_the_same_walk_and_another_seed_another() -> None:
    one, same, other = walked(scene()), walked(scene()), walked(scene(seed=4))
    assert np.array_equal(one.points, same.points)
    assert one.points.shape != other.points.shape or not np.allclose(one.points, other.points)
    assert make_place(scene()).things != make_place(scene(seed=4)).things


def test_a_walk_longer_by_a_clock_offset_begins_the_same() -> None:
    params = scene()
    place = make_place(params)
    agendas = make_agendas(params, place, -WARM_UP_S)
    short, long = walk(place, agendas, params.seconds), walk(place, agendas, params.seconds + 3)
    assert np.array_equal(short.points, long.points[: len(short.points)])


def test_an_empty_square_stays_empty() -> None:
    moment = walked(scene(people=0, arrivals_per_minute=0.0)).at(1.0)
    assert len(moment.identity_ids) == 0
    assert moment.points.shape == (0, 2)


def test_a_foot_on_the_ground_stays_where_it_is() -> None:
    """While the phase turns by half, the body moves a step; the left ankle's place plus the body's does not change."""
    height, speed = np.full(20, 1.8), np.full(20, 1.4)
    phases = np.linspace(0.02, 0.7 * np.pi, 20)  # after that the heel lifts
    ankle = make_joints(height, speed, phases)[:, 0, JOINTS.index("ankle")]
    body_x = step_lengths(height, speed) * phases / np.pi
    np.testing.assert_allclose(ankle[:, 0] + body_x, ankle[0, 0] + body_x[0], atol=1e-9)
    np.testing.assert_allclose(ankle[:, 2], 0.045 * 1.8, atol=0.01)


def test_legs_and_arms_have_their_length_in_every_phase() -> None:
    """Thigh and forearm exactly; the shin stretches by less than a tenth where the heel behind should lift more."""
    phases = np.linspace(0, 2 * np.pi, 60)
    joints = make_joints(np.full(60, 1.7), np.full(60, 1.3), phases)
    at = {name: joints[:, :, k] for k, name in enumerate(JOINTS)}
    np.testing.assert_allclose(np.linalg.norm(at["knee"] - at["hip"], axis=2), 0.245 * 1.7, rtol=1e-6)
    shins = np.linalg.norm(at["knee"] - at["ankle"], axis=2)
    assert shins.max() < 1.1 * 0.24 * 1.7
    assert shins.min() > 0.99 * 0.24 * 1.7


def test_who_stands_has_both_feet_on_the_ground_and_arms_down() -> None:
    joints = make_joints(np.array([1.7]), np.array([0.0]), np.array([1.234]))[0]
    at = {name: joints[:, k] for k, name in enumerate(JOINTS)}
    np.testing.assert_allclose(at["ankle"][:, 2], 0.045 * 1.7, atol=1e-3)
    np.testing.assert_allclose(at["ankle"][:, 0], 0, atol=1e-6)
    assert (at["hand"][:, 2] < at["elbow"][:, 2]).all()
