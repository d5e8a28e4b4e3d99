"""The links open at a moment of the search, and what they cost. Compiled code."""

from typing import NamedTuple

import numpy as np

from stages.association.link_costs import FORBIDDEN, Prices, link_cost, reach, within_reach
from stages.association.sightings import Sightings, Sums, look_nats
from stages.association.two_filter import CENTRE_X, NONE, Array, Chains, Ints, Measured, States
from stages.compiled import compiled


class Search(NamedTuple):
    """Boxes sorted by frame and centre x, their chains, and what an exchange is judged by."""

    measured: Measured
    offsets: Ints  # (F + 1,) rows of frame f are offsets[f]:offsets[f + 1]
    chains: Chains  # changed in place
    states: States  # changed in place
    noise: Array  # (4, 3)
    sightings: Sightings
    sums: Sums  # changed in place
    most_of_looks: float  # nats that looks can add to a gain
    prices: Prices
    min_gain: float  # nats
    tracklets: Ints  # (N,) whose box each was at first
    apart: Ints  # (P, 4) two of these tracklets, first and last frame between which no link leads from one to the other


class Moment(NamedTuple):
    """The links open after a frame, by where one finds them."""

    rights: Ints  # (K,) next boxes, of those to come and those who begin, sorted by centre x
    right_xs: Array  # (K,) px
    ends: Ints  # (E,) last boxes of those who ended, sorted by centre x
    end_xs: Array  # (E,) px
    end_reach: float  # px that any of them may be off


@compiled
def exchange_gain(search: Search, a: int, a_next: int, b: int, b_next: int) -> float:
    """Nats that the exchange of two links gains, by motion and looks."""
    if not within_reach(a, b_next, search.measured) or not within_reach(b, a_next, search.measured):
        return -FORBIDDEN
    now = _cost(search, a, a_next) + _cost(search, b, b_next)
    gain = float(now - _cost(search, a, b_next) - _cost(search, b, a_next))
    if gain + search.most_of_looks < search.min_gain:
        return gain  # whatever they look like
    return gain + looks_gain(search, a, a_next, b, b_next)


@compiled
def looks_gain(search: Search, a: int, a_next: int, b: int, b_next: int) -> float:
    """Nats of an exchange's gain that looks speak."""
    sums, sightings = search.sums, search.sightings
    now = look_nats(a, a_next, sums, sightings) + look_nats(b, b_next, sums, sightings)
    return float(look_nats(a, b_next, sums, sightings) + look_nats(b, a_next, sums, sightings) - now)


@compiled
def weighed_cost(search: Search, past: int, future: int) -> float:
    """Nats that a link between two boxes costs, by motion and looks."""
    return _cost(search, past, future) - look_nats(past, future, search.sums, search.sightings)


@compiled
def _cost(search: Search, past: int, future: int) -> float:
    if past != NONE and future != NONE and search.chains.nexts[past] != future and _is_barred(search, past, future):
        return FORBIDDEN
    return link_cost(past, future, search.measured, search.states, search.noise, search.prices)


@compiled
def _is_barred(search: Search, past: int, future: int) -> bool:
    """Whether a new link would be too long, or join two people who are known to be two."""
    if search.measured.frames[future] - search.measured.frames[past] > search.prices.max_gap:
        return True
    a, b = search.tracklets[past], search.tracklets[future]
    for k in range(len(search.apart)):
        one, other, first, last = search.apart[k]
        if ((a == one and b == other) or (a == other and b == one)) and first <= search.measured.frames[past] <= last:
            return True
    return False


@compiled
def open_links(search: Search, frame: int) -> Moment:
    """The links open after a frame: begun in it or before, not yet at their right."""
    offsets, chains, measured = search.offsets, search.chains, search.measured
    first, stop = offsets[max(0, frame - search.prices.max_gap + 1)], offsets[frame + 1]
    last = offsets[min(len(offsets) - 1, frame + 1 + search.prices.max_gap)]
    rights, right_xs = np.empty(last - stop, np.int64), np.empty(last - stop)
    ends, end_xs = np.empty(stop - first, np.int64), np.empty(stop - first)
    num = num_ends = first - first  # not a literal 0: it would be compiled for by itself
    farthest = 0.0
    for row in range(stop, last):
        if chains.befores[row] < stop:  # NONE among them
            _insert(rights, right_xs, num, row, measured.values[row, CENTRE_X])
            num += 1
    for row in range(first, stop):
        if chains.nexts[row] == NONE:
            _insert(ends, end_xs, num_ends, row, measured.values[row, CENTRE_X])
            num_ends += 1
            farthest = max(farthest, reach(measured.heights[row], search.prices.max_gap))
    return Moment(rights[:num], right_xs[:num], ends[:num_ends], end_xs[:num_ends], farthest)


@compiled
def _insert(rows: Ints, xs: Array, num: int, row: int, x: float) -> None:
    """Inserts a row into `num` rows sorted by x: quick, because rows of a frame come sorted and those of others are few."""
    place = num
    while place > 0 and xs[place - 1] > x:
        rows[place], xs[place] = rows[place - 1], xs[place - 1]
        place -= 1
    rows[place], xs[place] = row, x


@compiled
def first_from(xs: Array, x: float) -> int:
    """The place of the first of the sorted xs that is at least x."""
    low, high = 0, len(xs)
    while low < high:
        middle = (low + high) // 2
        if xs[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low
