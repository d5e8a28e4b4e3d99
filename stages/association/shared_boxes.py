"""Two who walked as one box and came out of it as each other: told by looks, crosswise.

Where one of two hides the other, the detector finds one box. One tracklet, the keeper, goes on with it, another ends beside
it, and one begins beside it when both are seen again: the tracker cannot know which of the two it has kept. Whoever is dressed
like the companion is nobody else by looks alone, but who of the two is who shows where both before are compared with both
after.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import Views
from stages.association.changepoints import MEETING_IOU, MEETING_S
from stages.association.likeness import Looks, support_of
from stages.boxes import iou
from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

EXCHANGED_NATS = -2.2  # log-odds of coming out exchanged: 6 of 59 sharings in 40 drawn squares
SHARED_S = 20.0  # after which who begins beside the keeper has nothing to do with who ended there
MIN_VIEWS = 5  # of the keeper, before it is shared and after
MOST_VIEWS = 1_000  # of anybody before or after, the nearest: more say nothing new, and a keeper may stand there for hours


@dataclass(frozen=True)
class Sharing:
    """Positions in `Tracklets.ids`: beside `keeper`, `ended` ended in frame `shared_from` and `begun` began in `shared_to`."""

    keeper: int
    ended: int
    begun: int
    shared_from: int
    shared_to: int

    @property
    def members(self) -> set[int]:
        return {self.keeper, self.ended, self.begun}


@dataclass(frozen=True)
class MixUp:
    """What says that the keeper is from `frame` on who ended beside it, and that who began is whom it was."""

    sharing: Sharing
    frame: int
    odds_nats: float
    looks_nats: float  # of it: the log-likelihood ratio; the rest is what is usual


@dataclass(frozen=True, eq=False)
class Look:
    """What some views show."""

    sum: Array  # (D,) of their looks times their weights, in the space of looks
    support: float
    count: int


def mix_ups(tracklets: Tracklets, views: Views, looks: Looks, min_odds: float) -> list[MixUp]:
    """Those with odds above `min_odds`, the surest first; a tracklet is in one of them. views and looks: of these tracklets."""
    starts = np.append(0, np.cumsum(views.counts()))
    likely = [found for sharing in sharings(tracklets) if (found := _compared(sharing, views, starts, looks))]
    chosen: list[MixUp] = []
    taken: set[int] = set()
    for found in sorted(likely, key=lambda found: -found.odds_nats):
        if found.odds_nats > min_odds and not found.sharing.members & taken:
            chosen.append(found)
            taken |= found.sharing.members
    return chosen


def sharings(tracklets: Tracklets) -> list[Sharing]:
    """All, by keeper and by who ended and who began."""
    offsets, reach = tracklets.offsets(), round(MEETING_S * tracklets.fps)
    first, last = tracklets.frame_numbers[offsets[:-1]].tolist(), tracklets.frame_numbers[offsets[1:] - 1].tolist()
    ended = _beside(tracklets, offsets[1:] - 1, 0, reach)
    begun = _beside(tracklets, offsets[:-1], -reach, 0)
    return [
        Sharing(keeper, one, other, last[one], first[other])
        for keeper in sorted(ended.keys() & begun.keys())
        for one, other in product(ended[keeper], begun[keeper])
        if 0 < first[other] - last[one] <= SHARED_S * tracklets.fps
    ]


def _beside(tracklets: Tracklets, ends: Ints, since: int, until: int) -> dict[int, list[int]]:
    """Tracklets t by keeper: whose boxes, within its time, that in row `ends[t]` meets, `since` to `until` frames later."""
    offsets, frames = tracklets.offsets(), tracklets.frame_numbers.astype(np.int64)
    owners = tracklets.positions()
    first, last = frames[offsets[:-1]], frames[offsets[1:] - 1]
    order = np.argsort(frames, kind="stable")
    starts = np.searchsorted(frames[order], frames[ends] + since)
    stops = np.searchsorted(frames[order], frames[ends] + until, side="right")
    beside: dict[int, list[int]] = {}
    for t, row in enumerate(ends.tolist()):
        near = order[starts[t] : stops[t]]
        met = iou(tracklets.bboxes[row : row + 1], tracklets.bboxes[near])[0] >= MEETING_IOU
        for keeper in np.unique(owners[near[met]]).tolist():
            if first[keeper] < frames[row] < last[keeper]:
                beside.setdefault(keeper, []).append(t)
    return beside


def _compared(sharing: Sharing, views: Views, starts: Ints, looks: Looks) -> MixUp | None:
    """How likely they came out exchanged, and where; None where too little is seen."""
    own = slice(int(starts[sharing.keeper]), int(starts[sharing.keeper + 1]))
    since, until = own.start + np.searchsorted(views.frames[own], [sharing.shared_from + 1, sharing.shared_to])
    earlier, later = ((own.start, since), starts[sharing.ended :][:2]), ((until, own.stop), starts[sharing.begun :][:2])
    before, ended = (_look(np.arange(first, stop)[-MOST_VIEWS:], views, looks) for first, stop in earlier)
    after, begun = (_look(np.arange(first, stop)[:MOST_VIEWS], views, looks) for first, stop in later)
    if min(before.count, after.count) < MIN_VIEWS or min(ended.count, begun.count) == 0:
        return None
    crosswise = _nats(before, begun, looks) + _nats(ended, after, looks)
    nats = crosswise - _nats(before, after, looks) - _nats(ended, begun, looks)
    # meanwhile the box shows either: first rather who had it before, then rather who has it after
    shared = slice(int(since), int(until))
    shown = _along(_unit(before.sum + begun.sum) - _unit(ended.sum + after.sum), shared, views, looks)
    change = since + int(np.append(0, np.cumsum(shown * views.weights[shared])).argmax())
    frame = int(views.frames[change]) if change < until else sharing.shared_to
    return MixUp(sharing, frame, nats + EXCHANGED_NATS, nats)


def _look(chosen: Ints, views: Views, looks: Looks) -> Look:
    """Their mean is moved into the space of looks: to move each view would cost as much as all else."""
    weights, count = views.weights[chosen], len(chosen)
    total = max(float(weights.sum()), 1e-9)
    mean = ((weights @ views.features(chosen)) / total).astype(np.float32)
    clarity = float(weights @ views.clarities[chosen]) / total
    return Look(
        looks.space.moved(mean).astype(np.float64) * total, float(support_of(np.array(count), np.array(clarity))), count
    )


def _along(direction: Array, chosen: slice, views: Views, looks: Looks) -> Array:
    """(n,) how far views lie in a direction (D,) of the space."""
    features = views.features(chosen).astype(np.float64)
    return np.asarray((features - looks.space.centre) @ (looks.space.whitening.astype(np.float64) @ direction))


def _nats(one: Look, other: Look, looks: Looks) -> float:
    """Log-likelihood ratio of one person over two."""
    cosine = np.array(_unit(one.sum) @ _unit(other.sum))
    return float(looks.calibration.nats(cosine, np.array(one.support * other.support)))


def _unit(vector: Array) -> Array:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))
