"""Figures, timings and pictures of all sequences to the pages over all of them: overview, curves, people across cameras.

The pages of each sequence are the work of `present`. A table of seconds goes to `dvc plots`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifacts import read_json, write_text, writing_folder
from stages.command import execute, log, stage_options, stage_run
from stages.contracts.identities import Identities
from stages.errors import DataError, ParamsError
from stages.figures import leaves, read_figures
from stages.params import WEIGHTS_NAME as NAME
from stages.params import camera_groups, load_section, read_params
from stages.per_sequence import listed_files
from stages.pins import check_pins, read_pins
from stages.reporting.curves import distance_chart, hota_chart, reliability_chart
from stages.reporting.gains import cause_chart, gain_charts, timing_chart
from stages.reporting.levels import BETTER, baseline_rows, differences, level_rows, shown_columns
from stages.reporting.media import Media, read_media
from stages.reporting.page import render, write_assets
from stages.reporting.shared import people_across
from stages.reporting.words import NONE, figure, plural
from stages.timings import Timing, by_stage, read_timings

TIMING_COLUMNS = ("seconds", "computing (s)", "frames/s alone", "frames/s overall", "peak memory (MB)")
TILES = ("HOTA", "IDF1", "MOTA", "IDSW")
ALL = ""  # no sequence's name
NO_BASELINE = "none"
MAX_SHARED = 200  # people across cameras that are shown


@dataclass(frozen=True)
class ReportParams:
    """What the report compares with: the name of a file in data/baselines, or `none`."""

    baseline: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.baseline):
            raise ParamsError(f"baseline: expected the name of a file in data/baselines, got {self.baseline!r}")


def overview(
    metrics: Mapping[str, Mapping[str, Any]],
    per_sequence: Mapping[str, Mapping[str, Any]],
    timings: Sequence[Timing],
    media: Mapping[str, Media],
    people: Mapping[str, int],
    causes: Mapping[str, Mapping[str, int]],
    baseline: tuple[str, Mapping[str, Mapping[str, Any]]] | None,
    params: Mapping[str, Any],
    versions: Sequence[tuple[str, str]],
    tabs: list[tuple[str, str, bool]],
) -> str:
    """The first page."""
    combined, stages = level_rows(metrics), by_stage(timings)
    sequences = [_card(name, levels, media[name], people[name]) for name, levels in per_sequence.items()]
    scored = sum(bool(card["scored"]) for card in sequences)
    lead = f"{plural(len(sequences), 'sequence')}; {plural(scored, 'has', 'have')} ground truth to be scored by."
    known = baseline_rows(metrics, baseline[1]) if baseline else []
    return render(
        "index",
        "",
        tabs=tabs,
        lead=lead,
        tiles=_tiles(metrics, people[ALL]),
        headline=TILES,
        combined=combined,
        columns=shown_columns(combined),
        better=BETTER,
        gains=gain_charts(metrics),
        causes=cause_chart(causes),
        baseline={"name": baseline[0], "levels": known} if baseline else None,
        sequences=sequences,
        timing=timing_chart(stages) if stages else None,
        timing_columns=TIMING_COLUMNS,
        timing_rows=[{"name": timing.stage, "cells": _cells(timing)} for timing in stages],
        timing_details=[{"name": t.stage, "sequence": t.sequence, "cells": _cells(t)} for t in timings],
        parameters=[(name, str(value)) for name, value in leaves(params, ".").items()],
        versions=versions,
    )


def curves(hota: Path, diagnoses: Sequence[Mapping[str, Any]], tabs: list[tuple[str, str, bool]]) -> str:
    """The page of curves."""
    pairs = [pair for diagnosis in diagnoses for pair in diagnosis["pairs"]]
    alphas, levels = read_hota(hota)
    distances = [
        distance_chart([d["distances"] for d in diagnoses if d["distances"]["people"] == people], people)
        for people in ("ground truth", "final tracks")
    ]
    sections = (
        ([hota_chart(alphas, levels) if alphas else None], "No sequence has ground truth, so there is no HOTA."),
        ([reliability_chart(pairs)], "No join has both a probability and a ground truth to judge it by, so nothing can be said "
                                     "of their reliability."),
        (distances, "There are no embeddings of one person and of two to compare, so there are no distances."),
    )  # fmt: skip
    charts = [chart for made, _ in sections for chart in made if chart is not None]
    return render("curves", "", tabs=tabs, charts=charts, missing=[text for made, text in sections if not any(made)])


def read_hota(path: Path) -> tuple[list[float], dict[str, list[float]]]:
    """Alphas, and HOTA at each by level, of the table that `summarize` wrote. Raises DataError where it is anything else."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        values = [[float(cell) for cell in row] for row in rows]
        return [row[0] for row in values], {name: [row[k] for row in values] for k, name in enumerate(header) if k}
    except (IndexError, ValueError) as error:
        raise DataError(f"{path}: expected HOTA by alpha and level, got: {error}") from error


def format_timings(timings: Sequence[Timing]) -> str:
    """The timings as CSV; frames_per_s is empty where a stage counts no frames."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("stage", "sequence", "wall_s", "compute_s", "frames_per_s", "peak_memory_mb"))
    for t in timings:
        rate = "" if t.frames_per_s is None else f"{t.frames_per_s:.3f}"
        writer.writerow((t.stage, t.sequence, f"{t.wall_s:.3f}", f"{t.compute_s:.6f}", rate, f"{t.peak_memory_mb:.1f}"))
    return text.getvalue()


def read_diagnoses(paths: Mapping[str, Path]) -> list[Mapping[str, Any]]:
    """What `diagnose` wrote. Raises DataError where a file holds anything else."""
    found: list[Mapping[str, Any]] = []
    for path in paths.values():
        values = read_json(path)
        if not isinstance(values, dict) or not {"causes", "pairs", "distances", "ground_truth"} <= set(values):
            raise DataError(f"{path}: expected the diagnosis of a sequence, got anything else (run `dvc repro`)")
        found.append(values)
    return found


def read_baseline(name: str, folder: Path) -> tuple[str, Mapping[str, Mapping[str, Any]]] | None:
    """The figures to compare with, None where params name none. Raises DataError where they are not there."""
    return None if name == NO_BASELINE else (name, read_figures(folder / f"{name}.json"))


def count_people(identities: Mapping[str, Identities], groups: Mapping[str, str]) -> dict[str, int]:
    """Identities of each sequence, and under ALL those of all: who is seen by several cameras of a group counts once."""
    found = {name: {(groups[name], identity) for identity in table.identity_ids.tolist()} for name, table in identities.items()}
    return {name: len(people) for name, people in found.items()} | {ALL: len(set[tuple[str, int]]().union(*found.values()))}


def _card(name: str, levels: Mapping[str, Any], media: Media, people: int) -> dict[str, Any]:
    final = list(levels.values())[-1] if levels else {}
    tracked = {level: {**v, **_tracked(v)} for level, v in levels.items()}
    return {"name": name, "final": final, "people": people, "levels": level_rows(tracked), "scored": "HOTA" in final,
            "filmed": media.filmed, "poster": media.pictures.get("poster", (16, 9))}  # fmt: skip


def _tracked(figures: Mapping[str, Any]) -> dict[str, float]:
    share = figures.get("share_of_detections_tracked")
    return {"tracked": round(100 * share, 2)} if isinstance(share, int | float) else {}


def _tiles(metrics: Mapping[str, Mapping[str, Any]], people: int) -> list[dict[str, Any]]:
    """The headline figures of the last level, with what they gained over the first, and how many people there are."""
    if len(metrics) < 2:
        return []
    first, *_, last = metrics.values()
    gains = differences(last, first)
    names = {"IDSW": "ID switches"}
    tiles = [
        {
            "name": names.get(name, name),
            "value": last[name],
            "gain": gains.get(name) if name in BETTER else None,
            "direction": "up" if (gains.get(name, 0) > 0) == BETTER.get(name, True) else "down",
        }
        for name in TILES
        if name in last
    ]
    return [*tiles, {"name": "people", "value": people, "gain": None}]


def _cells(timing: Timing) -> list[str]:
    seconds = (timing.wall_s, timing.compute_s, timing.frames_per_s, timing.frames_per_s_overall)
    return [*(NONE if value is None else figure(value) for value in seconds), f"{timing.peak_memory_mb:,.0f}"]


def main() -> None:
    args = stage_options(__doc__, "pins", "metrics", "per-sequence", "hota", "timings", "diagnoses", "identities", "media",
                         "baselines", "versions", "page", "curves", "people", "assets", "timing-table")  # fmt: skip
    check_pins(args.pins)
    groups, params = camera_groups(), read_params()
    names = list(groups)
    report_params = load_section(ReportParams, "report")
    with stage_run("report", "all") as run:
        metrics, per_sequence = read_figures(args.metrics), read_figures(args.per_sequence)
        baseline, timings = read_baseline(report_params.baseline, args.baselines), read_timings(args.timings, names)
        media = {name: read_media(args.media / name) for name in names}
        diagnoses = read_diagnoses(listed_files(args.diagnoses, names, ".json"))
        causes = {name: d["causes"] for name, d in zip(names, diagnoses, strict=True) if d["ground_truth"]}
        identities = {name: Identities.load(path) for name, path in listed_files(args.identities, names, ".npz").items()}
        shared = people_across(identities, groups, media)
        pages = [("Overview", "index.html"), ("Curves", "curves.html"), ("Across cameras", "people.html")]
        tabs = {page: [(label, link, link == page) for label, link in pages] for _, page in pages}
        texts = {
            args.page: overview(metrics, per_sequence, timings, media, count_people(identities, groups), causes, baseline,
                                params, read_pins(args.versions), tabs["index.html"]),
            args.curves: curves(args.hota, diagnoses, tabs["curves.html"]),
            args.people: render("people", "", tabs=tabs["people.html"], people=shared[:MAX_SHARED],
                                left_out=max(0, len(shared) - MAX_SHARED)),
        }  # fmt: skip
        write_text(args.timing_table, format_timings(timings))
        with writing_folder(args.assets) as folder:
            write_assets(folder)
        for path, text in texts.items():
            write_text(path, text)
        run.counts = {"sequences": len(per_sequence), "timings": len(timings)}
        log.info("report: %d sequences, %d timings: %s", len(per_sequence), len(timings), args.page)


if __name__ == "__main__":
    execute(main)
