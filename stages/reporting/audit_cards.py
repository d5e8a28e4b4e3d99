"""Decisions and mistakes as cards: what happened, why, how doubtful, with pictures of both sides."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.decisions import Decision, Kind
from stages.reporting.media import Media, Picture
from stages.reporting.words import NONE, capital, plural
from stages.scoring.causes import CAUSES, Cause
from stages.scoring.mistakes import Mistake, worst_first

MAX_CARDS = 200  # of a kind
KINDS: tuple[tuple[Kind, str, str, str], ...] = (
    ("join", "Joins", "merges.csv",
     "Tracklets of one person brought together across a gap: a row shows the person before the gap (grey line) and after it "
     "(blue line). The most doubtful first."),
    ("refusal", "Refusals", "merges.csv",
     "Tracklets that looked like one person by themselves and were not joined, because another choice is likelier or it is "
     "not sure enough (merge.min_gain): the two sides should show different people."),
    ("cut", "Cuts", "splits.csv",
     "Tracklets that changed person and were cut there: the two sides should show different people."),
    ("exchange", "Exchanges", "rewires.csv",
     "Where people crossed, or walked as one box, and motion and looks say that the tracker exchanged them: each row shows one "
     "person before and after, as corrected."),
)  # fmt: skip
MEANINGS: dict[Cause, str] = {
    "absence": "the person was outside the picture, or the ground truth has no box of them",
    "occlusion": "somebody or something hid more than half of the person",
    "missed detection": "the person could be seen, and the detector found nobody there",
    "wrong join": "one track follows two people",
    "missed join": "the person was detected, but no track went on with the detections",
}
WORDS = {
    "gap_s": "gap (s)",
    "gain_nats": "gain (nats)",
    "runner_up_nats": "runner-up (nats)",
    "runner_up_tracklet_id": "runner-up",
    "odds_nats": "odds (nats)",
    "prior_nats": "what is usual (nats)",
    "looks_nats": "looks (nats)",
    "motion_nats": "motion (nats)",
    "stature_nats": "stature (nats)",
    "company_nats": "company (nats)",
    "log_odds": "odds (nats)",
    "looks_distance": "distance of looks",
    "places_nats": "places (nats)",
    "shared_s": "seen at once for (s)",
    "apart_m": "apart then (m)",
    "margin_nats": "lead over the runner-up (nats)",
}
FIRST = ("decision", "probability", "kind", "odds_nats", "gain_nats", "prior_nats", "looks_nats", "motion_nats",
         "stature_nats", "company_nats", "runner_up_tracklet_id", "runner_up_nats", "gap_s")  # fmt: skip


@dataclass(frozen=True)
class DecisionCard:
    """One decision."""

    name: str
    title: str
    frame: int
    second: float
    doubt: float
    verdict: bool | None
    facts: list[tuple[str, str]]
    picture: Picture | None


@dataclass(frozen=True)
class DecisionKind:
    """All decisions of one kind."""

    anchor: str
    title: str
    file: str
    text: str
    count: int
    cards: list[DecisionCard]


@dataclass(frozen=True)
class MistakeCard:
    """One ID switch or fragmentation."""

    number: int
    title: str
    kind: str
    switch: bool
    cause: str
    made_by: str
    facts: list[tuple[str, str]]
    picture: Picture | None


def decision_kinds(
    decisions: Sequence[Decision], verdicts: Mapping[str, Any], names: Mapping[int, str], media: Media, folder: str
) -> list[DecisionKind]:
    """Joins, refusals, cuts and exchanges, each the most doubtful first. `names` are what final tracks are called."""
    kinds = []
    for kind, title, file, text in KINDS:
        mine = [decision for decision in decisions if decision.kind == kind]
        cards = [_decision(decision, verdicts.get(decision.name), names, media, folder) for decision in mine[:MAX_CARDS]]
        kinds.append(DecisionKind(title.lower(), title, file, text, len(mine), cards))
    return kinds


def evidence_facts(evidence: Mapping[str, str]) -> list[tuple[str, str]]:
    """Names and values of whatever evidence there is, the well-known first; numbers with four significant digits."""
    names = [name for name in FIRST if name in evidence] + [name for name in evidence if name not in FIRST]
    return [(WORDS.get(name, name.replace("_", " ")), _short(evidence[name])) for name in names]


def _short(text: str) -> str:
    """A number as people read it: four significant digits, none where it is infinite or unknown; other text as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.4g}" if math.isfinite(number) else NONE


def cause_rows(mistakes: Sequence[Mistake]) -> list[dict[str, Any]]:
    """How many switches and fragmentations have each cause, and what it means."""
    return [
        {
            "cause": cause,
            "switches": sum(mistake.switch for mistake in mistakes if mistake.cause == cause),
            "fragmentations": sum(mistake.fragmentation for mistake in mistakes if mistake.cause == cause),
            "meaning": MEANINGS[cause],
        }
        for cause in CAUSES
    ]


def found_text(found: Mapping[str, int], mistakes: Sequence[Mistake]) -> str:
    """How many people of the ground truth are followed in every frame, in some, in none; whether each by a single track."""
    people = f"{plural(sum(found.values()), 'person', 'people')} in the ground truth"
    if not mistakes and found["partly"] == found["never"] == 0:
        return f"{people}, each followed by one track from first to last." if found["throughout"] else f"{people}."
    text = f"{people}: {found['throughout']} followed in every frame, {found['partly']} in some, {found['never']} never found."
    return text if mistakes else f"There is no ID switch and no fragmentation. {text}"


def mistake_cards(mistakes: Sequence[Mistake], names: Mapping[int, str], media: Media, folder: str) -> list[MistakeCard]:
    """Switches first, then fragmentations, each by time."""
    return [_mistake(number, mistakes[number], names, media, folder) for number in worst_first(mistakes)[:MAX_CARDS]]


def _decision(decision: Decision, verdict: bool | None, names: Mapping[int, str], media: Media, folder: str) -> DecisionCard:
    first, second = decision.tracklet_ids
    titles = {
        "join": f"Tracklets {first} and {second} joined",
        "refusal": f"Tracklets {first} and {second} kept apart",
        "cut": f"Tracklet {first} cut, then {second}",
        "exchange": f"Tracklets {first} and {second} exchanged",
    }
    people = dict.fromkeys(names[track] for pair in decision.pairs for track in pair.tracks if track in names)
    facts = [("who", ", ".join(people))] if people else []
    alt = f"{titles[decision.kind]}: views before and after"
    return DecisionCard(
        decision.name,
        titles[decision.kind],
        decision.frame_number,
        decision.frame_number / media.fps,
        decision.doubt,
        verdict,
        facts + evidence_facts(decision.evidence),
        media.picture(decision.name, folder, alt),
    )


def _mistake(number: int, mistake: Mistake, names: Mapping[int, str], media: Media, folder: str) -> MistakeCard:
    old, new = (names.get(track, f"track {track}") for track in (mistake.previous_tracklet_id, mistake.tracklet_id))
    between = [(name, str(count)) for name, count in (
        ("frames absent", mistake.absent), ("occluded", mistake.occluded), ("undetected", mistake.undetected),
        ("detected but not linked", mistake.unlinked)) if count]  # fmt: skip
    other = "in another track" if old == new else f"as {new}"  # `identify` may know that it is one person
    title = capital(f"{old} goes on {other}" if mistake.switch else f"{new} is lost for a while")
    gap = mistake.frame_number - mistake.last_frame_number - 1
    lost = f"{gap} {'frame' if gap == 1 else 'frames'} ({gap / media.fps:.1f} s)" if gap else "no frame"
    return MistakeCard(
        number,
        title,
        "ID switch" if mistake.switch else "fragmentation",
        bool(mistake.switch),
        mistake.cause,
        mistake.made_by,
        [("lost for", lost), *between, ("person in the ground truth", str(mistake.person_id))],
        media.picture(f"mistake-{number}", folder, f"{title}: frames {mistake.last_frame_number} to {mistake.frame_number}"),
    )
