"""Galleries of a camera group to the identities in one of its sequences: the same person in several cameras or videos.

Every pair of tracks gets log-odds of being one person, from looks calibrated on the group itself and from where both stood at
the same moments; people seen together in one camera are different people. One partition of all tracks of the group is the
answer, so a track may stay alone. Each sequence of a group works out the whole group and keeps its own rows, so a group that
fails stops no other. Tables of all pairs bound how many tracks a group may have; a camera on its own may have more, as `merge`
has weighed its returns already.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from stages.audit import write_audit
from stages.command import execute, log, stage_options, stage_run
from stages.contracts.gallery import Gallery
from stages.contracts.identities import Identities
from stages.errors import DataError
from stages.identity.evidence import Evidence, check_names, gather
from stages.identity.partition import partition, standing
from stages.linear_algebra import on_one_thread
from stages.params import Range, load_section
from stages.pins import check_pins

Ints = NDArray[np.int64]

MOST_TRACKS = 7_000  # compared with each other: some 6 GB of tables
NOBODY_ELSE = -1  # came second: an identity of its own
NOBODY = Identities(
    np.zeros(0, dtype=np.str_), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.str_), np.zeros(0, np.float32)
)


@dataclass(frozen=True)
class IdentifyParams:
    """When two tracks are one person."""

    min_log_odds: Annotated[float, Range(-100, 100)]  # nats
    same_camera: bool


@dataclass(frozen=True)
class Decision:
    """One track: its identity, the other track of it that speaks most for it, by what, and what came second.

    Empty where the track is alone. `margin_nats` is what the next best identity for this track by itself would lose, and
    `runner_up` is that identity, 0 for one of its own; empty where there is no other.
    """

    tracklet_id: int
    identity_id: int
    name: str
    other_sequence: str | None = None
    other_tracklet_id: int | None = None
    log_odds: float | None = None
    looks_distance: float | None = None
    looks_nats: float | None = None
    places_nats: float | None = None
    shared_s: float | None = None
    apart_m: float | None = None
    margin_nats: float | None = None
    runner_up: int | None = None


@dataclass(frozen=True, eq=False)
class Solved:
    """The identities of one class; tracks (T,) and leaders are positions among the tracks of the whole group."""

    tracks: Ints
    evidence: Evidence
    leaders: Ints  # (T,) the first track of each one's identity
    seconds: Ints  # (T,) that of the identity that came second; NOBODY_ELSE: one of its own
    margins: NDArray[np.float64]  # (T,) nats


def identify(galleries: list[Gallery], params: IdentifyParams) -> tuple[Identities, list[Decision]]:
    """One identity for every track of the cameras of one group, and a decision for each, in the order of sequences and tracks.

    Each class is a problem of its own, of which the others say nothing. Ids count from 1 in that order, so the identities of
    tracks that all stay alone in one camera are their own numbers. Raises DataError where the galleries' features come from
    different networks, or names contradict what was seen.
    """
    models = sorted({gallery.model for gallery in galleries if len(gallery.view_features)})
    if len(models) > 1:
        raise DataError(f"galleries of {galleries[0].sequence} and others: expected one Re-ID model, got {', '.join(models)}")
    count = sum(len(gallery.tracklet_ids) for gallery in galleries)
    if not count:
        return NOBODY, []
    check_names(galleries)
    if count > MOST_TRACKS:
        return by_name_alone(galleries, count)
    classes = np.concatenate([gallery.class_ids for gallery in galleries])
    solved = [
        _solve(galleries, class_id, np.flatnonzero(classes == class_id), params) for class_id in np.unique(classes).tolist()
    ]
    identities = _identities(galleries, solved)
    decisions = {}
    for one in solved:
        mine, numbers = identities.take(one.tracks), np.append(identities.identity_ids, 0)[one.seconds]
        for t, track in enumerate(one.tracks.tolist()):
            decisions[track] = _decision(t, mine, one.evidence, int(numbers[t]), float(one.margins[t]))
    return identities, [decisions[track] for track in range(count)]


def _solve(galleries: list[Gallery], class_id: int, tracks: Ints, params: IdentifyParams) -> Solved:
    """The partition of the tracks of one class, which are at `tracks` (T,) among all."""
    evidence = gather([gallery.of_class(class_id) for gallery in galleries], params.same_camera)
    log_odds = np.where(evidence.spoken, evidence.log_odds - params.min_log_odds, 0.0)
    labels = partition(log_odds, evidence.forbidden, evidence.same_names)
    first = tracks[np.unique(labels, return_index=True)[1]]
    seconds, margins = standing(log_odds, evidence.forbidden, labels)
    return Solved(tracks, evidence, first[labels], np.append(first, NOBODY_ELSE)[seconds], margins)


def by_name_alone(galleries: list[Gallery], count: int) -> tuple[Identities, list[Decision]]:
    """Each track of one long recording is somebody else, but for those under one name.

    Raises DataError for several cameras: that is what they are compared for.
    """
    if len(galleries) > 1:
        names = ", ".join(gallery.sequence for gallery in galleries)
        raise DataError(f"galleries of {names}: expected at most {MOST_TRACKS:,} tracks in one camera group, got {count:,}")
    gallery = galleries[0]
    log.info(
        "identify %s: more than %s tracks are not compared: who returned is up to merge", gallery.sequence, f"{MOST_TRACKS:,}"
    )
    first: dict[str, int] = {}
    leaders = [first.setdefault(name, t) if name else t for t, name in enumerate(gallery.names.tolist())]
    ids = (np.unique(leaders, return_inverse=True)[1] + 1).astype(np.int32)
    table = Identities(np.full(count, gallery.sequence), gallery.tracklet_ids, ids, gallery.names, np.zeros(count, np.float32))
    decisions = [
        Decision(track, person, name)
        for track, person, name in zip(gallery.tracklet_ids.tolist(), ids.tolist(), gallery.names.tolist(), strict=True)
    ]
    return table, decisions


def _distances(solved: Solved) -> NDArray[np.float64]:
    """(T,) of looks, from each track to the nearest other of its identity; 0: there is none."""
    distances, leaders = solved.evidence.looks.distances, solved.leaders
    same = (leaders[:, None] == leaders[None, :]) & ~np.eye(len(leaders), dtype=bool)
    nearest = np.where(same & ~np.isnan(distances), distances, np.inf).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(nearest), nearest, 0.0)


def _identities(galleries: list[Gallery], solved: list[Solved]) -> Identities:
    """The table of all classes."""
    names = np.concatenate([gallery.names for gallery in galleries])
    leaders, distances = np.zeros(len(names), np.int64), np.zeros(len(names), np.float32)
    for one in solved:
        leaders[one.tracks], distances[one.tracks] = one.leaders, _distances(one)
    known = {leader: name for leader, name in zip(leaders.tolist(), names.tolist(), strict=True) if name}
    return Identities(
        np.repeat([gallery.sequence for gallery in galleries], [len(gallery.tracklet_ids) for gallery in galleries]),
        np.concatenate([gallery.tracklet_ids for gallery in galleries]),
        (np.unique(leaders, return_inverse=True)[1] + 1).astype(np.int32),
        np.array([known.get(leader, "") for leader in leaders.tolist()], dtype=str),
        distances,
    )


def _decision(t: int, identities: Identities, evidence: Evidence, second: int, margin: float) -> Decision:
    """Of track t of one class, whose rows `identities` has; second: the number of the identity that came second, or 0."""
    ids = identities.identity_ids
    others = np.flatnonzero((ids == ids[t]) & (np.arange(len(ids)) != t))
    other = int(others[evidence.log_odds[t, others].argmax()]) if len(others) else None

    def between(table: NDArray[np.float64]) -> float | None:
        return None if other is None or np.isnan(table[t, other]) else float(table[t, other])

    return Decision(
        tracklet_id=int(identities.tracklet_ids[t]),
        identity_id=int(ids[t]),
        name=str(identities.names[t]),
        other_sequence=None if other is None else str(identities.sequences[other]),
        other_tracklet_id=None if other is None else int(identities.tracklet_ids[other]),
        log_odds=between(evidence.log_odds),
        looks_distance=between(evidence.looks.distances),
        looks_nats=between(evidence.looks.log_odds),
        places_nats=between(evidence.places.log_odds),
        shared_s=between(evidence.places.seconds),
        apart_m=between(evidence.places.distance_m),
        margin_nats=None if np.isnan(margin) else margin,
        runner_up=None if np.isnan(margin) else second,
    )


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "galleries", "identities", "decisions", "timings")
    check_pins(args.pins)
    params = load_section(IdentifyParams, "identify")
    with stage_run("identify", args.sequence, args.timings) as run:
        galleries = [Gallery.load(path) for path in sorted(args.galleries.glob("*.npz"))]
        with run.computing(), on_one_thread():
            identities, decisions = identify(galleries, params)
        mine = identities.of(args.sequence)
        shared = np.isin(mine.identity_ids, identities.identity_ids[identities.sequences != args.sequence])
        run.counts = {"cameras": len(galleries), "tracks": len(mine.tracklet_ids),
                      "people": len(np.unique(mine.identity_ids)), "seen in other cameras": int(shared.sum())}  # fmt: skip
        mine.save(args.identities)
        own = identities.sequences == args.sequence
        write_audit(args.decisions, Decision, [row for row, kept in zip(decisions, own, strict=True) if kept])


if __name__ == "__main__":
    execute(main)
