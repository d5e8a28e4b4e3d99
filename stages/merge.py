"""Split tracklets to merged ones: the tracklets of one person get one id.

The cost of a pair is its appearance distance plus what motion does not explain; vetoes overrule it: tracklets seen in one
frame are two people, and nobody walks faster than people do. Where a tracklet has no embedding, motion decides alone, over
short gaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from stages.association.appearance import centroid_distances, views_of
from stages.association.linking import Join, link
from stages.association.motion import MotionPairs, MotionParams, coexisting, ends_of, motion_pairs
from stages.audit import write_audit
from stages.command import execute, stage_options, stage_run
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, relabel
from stages.corrections.resolving import constraints
from stages.corrections.rows import read_corrections
from stages.params import Range, load_section
from stages.pins import check_pins


@dataclass(frozen=True)
class MergeParams:
    """When two tracklets are one person; a cost is on the scale of the cosine distance, in [0, 2]."""

    enabled: bool
    max_cost: Annotated[float, Range(0.001, 2)]
    max_gap_s: Annotated[float, Range(0, 1e6)]
    misfit_cost: Annotated[float, Range(0, 10)]  # of each body height between prediction and finding
    motion_only_gap_s: Annotated[float, Range(0, 3600)]
    motion_only_misfit: Annotated[float, Range(0.001, 100)]
    motion: MotionParams


@dataclass(frozen=True)
class Merge:
    """One join: the pair that brought two people's tracklets together, its evidence and what came second."""

    tracklet_id: int
    other_tracklet_id: int
    merged_id: int
    cost: float
    runner_up_cost: float
    appearance_distance: float
    gap_s: float
    misfit_heights: float


def merge(
    tracklets: Tracklets,
    embeddings: Embeddings,
    params: MergeParams,
    must: Sequence[tuple[int, int]] = (),
    cannot: Sequence[tuple[int, int]] = (),
) -> tuple[Tracklets, list[Merge]]:
    """The tracklets under merged ids (the smallest of each person's, then numbered from 1), and the joins in order.

    Pairs of positions in `tracklets.ids` that `must` be one person are joined first, at a cost of -infinity, whatever motion
    says; pairs that `cannot` never are.
    """
    if len(tracklets) == 0 or not (params.enabled or must):
        return tracklets, []
    appearance = centroid_distances(views_of(tracklets, embeddings))
    motion = motion_pairs(ends_of(tracklets, params.motion.window_s), tracklets.fps, params.motion)
    costs = pair_costs(appearance, motion, params)
    forbidden = coexisting(tracklets) | motion.impossible | _other_class(tracklets)
    if not params.enabled:
        costs[:] = np.nan
    demand(costs, forbidden, must, cannot)
    labels, joins = link(costs, forbidden, params.max_cost)
    people, merged = np.unique(labels, return_inverse=True)
    position = np.searchsorted(tracklets.ids, tracklets.tracklet_ids)
    names = np.searchsorted(people, labels) + 1
    audit = [_audit(join, tracklets.ids, names, appearance, motion) for join in joins]
    return relabel(tracklets, merged[position] + 1), audit


def pair_costs(appearance: NDArray[np.float64], motion: MotionPairs, params: MergeParams) -> NDArray[np.float64]:
    """(T, T) cost of being one person, NaN where too long a time lies between, or none: the two interlock."""
    # where a person is after a long time says less and less of where the motion pointed
    believed = np.minimum(1.0, params.motion.horizon_s / motion.gap_s)
    costs = appearance + params.misfit_cost * believed * motion.misfit
    costs[~(motion.gap_s <= params.max_gap_s)] = np.nan
    blind = np.isnan(appearance) & (motion.gap_s <= params.motion_only_gap_s)
    costs[blind] = params.max_cost * motion.misfit[blind] / params.motion_only_misfit
    return costs


def demand(
    costs: NDArray[np.float64],
    forbidden: NDArray[np.bool_],
    must: Sequence[tuple[int, int]],
    cannot: Sequence[tuple[int, int]],
) -> None:
    """Writes the pairs into costs and forbidden (T, T), with all pairs that follow from `must`."""
    together = np.zeros_like(forbidden)
    together[tuple(np.array(must, dtype=np.int64).reshape(-1, 2).T)] = True
    _, group = connected_components(together, directed=False)
    same = (group[:, None] == group[None, :]) & ~np.eye(len(group), dtype=bool)
    costs[same] = -np.inf
    forbidden[same] = False
    for a, b in cannot:
        forbidden[a, b] = forbidden[b, a] = True


def _other_class(tracklets: Tracklets) -> NDArray[np.bool_]:
    classes = tracklets.class_ids[tracklets.offsets()[:-1]]
    return np.asarray(classes[:, None] != classes[None, :])


def _audit(
    join: Join,
    ids: NDArray[np.int32],
    names: NDArray[np.int64],
    appearance: NDArray[np.float64],
    motion: MotionPairs,
) -> Merge:
    a, b = join.first, join.second
    return Merge(
        int(ids[a]),
        int(ids[b]),
        int(names[a]),
        join.cost,
        join.runner_up,
        float(appearance[a, b]),
        float(motion.gap_s[a, b]),
        float(motion.misfit[a, b]),
    )


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "tracklets", "embeddings", "corrections", "merged", "merges", "timings")
    check_pins(args.pins)
    params = load_section(MergeParams, "merge")
    with stage_run("merge", args.sequence, args.timings) as run:
        tracklets, embeddings = Tracklets.load(args.tracklets, args.sequence), Embeddings.load(args.embeddings, args.sequence)
        known = constraints(tracklets, read_corrections(args.corrections))
        with run.computing():
            merged, merges = merge(tracklets, embeddings, params, known.must, known.cannot)
        run.counts = {"frames": merged.num_frames, "tracklets": len(tracklets.ids), "people": len(merged.ids),
                      "joins": len(merges)}  # fmt: skip
        merged.save(args.merged)
        write_audit(args.merges, Merge, merges)


if __name__ == "__main__":
    execute(main)
