"""Where a track changes person, as another camera sees it: up to a moment it walks with one there, and then with another.

Both of them are seen together in the other camera, so they are two people. A single camera notices nothing where two who look
alike cross. Mostly a stretch of moments fits. Where two tracks are exchanged, what fits both does; of that, the longest stretch
in which the track has no place, as people are exchanged while they are hidden; without any such, the middle.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.gallery import MOMENTS_PER_S
from stages.identity.evidence import Evidence
from stages.identity.whereabouts import MAX_SECONDS, moment_log_odds

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST_NATS = 8.0  # by which the places on either side must speak for its own partner rather than for the other's
OPEN_NATS = 2.0  # less than the best moment's, and the switch may have been then as well


@dataclass(frozen=True)
class Switch:
    """A track that is one person up to a moment and another from a later one on; at both it has a place, between them none."""

    track: int
    moments: tuple[int, int]
    nats: float
    before: int  # the track of another camera that it walks with up to there
    after: int  # and from there on


def find_switches(evidence: Evidence) -> list[Switch]:
    """The clearest switch of each track that has one, in the order of tracks."""
    starts = np.searchsorted(evidence.placed.tracks, np.arange(len(evidence.cameras) + 1))
    moments_of = [evidence.placed.moments[a:b] for a, b in zip(starts[:-1], starts[1:], strict=True)]
    wide = [_clearest(evidence, starts, track) for track in np.flatnonzero(np.diff(starts) > 1).tolist()]
    switches = [switch for switch in wide if switch is not None]
    fits = {(int(evidence.cameras[one.track]), one.before, one.after): one.moments for one in switches}
    found = []
    for one in switches:
        low, high = one.moments
        other = fits.get((int(evidence.cameras[one.track]), one.after, one.before), one.moments)
        if max(low, other[0]) < min(high, other[1]):
            low, high = max(low, other[0]), min(high, other[1])
        found.append(Switch(one.track, _hidden(moments_of[one.track], low, high), one.nats, one.before, one.after))
    return found


def _hidden(moments: Ints, low: int, high: int) -> tuple[int, int]:
    """The two neighbours among a track's moments between which it is exchanged, of those between low and high."""
    near = np.flatnonzero((moments[:-1] < high) & (moments[1:] > low))
    holes = np.diff(moments)[near]
    longest = near[holes == holes.max()]
    last = int(longest[len(longest) // 2])
    return int(moments[last]), int(moments[last + 1])


def _clearest(evidence: Evidence, starts: Ints, track: int) -> Switch | None:
    """The track's switch with the first and the last moment between which it may have been; None without one."""
    placed = evidence.placed
    mine = slice(starts[track], starts[track + 1])
    others = _met(evidence, starts, track)
    nats = np.zeros((len(others), mine.stop - mine.start))
    seen = np.zeros(nats.shape, dtype=bool)
    for row, other in enumerate(others):
        theirs = slice(starts[other], starts[other + 1])
        _, here, there = np.intersect1d(placed.moments[mine], placed.moments[theirs], assume_unique=True, return_indices=True)
        apart_m = np.linalg.norm(placed.places[mine][here] - placed.places[theirs][there], axis=1)
        nats[row, here] = moment_log_odds(apart_m, evidence.places.error_m, evidence.places.area_m2)
        seen[row, here] = True
    if len(others) < 2:
        return None
    before, after = _evidence(nats, seen)[:, :-1], _evidence(nats[:, ::-1], seen[:, ::-1])[:, -2::-1]
    gains, first, second = _gains(before, after, evidence.together[np.ix_(others, others)])
    best = int(gains.argmax())
    if gains[best] < LEAST_NATS:
        return None
    fits = np.flatnonzero((gains >= gains[best] - OPEN_NATS) & (first == first[best]) & (second == second[best]))
    open_moments = int(placed.moments[mine][fits[0]]), int(placed.moments[mine][fits[-1] + 1])
    return Switch(track, open_moments, float(gains[best]), others[first[best]], others[second[best]])


def _met(evidence: Evidence, starts: Ints, track: int) -> list[int]:
    """The tracks of other cameras that are placed in the same stretch of time."""
    moments, cameras = evidence.placed.moments, evidence.cameras
    others = np.flatnonzero((np.diff(starts) > 0) & (cameras != cameras[track]))
    first, last = moments[starts[others]], moments[starts[others + 1] - 1]
    mine = moments[starts[track]], moments[starts[track + 1] - 1]
    return others[(first <= mine[1]) & (last >= mine[0])].tolist()  # type: ignore[no-any-return]


def _gains(before: Array, after: Array, together: NDArray[np.bool_]) -> tuple[Array, Ints, Ints]:
    """(K,) nats for a switch after each place, and (K,) the partners on either side, two people; of nats (B, K) before and
    after it."""
    columns = np.arange(before.shape[1])
    first = before.argmax(axis=0)
    rivals = np.where(together[first].T, after, -np.inf)
    second = rivals.argmax(axis=0)
    own = np.minimum(before[first, columns], rivals[second, columns])
    lead = np.minimum(before[first, columns] - before[second, columns], after[second, columns] - after[first, columns])
    return np.minimum(own, lead), first, second


def _evidence(nats: Array, seen: NDArray[np.bool_]) -> Array:
    """(B, K) what the places up to each say of each partner, as `compare_places` counts it: no more than MAX_SECONDS."""
    seconds = np.maximum(seen.cumsum(axis=1) / MOMENTS_PER_S, 1 / MOMENTS_PER_S)
    return np.asarray(nats.cumsum(axis=1) / MOMENTS_PER_S * np.minimum(1.0, MAX_SECONDS / seconds))
