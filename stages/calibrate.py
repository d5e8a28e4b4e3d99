"""How well the probabilities in merges.csv hold, and the two numbers of params.yaml that make them hold, by ground truth.

    python -m stages.calibrate                  # all sequences of params.yaml that have ground truth, after dvc repro
    python -m stages.calibrate street --write   # and merge.temper and merge.offset into params.yaml; then: dvc repro

A probability is the logistic function of `merge.temper` times a decision's lead in nats, `gain_nats`, plus `merge.offset`. Each
sequence is judged by params.yaml's values, and by those that make what happened in all the others likeliest. A page shows both.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from stages.artifacts import exclusive, write_text
from stages.association.decisions import OFFSETS, TEMPERS, Sureness
from stages.calibration.comparing import Comparison, compare, figures_table, fit_line, reliability_table
from stages.calibration.judging import Judged, judge, read_leads
from stages.clip import ClipParams, source_frames
from stages.command import execute, log, parser
from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets
from stages.corrections.busy import check_idle
from stages.errors import DataError
from stages.freshness import check_fresh
from stages.outputs import ARTIFACTS
from stages.params import PARAMS, check_sequence, load_section, load_value, sequence_names
from stages.regions import RegionParams
from stages.reporting.calibration import page
from stages.scoring.matching import match_detections
from stages.scoring.truth import load_truth
from stages.seqinfo import read_seqinfo
from stages.sequence_folder import holds_data
from stages.versioning import SEQUENCES
from stages.yaml_text import with_number

REPORTS = Path("reports")  # as dvc.yaml has it


def choose(names: Sequence[str]) -> list[str]:
    """These sequences, or all that have ground truth. Raises DataError where one is not there, or has none."""
    check_sequence(*names)
    for name in names:
        if not holds_data(SEQUENCES / name / "gt"):
            raise DataError(f"{name}: expected ground truth in {SEQUENCES / name / 'gt'}, found none")
    chosen = list(dict.fromkeys(names)) or [name for name in sequence_names() if holds_data(SEQUENCES / name / "gt")]
    if not chosen:
        raise DataError(f"{PARAMS}: sequences: expected one at least with ground truth, found none")
    return chosen


def load_judged(name: str) -> Judged:
    """The decisions about a sequence as it was last merged. Raises DataError where ground truth and tracks do not fit."""
    info, clip = read_seqinfo(SEQUENCES / name / "seqinfo.ini"), load_section(ClipParams, f"sequences.{name}.clip")
    regions = load_section(RegionParams, f"sequences.{name}.regions")
    detections = Detections.load(ARTIFACTS / name / "detections_raw.npz", name)
    truth = load_truth(SEQUENCES / name / "gt", info.num_frames, source_frames(info, clip), regions)
    if truth is None or truth.num_frames != detections.num_frames:
        found = "none" if truth is None else f"of {truth.num_frames}"
        raise DataError(f"{name}: expected ground truth of the {detections.num_frames} frames that were tracked, got {found}")
    tracklets = Tracklets.load(ARTIFACTS / name / "tracklets_split.npz", name)
    return judge(read_leads(ARTIFACTS / name / "merges.csv"), tracklets, match_detections(truth, detections))


def load_comparison(names: Sequence[str]) -> Comparison:
    """The decisions about these sequences and how they can be judged. Raises DataError where there is none, or none fresh."""
    check_idle()
    check_fresh(*(f"merge@{name}" for name in names))
    judged = {name: load_judged(name) for name in names}
    if not sum(map(len, judged.values())):
        raise DataError(f"{', '.join(names)}: expected decisions of merge that ground truth can judge, found none")
    today = Sureness(
        load_value(Annotated[float, TEMPERS], "merge.temper"), load_value(Annotated[float, OFFSETS], "merge.offset")
    )
    return compare(judged, today)


def write_params(sureness: Sureness) -> None:
    """Puts the two numbers into params.yaml, whole or not at all, and leaves all else as it is."""
    text = PARAMS.read_text(encoding="utf-8")
    for name, value in (("temper", sureness.temper), ("offset", sureness.offset)):
        text = with_number(text, "merge", name, value)
    check_idle()  # a run would note the new numbers as those that it began with
    write_text(PARAMS, text)


def options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("sequences", nargs="*", metavar="SEQUENCE", help="of params.yaml; default: all with ground truth")
    made.add_argument("--plot", type=Path, default=REPORTS / "calibration.html", help="the page; default: %(default)s")
    made.add_argument("--write", action="store_true", help="put the fitted numbers into params.yaml")
    return made.parse_args()


def main() -> None:
    args = options()
    with exclusive("sequences"):
        found = load_comparison(choose(args.sequences))
        sys.stdout.write(f"{figures_table(found)}\n\n{reliability_table(found)}\n\n{fit_line(found)}\n")
        write_text(args.plot, page(found))
        log.info("reliability in %s", args.plot)
        if args.write:
            if found.fitted is None:
                raise DataError(f"{PARAMS}: {found.shortage}")
            write_params(found.fitted)
            log.info("written to %s; next: dvc repro", PARAMS)


if __name__ == "__main__":
    execute(main)
