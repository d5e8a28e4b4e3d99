"""Split tracklets to merged ones: the tracklets of one person get one id.

Each pair gets log-odds of being one person, from looks, motion, stature, company and what is usual, learnt from the video
itself; tracklets seen in one frame are two people. The people are the partition with the greatest sum of log-odds: one problem
for the whole video. Then whole people are joined who are likelier one than two, and parted where that is not sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import Views, views_of
from stages.association.company import learn_company
from stages.association.decisions import Decision, Sureness, decisions
from stages.association.likeness import learn_looks
from stages.association.motion import ends_of, learn_passage
from stages.association.pair_odds import Acquaintance, Odds, at_edge
from stages.association.pairs import seen_together
from stages.association.partition import Partition, partition
from stages.association.reach import learn_reach
from stages.association.returning import learn_returning
from stages.association.settling import in_chains, part, settle
from stages.association.stature import learn_statures, unknown_statures
from stages.association.steadying import still_view
from stages.audit import write_audit
from stages.command import execute, stage_options, stage_run
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, relabel
from stages.corrections.resolving import constraints
from stages.corrections.rows import read_corrections
from stages.linear_algebra import on_one_thread
from stages.params import Range, load_section, load_value
from stages.pins import check_pins

Ints = NDArray[np.int64]
Returns = Literal["same_person", "new_person"]


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
    temper: Annotated[float, Range(0.01, 10)]
    offset: Annotated[float, Range(-10, 10)]  # nats


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

    must and cannot hold pairs of positions in `tracklets.ids` that are one person, or two, whatever the odds. Raises DataError
    where they contradict each other or what is seen.
    """
    if len(tracklets) == 0 or not (params.enabled or must):
        return tracklets, []
    together = seen_together(tracklets)
    views = views_of(tracklets, embeddings)
    known = acquaint(tracklets, views, camera_motion, together, params, returns)
    odds = known.candidates() if params.enabled else known.candidates().take(np.zeros(0, np.int64))
    forced = np.array(must, dtype=np.int64).reshape(-1, 2)
    apart = np.concatenate([together, np.array(cannot, dtype=np.int64).reshape(-1, 2)])
    odds, people = solve(known, odds, apart, forced)
    labels = people.labels
    if params.enabled:
        labels = settle(known, views, labels, odds, apart) if params.settle else labels
        labels = part(known, views, labels, params.min_gain, forced)
    if params.enabled and params.settle:
        odds = in_chains(with_inside(known, odds, labels), labels, known)
    _, merged = np.unique(labels, return_inverse=True)
    position = np.searchsorted(tracklets.ids, tracklets.tracklet_ids)
    audit = decisions(tracklets.ids, merged + 1, odds, forced, Sureness(params.temper, params.offset))
    return relabel(tracklets, merged[position] + 1), audit


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
        tracklets.class_ids[tracklets.offsets()[:-1]].astype(np.int64),
        at_edge(tracklets, ends_of(tracklets)),
        tracklets.fps,
        learn_returning(tracklets, params.max_gap_s),
        params.max_gap_s,
        returns == "new_person",
    )


def solve(known: Acquaintance, odds: Odds, apart: Ints, forced: Ints) -> tuple[Odds, Partition]:
    """The best partition, and the odds of all pairs that it puts together; pairs are asked for when they would be joined."""
    count = len(known.classes)
    while True:
        pairs = np.stack([odds.first, odds.second], axis=1)
        people = partition(count, pairs, odds.total, apart, forced)
        asked = with_inside(known, odds, people.labels)
        if len(asked) == len(odds):
            return odds, people
        odds = asked


def with_inside(known: Acquaintance, odds: Odds, labels: Ints) -> Odds:
    """The odds and those of all pairs inside clusters that were not asked for yet."""
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    inside = [np.stack(np.triu_indices(len(group), 1), axis=1) for group in groups]
    pairs = np.concatenate([np.sort(group[pair], axis=1) for group, pair in zip(groups, inside, strict=True)])
    low, high = np.minimum(odds.first, odds.second), np.maximum(odds.first, odds.second)
    missing = pairs[~np.isin(pairs[:, 0] * len(labels) + pairs[:, 1], low * len(labels) + high)]
    return odds.joined(known.odds(missing[:, 0], missing[:, 1])) if len(missing) else odds


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
