"""Scores and quality of all sequences to the combined figures that people compare.

Counts are summed over sequences and ratios computed from the sums. `metrics.json` holds the combined figures of every level;
the folder of levels holds the same as one file a level, because `dvc metrics show` prints one line a file. Where several
cameras of a group have ground truth, IDF1 across cameras stands beside the final level's figures and each group's scores in
`groups.json`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from stages.artifacts import read_json, write_json, write_text
from stages.command import execute, log, stage_options, stage_run
from stages.errors import DataError
from stages.params import camera_groups
from stages.per_sequence import listed_files
from stages.pins import check_pins
from stages.scoring.across_cameras import IdentityMatches, across_cameras, idf1
from stages.scoring.levels import LEVELS
from stages.scoring.sequence_scores import SequenceScores, scores_from_json
from stages.scoring.table import COLUMNS, format_table
from stages.scoring.tally import ALPHAS, Scores, combine

Figures = dict[str, Any]
ACROSS = "IDF1_across_cameras"
GROUP_COLUMNS = ("cameras", "people", "identities", "IDF1", "IDP", "IDR")
QUALITY_COUNTS = ("tracklets", "detections_tracked", "detections")  # of a level in the file that `analyze` wrote
PLOTTED = ("HOTA", "AssA", "DetA", "IDF1", "MOTA", "IDSW")
ALL = "all sequences"


def combine_levels(scores: Mapping[str, SequenceScores]) -> dict[str, Scores]:
    """The combined scores of each level over the sequences with ground truth; empty where none has it."""
    scored = [sequence for sequence in scores.values() if sequence.rules is not None]
    return {level: combine([sequence.levels[level] for sequence in scored]) for level in LEVELS} if scored else {}


def quality_levels(values: Any, place: str) -> dict[str, Figures]:
    """Level -> figures of the file that `analyze` wrote. Raises DataError where it is anything else."""
    try:
        levels: dict[str, Figures] = {level: values["levels"][level] for level in LEVELS}
        for figures in levels.values():
            for count in QUALITY_COUNTS:
                int(figures[count])
        return levels
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{place}: expected the quality of a sequence at every level, got: {error!r}") from error


def combined_figures(combined: Mapping[str, Scores], quality: Mapping[str, Mapping[str, Figures]]) -> dict[str, Figures]:
    """What `metrics.json` holds: level -> figures; tracklets, and the percentage of detections that are in one, are those of
    all sequences, scored or not."""
    figures: dict[str, Figures] = {}
    for level in LEVELS:
        known = combined[level].figures() if level in combined else {}
        tracklets, tracked, detections = (sum(levels[level][n] for levels in quality.values()) for n in QUALITY_COUNTS)
        known |= {"tracklets": tracklets, "tracked": round(100 * tracked / max(detections, 1), 2)}
        figures[level] = {name: known[name] for name in COLUMNS if name in known}
    return figures


def sequence_figures(
    scores: Mapping[str, SequenceScores], quality: Mapping[str, Mapping[str, Figures]]
) -> dict[str, dict[str, Figures]]:
    """What `sequences.json` holds: sequence -> level -> every figure, with and without ground truth."""
    return {
        name: {
            level: (combine([sequence.levels[level]]).figures() if level in sequence.levels else {}) | quality[name][level]
            for level in LEVELS
        }
        for name, sequence in scores.items()
    }


def group_figures(scores: Mapping[str, SequenceScores], groups: Mapping[str, str]) -> dict[str, Figures]:
    """What `groups.json` holds: camera group -> scores across those of its cameras that have ground truth, if several have.

    `groups` is sequence -> camera group.
    """
    cameras: dict[str, list[IdentityMatches]] = {}
    for name, sequence in scores.items():
        if sequence.identities is not None:
            cameras.setdefault(groups[name], []).append(sequence.identities)
    return {
        group: {"cameras": len(matches), **across_cameras(matches)} for group, matches in cameras.items() if len(matches) > 1
    }


def idf1_over_groups(groups: Mapping[str, Figures]) -> float:
    """IDF1 across cameras in percent from the groups' counts, summed."""
    idtp, idfn, idfp = (sum(int(figures[name]) for figures in groups.values()) for name in ("IDTP", "IDFN", "IDFP"))
    return idf1(idtp, idfn, idfp)


def hota_table(combined: Mapping[str, Scores]) -> str:
    """A CSV for a DVC plot with one line a level: alpha and a column a level, percent; the header alone without scores."""
    lines = [",".join(("alpha", *LEVELS))]
    if combined:
        values = np.stack([combined[level].hota for level in LEVELS], axis=1)
        lines += [",".join([f"{alpha:.2f}", *(f"{x:.3f}" for x in row)]) for alpha, row in zip(ALPHAS, values, strict=True)]
    return "\n".join(lines) + "\n"


def score_table(figures: Mapping[str, Figures], per_sequence: Mapping[str, Mapping[str, Figures]]) -> str:
    """A CSV for DVC plots with one line a figure that is known: sequence (or all of them), level, metric, value."""
    scored = {ALL: figures, **per_sequence}
    lines = [
        f"{sequence},{level},{metric},{values[metric]}"
        for sequence, levels in scored.items()
        for level, values in levels.items()
        for metric in PLOTTED
        if metric in values
    ]
    return "\n".join(["sequence,level,metric,value", *lines]) + "\n"


def main() -> None:
    args = stage_options(__doc__, "pins", "scores", "quality", "galleries", "metrics", "levels", "per-sequence", "groups",
                         "hota", "score-table")  # fmt: skip
    check_pins(args.pins)
    group_of = camera_groups()
    names = list(group_of)
    with stage_run("summarize", "all") as run:
        for group in sorted(set(group_of.values())):
            members = [name for name in names if group_of[name] == group]
            listed_files(args.galleries / group, members, ".npz")  # a ghost there would be recognised in other cameras
        quality = {
            name: quality_levels(read_json(path), str(path))
            for name, path in listed_files(args.quality, names, ".json").items()
        }
        scores = {
            name: scores_from_json(read_json(path), str(path))
            for name, path in listed_files(args.scores, names, ".json").items()
        }
        combined = combine_levels(scores)
        figures = combined_figures(combined, quality)
        groups = group_figures(scores, group_of)
        if groups:
            figures["final"][ACROSS] = idf1_over_groups(groups)
        per_sequence = sequence_figures(scores, quality)
        write_json(args.groups, groups)
        write_json(args.per_sequence, per_sequence)
        write_text(args.score_table, score_table(figures, per_sequence))
        write_text(args.hota, hota_table(combined))
        for level in LEVELS:
            write_json(args.levels / f"{level}.json", figures[level])
        write_json(args.metrics, figures)
        run.counts = {"sequences": len(names)}
        scored = sum(sequence.rules is not None for sequence in scores.values())
        log.info("%s", format_table("level", figures, COLUMNS))
        if groups:
            log.info("%s", format_table("camera group", groups, GROUP_COLUMNS))
        log.info("summarize: %d of %d sequences have ground truth; combined figures in %s, each sequence's in %s, HOTA over "
                 "alpha in %s", scored, len(names), args.metrics, args.per_sequence, args.hota)  # fmt: skip


if __name__ == "__main__":
    execute(main)
