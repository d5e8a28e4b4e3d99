"""The search for exchanges, against a plain one that looks at all links: what is open, what pays most, and what it leaves."""

import numpy as np
import pytest
from numpy.testing import assert_equal

from stages.association.chains import chains_of
from stages.association.cosines import Calibration
from stages.association.exchanges import SLIDE_FRAMES, Found, _best_of, _best_rotation, _slid, exchange_all
from stages.association.link_costs import FORBIDDEN, Prices, link_cost
from stages.association.motion_noise import START
from stages.association.open_links import Search, first_from, open_links
from stages.association.sightings import Sightings, both_sums, look_nats
from stages.association.two_filter import NONE, Ints, Measured, both_filters

NUM_FRAMES, PEOPLE = 40, 6
END = 6.0  # nats
Links = list[tuple[int, int]]
APART = np.array([[0, 1, 5, 25], [3, 2, 0, 20], [4, 5, 10, 15]])  # tracklets, and the frames between which they are two people


def mixed_up(rng: np.random.Generator, people: Ints, frames: Ints) -> Ints:
    """Tracklets of boxes (M,) that change person with each other now and then, or begin anew."""
    tracklets = people.copy()
    for frame in np.flatnonzero(rng.random(NUM_FRAMES) < 0.3):
        one, other = rng.choice(PEOPLE, 2, replace=False)
        changed = np.where(tracklets == one, other, np.where(tracklets == other, one, tracklets))
        tracklets = np.where(frames >= frame, changed, tracklets)
    for n, frame in enumerate(np.flatnonzero(rng.random(NUM_FRAMES) < 0.2)):
        tracklets[(tracklets == rng.integers(PEOPLE)) & (frames >= frame)] = PEOPLE + n
    return tracklets


def looked_at(rng: np.random.Generator, people: Ints) -> Sightings:
    """What is seen of boxes (M,): of some nothing, of each person something else."""
    calibration = Calibration(same=0.7, other=0.1, variance=0.03, most_nats=6.0, least_nats=-4.0)
    rows, features = np.arange(len(people)), np.eye(PEOPLE)[people] + rng.normal(0, 0.3, (len(people), PEOPLE))
    views = np.where(rng.random(len(people)) < 0.7, rows, NONE)
    return Sightings(views, features.astype(np.float32), rng.uniform(0.2, 1, len(people)), calibration)


def crossing(seed: int, min_gain: float, looks: bool = True, max_gap: int = 7) -> Search:
    """Six of any height who walk up and down a street, each not seen now and then, and whom the tracker mixes up."""
    rng = np.random.default_rng(seed)
    people, frames = (side.ravel() for side in np.meshgrid(np.arange(PEOPLE), np.arange(NUM_FRAMES), indexing="ij"))
    heights = rng.uniform(60, 140, PEOPLE)[people]
    x = rng.uniform(0, 300, PEOPLE)[people] + rng.normal(0, 6, PEOPLE)[people] * frames + rng.normal(0, 3, len(people))
    top = rng.uniform(0, 80, PEOPLE)[people] + rng.normal(0, 3, len(people))
    seen = np.flatnonzero(rng.random(len(people)) < 0.85)
    order = seen[np.lexsort((x[seen], frames[seen]))]
    values = np.stack([x, top, top + heights, heights / 3], axis=1)[order]
    measured = Measured(values, heights[order], rng.uniform(1, 1.5, len(order)), frames[order])
    tracklets, sightings = mixed_up(rng, people, frames)[order], looked_at(rng, people[order])
    if not looks:
        blank = np.zeros((0, 1), np.float32)
        sightings = sightings._replace(views=np.full(len(order), NONE), features=blank, weights=np.zeros(0))
    chains, offsets = chains_of(tracklets), np.searchsorted(frames[order], np.arange(NUM_FRAMES + 1))
    states, sums = both_filters(measured, chains, START), both_sums(sightings, chains)
    most, prices = sightings.most_gain, Prices(end=END, miss=0.2, max_gap=max_gap)
    return Search(measured, offsets, chains, states, START, sightings, sums, most, prices, min_gain, tracklets, APART)


def links(search: Search) -> Links:
    """All links, with NONE where a chain begins or ends."""
    nexts, befores = search.chains
    return [*enumerate(nexts.tolist()), *((NONE, int(row)) for row in np.flatnonzero(befores == NONE))]


def open_after(search: Search, frame: int) -> Links:
    frames = search.measured.frames
    return [(b, c) for b, c in links(search) if (b == NONE or frames[b] <= frame) and (c == NONE or frames[c] > frame)]


def cost(search: Search, past: int, future: int) -> float:
    """Nats by motion alone; infinite for a new link that is too long, too far or between two who are known to be two."""
    measured = search.measured
    if NONE not in (past, future) and search.chains.nexts[past] != future:
        gap = measured.frames[future] - measured.frames[past]
        off = np.abs(measured.values[future, :3] - measured.values[past, :3]).max()
        if gap > search.prices.max_gap or off >= (0.5 + 0.05 * gap) * measured.heights[past]:
            return np.inf
        for one, other, first, last in search.apart:
            if {one, other} == set(search.tracklets[[past, future]]) and first <= measured.frames[past] <= last:
                return np.inf
    return link_cost(past, future, measured, search.states, search.noise, search.prices)


def weighed(search: Search, past: int, future: int) -> float:
    return cost(search, past, future) - look_nats(past, future, search.sums, search.sightings)


def gain(search: Search, one: tuple[int, int], other: tuple[int, int]) -> float:
    """Nats of exchanging two links: looks do not count where they could not make it pay."""
    (a, a_next), (b, b_next) = one, other
    pairs = ((a, a_next), (b, b_next)), ((a, b_next), (b, a_next))
    by_motion, by_all = (
        sum(of(search, *link) for link in pairs[0]) - sum(of(search, *link) for link in pairs[1]) for of in (cost, weighed)
    )
    return by_motion if by_motion + search.sightings.most_gain < search.min_gain else by_all


def look_gain(search: Search, a: int, a_next: int, b: int, b_next: int) -> float:
    """Nats that looks say of exchanging two links."""
    now, then = ((a, a_next), (b, b_next)), ((a, b_next), (b, a_next))
    said = [sum(look_nats(*link, search.sums, search.sightings) for link in two) for two in (now, then)]
    return said[1] - said[0]


def plain_best(search: Search, frame: int, a: int) -> list[tuple[float, int, int]]:
    """The exchanges of the link of box a after its frame, and what they gain, the best first."""
    link = a, int(search.chains.nexts[a])
    others = [other for other in open_after(search, frame) if other[0] != a and (link[1], other[1]) != (NONE, NONE)]
    return sorted(((gain(search, link, other), *other) for other in others), reverse=True)


@pytest.mark.parametrize("min_gain", [-1000.0, 3.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_exchange_of_a_link_and_the_second_are_those_of_all_open_ones(seed: int, min_gain: float) -> None:
    search, possible = crossing(seed, min_gain), 0
    for frame in range(NUM_FRAMES - 1):
        for a in range(search.offsets[frame], search.offsets[frame + 1]):
            expected = [*plain_best(search, frame, a), (-np.inf, NONE, NONE), (-np.inf, NONE, NONE)]
            found = _best_of(search, open_links(search, frame), a)
            if expected[0][0] == -np.inf:
                assert found.gain < -FORBIDDEN / 2
                continue
            assert (found.a, found.a_next, found.b, found.b_next) == (a, search.chains.nexts[a], *expected[0][1:])
            assert found.gain == pytest.approx(expected[0][0])
            assert max(found.runner_up, -FORBIDDEN / 2) == pytest.approx(max(expected[1][0], -FORBIDDEN / 2))
            possible += 1
    assert possible > 50


def test_the_first_place_from_a_number_on_is_that_of_its_first_equal() -> None:
    xs = np.array([1.0, 2.0, 2.0, 4.0])
    assert [first_from(xs, x) for x in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)] == [0, 0, 1, 3, 3, 4]
    assert first_from(np.zeros(0), 1.0) == 0


def way(search: Search, row: int) -> list[int]:
    """The rows of a chain from one of its boxes on."""
    rows: list[int] = []
    while row != NONE:
        rows.append(row)
        row = int(search.chains.nexts[row])
    return rows


def later_links(search: Search, link: tuple[int, int], frame: int) -> tuple[int, int]:
    """The link of the same person that is open after a frame."""
    rows = [link[0], *way(search, link[1])]
    begun = sum(row != NONE and search.measured.frames[row] <= frame for row in rows[1:])
    return rows[begun], [*rows, NONE][begun + 1]


def put_off(search: Search, frame: int, link: tuple[int, int], other: tuple[int, int], last: int) -> tuple[float, Links]:
    """The most that an exchange of the same two people gains after any frame up to `last`, and the two links."""
    later = [[later_links(search, one, f) for one in (link, other)] for f in range(frame, min(last, NUM_FRAMES - 1) + 1)]
    some = [two for two in later if (two[0][1], two[1][1]) != (NONE, NONE)]
    gains = [gain(search, *two) for two in some]
    best = int(np.argmax(gains))
    return gains[best], some[best]


@pytest.mark.parametrize("seed", range(4))
def test_an_exchange_is_put_off_to_where_it_gains_most_between_the_same_two(seed: int) -> None:
    search, moved = crossing(seed, -1000.0), 0
    for frame in range(NUM_FRAMES - 1):
        for a in range(search.offsets[frame], search.offsets[frame + 1]):
            link = a, int(search.chains.nexts[a])
            for most, b, b_next in plain_best(search, frame, a)[:3]:
                if most > -np.inf:
                    expected, two = put_off(search, frame, link, (b, b_next), frame + 12)
                    found = _slid(search, Found(most, 0.5, *link, b, b_next), frame + 12)
                    assert [(found.a, found.a_next), (found.b, found.b_next)] == two
                    assert found.gain == pytest.approx(expected)
                    assert found.runner_up == 0.5
                    moved += found.a != a
    assert moved > 20


@pytest.mark.parametrize("seed", range(3))
def test_of_a_moment_the_best_exchange_is_made_first_where_it_gains_most(seed: int) -> None:
    made = 0
    for frame in range(NUM_FRAMES - 1):
        search = crossing(seed, 1.0)
        here = range(search.offsets[frame], search.offsets[frame + 1])
        (most, b, b_next), a = max((plain_best(search, frame, a)[0], a) for a in here)
        link = a, int(search.chains.nexts[a])
        expected = put_off(search, frame, link, (b, b_next), frame + SLIDE_FRAMES) if most >= 1.0 else None
        looks = look_gain(search, *expected[1][0], *expected[1][1]) if expected else 0.0
        rows, nats = exchange_all(search, frame, frame + 1)
        if expected:
            assert {*map(tuple, rows[0].reshape(2, 2).tolist())} == {*expected[1]}
            assert nats[0, :2] == pytest.approx([expected[0], looks])
            made += frame > SLIDE_FRAMES
    assert made > 0


def rotation_gain(search: Search, link: tuple[int, int], b: int, c: int) -> float:
    """Nats of going on from the link's left to c, who begins, and from b, who ended, to the link's right."""
    return weighed(search, *link) + 2 * END - weighed(search, link[0], c) - weighed(search, b, link[1])


def plain_rotations(search: Search, frame: int) -> list[tuple[float, tuple[int, int], int, int]]:
    """All rotations of a link that starts in this frame, and what they gain, the best first."""
    after = open_after(search, frame)
    inside = [link for link in after if NONE not in link and search.measured.frames[link[0]] == frame]
    three = [(link, b, c) for link in inside for b, end in after for begin, c in after if begin == end == NONE]
    return sorted(((rotation_gain(search, *rotation), *rotation) for rotation in three), reverse=True)


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_the_best_rotation_is_that_of_all_and_is_put_off_to_where_it_gains_most(seed: int) -> None:
    search, possible, moved = crossing(seed, -1000.0, max_gap=38), 0, 0
    frames, nexts = search.measured.frames, search.chains.nexts.tolist()
    for frame in range(NUM_FRAMES - 1):
        expected, link, b, c = [*plain_rotations(search, frame), (-np.inf, (NONE, NONE), NONE, NONE)][0]
        one, other = _best_rotation(search._replace(min_gain=np.inf), frame)
        if expected == -np.inf:
            assert one.gain < -FORBIDDEN / 2
            continue
        assert (one[2:], other[2:]) == ((*link, NONE, c), (b, NONE, NONE, link[1]))
        assert one.gain == other.gain == pytest.approx(expected)
        rows = [row for row in way(search, link[0]) if frames[row] < min(frames[c], frame + SLIDE_FRAMES + 1)]
        later = [(row, nexts[row]) for row in rows if nexts[row] != NONE]
        gains = [rotation_gain(search, link, b, c) for link in later]
        best = int(np.argmax(gains))
        one, other = _best_rotation(search, frame)
        assert (one[2:], other[2:]) == ((*later[best], NONE, c), (b, NONE, NONE, later[best][1]))
        assert one.gain == other.gain == pytest.approx(gains[best])
        possible, moved = possible + 1, moved + (best > 0)
    assert possible > 10
    assert moved > 5


@pytest.mark.parametrize("seed", range(4))
def test_a_rotation_that_is_put_off_makes_no_link_out_of_reach(seed: int) -> None:
    search = crossing(seed, -1000.0, max_gap=38)
    for frame in range(NUM_FRAMES - 1):
        one, other = _best_rotation(search, frame)
        if one.gain > -FORBIDDEN / 2:
            assert max(cost(search, one.a, one.b_next), cost(search, other.a, other.b_next)) < np.inf


@pytest.mark.parametrize("looks", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_exchanges_are_made_until_none_pays_and_leave_chains_and_states_as_if_they_had_always_been(
    seed: int, looks: bool
) -> None:
    search = crossing(seed, 1.0, looks)
    nexts = search.chains.nexts.copy()
    rows, nats = exchange_all(search, 0, NUM_FRAMES - 1)
    assert len(rows) >= 10
    for a, a_next, b, b_next in rows:
        assert a == NONE or nexts[a] == a_next
        assert b == NONE or nexts[b] == b_next
        for left, right in ((a, b_next), (b, a_next)):
            if left != NONE:
                nexts[left] = right
    assert np.array_equal(search.chains.nexts, nexts)
    linked = np.flatnonzero(nexts != NONE)
    assert np.array_equal(search.chains.befores[nexts[linked]], linked)
    assert np.count_nonzero(search.chains.befores != NONE) == len(linked)
    assert_equal(search.states, both_filters(search.measured, search.chains, START))
    assert_equal(search.sums, both_sums(search.sightings, search.chains))
    assert (nats[:, 0] >= search.min_gain).all()
    for frame in range(NUM_FRAMES - 1):
        here, moment = range(*search.offsets[frame : frame + 2]), open_links(search, frame)
        assert max(_best_of(search, moment, a).gain for a in here) < search.min_gain
        assert _best_rotation(search, frame)[0].gain < search.min_gain
