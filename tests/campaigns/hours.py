"""Hours of video: simulated sequences through every stage that reads no pixels; seconds and peak memory of each.

    python -m tests.campaigns.hours --hours 1 3 10 --folder /tmp/hours

Twenty people a frame come, walk about, stay a minute in the mean and go; some return. A detector misses some and sees some that
are not there; looks are known once a second. The folder is made, and may be deleted afterwards. Each stage runs as in dvc.yaml,
as a process of its own.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from numpy.typing import NDArray

from stages.contracts.camera_motion import IDENTITY, CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.corrections.rows import HEADER as CORRECTIONS
from stages.exclusions import HEADER as EXCLUSIONS
from stages.sequence_folder import write_marker
from tests.conftest import ROOT

NAME = "hours"
FPS, WIDTH, HEIGHT = 25.0, 1920, 1080
PEOPLE = 20  # in every frame
STAY_S = 60.0  # in the mean
RETURNS = 0.3  # share of visits by somebody who was there before
MISS_RATE, FALSE_RATE, JITTER = 0.04, 0.02, 0.01  # jitter: of a box's edges, in its heights
EMBED_STRIDE, DIMS, SPREAD = 25, 512, 0.5  # frames; of features; of looks around a person's own
BLOCK = 10_000  # frames made at once
MAX_MB = 8 * 1024
STAGES = ("track", "rewire", "split", "merge", "smooth", "portray", "identify", "analyze", "evaluate", "diagnose", "illustrate",
          "present", "summarize", "report")  # fmt: skip
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Visits:
    """V visits; visit v fills a place in the picture until the place's next visit begins."""

    starts: list[NDArray[np.int64]]  # per place, first frames of its visits
    first: NDArray[np.int64]  # (PEOPLE,) number of each place's first visit
    persons: NDArray[np.int64]  # (V,)
    centres: Array  # (V, 2) px
    swings: Array  # (V, 2) px
    periods_s: Array  # (V, 2)
    heights: Array  # (V,) px

    def at(self, frames: NDArray[np.int64]) -> NDArray[np.int64]:
        """(F, PEOPLE) who is there: the visit of each place in these frames."""
        return np.stack([
            first + np.searchsorted(starts, frames, side="right") - 1
            for first, starts in zip(self.first, self.starts, strict=True)
        ], axis=1)  # fmt: skip


def make_visits(num_frames: int, rng: np.random.Generator) -> Visits:
    """Visits one after the other at each place, with stays that are exponential."""
    starts = []
    for _ in range(PEOPLE):
        stays = np.maximum(rng.exponential(STAY_S * FPS, 20 + int(2 * num_frames / (STAY_S * FPS))), 25)
        begins = np.append(0, np.cumsum(stays)).astype(np.int64)
        starts.append(begins[begins < num_frames])
    counts = np.array([len(begins) for begins in starts])
    total = int(counts.sum())
    persons = np.where(rng.random(total) < RETURNS, rng.integers(0, total, total), np.arange(total))
    return Visits(
        starts,
        np.cumsum(counts) - counts,
        persons,
        rng.uniform([300, 300], [WIDTH - 300, HEIGHT - 200], (total, 2)),
        rng.uniform([80, 20], [280, 120], (total, 2)),
        rng.uniform(12, 40, (total, 2)),
        rng.uniform(120, 260, total),
    )


def make_detections(visits: Visits, num_frames: int, rng: np.random.Generator) -> tuple[Detections, NDArray[np.int64]]:
    """The detections, and whose each is (-1: nobody's)."""
    parts = [_block(visits, np.arange(a, min(a + BLOCK, num_frames)), rng) for a in range(0, num_frames, BLOCK)]
    frames, bboxes, scores, persons = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    classes = np.zeros(len(frames), np.int16)
    return Detections(NAME, num_frames, WIDTH, HEIGHT, FPS, frames, bboxes, scores, classes), persons


def _block(visits: Visits, frames: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.generic], ...]:
    """Frame numbers, boxes, scores and persons of the detections in some frames."""
    who = visits.at(frames)
    turns = 2 * np.pi * frames[:, None, None] / FPS / visits.periods_s[who] + who[..., None]
    feet = visits.centres[who] + visits.swings[who] * np.sin(turns)
    heights = visits.heights[who][..., None]
    corners = np.concatenate([feet - heights * [0.2, 1.0], feet + heights * [0.2, 0.0]], axis=2)
    corners += JITTER * heights * rng.standard_normal(corners.shape)
    scores = np.clip(0.85 + 0.08 * rng.standard_normal(who.shape), 0.06, 0.99)
    scores[rng.random(who.shape) < 0.05] = 0.3
    seen = rng.random(who.shape) > MISS_RATE
    false = np.nonzero(rng.random(who.shape) < FALSE_RATE)
    beside = corners[false] + rng.uniform(-300, 300, (len(false[0]), 1))
    numbers = np.concatenate([frames[np.nonzero(seen)[0]], frames[false[0]]])
    boxes = np.clip(np.concatenate([corners[seen], beside]), 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    confidences = np.concatenate([scores[seen], rng.uniform(0.06, 0.6, len(false[0]))])
    persons = np.concatenate([visits.persons[who[seen]], np.full(len(false[0]), -1)])
    order = np.lexsort((-confidences, numbers))
    return (
        numbers[order].astype(np.int32),
        boxes[order].astype(np.float32),
        confidences[order].astype(np.float32),
        persons[order],
    )


def make_embeddings(detections: Detections, persons: NDArray[np.int64], rng: np.random.Generator) -> Embeddings:
    """Looks of everybody who is seen well in each EMBED_STRIDE-th frame."""
    rows = np.flatnonzero((detections.frame_numbers % EMBED_STRIDE == 0) & (detections.confidences > 0.5) & (persons >= 0))
    own = rng.standard_normal((int(persons.max()) + 1, DIMS)).astype(np.float32)
    features = np.empty((len(rows), DIMS), np.float16)
    for a in range(0, len(rows), BLOCK):
        some = own[persons[rows[a : a + BLOCK]]] + SPREAD * rng.standard_normal((len(rows[a : a + BLOCK]), DIMS)).astype(
            np.float32
        )
        features[a : a + BLOCK] = some / np.linalg.norm(some, axis=1, keepdims=True)
    return Embeddings(NAME, len(detections), "made up", rows.astype(np.int32), features)


def make_project(folder: Path, num_frames: int) -> None:
    """The sequence as `detect`, `embed` and `register` would leave it."""
    sequence, artifacts = folder / "data/sequences" / NAME, folder / "artifacts" / NAME
    for part in ("pixels", "gt", "det", "motion"):
        (sequence / part).mkdir(parents=True)
        write_marker(sequence / part, "made up")
    artifacts.mkdir(parents=True)
    for table, header in (("corrections", CORRECTIONS), ("exclusions", EXCLUSIONS)):
        (folder / "data" / table).mkdir()
        (folder / "data" / table / f"{NAME}.csv").write_text(header)
    (folder / "data/baselines").mkdir()
    (sequence / "seqinfo.ini").write_text(
        f"[Sequence]\nname={NAME}\nframeRate={FPS:g}\nseqLength={num_frames}\nimWidth={WIDTH}\nimHeight={HEIGHT}\n"
    )
    (sequence / "camera.json").write_text('{"image_to_ground": null}\n')
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings = next(iter(params["sequences"].values())) | {"camera_group": NAME}
    (folder / "params.yaml").write_text(yaml.safe_dump(params | {"sequences": {NAME: settings}}))
    rng = np.random.default_rng(1)
    detections, persons = make_detections(make_visits(num_frames, rng), num_frames, rng)
    detections.save(artifacts / "detections_raw.npz")
    make_embeddings(detections, persons, rng).save(artifacts / "embeddings.npz")
    CameraMotion(NAME, num_frames, np.tile(IDENTITY, (num_frames, 1, 1))).save(artifacts / "camera_motion.npz")
    print(f"{folder.name}: {len(detections):,} boxes", flush=True)


def command(stage: str) -> list[str]:
    """The stage's command as dvc.yaml has it, with pins from this project."""
    entry = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"][stage]
    text = entry.get("do", entry)["cmd"].removeprefix("exec python ")
    words = shlex.split(text.replace("${key}", NAME).replace("${item.camera_group}", NAME))
    return [sys.executable, *(str(ROOT / word) if word.startswith("constraints") else word for word in words)]


def run_stage(stage: str, folder: Path) -> tuple[float, float]:
    """CPU seconds and peak MiB of the stage. Raises RuntimeError with what it said where it fails."""
    before = os.times()
    done = subprocess.Popen(
        command(stage), cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    said = done.stderr.read() if done.stderr else ""
    _, status, usage = os.wait4(done.pid, 0)
    if status:
        raise RuntimeError(f"{stage}: {said.strip()[-2000:]}")
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system, usage.ru_maxrss / 1024


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--hours", type=float, nargs="+", default=[1.0, 3.0, 10.0])
    options.add_argument("--folder", type=Path, help="is made and stays; else a temporary one, 10 GB for ten hours")
    options.add_argument("--first", choices=STAGES, default=STAGES[0], help="stage to go on from, in a folder that is there")
    args = options.parse_args()
    with TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        peaks = [peak for hours in args.hours for peak in measured(folder / f"{hours:g}h", hours, STAGES.index(args.first))]
    return 1 if max(peaks) > MAX_MB else 0


def measured(folder: Path, hours: float, first: int) -> Iterator[float]:
    """Peak MiB of each stage from the first one on, which are said, with the CPU seconds."""
    if not folder.exists():
        making = get_context("spawn").Process(target=make_project, args=(folder, round(hours * 3600 * FPS)))
        making.start()  # Linux counts what this process takes as taken by every stage that it starts
        making.join()
    for stage in STAGES[first:]:
        seconds, peak_mb = run_stage(stage, folder)
        print(f"{hours:5g} h  {stage:10} {seconds:8.1f} s CPU  {peak_mb:8.0f} MiB", flush=True)
        yield peak_mb


if __name__ == "__main__":
    sys.exit(main())
