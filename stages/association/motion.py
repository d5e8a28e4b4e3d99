"""Motion between tracklets: how much likelier one person who walked on is than somebody who happened to begin there, in nats.

Where a tracklet points to is compared with where another begins, and the other way round. How far people stray from where they
point to after so long is learnt from the inside of the video's own tracklets; where people begin and end, the entries and exits
of the scene, from their first and last boxes. Lengths are in body heights, so near and far people share one scale.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from stages.association.thinning import stride
from stages.boxes import foot_points
from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

X, Y, SIZE = 0, 1, 2  # of a place: foot point in px, logarithm of the height in px
LEAST_HEIGHT_PX = 1e-4  # as from the first frame, which a camera that moves on leaves far behind
WINDOW_S = 0.5  # of an end, that its velocity is taken from
LAGS_S = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)  # after which straying is learnt
PRIOR_STRAY = np.array([[0.06, 0.05, 0.04], [0.3, 0.15, 0.05]])  # body heights at once, and per second more
PRIOR_BELIEF_S = 2.0  # velocities lose their meaning in such a time
PRIOR_EXAMPLES = 50.0  # that the prior is worth
MAX_ROWS = 50_000  # learnt from, spread over the video
TAILS = 4.0  # degrees of freedom of Student's t: people turn and stop more often than a Gaussian allows
KERNEL = np.array([0.6, 0.4, 0.25])  # body heights: standard deviations of an entry's or exit's surroundings
ANYWHERE = 2.0  # people's worth of belief that one may begin anywhere in the picture
SIZE_RANGE = 3.0  # in logarithms: sizes that anywhere stands for
MAX_CENTRES = 2_000  # first and last boxes that densities are made of, spread over the video
MEDIAN_TO_SCALE = 1.4826  # of a Gaussian, from the median absolute deviation


@dataclass(frozen=True, eq=False)
class Ends:
    """First and last moments of T tracklets, smoothed by a straight line through the boxes near each end."""

    frames: Ints  # (2, T) first and last
    places: Array  # (2, T, 3)
    velocities: Array  # (2, T, 3) per frame

    @property
    def heights(self) -> Array:
        """(2, T) px."""
        return np.exp(self.places[..., SIZE])


@dataclass(frozen=True, eq=False)
class Straying:
    """How far people are from where they pointed to, after `lags` (L,) frames, ascending."""

    lags: Array
    belief: Array  # (L, 3) share of the velocity that still counts
    spread: Array  # (L, 3) body heights

    def after(self, frames: Array) -> tuple[Array, Array]:
        """(N, 3) shares and spreads after so many frames (N,); beyond the last lag spread grows as far as people walk."""
        at = np.log(np.maximum(frames, 1e-9))
        belief = np.stack([np.interp(at, np.log(self.lags), self.belief[:, k]) for k in range(3)], axis=1)
        spread = np.stack([np.interp(at, np.log(self.lags), self.spread[:, k]) for k in range(3)], axis=1)
        farther = np.maximum(frames / self.lags[-1], 1.0)[:, None]
        return belief / farther, spread * farther


def place_rows(tracklets: Tracklets) -> Array:
    """(M, 3) place of each box."""
    heights = np.maximum(tracklets.bboxes[:, 3] - tracklets.bboxes[:, 1], LEAST_HEIGHT_PX).astype(np.float64)
    return np.column_stack([foot_points(tracklets.bboxes), np.log(heights)])


def ends_of(tracklets: Tracklets) -> Ends:
    """The ends of all tracklets."""
    offsets = tracklets.offsets()
    return ends_at(tracklets, offsets[:-1], offsets[1:] - 1)


def ends_at(tracklets: Tracklets, first: Ints, last: Ints) -> Ends:
    """Where rows `first` (T,) begin and rows `last` (T,) end something, by the boxes of their tracklets from or up to them."""
    frames, places = tracklets.frame_numbers.astype(np.int64), place_rows(tracklets)
    window = max(round(WINDOW_S * tracklets.fps), 1)
    key = tracklets.positions() * (tracklets.num_frames + window + 1) + frames
    after = np.searchsorted(key, key[first] + window, side="right")
    before = np.searchsorted(key, key[last] - window, side="left")
    lines = [_lines(frames, places, first, after, first), _lines(frames, places, before, last + 1, last)]
    return Ends(np.stack([frames[first], frames[last]]), *(np.stack(parts) for parts in zip(*lines, strict=True)))


def _lines(frames: Ints, values: Array, starts: Ints, stops: Ints, at: Ints) -> tuple[Array, Array]:
    """(N, 3) values and slopes at rows `at` (N,) of the least-squares lines through rows starts:stops."""
    count = (stops - starts).astype(np.float64)[:, None]
    origin = np.repeat(frames[at], stops - starts)
    rows = _ranges(starts, stops)
    times = (frames[rows] - origin).astype(np.float64)[:, None]
    edges = np.cumsum(stops - starts) - (stops - starts)

    def summed(values: Array) -> Array:
        return np.add.reduceat(values, edges, axis=0) if len(edges) else values

    time_mean, value_mean = summed(times) / count, summed(values[rows]) / count
    spread = summed(times**2) - count * time_mean**2
    shared = summed(times * values[rows]) - count * time_mean * value_mean
    slopes = np.divide(shared, spread, out=np.zeros_like(shared), where=spread > 1e-9)
    return value_mean - slopes * time_mean, slopes


def _ranges(starts: Ints, stops: Ints) -> Ints:
    """The numbers starts[0]:stops[0], starts[1]:stops[1], ... in one row."""
    lengths = stops - starts
    return np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))


def learn_straying(tracklets: Tracklets) -> Straying:
    """How people of this video stray, mixed with what is believed of people in general."""
    fps, frames, places = tracklets.fps, tracklets.frame_numbers.astype(np.int64), place_rows(tracklets)
    window = max(round(WINDOW_S * fps), 1)
    lags = np.unique(np.maximum(np.round(np.array(LAGS_S) * fps), 1).astype(np.int64))
    owner = tracklets.positions()
    key = owner * (tracklets.num_frames + window + int(lags[-1])) + frames  # nothing reaches from one tracklet into another
    rows = np.arange(0, len(frames), stride(len(frames), MAX_ROWS))
    starts = np.searchsorted(key, key[rows] - window)
    settled = rows - starts >= window / 2
    rows, starts = rows[settled], starts[settled]
    at, velocities = _lines(frames, places, starts, rows + 1, rows)
    heights = np.exp(at[:, SIZE])
    belief, spread = np.zeros((len(lags), 3)), np.zeros((len(lags), 3))
    for k, lag in enumerate(lags):
        target = np.minimum(np.searchsorted(key, key[rows] + lag), len(key) - 1) if len(key) else rows
        found = key[target] == key[rows] + lag
        unit = np.column_stack([heights, heights, np.ones(len(heights))])[found]
        moved, pointed = (places[target] - at)[found] / unit, velocities[found] * lag / unit
        weight, seconds = found.sum() / (found.sum() + PRIOR_EXAMPLES), lag / fps
        expected = np.exp(-seconds / PRIOR_BELIEF_S)
        worth = (moved * pointed).sum(axis=0) + 1e-3 * expected
        belief[k] = weight * np.clip(worth / ((pointed**2).sum(axis=0) + 1e-3), 0, 1) + (1 - weight) * expected
        error = np.median(np.abs(moved - belief[k] * pointed), axis=0) if found.any() else np.zeros(3)
        spread[k] = weight * MEDIAN_TO_SCALE * error + (1 - weight) * (PRIOR_STRAY[0] + PRIOR_STRAY[1] * seconds)
    return Straying(lags.astype(np.float64), belief, np.maximum.accumulate(np.maximum(spread, PRIOR_STRAY[0] / 2)))


@dataclass(frozen=True, eq=False)
class Passage:
    """Where people begin and where they end, and how they move between."""

    ends: Ends
    straying: Straying
    begins: Array  # (T,) log density of somebody's beginning where each tracklet does, per px^2 and unit of size
    stops: Array  # (T,) of somebody's end where each tracklet ends

    def nats(self, first: Ints, second: Ints) -> Array:
        """(E,) log-likelihood ratios of going on from the end of `first` to the beginning of `second`, later, both (E,)."""
        gaps = (self.ends.frames[0, second] - self.ends.frames[1, first]).astype(np.float64)
        belief, spread = self.straying.after(gaps)
        (start, end), (speed_in, speed_out) = self.ends.places, self.ends.velocities
        step = start[second] - end[first]
        frames = gaps[:, None] * belief
        forward = _log_density(step - speed_out[first] * frames, spread, self.ends.heights[1, first])
        backward = _log_density(step - speed_in[second] * frames, spread, self.ends.heights[0, second])
        return np.asarray((forward - self.begins[second] + backward - self.stops[first]) / 2)


def learn_passage(tracklets: Tracklets) -> Passage:
    """What the video shows of its people's ways."""
    ends = ends_of(tracklets)
    area = float(tracklets.width_px * tracklets.height_px) * SIZE_RANGE
    begins, stops = (_density(places, area) for places in ends.places)
    return Passage(ends, learn_straying(tracklets), begins, stops)


def _log_density(error: Array, spread: Array, heights: Array) -> Array:
    """(E,) log density of errors (E, 3) under Student's t with these spreads (E, 3) in body heights (E,)."""
    scale = spread * np.column_stack([heights, heights, np.ones(len(heights))])
    squared = np.square(error / scale)
    log_constant = gammaln((TAILS + 1) / 2) - gammaln(TAILS / 2) - np.log(TAILS * np.pi) / 2
    return np.asarray((log_constant - np.log(scale) - (TAILS + 1) / 2 * np.log1p(squared / TAILS)).sum(axis=1))


def _density(places: Array, area: float) -> Array:
    """(T,) log density of places (T, 3) among all others of them: a kernel estimate that leaves each one itself out."""
    centres = np.arange(0, len(places), stride(len(places), MAX_CENTRES))
    heights = np.exp(places[:, SIZE])
    scale = KERNEL * np.column_stack([heights, heights, np.ones(len(heights))])
    peak = 1 / ((2 * np.pi) ** 1.5 * scale.prod(axis=1))
    total = np.zeros(len(places))
    for rows in np.array_split(np.arange(len(places)), max(1, len(places) // 500)):
        squared = np.zeros((len(rows), len(centres)))
        for k in range(3):
            squared += np.square((places[rows, k, None] - places[None, centres, k]) / scale[rows, k, None])
        kernels = np.exp(-squared / 2)
        kernels[rows[:, None] == centres] = 0
        total[rows] = kernels.sum(axis=1) * peak[rows]
    return np.asarray(np.log((total + ANYWHERE / area) / (len(centres) + ANYWHERE)))
