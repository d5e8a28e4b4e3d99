"""Split tracklets to merged ones: the tracklets of one person get one id.

Each pair gets log-odds of being one person, from looks, motion, stature, company and what is usual, learnt from the video
itself; tracklets seen in one frame are two people. The people are the partition with the greatest sum of log-odds: one problem
for the whole video. Then whole people are joined who are likelier one than two, and parted where that is not sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import Views, views_of
from stages.association.company import learn_company
from stages.association.decisions import OFFSETS, TEMPERS, Decision, Sureness, decisions
from stages.association.likeness import learn_looks
from stages.association.motion import ends_of, learn_passage
from stages.association.pair_odds import Acquaintance, Odds, all_of, at_edge
from stages.association.pairs import seen_together
from stages.association.partition import Partition, partition
from stages.association.reach import learn_reach
from stages.association.returning import learn_returning
from stages.association.settling import in_chains, part, settle
from stages.association.stature import learn_statures, unknown_statures
from stages.association.steadying import still_view
from stages.audit import write_audit
from stages.command import execute, log, stage_options, stage_run
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, by_class, relabel
from stages.corrections.constraining import constraints
from stages.corrections.rows import read_corrections
from stages.linear_algebra import on_one_thread
from stages.params import Range, load_section, load_value
from stages.pins import check_pins

Ints = NDArray[np.int64]
Returns = Literal["same_person", "new_person"]

ELSEWHERE = -1  # place of a tracklet of another class
UNPROVED = 1e-3  # nats between a partition and its bound, above which it may not be the best
NEAREST = 100  # tracklets of a person before and after each, that it is compared with: cost would follow their square


@dataclass(frozen=True)
class MergeParams:
    """How long an absence may be, what counts, how sure a join must be, and how sure a decision's lead in nats makes."""

    enabled: bool
    max_gap_s: Annotated[float, Range(0, 1e6)]
    reach: bool
    stature: bool
    company: bool
    settle: bool
    min_gain: Annotated[float, Range(-1000, 1000)]  # nats
    temper: Annotated[float, TEMPERS]
    offset: Annotated[float, OFFSETS]  # nats


def merge(
    tracklets: Tracklets,
    embeddings: Embeddings,
    camera_motion: CameraMotion,
    params: MergeParams,
    returns: Returns = "same_person",
    must: Sequence[tuple[int, int]] = (),
    cannot: Sequence[tuple[int, int]] = (),
) -> tuple[Tracklets, list[Decision]]:
    """The tracklets under merged ids (in the order of each person's first tracklet, from 1), and the decisions.

    Each class is a problem of its own, of which the others say nothing. must and cannot hold pairs of positions in
    `tracklets.ids` that are one person, or two, whatever the odds. Raises DataError where they contradict each other or what is
    seen.
    """
    if len(tracklets) == 0 or not (params.enabled or must):
        return tracklets, []
    known = [np.array(pairs, dtype=np.int64).reshape(-1, 2) for pairs in (must, cannot)]
    labels, asked = np.arange(len(tracklets.ids)), []
    for _, mine in by_class(tracklets):
        members = np.searchsorted(tracklets.ids, mine.ids)
        place = np.full(len(tracklets.ids), ELSEWHERE)
        place[members] = np.arange(len(members))
        forced, apart = (pairs[(pairs != ELSEWHERE).all(axis=1)] for pairs in (place[pairs] for pairs in known))
        found, odds = people_of(mine, embeddings, camera_motion, params, returns, forced, apart)
        labels[members] = members[found]
        asked.append(replace(odds, first=members[odds.first], second=members[odds.second]))
    _, merged = np.unique(labels, return_inverse=True)
    position = tracklets.positions()
    begins = tracklets.frame_numbers[tracklets.offsets()[:-1]].astype(np.int64)
    sureness = Sureness(params.temper, params.offset)
    audit = decisions(tracklets.ids, merged + 1, begins, all_of(asked), known[0], known[1], sureness)
    return relabel(tracklets, merged[position] + 1), audit


def people_of(
    tracklets: Tracklets,
    embeddings: Embeddings,
    camera_motion: CameraMotion,
    params: MergeParams,
    returns: Returns,
    forced: Ints,
    apart: Ints,
) -> tuple[Ints, Odds]:
    """Labels (T,) of one class's tracklets, the first of each one's person, and the odds of all pairs that were asked for.

    forced and apart (P, 2): pairs that are one person, or two, whatever the odds.
    """
    together = seen_together(tracklets)
    views = views_of(tracklets, embeddings)
    known = acquaint(tracklets, views, camera_motion, together, params, returns)
    odds = known.candidates() if params.enabled else known.candidates().take(np.zeros(0, np.int64))
    apart = np.concatenate([together, apart])
    odds, people = solve(known, odds, apart, forced)
    if people.bound > people.value + UNPROVED:
        log.info("merge %s: pairs agree by %.1f nats, and by %.1f at most", tracklets.sequence, people.value, people.bound)
    labels = people.labels
    if params.enabled:
        labels = settle(known, views, labels, odds, apart) if params.settle else labels
        labels = part(known, views, labels, params.min_gain, forced)
    if params.enabled and params.settle:
        odds = in_chains(with_inside(known, odds, labels), labels, known)
    return labels, odds


def acquaint(
    tracklets: Tracklets, views: Views, camera_motion: CameraMotion, together: Ints, params: MergeParams, returns: Returns
) -> Acquaintance:
    """What the video shows of its people; their ways are compared as a camera that never moved would have seen them."""
    passage = learn_passage(still_view(tracklets, camera_motion).tracklets(tracklets))
    return Acquaintance(
        learn_looks(views, tracklets.fps, together),
        passage,
        learn_reach(passage.ends, tracklets.fps) if params.reach else None,
        learn_statures(tracklets) if params.stature else unknown_statures(len(tracklets.ids)),
        learn_company(tracklets) if params.company else None,
        at_edge(tracklets, ends_of(tracklets)),
        tracklets.fps,
        learn_returning(tracklets, params.max_gap_s),
        params.max_gap_s,
        returns == "new_person",
    )


def solve(known: Acquaintance, odds: Odds, apart: Ints, forced: Ints) -> tuple[Odds, Partition]:
    """The best partition, and the odds of all pairs that it puts together; pairs are asked for when they would be joined."""
    count = len(known.looks.supports)
    while True:
        pairs = np.stack([odds.first, odds.second], axis=1)
        people = partition(count, pairs, odds.total, apart, forced)
        asked = with_inside(known, odds, people.labels)
        if len(asked) == len(odds):
            return odds, people
        odds = asked


def with_inside(known: Acquaintance, odds: Odds, labels: Ints) -> Odds:
    """The odds and those of pairs inside clusters that were not asked for yet: of all that follow each other within NEAREST."""
    order = np.lexsort((known.passage.ends.frames[0], labels))
    pairs = [np.zeros((0, 2), np.int64)]
    for step in range(1, min(NEAREST, int(np.bincount(labels).max(initial=0)) - 1) + 1):
        one, other = order[:-step], order[step:]
        pairs.append(np.stack([one, other], axis=1)[labels[one] == labels[other]])
    low, high = np.sort(np.concatenate(pairs), axis=1).T
    asked = np.minimum(odds.first, odds.second) * len(labels) + np.maximum(odds.first, odds.second)
    missing = np.flatnonzero(~np.isin(low * len(labels) + high, asked))
    missing = missing[np.lexsort((high[missing], low[missing], labels[low[missing]]))]
    return odds.joined(known.odds(low[missing], high[missing])) if len(missing) else odds


def main() -> None:
    args = stage_options(
        __doc__, "sequence", "pins", "tracklets", "embeddings", "camera-motion", "corrections", "merged", "merges", "timings"
    )
    check_pins(args.pins)
    params = load_section(MergeParams, "merge")
    returns: Returns = load_value(Returns, f"sequences.{args.sequence}.returns")
    with stage_run("merge", args.sequence, args.timings) as run:
        tracklets, embeddings = Tracklets.load(args.tracklets, args.sequence), Embeddings.load(args.embeddings, args.sequence)
        camera_motion = CameraMotion.load_of(args.camera_motion, args.sequence, tracklets.num_frames)
        known = constraints(tracklets, read_corrections(args.corrections))
        with run.computing(), on_one_thread():
            merged, merges = merge(tracklets, embeddings, camera_motion, params, returns, known.must, known.cannot)
        run.counts = {"frames": merged.num_frames, "tracklets": len(tracklets.ids), "people": len(merged.ids),
                      "joins": len(tracklets.ids) - len(merged.ids)}  # fmt: skip
        merged.save(args.merged)
        write_audit(args.merges, Decision, merges)


if __name__ == "__main__":
    execute(main)
