"""People whom `identify` knew again within a sequence, as cards of the audit: a row of views of each of the two tracks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.audit import read_audit
from stages.errors import DataError
from stages.reporting.audit_cards import evidence_facts
from stages.reporting.people import Person, Stay
from stages.reporting.words import capital

NAMING = ("tracklet_id", "identity_id", "name", "other_sequence", "other_tracklet_id", "runner_up")
Row = dict[str, str]


@dataclass(frozen=True)
class ReturnCard:
    """One track that was taken for somebody seen before."""

    name: str
    title: str
    doubt: float  # chance that it is wrong
    facts: list[tuple[str, str]]
    stays: tuple[Stay, Stay]


def return_cards(people: Sequence[Person], decisions: Path, sequence: str) -> list[ReturnCard]:
    """Every further stay of every person beside the one it was known by, the most doubtful first.

    Raises DataError where the table of decisions is none, or lacks a track.
    """
    rows = {row["tracklet_id"]: row for row in read_audit(decisions, *NAMING, "log_odds", "margin_nats")}
    cards = []
    for person in people:
        for number, stay in enumerate(person.stays[1:], start=1):
            row = rows.get(str(stay.track))
            if row is None:
                raise DataError(f"{decisions}: expected a row for each track, found none for {stay.track}")
            cards.append(_card(person, person.stays[:number], stay, row, sequence))
    return sorted(cards, key=lambda card: -card.doubt)


def _card(person: Person, before: list[Stay], stay: Stay, row: Row, sequence: str) -> ReturnCard:
    """The card of a stay; what speaks most for it may be a later track, or one of another camera."""
    here = row["other_sequence"] == sequence
    earlier = next((other for other in before if here and str(other.track) == row["other_tracklet_id"]), before[-1])
    seen = "nobody else" if row["runner_up"] in ("", "0") else f"person {row['runner_up']}"
    best = f"track {row['other_tracklet_id']}" + ("" if here else f" of {row['other_sequence']}")
    facts = [("away for (s)", f"{max(0.0, stay.first_s - earlier.last_s):.1f}"), ("known by", best), ("runner-up", seen)]
    facts += evidence_facts({name: text for name, text in row.items() if name not in NAMING and text})
    title = f"{capital(person.called)} returned: track {earlier.track}, then {stay.track}"
    return ReturnCard(f"return-{stay.track}", title, _doubt(row), facts, (earlier, stay))


def _doubt(row: Row) -> float:
    """The chance that it is somebody else, by the pair itself or beside the next best person, whichever is greater."""
    known = [float(row[name]) for name in ("log_odds", "margin_nats") if row[name]]
    return 1 / (1 + math.exp(min(*known, 700.0))) if known else 1.0
