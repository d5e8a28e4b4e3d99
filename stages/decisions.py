"""Every decision about who is who: exchanges, cuts, joins and refusals to join, with both sides and how doubtful each is.

Audit tables name tracklets of the level that their stage read; here each side becomes rows of the detections, which all levels
share. Evidence is whatever columns a table has beside those that name the decision.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from stages.audit import read_audit
from stages.contracts.tracklets import Tracklets
from stages.errors import DataError
from stages.lineage import NOBODY, owners, owners_of

Kind = Literal["exchange", "cut", "join", "refusal"]
APART: tuple[Kind, ...] = ("cut", "refusal")  # that say: two people
Rows = NDArray[np.int64]  # of the detections, by frame
Evidence = dict[str, str]

EXCHANGE_TEMPER, EXCHANGE_OFFSET = 0.19, -0.57  # of a lead in nats, to log-odds of being right: docs/measured.md, "How sure"
WITNESSES = 15  # boxes nearest to a decision that say who the person on that side is
NEAREST = 40  # boxes that a side keeps: all would be those of a whole tracklet, once a decision


@dataclass(frozen=True, eq=False)
class Pair:
    """The NEAREST boxes before and after a decision, which says that they show one person (join, exchange) or two."""

    before: Rows
    after: Rows
    tracks: tuple[int, int]  # final track of each side


@dataclass(frozen=True, eq=False)
class Decision:
    """One row of an audit table."""

    name: str  # "join-3": kind and row
    kind: Kind
    frame_number: int  # the first frame that it changes
    tracklet_ids: tuple[int, int]  # in the tracklets that the stage read
    pairs: tuple[Pair, ...]
    evidence: Evidence
    doubt: float  # chance that it is wrong

    def right(self, people: Rows) -> bool | None:
        """Whether the truth agrees, None where it does not say; `people` (D,) is whom each detection shows."""
        said = [one_person(people, pair.before, pair.after) for pair in self.pairs]
        known = [verdict for verdict in said if verdict is not None]
        return all(verdict == (self.kind not in APART) for verdict in known) if known else None


def one_person(people: Rows, before: Rows, after: Rows) -> bool | None:
    """Whether the boxes nearest to a decision show one person, None where those of a side show nobody known."""
    sides = _majority(people[before[-WITNESSES:]]), _majority(people[after[:WITNESSES]])
    return None if NOBODY in sides else sides[0] == sides[1]


def read_decisions(rewires: Path, splits: Path, merges: Path, levels: Mapping[str, Tracklets]) -> list[Decision]:
    """All decisions about a sequence, the most doubtful first. Raises DataError where a table does not fit the tracklets."""
    final = owners(levels["final"])
    made = _exchanges(rewires, levels, final) + _cuts(splits, levels["rewired"], final) + _joins(merges, levels["split"], final)
    return sorted(made, key=lambda decision: -decision.doubt)


def _exchanges(path: Path, levels: Mapping[str, Tracklets], final: Rows) -> list[Decision]:
    """What a tracklet of `rewired` holds before and after the frame, where these are boxes of two raw tracklets."""
    raw, rewired = Boxes(levels["raw"]), Boxes(levels["rewired"])
    raw_owner, new_owner = owners(levels["raw"]), owners(levels["rewired"])
    made = []
    for number, row in enumerate(read_audit(path, "frame_number", "tracklet_id", "other_tracklet_id")):
        frame, first, second = (_whole(path, row, name) for name in ("frame_number", "tracklet_id", "other_tracklet_id"))
        pairs = []
        for raw_id in dict.fromkeys((first, second)):
            earlier, _ = raw.around(raw_id, frame + 1)
            for new_id in np.unique(new_owner[earlier[-1:]]).tolist():
                before, after = rewired.around(new_id, frame + 1)
                if len(before) and len(after) and raw_owner[before[-1]] != raw_owner[after[0]]:
                    pairs.append(_pair(before, after, final))
        gain, rival = _number(row, "gain_nats"), _number(row, "runner_up_nats")
        doubt = _chance(-(EXCHANGE_TEMPER * (gain - max(0.0, rival)) + EXCHANGE_OFFSET))
        made.append(Decision(f"exchange-{number}", "exchange", frame + 1, (first, second), tuple(pairs), _rest(row), doubt))
    return made


def _cuts(path: Path, rewired: Tracklets, final: Rows) -> list[Decision]:
    boxes = Boxes(rewired)
    made = []
    for number, row in enumerate(read_audit(path, "tracklet_id", "frame_number", "new_tracklet_id")):
        tracklet_id, frame, new_id = (_whole(path, row, name) for name in ("tracklet_id", "frame_number", "new_tracklet_id"))
        before, after = boxes.around(tracklet_id, frame)
        pairs = (_pair(before, after, final),) if len(before) and len(after) else ()
        doubt = _chance(-_number(row, "odds_nats"))
        made.append(Decision(f"cut-{number}", "cut", frame, (tracklet_id, new_id), pairs, _rest(row), doubt))
    return made


def _joins(path: Path, split: Tracklets, final: Rows) -> list[Decision]:
    """The pair's boxes before and after the later one begins, of joins and of refusals."""
    boxes = Boxes(split)
    made = []
    for number, row in enumerate(read_audit(path, "tracklet_id", "other_tracklet_id")):
        ids, before, after = boxes.sides(*(_whole(path, row, name) for name in ("tracklet_id", "other_tracklet_id")))
        pairs = (_pair(before, after, final),) if len(before) and len(after) else ()
        kind: Kind = "refusal" if row.get("decision") == "refused" else "join"
        same = float(np.clip(np.nan_to_num(_number(row, "probability")), 0.0, 1.0))
        doubt = same if kind == "refusal" else 1 - same
        made.append(Decision(f"{kind}-{number}", kind, boxes.first_frame(ids[1]), ids, pairs, _rest(row), doubt))
    return made


class Boxes:
    """The detections of each tracklet by frame."""

    def __init__(self, tracklets: Tracklets) -> None:
        offsets, seen = tracklets.offsets(), np.flatnonzero(tracklets.detection_indices >= 0)
        frames, rows = tracklets.frame_numbers[seen], tracklets.detection_indices[seen].astype(np.int64)
        limits = np.searchsorted(seen, offsets).tolist()
        ids: list[int] = tracklets.ids.tolist()
        self.parts = {name: (frames[a:b], rows[a:b]) for name, a, b in zip(ids, limits[:-1], limits[1:], strict=True)}
        self.begins: dict[int, int] = dict(zip(ids, tracklets.frame_numbers[offsets[:-1]].tolist(), strict=True))

    def around(self, tracklet_id: int, frame: int) -> tuple[Rows, Rows]:
        """The NEAREST detections before the frame and from it on; none of a tracklet that is not there."""
        frames, rows = self.parts.get(tracklet_id, (np.zeros(0, np.int32), np.zeros(0, np.int64)))
        at = int(np.searchsorted(frames, frame))
        return rows[max(0, at - NEAREST) : at], rows[at : at + NEAREST]

    def sides(self, one: int, other: int) -> tuple[tuple[int, int], Rows, Rows]:
        """Two tracklets, the earlier first, and the detections of each up to the later one's beginning and from it on."""
        first, second = sorted((one, other), key=self.first_frame)
        begin = self.first_frame(second)
        return (first, second), self.around(first, begin)[0], self.around(second, begin)[1]

    def first_frame(self, tracklet_id: int) -> int:
        return self.begins.get(tracklet_id, 0)


def _pair(before: Rows, after: Rows, final: Rows) -> Pair:
    last, first = owners_of(np.array([before[-1], after[0]], dtype=np.int32), final).tolist()
    return Pair(before, after, (last, first))


def _chance(log_odds: float) -> float:
    """The probability of log-odds in nats; 1 where they are unknown."""
    return 1.0 if math.isnan(log_odds) else float(expit(log_odds))


NAMING = ("tracklet_id", "other_tracklet_id", "new_tracklet_id", "merged_id", "other_merged_id", "frame_number")


def _rest(row: Evidence) -> Evidence:
    return {name: text for name, text in row.items() if name not in NAMING and text not in (None, "")}


def _number(row: Evidence, name: str) -> float:
    """The number in a column, NaN where there is none."""
    try:
        return float(row[name])
    except (KeyError, TypeError, ValueError):
        return math.nan


def _whole(path: Path, row: Evidence, name: str) -> int:
    try:
        return int(row[name])
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {name}: expected a whole number, got {row[name]!r}") from error


def _majority(people: Rows) -> int:
    """The person whom most of the boxes show, NOBODY where none shows anybody known."""
    known, counts = np.unique(people[people != NOBODY], return_counts=True)
    return int(known[counts.argmax()]) if len(known) else NOBODY


def shown(decisions: Sequence[Decision], limit: int) -> list[Decision]:
    """The most doubtful decisions with boxes on both sides, in the order given."""
    return [decision for decision in decisions if decision.pairs][:limit]
