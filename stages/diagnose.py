"""Ground truth and every level of tracklets to what went wrong and why: ID switches, fragmentations, wrong decisions, people
who are not found.

Without ground truth there is nothing to judge by; the distances of embeddings are then those between final tracks.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import write_json
from stages.audit import write_audit
from stages.clip import ClipParams, source_frames
from stages.command import execute, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets
from stages.decisions import Decision, read_decisions
from stages.lineage import NOBODY, owners
from stages.params import load_section, load_value
from stages.pins import check_pins
from stages.regions import RegionParams
from stages.scoring.causes import CAUSES
from stages.scoring.challenge import track_boxes
from stages.scoring.distances import distance_histograms
from stages.scoring.levels import load_levels
from stages.scoring.matching import FoundPeople, count_found, match_detections, match_tracks
from stages.scoring.mistakes import Mistake, find_mistakes
from stages.scoring.truth import GroundTruth, load_truth
from stages.seqinfo import read_seqinfo


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Mistakes by frame, and for each decision whether it was right (None: unknown)."""

    mistakes: list[Mistake]
    verdicts: dict[str, bool | None]
    people: NDArray[np.int64]  # (D,) whom each detection shows
    found: FoundPeople | None  # by the final tracks; None: there is no ground truth


def diagnose(
    truth: GroundTruth | None,
    detections: Detections,
    levels: Mapping[str, Tracklets],
    decisions: list[Decision],
    class_id: int,
    regions: RegionParams,
) -> Diagnosis:
    """What the ground truth says of the final tracks and of the decisions that made them."""
    if truth is None:
        return Diagnosis([], {decision.name: None for decision in decisions}, np.full(len(detections), NOBODY), None)
    people = match_detections(truth, detections)
    tracks = track_boxes(levels["final"], class_id, regions)
    matching = match_tracks(truth, tracks)
    mistakes = find_mistakes(truth, tracks, matching, people, detections.frame_numbers, levels)
    verdicts = {decision.name: decision.right(people) for decision in decisions}
    return Diagnosis(mistakes, verdicts, people, count_found(truth, matching))


def to_json(diagnosis: Diagnosis, decisions: list[Decision], distances: dict[str, Any]) -> dict[str, Any]:
    """JSON values: people found, mistakes by cause, verdicts by decision, pairs that merge judged, distances of embeddings."""
    by_truth = diagnosis.found is not None
    causes = Counter(mistake.cause for mistake in diagnosis.mistakes)
    pairs = [
        {
            "one_person": None if diagnosis.verdicts[d.name] is None else diagnosis.verdicts[d.name] == (d.kind == "join"),
            "probability": float(d.evidence["probability"]),
        }
        for d in decisions
        if d.kind in ("join", "refusal") and "probability" in d.evidence
    ]
    return {
        "ground_truth": by_truth,
        "found_people": dataclasses.asdict(diagnosis.found) if diagnosis.found is not None else None,
        "causes": {cause: causes[cause] for cause in CAUSES},
        "verdicts": dict(sorted(diagnosis.verdicts.items())),
        "pairs": pairs,
        "distances": {"people": "ground truth" if by_truth else "final tracks", **distances},
    }


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "truth", "seqinfo", "detections", "embeddings", "raw", "rewired", "split",
                         "merged", "final", "rewires", "splits", "merges", "mistakes", "diagnosis", "timings")  # fmt: skip
    check_pins(args.pins)
    class_id = load_value(int, "evaluate.class_id")
    clip = load_section(ClipParams, f"sequences.{args.sequence}.clip")
    regions = load_section(RegionParams, f"sequences.{args.sequence}.regions")
    with stage_run("diagnose", args.sequence, args.timings) as run:
        info = read_seqinfo(args.seqinfo)
        truth = load_truth(args.truth, info.num_frames, source_frames(info, clip), regions)
        detections, levels = Detections.load(args.detections, args.sequence), load_levels(args)
        embeddings = Embeddings.load(args.embeddings, args.sequence)
        decisions = read_decisions(args.rewires, args.splits, args.merges, levels)
        with run.computing():
            found = diagnose(truth, detections, levels, decisions, class_id, regions)
            people = found.people if truth is not None else owners(levels["final"], len(detections))
            distances = distance_histograms(embeddings, people, detections.frame_numbers, detections.fps)
        run.counts = {"frames": detections.num_frames, "decisions": len(decisions), "mistakes": len(found.mistakes)}
        write_audit(args.mistakes, Mistake, found.mistakes)
        write_json(args.diagnosis, {"sequence": args.sequence, **to_json(found, decisions, distances)})


if __name__ == "__main__":
    execute(main)
