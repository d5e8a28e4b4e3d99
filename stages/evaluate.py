"""Tracklets of every level and the ground truth to scores: TrackEval's HOTA, CLEAR and Identity.

The file holds what adds up over sequences beside the ratios, so that `summarize` computes combined ratios from sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from stages.artifacts import write_json
from stages.clip import ClipParams, source_frames
from stages.command import execute, log, stage_options, stage_run
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.errors import DataError
from stages.params import Range, load_section
from stages.pins import check_pins
from stages.regions import RegionParams
from stages.scoring.challenge import count, count_identities, track_boxes
from stages.scoring.levels import load_levels
from stages.scoring.sequence_scores import SequenceScores
from stages.scoring.truth import GroundTruth, load_truth
from stages.seqinfo import read_seqinfo


@dataclass(frozen=True)
class EvaluateParams:
    """Which tracks are compared with the ground truth, which knows people alone."""

    class_id: Annotated[int, Range(0, 32767)]


def evaluate(
    truth: GroundTruth | None,
    levels: Mapping[str, Tracklets],
    identities: Identities,
    params: EvaluateParams,
    regions: RegionParams,
) -> SequenceScores:
    """The scores of each level, and the counts of identities to score across cameras; none without ground truth.

    People who stand outside the regions count neither as truth nor as tracks. Raises DataError where tracklets have another
    number of frames than the ground truth.
    """
    if truth is None:
        return SequenceScores(None, {}, None)
    for level, tracklets in levels.items():
        if tracklets.num_frames != truth.num_frames:
            raise DataError(f"{level} tracklets: expected the clip's {truth.num_frames} frames, got {tracklets.num_frames}")
    final = levels["final"]
    persons = identities.identities_of(final.sequence, final.tracklet_ids)
    return SequenceScores(
        truth.rules,
        {level: count(truth, track_boxes(tracklets, params.class_id, regions)) for level, tracklets in levels.items()},
        count_identities(truth, track_boxes(final, params.class_id, regions, persons)),
    )


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "truth", "seqinfo", "raw", "rewired", "split", "merged", "final",
                         "identities", "scores", "timings")  # fmt: skip
    check_pins(args.pins)
    params = load_section(EvaluateParams, "evaluate")
    clip = load_section(ClipParams, f"sequences.{args.sequence}.clip")
    regions = load_section(RegionParams, f"sequences.{args.sequence}.regions")
    with stage_run("evaluate", args.sequence, args.timings) as run:
        info = read_seqinfo(args.seqinfo)
        truth = load_truth(args.truth, info.num_frames, source_frames(info, clip), regions)
        levels, identities = load_levels(args), Identities.load(args.identities)
        if truth is None:
            log.info("evaluate %s: no ground truth, so no scores", args.sequence)
        else:
            log.info("evaluate %s: %s true boxes under %s's rules", args.sequence, f"{len(truth):,}", truth.rules)
        with run.computing():
            scores = evaluate(truth, levels, identities, params, regions)
        run.counts = {"frames": levels["final"].num_frames, "true_boxes": len(truth) if truth is not None else 0,
                      "boxes": sum(map(len, levels.values()))}  # fmt: skip
        write_json(args.scores, scores.to_json(args.sequence))


if __name__ == "__main__":
    execute(main)
