"""Rewired tracklets to split ones: a tracklet that changed person is cut where its looks changed for good.

People change at crossings, gaps and the picture's border, so less evidence is asked for there. Without embeddings nothing is
cut but what a person corrected, which is cut first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from stages.association.appearance import views_of
from stages.association.changepoints import MET_NATS, changes, expected_changes
from stages.association.likeness import learn_looks
from stages.association.pairs import seen_together
from stages.audit import write_audit
from stages.command import execute, stage_options, stage_run
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, by_class, relabel
from stages.corrections.constraining import cut_tracklets
from stages.corrections.rows import read_corrections
from stages.linear_algebra import on_one_thread
from stages.params import Range, load_section
from stages.pins import check_pins


@dataclass(frozen=True)
class SplitParams:
    """When a change of looks is a change of person."""

    enabled: bool
    min_odds: Annotated[float, Range(-100, 100)]  # nats
    min_views: Annotated[int, Range(1, 100_000)]


@dataclass(frozen=True)
class Split:
    """One cut: rows of `tracklet_id` from `frame_number` on became `new_tracklet_id`."""

    tracklet_id: int
    frame_number: int
    new_tracklet_id: int
    odds_nats: float
    looks_nats: float  # log-likelihood ratio of two people over one, of all views before and all after
    views_before: int
    views_after: int
    at_meeting: bool  # near a crossing, a gap or the border


def split(tracklets: Tracklets, embeddings: Embeddings, params: SplitParams) -> tuple[Tracklets, list[Split]]:
    """The tracklets cut at identity switches, and the cuts with their evidence.

    The part before the first cut keeps its id; the others get new ids after the greatest.
    """
    if not params.enabled or len(tracklets) == 0:
        return tracklets, []
    ids, splits = tracklets.tracklet_ids.copy(), []
    for rows, mine in by_class(tracklets):
        for first, stop, cut in _cuts(mine, embeddings, params, int(ids.max()) + 1):
            ids[rows[first:stop]] = cut.new_tracklet_id
            splits.append(cut)
    return (relabel(tracklets, ids), splits) if splits else (tracklets, [])


def _cuts(tracklets: Tracklets, embeddings: Embeddings, params: SplitParams, next_id: int) -> Iterator[tuple[int, int, Split]]:
    """First row, stop and evidence of what each cut of one class's tracklets parts off; new ids count from `next_id`."""
    views = views_of(tracklets, embeddings)
    if len(views) == 0:
        return
    looks = learn_looks(views, tracklets.fps, seen_together(tracklets), pure=False)
    offsets, view_offsets = tracklets.offsets(), np.append(0, np.cumsum(views.counts()))
    expected = expected_changes(tracklets)[views.rows]
    for t in np.flatnonzero(views.counts() >= 2 * params.min_views):
        part = slice(int(view_offsets[t]), int(view_offsets[t + 1]))
        moved = looks.space.moved(views.features(part))
        cuts = changes(moved, views.clarities[part], views.weights[part], expected[part] - params.min_odds,
                       looks.calibration, params.min_views)  # fmt: skip
        limits = [0, *(cut.index for cut in cuts), part.stop - part.start]
        for n, cut in enumerate(cuts):
            row = int(views.rows[part.start + cut.index])
            before, after = limits[n + 1] - limits[n], limits[n + 2] - limits[n + 1]
            met = bool(expected[part.start + cut.index] == MET_NATS)
            yield row, int(offsets[t + 1]), Split(
                int(tracklets.ids[t]), int(tracklets.frame_numbers[row]), next_id, cut.odds_nats + params.min_odds,
                cut.looks_nats, before, after, met
            )  # fmt: skip
            next_id += 1


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "tracklets", "embeddings", "corrections", "split", "splits", "timings")
    check_pins(args.pins)
    params = load_section(SplitParams, "split")
    with stage_run("split", args.sequence, args.timings) as run:
        tracklets, embeddings = Tracklets.load(args.tracklets, args.sequence), Embeddings.load(args.embeddings, args.sequence)
        corrected = cut_tracklets(tracklets, read_corrections(args.corrections))
        with run.computing(), on_one_thread():
            result, splits = split(corrected, embeddings, params)
        run.counts = {"frames": result.num_frames, "tracklets": len(tracklets.ids), "cuts": len(splits),
                      "corrected": len(corrected.ids) - len(tracklets.ids)}  # fmt: skip
        result.save(args.split)
        write_audit(args.splits, Split, splits)


if __name__ == "__main__":
    execute(main)
