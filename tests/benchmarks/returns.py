"""How many people who come back get their identity back, on squares of the sample world that nothing was trained or tuned on.

    python -m tests.benchmarks.returns 31 32 33
    python -m tests.benchmarks.returns 31 32 33 --without merge rewire: split

A return is a tracklet before `merge` whose person had one before that ended earlier: whom a tracklet shows is the person of
most of its boxes. Somebody was `away` where the truth has no box of them in some frame between the two, and else `lost` in the
picture: hidden, not detected, or let go by the tracker. A return is a glimpse where one of the two lasts for less than half a
second, and rejoined where both have one identity afterwards. A join is two tracklets that follow each other in one identity,
wrong where they show two people; where most boxes of one match nobody, as of people nearly hidden, it is not known.

The second table counts absences from the truth by people instead of tracklets (tests/benchmarks/visits.py), those of all people
and those of people who were seen for a second before and after.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stages.command import execute, parser
from stages.contracts.tracklets import Tracklets
from stages.lineage import NOBODY, owners
from stages.params import read_params
from stages.scoring.matching import match_detections
from stages.scoring.tally import Tally, combine
from stages.scoring.truth import GroundTruth
from tests.benchmarks.ideas import ALL_ON, named, with_and_without
from tests.benchmarks.in_memory import Footage, tally
from tests.benchmarks.markdown import table
from tests.benchmarks.squares import add_square_options, squares
from tests.benchmarks.visits import Visit, find_visits, lasting, returned, successions, well_seen

Ints = NDArray[np.int64]
HEADER = [
    "",
    "rejoined",
    "without glimpses",
    "who were away",
    "who were lost",
    "wrong joins",
    "not known",
    "before merge: HOTA / IDF1 / IDSW",
    "after",
]
VISITS_HEADER = [
    "",
    "people back",
    "seen for a second before and after",
    "visits of two people in one identity",
    "of a second each",
]
GLIMPSE_S = 0.5  # a tracklet shorter than that shows hardly anybody


@dataclass(frozen=True)
class Return:
    """One person's two tracklets, the earlier first."""

    person: int
    tracklet_ids: tuple[int, int]
    gap_s: float
    away: bool
    glimpsed: bool  # one of the two for less than GLIMPSE_S
    rejoined: bool


@dataclass(frozen=True)
class Join:
    """Two tracklets that follow each other in one identity, and whom they show."""

    tracklet_ids: tuple[int, int]
    people: tuple[int, int]  # NOBODY: a false detection

    @property
    def known(self) -> bool:
        return NOBODY not in self.people

    @property
    def wrong(self) -> bool:
        return self.known and self.people[0] != self.people[1]


@dataclass(frozen=True, eq=False)
class Measured:
    """One square."""

    returns: list[Return]
    joins: list[Join]
    visits: list[Visit]
    fps: float
    before: Tally
    after: Tally


def measure(footage: Footage, levels: dict[str, Tracklets]) -> Measured:
    """What `merge` did with the level `split`."""
    people = match_detections(seen_in_picture(footage), footage.detections)
    shown, parts, merged = owners_in(levels["split"], people), levels["split"], levels["merged"]
    identities = identities_of(parts, merged, len(footage.detections))
    return Measured(
        find_returns(footage.truth, parts, shown, identities),
        find_joins(parts, shown, identities),
        visits_in(footage, people, merged),
        parts.fps,
        tally(footage, parts),
        tally(footage, merged),
    )


def seen_in_picture(footage: Footage) -> GroundTruth:
    """The truth with boxes that end where the picture does, as detectors draw them: else who leaves it would be nobody."""
    limits = np.tile([footage.detections.width_px, footage.detections.height_px], 2)
    return replace(footage.truth, bboxes=np.clip(footage.truth.bboxes, 0, limits))


def visits_in(footage: Footage, people: Ints, merged: Tracklets) -> list[Visit]:
    """Of the people (D,) whom the detections show."""
    identities = owners(merged, len(footage.detections))
    rows = np.flatnonzero((identities != NOBODY) & (people != NOBODY))
    frames = footage.detections.frame_numbers[rows].astype(np.int64)
    return find_visits(footage.truth, merged.fps, frames, people[rows], identities[rows])


def owners_in(tracklets: Tracklets, people: Ints) -> Ints:
    """(T,) the person of most boxes of each tracklet, NOBODY where most show nobody; people (D,) by detection."""
    return np.array([majority(people[rows]) for rows in rows_of(tracklets)], dtype=np.int64)


def majority(people: Ints) -> int:
    """The commonest of them, NOBODY included."""
    names, counts = np.unique(people, return_counts=True)
    return int(names[counts.argmax()]) if len(names) else NOBODY


def rows_of(tracklets: Tracklets) -> list[Ints]:
    """The detections of each tracklet, by frame."""
    return [rows[rows >= 0].astype(np.int64) for rows in np.split(tracklets.detection_indices, tracklets.offsets()[1:-1])]


def identities_of(parts: Tracklets, merged: Tracklets, num_detections: int) -> Ints:
    """(T,) id that the boxes of each tracklet have in `merged`."""
    first = [rows[0] for rows in rows_of(parts)]
    return np.asarray(owners(merged, num_detections)[first], dtype=np.int64)


def find_returns(truth: GroundTruth, parts: Tracklets, shown: Ints, identities: Ints) -> list[Return]:
    """All returns, by person and time."""
    first, last = _ends(parts)
    found = []
    for person in np.unique(shown[shown != NOBODY]).tolist():
        present = np.bincount(truth.frame_numbers[truth.ids == person], minlength=truth.num_frames) > 0
        for a, b in _followers(np.flatnonzero(shown == person), first):
            if first[b] > last[a]:
                away = not present[last[a] : first[b]].all()
                gap_s = float(first[b] - last[a]) / parts.fps
                ids = (int(parts.ids[a]), int(parts.ids[b]))
                glimpsed = min(last[a] - first[a], last[b] - first[b]) < GLIMPSE_S * parts.fps
                found.append(Return(person, ids, gap_s, bool(away), bool(glimpsed), bool(identities[a] == identities[b])))
    return found


def find_joins(parts: Tracklets, shown: Ints, identities: Ints) -> list[Join]:
    """All joins, by identity and time."""
    first, _ = _ends(parts)
    return [
        Join((int(parts.ids[a]), int(parts.ids[b])), (int(shown[a]), int(shown[b])))
        for identity in np.unique(identities).tolist()
        for a, b in _followers(np.flatnonzero(identities == identity), first)
    ]


def _ends(tracklets: Tracklets) -> tuple[Ints, Ints]:
    offsets, frames = tracklets.offsets(), tracklets.frame_numbers.astype(np.int64)
    return frames[offsets[:-1]], frames[offsets[1:] - 1]


def _followers(chosen: Ints, first: Ints) -> list[tuple[int, int]]:
    return list(pairwise(chosen[np.argsort(first[chosen], kind="stable")].tolist()))


def row(name: str, parts: Sequence[Measured]) -> list[object]:
    returns, joins = [r for part in parts for r in part.returns], [j for part in parts for j in part.joins]
    away = [r for r in returns if r.away]
    before, after = (combine([getattr(part, level) for part in parts]).figures() for level in ("before", "after"))
    rejoined, lost = sum(r.rejoined for r in returns), [r for r in returns if not r.away]
    longer = [r for r in returns if not r.glimpsed]
    wrong = sum(j.wrong for j in joins)
    return [
        name,
        f"{rejoined} of {len(returns)} ({_percent(rejoined, len(returns))})",
        f"{sum(r.rejoined for r in longer)} of {len(longer)} ({_percent(sum(r.rejoined for r in longer), len(longer))})",
        f"{sum(r.rejoined for r in away)} of {len(away)}",
        f"{sum(r.rejoined for r in lost)} of {len(lost)}",
        f"{wrong} of {len(joins)} ({_percent(wrong, len(joins))})",
        sum(not j.known for j in joins),
        *("{HOTA:.1f} / {IDF1:.1f} / {IDSW:.0f}".format(**level) for level in (before, after)),
    ]


def visits_row(name: str, parts: Sequence[Measured]) -> list[object]:
    back = [visit for part in parts for visit in returned(part.visits)]
    seen = [visit for part in parts for visit in well_seen(returned(part.visits), part.fps)]
    pairs = [pair for part in parts for pair in successions(part.visits)]
    longer = [pair for part in parts for pair in successions(lasting(part.visits, part.fps))]
    rights = [[visit.back for visit in back], [visit.back for visit in seen]]
    wrongs = [[one.person != other.person for one, other in some] for some in (pairs, longer)]
    return [name, *(f"{sum(some)} of {len(some)} ({_percent(sum(some), len(some))})" for some in (*rights, *wrongs))]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def options() -> argparse.ArgumentParser:
    made = parser(__doc__)
    add_square_options(made, "seeds", "+")
    made.add_argument("--verbose", action="store_true", help="also list who was not rejoined and what was joined wrongly")
    made.add_argument(
        "--without", nargs="*", metavar="IDEA", help="not by seed: with all ideas, and without each whose name begins so"
    )
    return made


def main() -> None:
    args = options().parse_args()
    params, ideas = read_params(), [] if args.without is None else named(args.without or [""])
    measured: dict[str, dict[int, Measured]] = {}
    for seed, footage in squares(args, params):
        for name, levels in with_and_without(footage, params, ideas):
            measured.setdefault(name, {})[seed] = measure(footage, levels)
        for line in _mistakes(measured[ALL_ON][seed]) if args.verbose else []:
            sys.stdout.write(f"{seed}: {line}\n")
    lines = {name: list(by_seed.values()) for name, by_seed in measured.items()}
    if args.without is None:
        lines = {**{str(seed): [one] for seed, one in measured[ALL_ON].items()}, "all": lines[ALL_ON]}
    for header, make in ((HEADER, row), (VISITS_HEADER, visits_row)):
        sys.stdout.write(table(header, [make(name, parts) for name, parts in lines.items()]) + "\n\n")


def _mistakes(measured: Measured) -> list[str]:
    return [
        *(f"not rejoined: {one}" for one in measured.returns if not one.rejoined),
        *(f"wrong: {join}" for join in measured.joins if join.wrong),
        *(f"not known: {join}" for join in measured.joins if not join.known),
        *(f"not back: {visit}" for visit in returned(measured.visits) if not visit.back),
        *(f"two people: {pair}" for pair in successions(measured.visits) if pair[0].person != pair[1].person),
    ]


if __name__ == "__main__":
    execute(main)
