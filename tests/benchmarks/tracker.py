"""All that is a number about the tracker: parity, rates beside other trackers, start-up, growth (see README.md here)."""

import argparse
import dataclasses
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifacts import write_json, write_text
from stages.command import parser
from tests.benchmarks import ONE_THREAD, tables
from tests.benchmarks.contenders import Contender, Ours, Roboflow, RoboflowOcSort, Ultralytics
from tests.benchmarks.curve import PEOPLE, Point, curve, draw
from tests.benchmarks.machine import machine, versions
from tests.benchmarks.rate import Group, Rate, first_call_s, measure
from tests.benchmarks.stage import StageRun, StartUp, run_stage, start_up
from tests.benchmarks.streams import crowd, dense, sparse, walk
from tests.conftest import SHARED_DATA
from tests.parity import REFERENCES, Parity, Reference, compare
from tests.tables import track_params

PARAMS = track_params()
GROWTH_PEOPLE = 100  # a frame, in the streams of up to ten million boxes


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    dense_frames: int
    start_up_rounds: int
    curve_boxes: int
    growth_boxes: tuple[int, ...]


FULL = Size(3, 1000, 7, 300_000, (1_000_000, 3_000_000, 10_000_000))
QUICK = Size(1, 60, 2, 20_000, (100_000, 300_000))


def parities() -> dict[Reference, Parity]:
    """Each stored reference beside what the timed function puts out."""
    compared = {}
    for reference in REFERENCES:
        detections = reference.detections(SHARED_DATA)
        rows = Ours("bytetrack").ready(detections, reference.params)()
        compared[reference] = compare(
            rows.tracks, detections.frame_numbers[rows.detections], rows.bboxes, reference.path(SHARED_DATA)
        )
    return compared


def groups(size: Size) -> list[Group]:
    """What rates are measured on; the shared data's sequences with the settings of their references."""
    found = [Group("sparse", [walk(sparse())], PARAMS)]
    if SHARED_DATA.is_dir():
        for name, folder, settings in (
            ("MOT17 halves", "mot17_first_half", "thresh0.5_match0.8"),
            ("DanceTrack", "dancetrack", "thresh0.6_match0.8"),
        ):
            chosen = [r for r in REFERENCES if r.folder.startswith(folder) and r.name.startswith(settings)]
            found.append(Group(name, [r.detections(SHARED_DATA) for r in chosen], chosen[0].params))
    found.append(Group("150 a frame", [walk(dense(size.dense_frames))], PARAMS))
    return found


def rates(size: Size, contenders: Sequence[Contender]) -> list[Rate]:
    """Everybody's, each warmed up before."""
    measure(Group("warm-up", [walk(sparse(60))], PARAMS), contenders, 1)
    return [measure(group, contenders, size.rounds) for group in groups(size)]


def curves(size: Size) -> dict[str, list[Point]]:
    return {
        "same picture": curve(PARAMS, size.curve_boxes, PEOPLE, same_density=False),
        "same density": curve(PARAMS, size.curve_boxes, PEOPLE, same_density=True),
    }


def stage_runs(size: Size) -> tuple[StartUp, list[StageRun]]:
    """What the stage takes to start, and the stage on more and more boxes; in one folder, so that it is compiled once."""
    with tempfile.TemporaryDirectory() as folder:
        started = start_up(walk(sparse()), Path(folder), size.start_up_rounds)
        return started, [run_stage(walk(crowd(GROWTH_PEOPLE, boxes)), Path(folder)) for boxes in size.growth_boxes]


def options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--quick", action="store_true", help="less of everything, in under a minute: to see that it runs")
    made.add_argument("--out", type=Path, default=Path(__file__).parent / "out", help="folder of the tables, JSON and plot")
    return made.parse_args()


def main() -> None:
    args = options()
    size = QUICK if args.quick else FULL
    args.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"quick": args.quick, "versions": versions(), "machine": machine()}
    sections: list[str] = []

    def show(name: str, value: Any, *texts: str) -> None:
        result[name] = value
        sections.extend(texts)
        print("\n\n".join(texts), end="\n\n", flush=True)

    show("params", dataclasses.asdict(PARAMS), tables.conditions(result["versions"], result["machine"]))
    first_s = first_call_s(walk(sparse(60)), PARAMS)
    show("first_call_s", first_s, f"The first call in this process took {first_s:.2f} s and is in none of the rates.")
    different = 0
    if SHARED_DATA.is_dir():
        compared = parities()
        different = sum(bool(parity.other_boxes or parity.other_ids) for parity in compared.values())
        show("parity", [_plain(r) | _plain(p) for r, p in compared.items()], tables.parity_table(compared))
    else:
        show("parity", None, f"Parity, MOT17 and DanceTrack were left out: no data at {SHARED_DATA} (set MOT_SHARED_DATA).")
    byte_trackers: list[Contender] = [Ours("bytetrack"), Ultralytics(), Roboflow()]
    oc_sorts: list[Contender] = [Ours("ocsort"), RoboflowOcSort()]
    for key, title, contenders in (("rates", "ByteTrack:", byte_trackers), ("ocsort_rates", "OC-SORT:", oc_sorts)):
        measured = rates(size, contenders)
        show(key, [_plain(rate) for rate in measured], title, tables.rate_table(measured), tables.output_table(measured))
    drawn = curves(size)
    show("curve", {name: [_plain(p) for p in points] for name, points in drawn.items()}, tables.curve_table(drawn))
    draw(drawn, args.out / "curve.png")
    started, grown = stage_runs(size)
    show("start_up", _plain(started), tables.start_up_table(started))
    show("growth", [_plain(run) for run in grown], tables.growth_table(started.stage, grown))
    write_json(args.out / "tracker.json", result)
    write_text(args.out / "tracker.md", "\n\n".join(sections) + "\n")
    print(f"{args.out}: tracker.md, tracker.json, curve.png")
    if different:
        sys.exit(f"error: parity: expected tracks equal to every reference, got {different} that differ")


def _plain(value: Any) -> dict[str, Any]:
    return dataclasses.asdict(value)


def on_one_thread(arguments: Sequence[str]) -> None:
    """Starts this program again where the environment lets libraries use several threads: they read it when imported."""
    if any(os.environ.get(name) != number for name, number in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, "-m", "tests.benchmarks.tracker", *arguments], os.environ | ONE_THREAD)


if __name__ == "__main__":
    on_one_thread(sys.argv[1:])
    main()
