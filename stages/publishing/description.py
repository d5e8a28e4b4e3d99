"""What a run's page says: what was run, the headline figures by level, and what changed against the run before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.publishing.result import HEADLINE_LEVEL, HEADLINES, Result

NAMES_SHOWN = 5
CHANGES_SHOWN = 40  # rows of a table
VALUE_CHARACTERS = 60
ABSENT = "-"


@dataclass(frozen=True)
class Published:
    """A run that is in the store."""

    run_id: str
    name: str
    link: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def describe(result: Result, parent: Published | None) -> str:
    """The description as Markdown."""
    names = list(result.per_sequence)
    shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    parts = [f"Retrace on {len(names)} {'sequence' if len(names) == 1 else 'sequences'}: {shown or 'none'}."]
    if parent is not None:  # first, because MLflow's page folds what is long
        parts += [f"### Changed against [{parent.name}]({parent.link})", *_changes(result, parent), "### Result"]
    columns = [name for name in HEADLINES if any(name in figures for figures in result.metrics.values())]
    if columns:
        rows = [[level, *(str(figures.get(name, ABSENT)) for name in columns)] for level, figures in result.metrics.items()]
        parts.append(_table(["level", *columns], rows))
    parts += [f"Weights of {section}: {weights.split(':')[0]}." for section, weights in result.weights.items()]
    return "\n\n".join(parts)


def changed_params(result: Result, parent: Published) -> dict[str, tuple[str, str]]:
    """Parameter -> before and now, of those that differ."""
    return _differences(parent.params, result.flat_params())


def short_changes(result: Result, parent: Published | None) -> str:
    """The changed parameters in one line, for a column of the list of runs."""
    changes = changed_params(result, parent) if parent else {}
    return ", ".join(f"{name} {_cut(before)} to {_cut(now)}" for name, (before, now) in list(changes.items())[:NAMES_SHOWN])


def _changes(result: Result, parent: Published) -> list[str]:
    """The parameters and the headline figures that differ, each as a table."""
    params = changed_params(result, parent)
    figures = _differences(_headlines(parent.metrics), _headlines(result.flat_metrics()))
    rows = [[name, _cut(before), _cut(now)] for name, (before, now) in params.items()]
    values = [[name, _number(before), _number(now), _difference(before, now)] for name, (before, now) in figures.items()]
    return [
        _table(["parameter", "before", "now"], rows) if rows else "No parameter.",
        _table(["figure", "before", "now", "difference"], values) if values else "No figure.",
    ]


def _headlines(metrics: Mapping[str, float]) -> dict[str, float]:
    """HOTA and its like over all sequences and of the final tracks of each."""
    level = f"/{HEADLINE_LEVEL}/"
    own = {name: metrics[name] for name in HEADLINES if name in metrics}
    of_sequences = {f"{name.split('/')[1]}: {name.rpartition('/')[2]}": value for name, value in metrics.items()
                    if name.startswith("sequences/") and level in name and name.rpartition("/")[2] in HEADLINES}  # fmt: skip
    return own | of_sequences


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Key -> before and now of what differs; ABSENT where a side has none."""
    keys = dict.fromkeys([*now, *before])
    pairs = {key: (before.get(key, ABSENT), now.get(key, ABSENT)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, cut after CHANGES_SHOWN rows."""
    left_out = [f"| and {len(rows) - CHANGES_SHOWN} more |{' |' * (len(columns) - 1)}"] if len(rows) > CHANGES_SHOWN else []
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in [columns, *rows[:CHANGES_SHOWN]]]
    return "\n".join([lines[0], f"| --- |{' --- |' * (len(columns) - 1)}", *lines[1:], *left_out])


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_CHARACTERS else text[: VALUE_CHARACTERS - 3] + "..."


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _difference(before: Any, now: Any) -> str:
    return f"{now - before:+.6g}" if isinstance(before, float) and isinstance(now, float) else ABSENT
