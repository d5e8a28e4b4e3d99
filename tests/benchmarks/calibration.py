"""stages.calibrate for what is no sequence of the project: folders elsewhere, and squares that nothing was trained on.

    python -m tests.benchmarks.calibration ~/MOT17          # stored detections, no looks
    python -m tests.benchmarks.calibration --seeds 31 32    # see tests.benchmarks.returns

The stages after the networks run in one process with params.yaml as it is; then the tables are those of the command.
"""

import argparse
import sys
from pathlib import Path

from stages.association.decisions import Sureness
from stages.calibration.comparing import compare, figures_table, fit_line, reliability_table
from stages.calibration.judging import Judged, Lead, judge
from stages.command import execute, log, parser
from stages.errors import DataError
from stages.merge import MergeParams, Returns, merge
from stages.params import load_section, read_params
from stages.scoring.matching import match_detections
from tests.benchmarks.ablation import sequence_folders
from tests.benchmarks.in_memory import Footage, Memory, Params, read_footage
from tests.benchmarks.squares import add_square_options, squares


def judged_in_memory(footage: Footage, params: Params, merging: MergeParams, returns: Returns) -> Judged:
    """The decisions that `merge` makes about what the stages before it make of the footage."""
    parts = Memory(footage).until_split(params)["split"]
    decisions = merge(parts, footage.embeddings, footage.camera_motion, merging, returns)[1]
    leads = [Lead(one.tracklet_id, one.other_tracklet_id, one.gain_nats) for one in decisions]
    return judge(leads, parts, match_detections(footage.truth, footage.detections))


def options() -> argparse.ArgumentParser:
    made = parser(__doc__)
    made.add_argument("folders", nargs="*", type=Path, help="sequence folders with ground truth, or folders of them")
    made.add_argument("--artifacts", type=Path, help="where detect, register and embed left theirs; else stored detections")
    made.add_argument("--returns", choices=("same_person", "new_person"), default="new_person", help="in the folders named")
    add_square_options(made, "--seeds", "+")
    return made


def main() -> None:
    args = options().parse_args()
    params, merging = read_params(), load_section(MergeParams, "merge")
    judged = {}
    for place in args.folders:
        for folder in sequence_folders(place):
            footage = read_footage(folder, args.artifacts / folder.name if args.artifacts else None)
            judged[folder.name] = judged_in_memory(footage, params, merging, args.returns)
            log.info("%s: %d decisions", folder.name, len(judged[folder.name]))
    for seed, footage in squares(args, params):
        judged[f"square {seed}"] = judged_in_memory(footage, params, merging, "same_person")
    if not sum(map(len, judged.values())):
        raise DataError("expected decisions of merge to judge, found none in these sequences")
    found = compare(judged, Sureness(merging.temper, merging.offset))
    sys.stdout.write(f"{figures_table(found)}\n\n{reliability_table(found)}\n\n{fit_line(found)}\n")


if __name__ == "__main__":
    execute(main)
