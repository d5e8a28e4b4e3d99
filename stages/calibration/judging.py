"""Decisions of `merge` about two tracklets, joined or refused, judged by whom ground truth shows on both sides of the gap.

Pairs that somebody joined by hand are left out: most of them `merge` would not have weighed at all, so that its table holds no
such pairs of two people beside them. That its mended refusals are missing makes refusals look a little surer than they are.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.association.decisions import CORRECTED
from stages.audit import read_audit
from stages.contracts.tracklets import Tracklets
from stages.decisions import Boxes, one_person
from stages.errors import DataError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Lead:
    """How far ahead joining two tracklets is of the best other choice."""

    tracklet_id: int
    other_tracklet_id: int
    gain_nats: float


@dataclass(frozen=True, eq=False)
class Judged:
    """N decisions."""

    gains: Array  # (N,) nats
    one_person: NDArray[np.bool_]  # (N,)

    def __len__(self) -> int:
        return len(self.gains)


def read_leads(path: Path) -> list[Lead]:
    """The decisions in a merges.csv but for those by hand. Raises DataError where it holds anything else."""
    names = ("tracklet_id", "other_tracklet_id", "gain_nats")
    leads = []
    for row in read_audit(path, "decision", *names):
        if row["decision"] == CORRECTED:
            continue
        try:
            lead = Lead(int(row[names[0]]), int(row[names[1]]), float(row[names[2]]))
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: expected two whole numbers and nats in {', '.join(names)}, got: {error}") from error
        if not math.isfinite(lead.gain_nats):
            raise DataError(f"{path}: gain_nats: expected a finite number, got {lead.gain_nats}")
        leads.append(lead)
    return leads


def judge(leads: Iterable[Lead], tracklets: Tracklets, people: NDArray[np.int64]) -> Judged:
    """The decisions of which both sides show somebody known; `people` (D,) is whom each detection shows."""
    boxes = Boxes(tracklets)
    gains, true = [], []
    for lead in leads:
        _, before, after = boxes.sides(lead.tracklet_id, lead.other_tracklet_id)
        verdict = one_person(people, before, after)
        if verdict is not None:
            gains.append(lead.gain_nats)
            true.append(verdict)
    return Judged(np.array(gains, dtype=np.float64), np.array(true, dtype=bool))


def joined(parts: Sequence[Judged]) -> Judged:
    """All decisions of several sequences, one at least."""
    return Judged(np.concatenate([p.gains for p in parts]), np.concatenate([p.one_person for p in parts]))
