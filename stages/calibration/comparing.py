"""Probabilities as params.yaml makes them beside those of a fit: each sequence is judged by a fit to the others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stages.association.decisions import Sureness
from stages.calibration.fitting import fitted, shortage
from stages.calibration.judging import Judged, joined
from stages.calibration.reliability import BINS, Array, calibration_error, log_loss, reliability
from stages.scoring.table import aligned

NONE = "-"


@dataclass(frozen=True, eq=False)
class Comparison:
    """One sequence at least, by name."""

    judged: Mapping[str, Judged]
    today: Sureness
    others: Mapping[str, Sureness]  # fitted to all sequences but that; of those that have decisions, if the others have enough
    fitted: Sureness | None  # to all; None: too few decisions
    shortage: str | None  # what is missing for it

    @property
    def every(self) -> Judged:
        return joined(list(self.judged.values()))

    @property
    def held_out(self) -> tuple[Judged, Array]:
        """The decisions that a fit to other sequences can judge, and their probabilities by it."""
        nothing = Judged(np.zeros(0), np.zeros(0, dtype=bool))
        parts = [self.judged[name] for name in self.others]
        said = [other.probabilities(self.judged[name].gains) for name, other in self.others.items()]
        return joined([nothing, *parts]), np.concatenate([nothing.gains, *said])


def compare(judged: Mapping[str, Judged], today: Sureness) -> Comparison:
    """The fits to all sequences and to all but one, where there are enough decisions for them."""
    others = {}
    for name, own in judged.items():
        rest = [one for other, one in judged.items() if other != name]
        if len(own) and rest and shortage(joined(rest)) is None:
            others[name] = fitted(joined(rest))
    every = joined(list(judged.values()))
    missing = shortage(every)
    return Comparison(judged, today, others, fitted(every) if missing is None else None, missing)


def figures_table(found: Comparison) -> str:
    """A line a sequence and one for all: by today's values, and by those of a fit to the others."""
    header = ["sequence", "decisions", "one person", "log loss", "error"]
    lines = [[*header, "by the others: temper", "offset", "log loss", "error"]]
    for name, one in found.judged.items():
        other = found.others.get(name)
        said = None if other is None else other.probabilities(one.gains)
        lines.append(_line(name, one, found.today, [NONE] * 2 if other is None else _values(other), said))
    every, (own, said) = found.every, found.held_out
    lines.append(_line("all", every, found.today, ["", ""], said if len(own) == len(every) else None))
    if 0 < len(own) < len(every):
        lines.append(_line("judged by others", own, found.today, ["", ""], said))
    return aligned(lines)


def reliability_table(found: Comparison) -> str:
    """For each tenth with decisions in it how many there are, what was said of them and how many were one person."""
    own, said = found.held_out
    sides = [
        reliability(found.today.probabilities(found.every.gains), found.every.one_person),
        reliability(said, own.one_person),
    ]
    lines = [["probability", "decisions", "said", "one person", "by the others: decisions", "said", "one person"]]
    for tenth in sorted({*sides[0], *sides[1]}):
        line = [f"{tenth / BINS:.1f} to {(tenth + 1) / BINS:.1f}"]
        for points in sides:
            mean, share, count = points.get(tenth, (0.0, 0.0, 0))
            line += [f"{count}", f"{mean:.2f}", f"{share:.2f}"] if count else [NONE] * 3
        lines.append(line)
    return aligned(lines)


def fit_line(found: Comparison) -> str:
    """The fit to all sequences, or what is missing for it."""
    if found.fitted is None:
        return f"too few decisions for a fit: {found.shortage}"
    today = " and ".join(f"{value:g}" for value in (found.today.temper, found.today.offset))
    return f"fitted to all: merge.temper {found.fitted.temper:g}, merge.offset {found.fitted.offset:g} (today {today})"


def _line(name: str, judged: Judged, today: Sureness, values: list[str], said: Array | None) -> list[str]:
    counts = [f"{len(judged):,}", f"{int(judged.one_person.sum()):,}"]
    figures = [_figures(judged, today.probabilities(judged.gains)), [NONE] * 2 if said is None else _figures(judged, said)]
    return [name, *counts, *figures[0], *values, *figures[1]]


def _values(sureness: Sureness) -> list[str]:
    return [f"{sureness.temper:.3f}", f"{sureness.offset:.3f}"]


def _figures(judged: Judged, probabilities: Array) -> list[str]:
    """Log loss and calibration error."""
    if not len(judged):
        return [NONE, NONE]
    return [f"{measure(probabilities, judged.one_person):.3f}" for measure in (log_loss, calibration_error)]
