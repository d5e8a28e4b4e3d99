"""Whether two tracks were one person, by where they stood on the ground at the same moments or soon after each other.

At a moment, the places of one person in two views differ by an error that is learnt from the views themselves: each track's
nearest in the other view, where both choose each other, is mostly the same person. Places of two people differ by as much as
people are apart anywhere. Neighbouring moments share their errors, so a second counts as one observation, and people who walk
side by side for a minute are not surer to be one for it. Where one track ends before the other begins, the person may have
gone on at a walk, and cannot have flown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.gallery import MOMENTS_PER_S

Array = NDArray[np.float64]
TAILS = 4.0  # degrees of freedom of Student's t: feet are hidden, and then their place is anywhere near
FAR_M = 10.0  # farther apart is no farther for learning the error
LEAST_ERROR_M, MOST_ERROR_M = 0.1, 1.0  # of calibrated cameras
USUAL_ERROR_M, USUAL_PAIRS = 0.3, 3.0  # what is believed before anything is seen, and how many pairs that weighs
SIDE_BY_SIDE, SIDE_M = 0.05, 1.0  # share of strangers who walk together, and how far apart
MAX_SECONDS = 4.0  # of evidence
LEAST_AREA_M2 = 50.0
WALK_MPS = 1.0  # standard deviation of a second's way, in each axis
FASTEST_MPS, SLACK_M = 4.0, 1.5  # nobody gets farther between two tracks
HANDOVER_S = 5.0  # after a longer gap a walk says nothing


@dataclass(frozen=True, eq=False)
class Whereabouts:
    """For pairs of T tracks (T, T), symmetric."""

    seconds: Array  # both seen, by different cameras
    distance_m: Array  # mean over the shared moments, NaN without any
    log_odds: Array  # of being one person against two; 0 where places say nothing
    impossible: NDArray[np.bool_]  # too far from each other for the time between them
    error_m: float  # by which the places of one person in two views differ, in each axis
    area_m2: float  # that people are spread over


def compare_places(
    tracks: NDArray[np.int64], moments: NDArray[np.int64], places: Array, cameras: NDArray[np.int64]
) -> Whereabouts:
    """What the places say of each pair of tracks.

    tracks and moments (P,) and places (P, 2) metres, sorted by track and moment, say who stood where when; cameras (T,) the
    camera of each track.
    """
    count = len(cameras)
    order = np.argsort(moments, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(moments[order])) + 1) if len(order) else []
    groups = [rows for rows in groups if len(rows) > 1]
    shared, total = np.zeros((count, count)), np.zeros((count, count))
    for rows in groups:
        pair = np.ix_(tracks[rows], tracks[rows])
        shared[pair] += 1
        total[pair] += np.minimum(_apart(places[rows]), FAR_M)
    other = cameras[:, None] != cameras[None, :]
    shared = np.where(other, shared, 0.0)
    mean = np.divide(total, shared, out=np.full_like(total, np.nan), where=shared > 0)
    error_m, area_m2 = _error(mean), max(_area(places), LEAST_AREA_M2)
    nats = np.zeros((count, count))
    for rows in groups:
        nats[np.ix_(tracks[rows], tracks[rows])] += moment_log_odds(_apart(places[rows]), error_m, area_m2)
    seconds = shared / MOMENTS_PER_S
    weight = np.divide(np.minimum(seconds, MAX_SECONDS), shared, out=np.zeros_like(shared), where=shared > 0)
    walked, impossible = _in_turn(tracks, moments, places, count, error_m, area_m2)
    return Whereabouts(seconds, mean, np.where(shared > 0, nats * weight, walked), impossible, error_m, area_m2)


def moment_log_odds(apart_m: Array, error_m: Array | float, area_m2: float) -> Array:
    """Nats of one moment for people whose places differ by so much: Student's t in two dimensions against two people.

    Density of t (Kotz and Nadarajah 2004, equation 1.1) with d = 2: (1 + r^2 / (n s^2))^(-(n + 2) / 2) / (2 pi s^2). Two people
    are apart evenly over the area, but for those who walk side by side.
    """
    squared = (apart_m / error_m) ** 2
    same = -(TAILS + 2) / 2 * np.log1p(squared / TAILS) - np.log(2 * np.pi * error_m**2)
    beside = SIDE_BY_SIDE * np.exp(-((apart_m / SIDE_M) ** 2) / 2) / (2 * np.pi * SIDE_M**2)
    return np.asarray(same - np.log((1 - SIDE_BY_SIDE) / area_m2 + beside))


def _in_turn(
    tracks: NDArray[np.int64], moments: NDArray[np.int64], places: Array, count: int, error_m: float, area_m2: float
) -> tuple[Array, NDArray[np.bool_]]:
    """(T, T) nats, and whether impossible, of pairs of which one was last placed before the other was first."""
    first, last = np.full(count, -1), np.full(count, -1)
    first[tracks[::-1]] = np.arange(len(tracks))[::-1]
    last[tracks] = np.arange(len(tracks))
    placed = (first >= 0)[:, None] & (first >= 0)[None, :]
    if not len(tracks):
        return np.zeros((count, count)), placed
    gap_s = (moments[first][None, :] - moments[last][:, None]) / MOMENTS_PER_S
    after = placed & (gap_s > 0)
    gap_s = np.where(after, gap_s, 0.0)
    way_m = np.linalg.norm(places[first][None, :] - places[last][:, None], axis=2)
    nats = moment_log_odds(way_m, np.hypot(error_m, WALK_MPS * gap_s), area_m2)
    nats = np.where(after & (gap_s <= HANDOVER_S), nats, 0.0)
    impossible = after & (way_m > SLACK_M + FASTEST_MPS * gap_s)
    return nats + nats.T, impossible | impossible.T


def _apart(places: Array) -> Array:
    return np.asarray(np.linalg.norm(places[:, None] - places[None, :], axis=2))


def _error(mean: Array) -> float:
    """Metres that the places of one person in two views differ by, in each axis: from pairs that choose each other.

    The median of a Rayleigh distribution is s sqrt(2 ln 2) = 1.177 s.
    """
    finite = np.where(np.isnan(mean), np.inf, mean)
    nearest = finite.argmin(axis=1)
    rows = np.arange(len(mean))
    chosen = rows[(nearest[nearest] == rows) & (rows < nearest)] if len(mean) else rows
    error = float(np.median(mean[chosen, nearest[chosen]])) / 1.177 if len(chosen) else USUAL_ERROR_M
    learnt = (len(chosen) * error + USUAL_PAIRS * USUAL_ERROR_M) / (len(chosen) + USUAL_PAIRS)
    return float(np.clip(learnt, LEAST_ERROR_M, MOST_ERROR_M))


def _area(places: Array) -> float:
    """Square metres that people are spread over: of the rectangle of the middle nine tenths in each axis."""
    if not len(places):
        return 0.0
    low, high = np.quantile(places, (0.05, 0.95), axis=0)
    return float(np.prod((high - low) / 0.9))
