"""What each idea is worth: the stages with everything on, and again with one idea off, over sequences with ground truth.

    python -m tests.benchmarks.ablation ../shared/data/mot17_first_half ../shared/data/dancetrack
    python -m tests.benchmarks.ablation data/sequences/street --artifacts artifacts
    python -m tests.benchmarks.ablation ../shared/data/dancetrack --only rewire --copies

A gain is a figure with the idea less the figure without it. Sequences are left out in turn: an idea that pays only because of
one of them shows a range that reaches below 0; one that pays by chance may lose on their copies (--copies, copies.py).
Detections and embeddings are those at hand; nothing is written but the tables.
"""

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.artifacts import write_text
from stages.command import execute, log, parser
from stages.errors import DataError
from stages.params import read_params
from stages.progress import progress
from stages.scoring.tally import Tally, combine
from tests.benchmarks import markdown
from tests.benchmarks.copies import copies
from tests.benchmarks.ideas import ALL_ON, Idea, named, with_and_without
from tests.benchmarks.in_memory import Footage, read_footage, tally

FIGURES = ("HOTA", "AssA", "MOTA", "IDF1", "IDSW")
LEFT_OUT = ("HOTA", "IDF1")  # figures whose range is given with each sequence left out in turn
UNLISTED = {"returns": "new_person", "at_border": "seen"}  # as add_sequence lists a folder that has ground truth


def measure(footage: Sequence[Footage], params: Mapping[str, Any], ideas: Sequence[Idea]) -> dict[str, dict[str, Tally]]:
    """Idea (ALL_ON first) -> sequence -> what TrackEval counts of the final tracks."""
    tallies: dict[str, dict[str, Tally]] = {}
    for one in progress(footage, "ablation", len(footage)):
        for name, levels in with_and_without(one, params, ideas):
            tallies.setdefault(name, {})[one.name] = tally(one, levels["final"])
    return tallies


def figures(tallies: Sequence[Tally]) -> dict[str, float]:
    """Combined figures, unrounded."""
    scores = combine(tallies)
    return {**scores.percentages, **scores.counts}


def table(tallies: Mapping[str, Mapping[str, Tally]]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: the figures with everything on, then of each idea the gains, their ranges and who gains."""
    names = list(tallies[ALL_ON])
    headings = ["idea", *FIGURES]
    if len(names) > 1:
        headings += [*(f"{figure} with one left out" for figure in LEFT_OUT), f"gain / lose of {len(names)}"]
    everything = figures(list(tallies[ALL_ON].values()))
    rows = [[ALL_ON, *(f"{everything[name]:.2f}".removesuffix(".00") for name in FIGURES), *[""] * (len(headings) - 6)]]
    for idea, by_sequence in tallies.items():
        if idea != ALL_ON:
            rows.append([idea, *_gains(tallies[ALL_ON], by_sequence, names)])
    return headings, rows


def _gains(on: Mapping[str, Tally], off: Mapping[str, Tally], names: Sequence[str]) -> list[str]:
    whole = _gain(on, off, names)
    cells = [f"{whole[figure]:+.0f}" if figure == "IDSW" else f"{whole[figure]:+.2f}" for figure in FIGURES]
    if len(names) > 1:
        left_out = [_gain(on, off, [name for name in names if name != out]) for out in names]
        for figure in LEFT_OUT:
            gains = [gain[figure] for gain in left_out]
            cells.append(f"{min(gains):+.2f} to {max(gains):+.2f}")
        alone = [round(_gain(on, off, [name])["HOTA"], 2) for name in names]
        cells.append(f"{sum(gain > 0 for gain in alone)} / {sum(gain < 0 for gain in alone)}")
    return cells


def _gain(on: Mapping[str, Tally], off: Mapping[str, Tally], names: Sequence[str]) -> dict[str, float]:
    """Figures of these sequences with the idea less those without it."""
    before, after = figures([off[name] for name in names]), figures([on[name] for name in names])
    return {figure: after[figure] - before[figure] for figure in FIGURES}


def sequence_folders(place: Path) -> list[Path]:
    """The folder itself, or the sequence folders in it. Raises DataError where it is neither."""
    folders = [place] if (place / "seqinfo.ini").exists() else sorted(path.parent for path in place.glob("*/seqinfo.ini"))
    if not folders:
        raise DataError(f"{place}: expected a sequence folder (seqinfo.ini), or a folder of them, found neither")
    return folders


def options() -> argparse.ArgumentParser:
    made = parser(__doc__)
    made.add_argument("folders", nargs="+", type=Path, help="sequence folders, or folders of them: a table each")
    made.add_argument(
        "--artifacts", type=Path, help="where detect, register and embed left theirs; stored detections elsewhere"
    )
    made.add_argument("--only", nargs="+", metavar="IDEA", help="ideas whose names begin so")
    made.add_argument(
        "--copies", action="store_true", help="of copies of the sequences instead: every second or third frame, boxes missing"
    )
    made.add_argument("--out", type=Path, default=Path(__file__).parent / "out", help="folder of ablation.md and ablation.csv")
    return made


def main() -> None:
    args = options().parse_args()
    ideas = named(args.only or [""])
    params, texts, lines = read_params(), [], []
    for place in args.folders:
        footage = []
        for folder in sequence_folders(place):
            cached = args.artifacts / folder.name if args.artifacts else None
            cached = cached if cached and (cached / "detections_raw.npz").exists() else None
            listed = params["sequences"].get(folder.name, UNLISTED)
            footage.append(read_footage(folder, cached, listed["returns"], listed["at_border"]))
        log.info("%s: %d sequences, %d ideas", place, len(footage), len(ideas))
        if args.copies:
            footage = copies(footage)
        tallies = measure(footage, params, ideas)
        texts.append(f"## {place.name} ({len(footage)})\n\n{markdown.table(*table(tallies))}\n")
        sys.stdout.write(texts[-1] + "\n")
        for idea, by_sequence in tallies.items():
            lines += [
                [place.name, idea, name, *(f"{figures([one])[figure]:.4f}" for figure in FIGURES)]
                for name, one in by_sequence.items()
            ]
    args.out.mkdir(parents=True, exist_ok=True)
    write_text(args.out / "ablation.md", "\n".join(texts))
    with open(args.out / "ablation.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([["folder", "without", "sequence", *FIGURES], *lines])


if __name__ == "__main__":
    execute(main)
