"""Tracklets rewired with the future known: whose next box is which, by motion and looks on both sides of crossings."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from stages.association.chains import chains_of, measure
from stages.association.exchanges import MEMORY_FRAMES, SLIDE_FRAMES, exchange_all
from stages.association.link_costs import Prices
from stages.association.motion_noise import learn_noise
from stages.association.open_links import Search
from stages.association.sightings import Sightings, both_sums
from stages.association.two_filter import NONE, Array, Chains, Ints, Measured, both_filters
from stages.params import Range

USUAL_ENDS = 0.004  # of boxes are somebody's last, or first; what the video shows is mixed with this, worth ...
PRIOR_BOXES = 1000  # ... so many boxes
CUT_FRAMES = 5  # from the video's first or last frame: it cut off who begins or ends there
WINDOW_FRAMES = 10_000  # searched at a time, so that memory follows the people in a window and not the length of the video


@dataclass(frozen=True)
class RewireParams:
    """When motion, and looks where there are any, say that a link belongs to somebody else."""

    enabled: bool
    min_gain: Annotated[float, Range(0, 1000)]  # nats
    end_cost: Annotated[float, Range(0, 1000)]  # nats, where USUAL_ENDS of boxes are ends
    miss_cost: Annotated[float, Range(0, 1000)]  # nats per frame
    max_gap_frames: Annotated[int, Range(1, 10_000)]
    min_shared_gain: Annotated[float, Range(-1000, 1000)]  # nats


@dataclass(frozen=True)
class Exchange:
    """The links from rows `left` to `left_next` and `other` to `other_next` exchanged their ends; -1 where there is no box."""

    left: int
    left_next: int
    other: int
    other_next: int
    gain: float  # nats
    looks: float  # nats of it that looks say
    runner_up: float  # nats of the next best exchange of the first link


def rewired(
    bboxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    frames: Ints,
    tracklets: Ints,
    sightings: Sightings,
    transforms: Array,
    width_px: int,
    params: RewireParams,
    apart: Ints,
) -> tuple[Chains, list[Exchange]]:
    """The chains that M boxes of one class form after all exchanges that pay, and these exchanges, in the order made.

    bboxes (M, 4) x1, y1, x2, y2 px, scores, frames and tracklets (M,), sorted by frame and, for speed, by x1; sightings of the
    same boxes; transforms (F, 2, 3) as CameraMotion's; width_px of the picture. apart (P, 4): tracklets and frames of the last
    box of the one and the first box of the other, who are two people: where people meet, no exchange makes one of them.
    """
    chains = chains_of(tracklets)
    measured = measure(bboxes, scores, frames, chains, transforms, width_px)
    order = np.lexsort((frames, tracklets))
    noise = learn_noise(_rows(measured, order), np.append(np.flatnonzero(np.diff(tracklets[order], prepend=-1)), len(order)))
    prices = Prices(params.end_cost + _rarity_of_ends(frames, chains), params.miss_cost, params.max_gap_frames)
    apart = apart + np.array([0, 0, -SLIDE_FRAMES, SLIDE_FRAMES])
    exchanges = []
    for start in range(0, len(transforms), WINDOW_FRAMES):
        exchanges += _in_window(
            start,
            min(start + WINDOW_FRAMES, len(transforms)),
            measured,
            chains,
            noise,
            sightings,
            prices,
            params.min_gain,
            tracklets,
            apart,
        )
    return chains, exchanges


def _rarity_of_ends(frames: Ints, chains: Chains) -> float:
    """Nats by which a chain's end is rarer among these boxes (M,), sorted by frame, than usual; so is its beginning."""
    begun = (chains.befores == NONE) & (frames > frames[0] + CUT_FRAMES)
    ended = (chains.nexts == NONE) & (frames < frames[-1] - CUT_FRAMES)
    ends = (np.count_nonzero(begun) + np.count_nonzero(ended)) / 2
    share = (ends + USUAL_ENDS * PRIOR_BOXES) / (len(frames) + PRIOR_BOXES)
    return float(np.log(USUAL_ENDS / share))


def _in_window(
    start: int,
    stop: int,
    measured: Measured,
    chains: Chains,
    noise: Array,
    sightings: Sightings,
    prices: Prices,
    min_gain: float,
    tracklets: Ints,
    apart: Ints,
) -> list[Exchange]:
    """Exchanges after frames start:stop, made in `chains`; the filters begin and end a margin outside."""
    margin = prices.max_gap + MEMORY_FRAMES
    first, last = np.searchsorted(measured.frames, [start - margin, stop + margin])
    if first == last:
        return []
    origin = max(start - margin, 0)
    near = _rows(measured, np.arange(first, last))._replace(frames=measured.frames[first:last] - origin)
    inside = Chains(_inside(chains.nexts, first, last), _inside(chains.befores, first, last))
    seen = sightings.take(slice(first, last))
    offsets = np.searchsorted(near.frames, np.arange(near.frames[-1] + 2))
    search = Search(
        near,
        offsets,
        inside,
        both_filters(near, inside, noise),
        noise,
        seen,
        both_sums(seen, inside),
        seen.most_gain,
        prices,
        min_gain,
        tracklets[first:last],
        apart - np.array([0, 0, origin, origin]),
    )
    stop = min(stop - origin, len(offsets) - 2)  # after the last frame nothing is open
    rows, nats = exchange_all(search, start - origin, stop)
    rows[rows != NONE] += first
    for left, left_next, other, other_next in rows:
        _link(chains, left, other_next)
        _link(chains, other, left_next)
    return [Exchange(*map(int, row), *map(float, nat)) for row, nat in zip(rows, nats, strict=True)]


def _link(chains: Chains, left: int, right: int) -> None:
    if left != NONE:
        chains.nexts[left] = right
    if right != NONE:
        chains.befores[right] = left


def _inside(links: Ints, first: int, last: int) -> Ints:
    """Links of rows first:last among themselves; NONE where they lead out."""
    cut = links[first:last]
    return np.where((cut >= first) & (cut < last), cut - first, NONE)


def _rows(measured: Measured, rows: NDArray[np.int64]) -> Measured:
    """Chosen boxes, in the order given."""
    return Measured(measured.values[rows], measured.heights[rows], measured.blur[rows], measured.frames[rows])
