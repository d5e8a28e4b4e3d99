"""Any two MOTChallenge files, or two folders of them, to a table of scores: TrackEval without the pipeline.

    python -m stages.score gt.txt result.txt
    python -m stages.score sequences/ results/    # sequences/<name>/gt/gt.txt and results/<name>.txt, and combined

Nine columns of ground truth are scored by MOT17's rules, ten by MOT15's. A sequence is as long as its files.
"""

import json
import sys
from pathlib import Path

from stages.command import execute, parser
from stages.errors import DataError
from stages.motchallenge import read_rows
from stages.scoring.challenge import TrackBoxes, count
from stages.scoring.table import format_table
from stages.scoring.tally import PERCENTAGES, Tally, combine
from stages.scoring.truth import check_fits, make_truth, refuse

COLUMNS = (*PERCENTAGES, "IDSW", "Frag", "FP", "FN", "MT", "ML")
COMBINED = "COMBINED"


def score(truth_file: Path, result_file: Path) -> Tally:
    """What TrackEval counts for these two files. Raises DataError naming the file and what does not fit."""
    truth, result = read_rows(truth_file), read_rows(result_file)
    num_frames = 1 + max(int(rows.frame_numbers.max(initial=-1)) for rows in (truth, result))
    check_fits(result_file, result, num_frames)
    refuse(result_file, result, result.class_ids > 1, "class 1 (pedestrian) or -1", result.class_ids)
    return count(make_truth(truth_file, truth, num_frames), TrackBoxes(result.frame_numbers, result.ids, result.bboxes))


def find_pairs(truth: Path, result: Path, name: str | None) -> dict[str, tuple[Path, Path]]:
    """Name -> ground truth and result of each sequence. Raises DataError where there is nothing to compare."""
    if not truth.is_dir() and not result.is_dir():
        return {name or result.stem: (truth, result)}
    if name is not None or not truth.is_dir() or not result.is_dir():
        raise DataError(f"{truth}, {result}: expected two files, or two folders without --name, got otherwise")
    found = {path.parts[-3]: path for path in sorted(truth.glob("*/gt/gt.txt"))}
    if not found:
        raise DataError(f"{truth}: expected <name>/gt/gt.txt, found none")
    return {sequence: (path, result / f"{sequence}.txt") for sequence, path in found.items()}


def main() -> None:
    command = parser(__doc__)
    command.add_argument("truth", type=Path, metavar="GT", help="gt.txt, or a folder of <name>/gt/gt.txt")
    command.add_argument("result", type=Path, metavar="RESULT", help="a result file, or a folder of <name>.txt")
    command.add_argument("--name", help="name of the row for two files (default: the result's)")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = command.parse_args()
    pairs = find_pairs(args.truth, args.result, args.name)
    tallies = {name: score(*pair) for name, pair in pairs.items()}
    rows = {name: combine([tally]).figures() for name, tally in tallies.items()}
    if len(tallies) > 1:
        rows[COMBINED] = combine(list(tallies.values())).figures()
    sys.stdout.write(json.dumps(rows, indent=2) if args.json else format_table("sequence", rows, COLUMNS))
    sys.stdout.write("\n")


if __name__ == "__main__":
    execute(main)
