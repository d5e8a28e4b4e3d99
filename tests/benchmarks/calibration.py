"""How well the probabilities in merges.csv hold, and what makes them hold: python -m tests.benchmarks.calibration

    python -m tests.benchmarks.calibration data/sequences/street --artifacts artifacts    # after dvc repro
    python -m tests.benchmarks.calibration --seeds 31 32                                  # see tests.benchmarks.returns

Each decision of `merge` about two tracklets, joined or refused, is judged by whom the boxes nearest to the gap show. A
probability is the logistic function of `merge.temper` times the decision's lead in nats plus `merge.offset`; the two that make
what happened likeliest are fitted to all sequences but one, and that one is judged by them, each in turn.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from stages.association.decisions import Sureness
from stages.command import execute, log, parser
from stages.contracts.tracklets import Tracklets
from stages.decisions import WITNESSES
from stages.errors import DataError
from stages.lineage import NOBODY
from stages.merge import MergeParams, merge
from stages.params import load_section, read_params
from stages.scoring.matching import match_detections
from tests.benchmarks.ablation import sequence_folders
from tests.benchmarks.in_memory import Footage, Memory, read_footage
from tests.benchmarks.returns import majority, rows_of
from tests.benchmarks.squares import add_square_options, squares
from tests.benchmarks.tables import table

Array = NDArray[np.float64]
Returns = Literal["same_person", "new_person"]
TEMPERS, OFFSETS = (0.01, 10.0), (-10.0, 10.0)  # that params.yaml allows
START = (0.5, 0.0)
BINS = 10
LEAST = 1e-12  # probability that a logarithm is taken of


@dataclass(frozen=True, eq=False)
class Judged:
    """N decisions."""

    gains: Array  # (N,) nats
    one_person: NDArray[np.bool_]  # (N,)

    def __len__(self) -> int:
        return len(self.gains)


def judge(footage: Footage, parts: Tracklets, params: MergeParams, returns: Returns) -> Judged:
    """The decisions about pairs of which both sides show somebody known."""
    people = match_detections(footage.truth, footage.detections)
    rows = dict(zip(parts.ids.tolist(), rows_of(parts), strict=True))
    gains, right = [], []
    for decision in merge(parts, footage.embeddings, footage.camera_motion, params, returns)[1]:
        before = majority(people[rows[decision.tracklet_id][-WITNESSES:]])
        after = majority(people[rows[decision.other_tracklet_id][:WITNESSES]])
        if NOBODY not in (before, after):
            gains.append(decision.gain_nats)
            right.append(before == after)
    return Judged(np.array(gains, dtype=np.float64), np.array(right, dtype=bool))


def joined(parts: Sequence[Judged]) -> Judged:
    return Judged(np.concatenate([p.gains for p in parts]), np.concatenate([p.one_person for p in parts]))


def fitted(judged: Judged) -> Sureness:
    """The one with the least log loss.

    Targets are those of Platt (1999), section 2.2: a little less than sure, so that few decisions which are all right do not
    make it endless.
    """
    right = judged.one_person.sum()
    target = np.where(judged.one_person, (right + 1) / (right + 2), 1 / (len(judged) - right + 2))

    def loss(values: Array) -> float:
        log_odds = values[0] * judged.gains + values[1]
        return float(np.mean(np.logaddexp(0, log_odds) - target * log_odds))

    found = minimize(loss, np.array(START), bounds=(TEMPERS, OFFSETS))
    return Sureness(float(found.x[0]), float(found.x[1]))


def log_loss(probabilities: Array, one_person: NDArray[np.bool_]) -> float:
    """Mean nats by which what happened was a surprise."""
    return float(-np.log(np.maximum(np.where(one_person, probabilities, 1 - probabilities), LEAST)).mean())


def calibration_error(probabilities: Array, one_person: NDArray[np.bool_]) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht 2015): |said - true| over bins of one width, by their share."""
    number = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    said, true = np.bincount(number, probabilities, BINS), np.bincount(number, one_person, BINS)
    return float(np.abs(said - true).sum() / max(len(probabilities), 1))


def reliability(probabilities: Array, one_person: NDArray[np.bool_]) -> str:
    """For each bin with decisions in it how many there are, what was said and what was true."""
    number = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    rows = [
        [f"{n / BINS:.1f} to {(n + 1) / BINS:.1f}", int((number == n).sum()), f"{probabilities[number == n].mean():.2f}",
         f"{one_person[number == n].mean():.2f}"]
        for n in np.unique(number).tolist()
    ]  # fmt: skip
    return table(["probability", "decisions", "said", "one person"], rows)


def report(judged: Mapping[str, Judged], known: Sureness) -> str:
    """Tables: each sequence by params.yaml's values and by those fitted to the others; reliability; the fit to all."""
    rows, held_out = [], []
    for name, own in judged.items():
        others = [one for other, one in judged.items() if other != name]
        other = fitted(joined(others)) if sum(map(len, others)) else known
        held_out.append(other.probabilities(own.gains))
        rows.append(
            [name, len(own), *_figures(own, known.probabilities(own.gains)), *_values(other), *_figures(own, held_out[-1])]
        )
    every = joined(list(judged.values()))
    by_known, by_others = known.probabilities(every.gains), np.concatenate(held_out)
    rows.append(["all", len(every), *_figures(every, by_known), "", "", *_figures(every, by_others)])
    header = ["sequence", "decisions", "log loss", "calibration error"]
    header += ["temper of the others", "offset", "log loss by these", "calibration error"]
    temper, offset = _values(fitted(every))
    return "\n\n".join([
        table(header, rows),
        f"by params.yaml:\n\n{reliability(by_known, every.one_person)}",
        f"each sequence by the others:\n\n{reliability(by_others, every.one_person)}",
        f"fitted to all: merge.temper: {temper}, merge.offset: {offset}",
    ])  # fmt: skip


def _values(sureness: Sureness) -> list[str]:
    return [f"{sureness.temper:.2f}", f"{sureness.offset:.2f}"]


def _figures(judged: Judged, probabilities: Array) -> list[str]:
    """Log loss and calibration error."""
    if not len(judged):
        return ["none", "none"]
    return [f"{measure(probabilities, judged.one_person):.3f}" for measure in (log_loss, calibration_error)]


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
            judged[folder.name] = judge(footage, Memory(footage).run(params)["split"], merging, args.returns)
            log.info("%s: %d decisions", folder.name, len(judged[folder.name]))
    for seed, footage, levels in squares(args, params):
        judged[f"square {seed}"] = judge(footage, levels["split"], merging, "same_person")
    if not sum(map(len, judged.values())):
        raise DataError("expected decisions of merge to judge, found none in these sequences")
    sys.stdout.write(report(judged, Sureness(merging.temper, merging.offset)) + "\n")


if __name__ == "__main__":
    execute(main)
