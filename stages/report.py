"""Metrics and timings to one page a person looks at, and a table of seconds for `dvc plots`.

The page is one file without scripts or requests; the videos it shows lie where the pipeline left them.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages.artifacts import exclusive, write_text
from stages.command import execute, log, stage_options
from stages.figures import leaves, read_figures
from stages.params import sequence_names
from stages.pins import check_pins
from stages.timings import Timing, by_stage, read_timings

TEMPLATE = Path(__file__).with_suffix(".html.j2")
NONE = "-"
TIMING_COLUMNS = ("seconds", "computing (s)", "frames/s alone", "frames/s overall", "peak memory (MB)")


@dataclass(frozen=True)
class Table:
    """Text ready to show: names of columns, and rows of a name and one text per column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def metric_table(levels: Mapping[str, Mapping[str, Any]]) -> Table:
    """One row per level, one column per metric that any level has, in order of appearance."""
    figures = {level: leaves(values, ".") for level, values in levels.items()}
    columns = tuple(dict.fromkeys(name for values in figures.values() for name in values))
    return Table(columns, tuple((level, tuple(_text(v.get(name)) for name in columns)) for level, v in figures.items()))


def timing_table(timings: Sequence[Timing], named_by: str) -> Table:
    """One row per timing, named by its `stage` or its `sequence`."""
    rows = []
    for timing in timings:
        seconds = (timing.wall_s, timing.compute_s, timing.frames_per_s, timing.frames_per_s_overall)
        rows.append((getattr(timing, named_by), (*map(_text, seconds), f"{timing.peak_memory_mb:,.0f}")))
    return Table(TIMING_COLUMNS, tuple(rows))


def format_timings(timings: Sequence[Timing]) -> str:
    """The timings as CSV; frames_per_s is empty where a stage counts no frames."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("stage", "sequence", "wall_s", "compute_s", "frames_per_s", "peak_memory_mb"))
    for t in timings:
        rate = "" if t.frames_per_s is None else f"{t.frames_per_s:.3f}"
        writer.writerow((t.stage, t.sequence, f"{t.wall_s:.3f}", f"{t.compute_s:.6f}", rate, f"{t.peak_memory_mb:.1f}"))
    return text.getvalue()


def report(metrics: Mapping[str, Any], per_sequence: Mapping[str, Any], timings: Sequence[Timing]) -> str:
    """The page as HTML, from figures by level, figures by sequence and level, and timings."""
    loader = FileSystemLoader(TEMPLATE.parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    stages = by_stage(timings)
    return environment.get_template(TEMPLATE.name).render(
        combined=metric_table(metrics),
        sequences={name: metric_table(levels) for name, levels in per_sequence.items()},
        total_s=sum(timing.wall_s for timing in timings),
        by_stage=timing_table(stages, "stage"),
        per_stage={s.stage: timing_table([t for t in timings if t.stage == s.stage], "sequence") for s in stages},
    )


def _text(value: Any) -> str:
    """A figure as people read it: counts with separators, the rest with two decimals."""
    if value is None:
        return NONE
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def main() -> None:
    args = stage_options(__doc__, "pins", "metrics", "per-sequence", "timings", "page", "timing-table")
    check_pins(args.pins)
    with exclusive("report@all"):
        metrics, per_sequence = read_figures(args.metrics), read_figures(args.per_sequence)
        timings = read_timings(args.timings, sequence_names())
        page = report(metrics, per_sequence, timings)
        write_text(args.timing_table, format_timings(timings))
        write_text(args.page, page)
        log.info("report: %d sequences, %d timings: %s", len(per_sequence), len(timings), args.page)


if __name__ == "__main__":
    execute(main)
