"""Exchanges of what comes after: the local search by which chains of boxes become the likeliest ones. Compiled code.

At any moment each person is in a link, from the last box so far to the next one; the link's left is missing before somebody's
first box and its right after the last. Two links (a, a'), (b, b') may be exchanged for (a, b'), (b, a'): a swap where all four
are boxes, a join where one person ended and one began, a transfer where one took over the other's future. The best exchange at
a moment is made until none pays; then the next moment has its turn, and moments nearby are looked at again (2-opt, Croes 1958,
"A method for solving traveling-salesman problems"). Where no two links pay, three are rotated: somebody ended, another went on
as them and began anew himself.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.association.link_costs import FORBIDDEN, reach, within_reach
from stages.association.open_links import Moment, Search, exchange_gain, first_from, looks_gain, open_links, weighed_cost
from stages.association.sightings import look_ahead, look_back
from stages.association.two_filter import CENTRE_X, NONE, Array, Ints, filter_box
from stages.compiled import compiled

MEMORY_FRAMES = 60  # the filters forget: farther from an exchange their states stand
SLIDE_FRAMES = 30  # that an exchange may be put off by: people who meet are near each other about so long
MAX_SWEEPS = 30  # over all moments; states change with each exchange, so that a circle is possible
MAX_EXCHANGES = 100  # at one moment of one sweep; and no more than there are boxes in all
RECORD_SIZE = 4  # columns of a record: a, a', b, b' ...
NATS_SIZE = 3  # ... and its gain, what of it looks say, and the runner-up's gain


class Found(NamedTuple):
    """The best exchange of (a, a') for (b, b')."""

    gain: float  # nats
    runner_up: float  # nats of the next best exchange of (a, a'), by motion alone where no looks could make it pay
    a: int
    a_next: int
    b: int
    b_next: int


NO_EXCHANGE = Found(-FORBIDDEN, -FORBIDDEN, NONE, NONE, NONE, NONE)


@compiled
def exchange_all(search: Search, start: int, stop: int) -> tuple[Ints, Array]:
    """Makes each exchange that pays after frames start:stop: (X, 4) rows a, a', b, b' and (X, 3) of each the
    gain, what of it looks say, and the runner-up's gain."""
    room = len(search.measured.frames)
    rows, nats = np.empty((room, RECORD_SIZE), np.int64), np.empty((room, NATS_SIZE))
    todo, dirty = np.zeros(len(search.offsets), np.bool_), np.zeros(len(search.offsets), np.bool_)
    dirty[start:stop] = True
    count = room - room  # not a literal 0: it would be compiled for by itself
    for _ in range(MAX_SWEEPS):
        before = count
        for frame in range(len(dirty)):
            todo[frame], dirty[frame] = dirty[frame], False
        for frame in range(start, stop):
            for _ in range(MAX_EXCHANGES if todo[frame] else 0):
                found, then = _best(search, frame), NO_EXCHANGE
                if found.gain >= search.min_gain:
                    found = _slid(search, found, frame + SLIDE_FRAMES)
                else:
                    found, then = _best_rotation(search, frame)
                if found.gain < search.min_gain or count >= room - 1:
                    break
                for made in (found, then):
                    if made.a != NONE:
                        count = _make(search, made, dirty, rows, nats, count)
        if count == before:
            break
    return rows[:count], nats[:count]


@compiled
def _make(search: Search, found: Found, dirty: NDArray[np.bool_], rows: Ints, nats: Array, count: int) -> int:
    """Makes and records an exchange; how many there are now."""
    rows[count, 0], rows[count, 1] = found.a, found.a_next
    rows[count, 2], rows[count, 3] = found.b, found.b_next
    nats[count, 0], nats[count, 2] = found.gain, found.runner_up
    nats[count, 1] = looks_gain(search, found.a, found.a_next, found.b, found.b_next)
    _exchange(search, found, dirty)
    return count + 1


@compiled
def _best_rotation(search: Search, frame: int) -> tuple[Found, Found]:
    """The best rotation of (a, a'), somebody's end b and another's beginning c to (a, c) and (b, a').

    As the two exchanges that make it, each with the gain of both.
    """
    best, then, moment = NO_EXCHANGE, NO_EXCHANGE, open_links(search, frame)
    for a in range(search.offsets[frame], search.offsets[frame + 1]):
        a_next = search.chains.nexts[a]
        if a_next == NONE:
            continue
        c = b = a_next - a_next + NONE  # not a literal: it would be compiled for by itself
        onward = backward = FORBIDDEN
        for row in moment.rights:
            if search.chains.befores[row] == NONE and within_reach(a, row, search.measured):
                cost = weighed_cost(search, a, row)
                if cost < onward:
                    onward, c = cost, row
        for row in moment.ends:
            if c != NONE and within_reach(row, a_next, search.measured):
                cost = weighed_cost(search, row, a_next)
                if cost < backward:
                    backward, b = cost, row
        gain = weighed_cost(search, a, a_next) + 2 * search.prices.end - onward - backward
        if b != NONE and gain > best.gain:
            best, then = Found(gain, -FORBIDDEN, a, a_next, NONE, c), Found(gain, -FORBIDDEN, b, NONE, NONE, a_next)
    return _slid_rotation(search, best, then) if best.gain >= search.min_gain else (best, then)


@compiled
def _slid_rotation(search: Search, found: Found, then: Found) -> tuple[Found, Found]:
    """The rotation put off to where between the same three it gains most, as in `_slid`."""
    best, a, a_next, b, c = found, found.a_next, search.chains.nexts[found.a_next], then.a, found.b_next
    frames = search.measured.frames
    while a_next != NONE and frames[a] < frames[c] and frames[a] <= frames[found.a] + SLIDE_FRAMES:
        gain = (
            weighed_cost(search, a, a_next)
            + 2 * search.prices.end
            - weighed_cost(search, a, c)
            - weighed_cost(search, b, a_next)
        )
        near = within_reach(a, c, search.measured) and within_reach(b, a_next, search.measured)
        if near and gain > best.gain:
            best = Found(gain, -FORBIDDEN, a, a_next, NONE, c)
        a, a_next = a_next, search.chains.nexts[a_next]
    return best, Found(best.gain, -FORBIDDEN, b, NONE, NONE, best.a_next)


@compiled
def _best(search: Search, frame: int) -> Found:
    """The best exchange of a link that starts in this frame with any other open after it."""
    best = NO_EXCHANGE
    moment = open_links(search, frame)
    for a in range(search.offsets[frame], search.offsets[frame + 1]):
        found = _best_of(search, moment, a)
        if found.gain > best.gain:
            best = found
    return best


@compiled
def _best_of(search: Search, moment: Moment, a: int) -> Found:
    """The best exchange of the link of box a."""
    measured, a_next = search.measured, search.chains.nexts[a]
    best = Found(-FORBIDDEN, -FORBIDDEN, a, a_next, NONE, NONE)
    x, limit = measured.values[a, CENTRE_X], reach(measured.heights[a], search.prices.max_gap)
    place = first_from(moment.right_xs, x - limit)
    while place < len(moment.rights) and moment.right_xs[place] <= x + limit:
        b_next = moment.rights[place]
        best = _better(search, best, search.chains.befores[b_next], b_next)
        place += 1
    if a_next != NONE:
        x = measured.values[a_next, CENTRE_X]
        place = first_from(moment.end_xs, x - moment.end_reach)
        while place < len(moment.ends) and moment.end_xs[place] <= x + moment.end_reach:
            best = _better(search, best, moment.ends[place], NONE)
            place += 1
    return best


@compiled
def _better(search: Search, best: Found, b: int, b_next: int) -> Found:
    """The better of the best so far and the exchange with the link (b, b_next); who loses is the runner-up."""
    a, a_next = best.a, best.a_next
    gain = exchange_gain(search, a, a_next, b, b_next) if a != b else -FORBIDDEN
    if gain > best.gain:
        return Found(gain, best.gain, a, a_next, b, b_next)
    return Found(best.gain, max(best.runner_up, gain), a, a_next, best.b, best.b_next)


@compiled
def _slid(search: Search, found: Found, last_frame: int) -> Found:
    """The exchange put off to where between the same two people it gains most.

    The first moment that pays is often too early: a box or two go with the wrong person until the exchange, and moving one box
    across takes two exchanges, of which neither pays alone.
    """
    nexts, frames = search.chains.nexts, search.measured.frames
    best, a, a_next, b, b_next = found, found.a, found.a_next, found.b, found.b_next
    while True:
        a_frame = frames[a_next] if a_next != NONE else last_frame + 1
        b_frame = frames[b_next] if b_next != NONE else last_frame + 1
        if min(a_frame, b_frame) > last_frame:
            return best
        if a_frame <= b_frame:
            a, a_next = a_next, nexts[a_next]
        if b_frame <= a_frame:
            b, b_next = b_next, nexts[b_next]
        if a_next == NONE and b_next == NONE:
            return best
        gain = exchange_gain(search, a, a_next, b, b_next)
        if gain > best.gain:
            best = Found(gain, found.runner_up, a, a_next, b, b_next)


@compiled
def _exchange(search: Search, found: Found, dirty: NDArray[np.bool_]) -> None:
    """Exchanges two links, filters anew on both sides, and marks the frames where states changed."""
    nexts, befores = search.chains.nexts, search.chains.befores
    a, a_next, b, b_next = found.a, found.a_next, found.b, found.b_next
    frame = max(search.measured.frames[a], search.measured.frames[b] if b != NONE else 0)
    for left, right in ((a, b_next), (b, a_next)):
        if left != NONE:
            nexts[left] = right
        if right != NONE:
            befores[right] = left
    measured, noise = search.measured, search.noise
    for row in (a_next, b_next):
        while row != NONE and measured.frames[row] - frame < MEMORY_FRAMES:
            filter_box(search.states.forward, row, befores[row], measured, noise, False)
            look_back(search.sums, row, befores[row], search.sightings)
            dirty[measured.frames[row]] = True
            row = nexts[row]
    for row in (a, b):
        while row != NONE and frame - measured.frames[row] < MEMORY_FRAMES:
            filter_box(search.states.backward, row, nexts[row], measured, noise, False)
            look_ahead(search.sums, row, nexts[row], search.sightings)
            dirty[measured.frames[row]] = True
            row = befores[row]
