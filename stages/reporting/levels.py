"""Figures of the levels as table rows: what each is, and what it gained over the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.scoring.table import COLUMNS

BETTER = {"HOTA": True, "DetA": True, "AssA": True, "MOTA": True, "IDF1": True, "IDSW": False, "Frag": False}  # when greater


@dataclass(frozen=True)
class Level:
    """A row; `gains` are differences to another row."""

    name: str
    figures: Mapping[str, Any]
    gains: Mapping[str, float]


def level_rows(levels: Mapping[str, Mapping[str, Any]]) -> list[Level]:
    """A row a level, with its gains over the level above."""
    rows, above = [], None
    for name, figures in levels.items():
        rows.append(Level(name, figures, {} if above is None else differences(figures, above)))
        above = figures
    return rows


def baseline_rows(levels: Mapping[str, Mapping[str, Any]], baseline: Mapping[str, Mapping[str, Any]]) -> list[Level]:
    """A row a level that both have, with its gains over the baseline."""
    return [Level(name, levels[name], differences(levels[name], baseline[name])) for name in levels if name in baseline]


def shown_columns(rows: Sequence[Level]) -> list[str]:
    """The columns that some row has."""
    return [name for name in COLUMNS if any(name in row.figures for row in rows)]


def differences(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, float]:
    """Name -> how much each number that both have grew, to two decimals."""
    both = {name: (value, before.get(name)) for name, value in now.items()}
    return {
        name: round(value - other, 2)
        for name, (value, other) in both.items()
        if isinstance(value, int | float) and isinstance(other, int | float)
    }
