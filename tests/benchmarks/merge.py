"""How fast `merge` is, and GTA-Link's two steps beside it: python -m tests.benchmarks.merge

With the names of sequences that went through the pipeline, scores instead: python -m tests.benchmarks.merge street plaza
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stages.clip import ClipParams, source_frames
from stages.command import execute, parser, peak_memory_bytes
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, make_tracklets
from stages.errors import DataError
from stages.merge import MergeParams, Returns, merge
from stages.params import load_section, load_value
from stages.regions import RegionParams
from stages.scoring.challenge import count, track_boxes
from stages.scoring.tally import combine
from stages.scoring.truth import load_truth
from stages.seqinfo import read_seqinfo
from stages.smooth import SmoothParams, smooth
from stages.smoothing.border import AtBorder
from stages.split import SplitParams, split
from tests.benchmarks.gta_link import gta_link
from tests.benchmarks.markdown import table

FPS, DIM, VIEWS = 25.0, 512, 100
SIZES = {"short": (100, 5, 600.0), "ten hours": (5_000, 4, 36_000.0)}  # people, tracklets of each, seconds
FORGET_PEAK = Path("/proc/self/clear_refs"), "5"  # proc(5): the high-water mark of resident memory begins anew
FIGURES = ("HOTA", "AssA", "MOTA", "IDF1", "IDSW")


def crowd(people: int, stays: int, seconds: float) -> tuple[Tracklets, Embeddings]:
    """People who come and go, each stay a tracklet of VIEWS boxes with an embedding each."""
    rng = np.random.default_rng(0)
    total = people * stays
    common, looks = rng.normal(0, 1, DIM), rng.normal(0, 0.8, (people, DIM)).astype(np.float32)
    features = np.empty((total * VIEWS, DIM), np.float16)
    first, places = np.empty(total), rng.uniform([100, 100], [1700, 700], (total, 2))
    for person in range(people):
        pauses = VIEWS / FPS + rng.uniform(0.5, 30, stays)
        first[person * stays : (person + 1) * stays] = rng.uniform(0, max(seconds - pauses.sum(), 1)) + np.cumsum(pauses)
        for stay in range(person * stays, (person + 1) * stays):
            views = common + looks[person] + rng.normal(0, 0.3, DIM) + rng.normal(0, 0.6, (VIEWS, DIM))
            features[stay * VIEWS : (stay + 1) * VIEWS] = views / np.linalg.norm(views, axis=1, keepdims=True)
    frames = np.repeat((first * FPS).astype(np.int64), VIEWS) + np.tile(np.arange(VIEWS), total)
    corner = np.repeat(places, VIEWS, axis=0) + rng.normal(0, 1, (total * VIEWS, 2))
    rows = np.arange(total * VIEWS)
    video = Detections("crowd", int(frames.max()) + 1, 1920, 1080, FPS, *(
        np.zeros(shape, kind) for shape, kind in ((0, "i4"), ((0, 4), "f4"), (0, "f4"), (0, "i2")))
    )  # fmt: skip
    tracklets = make_tracklets(
        video, np.repeat(np.arange(total) + 1, VIEWS), frames, np.hstack([corner, corner + np.array([80, 200])]),
        np.full(len(rows), 0.9), np.zeros(len(rows)), rows,
    )  # fmt: skip
    return tracklets, Embeddings("crowd", len(rows), "made up", rows.astype(np.int32), features)


def timed(work: Callable[[], Tracklets]) -> tuple[Tracklets, float, float]:
    """What comes out, wall and CPU seconds; the peak of memory is that of the work and of what it is given."""
    FORGET_PEAK[0].write_text(FORGET_PEAK[1])
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def speeds(params: MergeParams, with_baseline: bool) -> str:
    rows = []
    for name, (people, stays, duration_s) in SIZES.items():
        tracklets, embeddings = crowd(people, stays, duration_s)
        still = CameraMotion.still(tracklets.sequence, tracklets.num_frames)
        contenders = {"merge": lambda: merge(tracklets, embeddings, still, params)[0]}  # noqa: B023 (called at once)
        if with_baseline and len(tracklets.ids) <= 1000:
            contenders["GTA-Link"] = lambda: gta_link(tracklets, embeddings)  # noqa: B023
        for who, work in contenders.items():
            found, wall, cpu = timed(work)
            counts = [f"{number:,}" for number in (len(tracklets.ids), people, len(found.ids))]
            rows.append([name, *counts, who, f"{wall:.2f}", f"{cpu:.2f}", f"{peak_memory_bytes() / 1e9:.2f}"])
    return table(["video", "tracklets", "people", "found", "by", "seconds", "of CPU", "peak memory, GB"], rows)


def scores(names: list[str]) -> str:
    """What each chain makes of the same raw and rewired tracklets; all but raw are smoothed by the same stage."""
    rows = []
    for name in names:
        folder, sequence = Path("artifacts") / name, Path("data/sequences") / name
        detections = Detections.load(folder / "detections_raw.npz", name)
        embeddings = Embeddings.load(folder / "embeddings.npz", name)
        moved = CameraMotion.load(folder / "camera_motion.npz", name)
        raw, rewired = (Tracklets.load(folder / f"tracklets_{level}.npz", name) for level in ("raw", "rewired"))
        clip = load_section(ClipParams, f"sequences.{name}.clip")
        regions = load_section(RegionParams, f"sequences.{name}.regions")
        info = read_seqinfo(sequence / "seqinfo.ini")
        truth = load_truth(sequence / "gt", info.num_frames, source_frames(info, clip), regions)
        if truth is None:
            raise DataError(f"{sequence / 'gt'}: expected ground truth, found none")
        returns: Returns = load_value(Returns, f"sequences.{name}.returns")
        parts = split(rewired, embeddings, load_section(SplitParams, "split"))[0]
        ours = merge(parts, embeddings, moved, load_section(MergeParams, "merge"), returns)[0]
        final, at_border = load_section(SmoothParams, "smooth"), load_value(AtBorder, f"sequences.{name}.at_border")
        levels = {
            "raw": raw,
            "GTA-Link on raw": gta_link(raw, embeddings),
            "GTA-Link on rewired, smoothed": smooth(gta_link(rewired, embeddings), detections, moved, final, at_border),
            "split and merge on rewired, smoothed": smooth(ours, detections, moved, final, at_border),
        }
        for level, tracklets in levels.items():
            figures = combine([count(truth, track_boxes(tracklets, 0, regions))]).figures()
            rows.append([name, level, *(f"{float(figures[key]):.1f}" for key in FIGURES[:-1]), int(figures["IDSW"])])
    return table(["sequence", "level", *FIGURES], rows)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("sequences", nargs="*", help="score these sequences of the project instead")
    options.add_argument(
        "--no-baseline", action="store_true", help="leave GTA-Link out, which compares all pairs of embeddings"
    )
    args = options.parse_args()
    if args.sequences:
        sys.stdout.write(scores(args.sequences) + "\n")
    else:
        sys.stdout.write(speeds(load_section(MergeParams, "merge"), not args.no_baseline) + "\n")
        sys.stdout.write(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs\n")


if __name__ == "__main__":
    execute(main)
