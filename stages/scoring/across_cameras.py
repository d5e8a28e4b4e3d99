"""IDF1 across the cameras of a group: is a person the same identity in every view?

Ristani et al. 2016, "Performance measures and a data set for multi-target, multi-camera tracking", sections 3 and 4: identities
are matched to true people once, over all cameras. What a camera adds to that matching are counts of boxes, so cameras are
counted apart and summed. The ground truth of a group's cameras must give a person the same id in each.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from stages.errors import DataError


@dataclass(frozen=True)
class IdentityMatches:
    """Counts of boxes in one camera."""

    true: Counter[int]  # of each true person
    found: Counter[int]  # of each identity
    both: Counter[tuple[int, int]]  # of each pair of a person and an identity, IoU 0.5 or more

    def to_json(self) -> dict[str, Any]:
        """Lists of [person, boxes], [identity, boxes] and [person, identity, boxes]."""
        both = [[*pair, boxes] for pair, boxes in sorted(self.both.items())]
        return {"true": sorted(map(list, self.true.items())), "found": sorted(map(list, self.found.items())), "both": both}


def matches_from_json(values: Any, place: str) -> IdentityMatches:
    """The counts that `to_json` wrote. Raises DataError where they are anything else."""
    try:
        return IdentityMatches(
            Counter({int(person): int(boxes) for person, boxes in values["true"]}),
            Counter({int(identity): int(boxes) for identity, boxes in values["found"]}),
            Counter({(int(person), int(identity)): int(boxes) for person, identity, boxes in values["both"]}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{place}: expected counts of boxes by person and identity, got: {error!r}") from error


def across_cameras(cameras: Sequence[IdentityMatches]) -> dict[str, float | int]:
    """IDF1, IDP and IDR in percent with their counts, and how many people and identities there are.

    With M the boxes that matched pairs share, IDTP = sum M, IDFN = true boxes - IDTP and IDFP = found boxes - IDTP (section
    4.2); the matching that makes IDFN + IDFP least makes sum M greatest.
    """
    true, found, both = Counter[int](), Counter[int](), Counter[tuple[int, int]]()
    for camera in cameras:
        true, found, both = true + camera.true, found + camera.found, both + camera.both
    people, identities = sorted(true), sorted(found)
    shared = np.array([[both[person, identity] for identity in identities] for person in people], dtype=np.int64)
    shared = shared.reshape(len(people), len(identities))
    idtp = int(shared[linear_sum_assignment(shared, maximize=True)].sum())
    idfn, idfp = true.total() - idtp, found.total() - idtp
    return {
        "IDF1": idf1(idtp, idfn, idfp),
        "IDP": round(100 * idtp / max(idtp + idfp, 1), 2),
        "IDR": round(100 * idtp / max(idtp + idfn, 1), 2),
        "IDTP": idtp,
        "IDFN": idfn,
        "IDFP": idfp,
        "people": len(people),
        "identities": len(identities),
    }


def idf1(idtp: int, idfn: int, idfp: int) -> float:
    """IDF1 in percent; 0 where there is nothing."""
    return round(100 * idtp / max(idtp + (idfn + idfp) / 2, 1), 2)
