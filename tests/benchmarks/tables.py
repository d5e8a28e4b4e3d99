"""What was measured as Markdown, to be pasted into the README."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from tests.benchmarks.contenders import Ours
from tests.benchmarks.curve import Point, flatness
from tests.benchmarks.markdown import table
from tests.benchmarks.rate import Rate
from tests.benchmarks.stage import StageRun, StartUp
from tests.parity import Parity, Reference


def conditions(versions: Mapping[str, str], machine: Mapping[str, object]) -> str:
    libraries = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"{libraries}; {machine['processor']}, {machine['cpus']} CPUs, load {machine['load']} at the start."


def parity_table(compared: Mapping[Reference, Parity]) -> str:
    """Frames equal / frames of each reference: with the same boxes, and with the same boxes and ids."""
    rows = []
    for reference, parity in compared.items():
        boxes = parity.frames - len(parity.other_boxes)
        rows.append([reference.folder.partition("/")[2], reference.name.replace("_", " "),
                     f"{boxes} / {parity.frames}", f"{boxes - len(parity.other_ids)} / {parity.frames}"])  # fmt: skip
    return table(["reference", "settings", "same boxes", "same boxes and ids"], rows)


def rate_table(rates: Sequence[Rate]) -> str:
    """Frames per second of everybody, and how many times as long as ours the others took."""
    peers = [name for name in rates[0].seconds if name != Ours.name]
    header = ["boxes", "frames", "detections", *(f"{name} frames/s" for name in rates[0].seconds)]
    header += [text for name in peers for text in (f"x {name}", "least")]
    rows = []
    for rate in rates:
        speeds = [f"{rate.frames_per_s(name):,.0f}" for name in rate.seconds]
        ratios = [f"{value:.1f}" for name in peers for value in (rate.ratio(name), rate.least_ratio(name))]
        rows.append([rate.name, f"{rate.frames:,}", f"{rate.boxes:,}", *speeds, *ratios])
    return table(header, rows)


def output_table(rates: Sequence[Rate]) -> str:
    """Boxes and tracks that everybody put out."""
    rows = [[rate.name, *(f"{out.boxes:,} boxes, {out.tracks:,} tracks" for out in rate.outputs.values())] for rate in rates]
    return table(["boxes", *rates[0].outputs], rows)


def start_up_table(measured: StartUp) -> str:
    stage, first = measured.stage, measured.first
    rows = [
        ["`python -m stages.track`, whole process", f"{stage.wall_s:.2f} s"],
        ["of these, tracking (the kernel's loading included)", f"{stage.compute_s:.2f} s"],
        ["a process that loads the compiled runtime and one trivial kernel", f"{measured.runtime_s:.2f} s"],
        ["difference", f"{measured.difference_s:.2f} s"],
        ["peak memory of the stage", f"{stage.peak_memory_mb:.0f} MiB"],
        ["the stage where its kernel must be compiled first", f"{first.wall_s:.1f} s, {first.peak_memory_mb:.0f} MiB"],
    ]
    return table([f"start-up (median of {measured.rounds})", ""], rows)


def curve_table(curves: Mapping[str, Sequence[Point]]) -> str:
    """ns per box over people per frame, and the dearest over the cheapest."""
    people = [point.people for point in next(iter(curves.values()))]
    rows = [
        [name, *(f"{point.ns_per_box:.0f}" for point in points), f"{flatness(points):.2f}"] for name, points in curves.items()
    ]
    return table(["ns per box with people a frame", *map(str, people), "most / least"], rows)


def growth_table(start: StageRun, runs: Sequence[StageRun]) -> str:
    """Seconds and memory, and what each detection more than in the run before (first: at the start) took of it."""
    rows = []
    for before, run in pairwise([start, *runs]):
        more = (run.peak_memory_mb - before.peak_memory_mb) * 2**20 / (run.boxes - before.boxes)
        rows.append([f"{run.boxes:,}", f"{run.wall_s:.1f} s", f"{run.compute_s:.1f} s", f"{run.peak_memory_mb:,.0f} MiB",
                     f"{more:.0f}"])  # fmt: skip
    return table(["detections", "stage", "of these, tracking", "peak memory", "bytes per detection more"], rows)
