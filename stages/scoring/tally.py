"""What TrackEval counts in a sequence: enough to add sequences up and to compute every ratio anew from the sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from trackeval.metrics import CLEAR, HOTA, Identity

from stages.errors import DataError

ALPHAS = tuple(round(0.05 * i, 2) for i in range(1, 20))  # HOTA's localisation thresholds
PER_ALPHA = ("HOTA_TP", "HOTA_FN", "HOTA_FP", "AssA", "AssRe", "AssPr", "LocA")  # the last four are averaged by HOTA_TP
SCALARS = ("CLR_TP", "CLR_FN", "CLR_FP", "CLR_Frames", "IDSW", "Frag", "MT", "PT", "ML", "MOTP_sum", "IDTP", "IDFN", "IDFP")
PERCENTAGES = ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR")
COUNTS = {"IDSW": "IDSW", "Frag": "Frag", "MT": "MT", "PT": "PT", "ML": "ML", "TP": "CLR_TP", "FP": "CLR_FP", "FN": "CLR_FN"}
DECIMALS = 12  # of stored means and sums: far below what two decimals of a percentage show


def metrics() -> list[Any]:
    """HOTA, CLEAR and Identity at TrackEval's own settings (IoU 0.5 for the last two), silent."""
    return [HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})]


@dataclass(frozen=True, eq=False)
class Tally:
    """TrackEval's fields by their own names: arrays (19,) over ALPHAS for PER_ALPHA, numbers for SCALARS."""

    fields: dict[str, NDArray[np.float64]]

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values; whole numbers stay whole."""
        return {name: _plain(self.fields[name].tolist()) for name in (*PER_ALPHA, *SCALARS)}


def tally_from_json(values: Any, place: str) -> Tally:
    """The tally that `to_json` wrote. Raises DataError naming the field that is missing or of another shape."""
    fields = {}
    for name in (*PER_ALPHA, *SCALARS):
        shape = (len(ALPHAS),) if name in PER_ALPHA else ()
        value = values.get(name) if isinstance(values, dict) else values
        try:
            fields[name] = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            fields[name] = np.asarray(np.nan)
        if fields[name].shape != shape or not np.isfinite(fields[name]).all():
            raise DataError(f"{place}: {name}: expected finite numbers of shape {shape}, got {value!r}")
    return Tally(fields)


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of one sequence or of several together."""

    percentages: dict[str, float]  # PERCENTAGES, 0 to 100; MOTA may be negative
    counts: dict[str, int]  # COUNTS
    hota: NDArray[np.float64]  # (19,) percent, over ALPHAS

    def figures(self) -> dict[str, float | int]:
        """All of it that is a number: percentages to two decimals, then counts."""
        return {**{name: round(value, 2) for name, value in self.percentages.items()}, **self.counts}


def combine(tallies: Sequence[Tally]) -> Scores:
    """The scores of at least one sequence: counts summed, ratios computed from the sums, as TrackEval combines."""
    by_number = {number: tally.fields for number, tally in enumerate(tallies)}
    results: dict[str, Any] = {}
    for metric in metrics():
        results |= metric.combine_sequences(by_number)
    if results["CLR_TP"] + results["CLR_FN"] == 0:  # nothing to find: 0, as TrackEval scores such a sequence
        results["MOTA"] = 0.0
    return Scores(
        {name: 100 * float(np.mean(results[name])) for name in PERCENTAGES},
        {name: int(results[field]) for name, field in COUNTS.items()},
        100 * np.asarray(results["HOTA"], dtype=np.float64),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if value == int(value) else round(value, DECIMALS)
