"""Where somebody else was as evidence of a change of person.

Looks alone may leave open whether a tracklet changed person, while the video knows whom one part of it shows: somebody who is
seen elsewhere during the other part, and so is not the person of that one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import Views
from stages.association.likeness import Looks, support_of
from stages.association.returning import Returning
from stages.contracts.tracklets import Tracklets

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Alibi:
    """Log-odds that one part of a tracklet is `tracklet_id`'s person, who is seen during the other part."""

    tracklet_id: int
    nats: float


NO_ALIBI = Alibi(0, 0.0)


class Alibis:
    """Those of all tracklets of a video."""

    def __init__(self, tracklets: Tracklets, views: Views, looks: Looks, together: Ints, returning: Returning) -> None:
        """together (P, 2): pairs of tracklets seen in one frame; those of one class can be one another's person."""
        self._ids, self._fps = tracklets.ids, tracklets.fps
        offsets = tracklets.offsets()
        self._frames = np.split(tracklets.frame_numbers, offsets[1:-1])
        self._views, self._looks, self._returning = views, looks, returning
        classes = tracklets.class_ids[offsets[:-1]]
        alike = together[classes[together[:, 0]] == classes[together[:, 1]]]
        pairs = np.concatenate([alike, alike[:, ::-1]])
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        self._others = np.split(pairs[:, 1], np.searchsorted(pairs[:, 0], np.arange(1, views.num_tracklets)))

    def best(self, first: int, start: int, cut: int, stop: int) -> Alibi:
        """The strongest for views start:cut or cut:stop of one tracklet, from its `first`; NO_ALIBI without a likely one."""
        before, after = slice(first + start, first + cut), slice(first + cut, first + stop)
        return max([*self._of(before, after), *self._of(after, before), NO_ALIBI], key=lambda alibi: alibi.nats)

    def _of(self, part: slice, rest: slice) -> list[Alibi]:
        """Of everybody who looks like the part, is not seen during it, and is during the rest."""
        others = self._others[int(self._views.tracklets[part.start])]
        likeness = self._likeness(part, others)
        found = []
        for other, nats in zip(others[likeness > 0].tolist(), likeness[likeness > 0].tolist(), strict=True):
            gap_s = self._gap_s(self._frames[other], part)
            if gap_s > 0 and self._gap_s(self._frames[other], rest) == 0:
                found.append(Alibi(int(self._ids[other]), nats + float(self._returning.nats(np.array(gap_s)))))
        return found

    def _likeness(self, part: slice, others: Ints) -> Array:
        """(N,) nats by which looks say that the part and each of some tracklets are one person."""
        weights = self._views.weights[part]
        mean = (weights.astype(np.float32) @ self._views.features(part) / weights.sum()).astype(np.float32)
        look = self._looks.space.directions(mean[None])[0]
        clarity = float(weights @ self._views.clarities[part] / weights.sum())
        support = support_of(np.array([len(weights)]), clarity)
        cosines = (self._looks.directions[others] @ look).astype(np.float64)
        return self._looks.calibration.nats(cosines, self._looks.supports[others] * support)

    def _gap_s(self, frames: NDArray[np.int32], part: slice) -> float:
        """Seconds between the part and the nearest of a tracklet's frames; 0 where some lie in the part."""
        first, last = (int(self._views.frames[k]) for k in (part.start, part.stop - 1))
        place = int(np.searchsorted(frames, first))
        if place < len(frames) and frames[place] <= last:
            return 0.0
        before = [first - int(frames[place - 1])] if place > 0 else []
        after = [int(frames[place]) - last] if place < len(frames) else []
        return min(before + after) / self._fps
