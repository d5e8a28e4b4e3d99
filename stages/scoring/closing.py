"""What stands on the terminal at the end: how good the tracks are, and where to look at them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.scoring.table import COLUMNS, format_table

SEQUENCES_SHOWN = 20
FINAL = "final"


def closing(metrics: Mapping[str, Any], per_sequence: Mapping[str, Any], reports: Path) -> str:
    """The figures of every level over all sequences, those of the final tracks of each sequence, and where the report lies.

    Git keeps the figures and not the report: where that is absent, so may be the run that the figures are of.
    """
    shown = dict(list(per_sequence.items())[:SEQUENCES_SHOWN])
    final = {name: levels.get(FINAL, {}) for name, levels in shown.items()}
    width = max(map(len, [*metrics, *final, "all sequences"]))  # so that the columns of both tables stand below each other
    parts = [format_table("all sequences".ljust(width), metrics, COLUMNS)]
    if len(per_sequence) > 1:
        rows = {name: {**figures, "tracked": _tracked(figures)} for name, figures in final.items()}
        parts.append(format_table(f"{FINAL} tracks".ljust(width), rows, COLUMNS))
    left_out = len(per_sequence) - len(shown)
    parts += [f"and {left_out} more sequences in {reports / 'sequences.json'}"] if left_out > 0 else []
    page = reports / "index.html"
    if page.exists():
        parts.append(f"report: {page}    runs side by side: make ui    again: make results")
    else:
        parts.append(f"report: no {page} yet, and the figures may be those that came with git: make repro makes both anew")
    return "\n\n".join(parts)


def _tracked(figures: Mapping[str, Any]) -> float | None:
    """Percentage of the detections that are in a tracklet, as `summarize` has it over all sequences."""
    tracked, detections = figures.get("detections_tracked"), figures.get("detections")
    return round(100 * tracked / max(detections, 1), 2) if tracked is not None and detections is not None else None
