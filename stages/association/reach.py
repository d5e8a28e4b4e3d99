"""How far people get: a log-likelihood ratio in nats that one person is seen again where another tracklet begins, by any way.

Who turned or stopped unseen does not go on as they pointed, but is not farther away than people get in the time. How near a
tracklet begins is compared with how near somebody does: with all beginnings of the video.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from stages.association.motion import Ends, X, Y
from stages.association.thinning import stride

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

ASIDE = 1.0  # body heights that people may be off at once, as where only a head or the legs were seen, ...
AWAY = 0.35  # ... and per second more, in x and in y: in videos of still cameras, 0.13 to 0.35 on average after 3 s and more
ELSEWHERE = 0.01  # share of people who are farther away than people get, as those of tracklets that show two
AROUND_S = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])  # gaps for which beginnings around an end are summed up
MAX_AROUND = 256  # beginnings that are, spread over the video


@dataclass(frozen=True, eq=False)
class Reach:
    """Where people end and begin, and how near beginnings usually are."""

    ends: Ends
    around: Array  # (T, G) logarithm of the mean nearness of all beginnings to each tracklet's end, after AROUND_S
    fps: float

    def nats(self, first: Ints, second: Ints) -> Array:
        """(E,) log-likelihood ratios of getting from the end of `first` to the beginning of `second`, later, both (E,)."""
        gaps_s = (self.ends.frames[0, second] - self.ends.frames[1, first]) / self.fps
        near = _log_nearness(self.ends, first, second, _reach(gaps_s))
        return np.asarray(np.logaddexp(np.log1p(-ELSEWHERE) + near - self._usual(first, gaps_s), np.log(ELSEWHERE)))

    def most_nats(self, first: Ints, gap_s: float) -> Array:
        """(N,) the most that `nats` could give after so many seconds or more; 0 at least."""
        return np.asarray(np.maximum(-self._usual(first, np.full(len(first), gap_s)), 0.0))

    def _usual(self, first: Ints, gaps_s: Array) -> Array:
        """(N,) `around` after these gaps."""
        at = np.interp(np.log(np.maximum(gaps_s, AROUND_S[0])), np.log(AROUND_S), np.arange(len(AROUND_S)))
        low = np.minimum(at.astype(np.int64), len(AROUND_S) - 2)
        return np.asarray((1 - at + low) * self.around[first, low] + (at - low) * self.around[first, low + 1])


def learn_reach(ends: Ends, fps: float) -> Reach:
    """What the video shows of where people begin."""
    count = ends.frames.shape[1]
    some = np.arange(0, count, stride(count, MAX_AROUND))
    around = np.zeros((count, len(AROUND_S)))
    for rows in np.array_split(np.arange(count), max(1, count // 500)):
        at_once = _log_nearness(ends, rows[:, None], some[None, :], np.ones(1))
        for k, reach in enumerate(_reach(AROUND_S)):
            around[rows, k] = logsumexp(at_once / reach**2, axis=1) - np.log(len(some))
    return Reach(ends, around, fps)


def _reach(gaps_s: Array) -> Array:
    """Body heights within which people are after so many seconds: the standard deviation of x and of y."""
    return ASIDE + AWAY * gaps_s


def _log_nearness(ends: Ends, first: Ints, second: Ints, reach: Array) -> Array:
    """Logarithms of a Gaussian, 1 at no distance, from the ends of `first` to the beginnings of `second`; all broadcast."""
    steps = (ends.places[0, second] - ends.places[1, first])[..., [X, Y]]
    squared = np.square(steps).sum(axis=-1) / (ends.heights[1, first] * ends.heights[0, second])
    return np.asarray(-squared / (2 * np.square(reach)))
