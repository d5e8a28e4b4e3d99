"""How far results differ between numbers of threads and batch sizes, which change in what order a network adds.

    python -m tests.benchmarks.sameness data/sequences/plaza --frames 64
    python -m tests.benchmarks.sameness FOLDER --detector WEIGHTS.pt --reid WEIGHTS.pth --model osnet_x0_25

Every setting is compared with the first, one thread and one picture a batch. Detections of a frame that overlap by half are the
same; `alone` counts those without such a one. Features are compared of detections that are the same to the pixel.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.boxes import iou
from stages.clip import ClipParams, clip_fps, source_frames
from stages.command import execute, parser
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets
from stages.detect import detect
from stages.detecting.detector import DetectParams
from stages.detecting.yolo import YoloDetector
from stages.devices import prepare_device
from stages.embed import embed
from stages.frames import read_frames
from stages.params import load_section, read_params
from stages.reid.crops import chosen_rows, cut, whole_windows
from stages.reid.encoder import FEATURE_DIMS, EmbedParams
from stages.reid.torchreid_encoder import TorchreidEncoder
from stages.scoring.truth import read_truth
from stages.seqinfo import SequenceInfo, read_seqinfo
from tests.benchmarks.in_memory import Footage, Memory

THREADS, BATCHES = (1, 2), (1, 4, 8, 32)
SAME = 0.5  # IoU


@dataclass(frozen=True, eq=False)
class Result:
    """What one setting gives."""

    detections: Detections
    embeddings: Embeddings
    tracks: Tracklets


@dataclass(frozen=True)
class Bench:
    """A clip and the networks that see it."""

    folder: Path
    info: SequenceInfo
    clip: ClipParams
    detector: Path
    reid: Path
    detect_params: DetectParams
    embed_params: EmbedParams

    def result(self, threads: int, batch_size: int) -> Result:
        detections = self._detections(threads, batch_size)
        embeddings = self._embeddings(detections, threads, batch_size)
        truth = read_truth(self.folder / "gt" / "gt.txt", self.info.num_frames)
        still = CameraMotion.still(self.folder.name, detections.num_frames)
        footage = Footage(self.folder.name, detections, still, embeddings, truth, "same_person", "seen")
        return Result(detections, embeddings, Memory(footage).run(read_params())["final"])

    def _frames(self) -> Iterator[NDArray[Any]]:
        return read_frames(self.folder / "pixels", self.info, source_frames(self.info, self.clip))

    def _detections(self, threads: int, batch_size: int) -> Detections:
        params = dataclasses.replace(self.detect_params, threads=threads, batch_size=batch_size)
        detector = YoloDetector(self.detector, params, prepare_device("detect", threads, params.half))
        numbers = range(len(source_frames(self.info, self.clip)))
        frames, chunks = self._frames(), [numbers[first : first + batch_size] for first in numbers[::batch_size]]
        columns = [detect(frames, chunk, detector, batch_size) for chunk in chunks]
        joined = {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
        fps = clip_fps(self.info, self.clip)
        return Detections(self.folder.name, len(numbers), self.info.width_px, self.info.height_px, fps, **joined)

    def _embeddings(self, detections: Detections, threads: int, batch_size: int) -> Embeddings:
        params = dataclasses.replace(self.embed_params, threads=threads, batch_size=batch_size)
        encoder = TorchreidEncoder(self.reid, params, prepare_device("embed", threads, params.half))
        rows = chosen_rows(detections, params)
        windows, frames = whole_windows(detections)[rows], detections.frame_numbers[rows]
        crops = cut(self._frames(), range(0, detections.num_frames, params.stride), windows, frames)
        features = embed(crops, encoder, batch_size, FEATURE_DIMS[encoder.model])
        return Embeddings(detections.sequence, len(detections), encoder.model, rows.astype(np.int32), features)


def pairs(ours: Detections | Tracklets, theirs: Detections | Tracklets) -> NDArray[np.int64]:
    """(P, 2) rows of the boxes that are the same in both."""
    found = []
    for frame in range(ours.num_frames):
        a, b = np.flatnonzero(ours.frame_numbers == frame), np.flatnonzero(theirs.frame_numbers == frame)
        overlaps = iou(ours.bboxes[a], theirs.bboxes[b])
        if overlaps.size:
            best = overlaps.argmax(axis=1)
            mutual = (overlaps.argmax(axis=0)[best] == np.arange(len(a))) & (overlaps.max(axis=1) >= SAME)
            found.append(np.stack([a[mutual], b[best[mutual]]], axis=1))
    return np.concatenate([np.zeros((0, 2), np.int64), *found])


def largest_distance(ours: Result, theirs: Result, same: NDArray[np.int64]) -> float:
    """The largest cosine distance between features of one person in equal windows of one frame."""
    windows = whole_windows(ours.detections)[same[:, 0]] == whole_windows(theirs.detections)[same[:, 1]]
    row = {int(index): row for row, index in enumerate(ours.embeddings.detection_indices)}
    other = {int(index): row for row, index in enumerate(theirs.embeddings.detection_indices)}
    matched = [(row[a], other[b]) for a, b in same[windows.all(axis=1)].tolist() if a in row and b in other]
    a, b = (np.asarray(side, dtype=np.int64) for side in zip(*matched, strict=True))
    x, y = ours.embeddings.features[a].astype(np.float64), theirs.embeddings.features[b].astype(np.float64)
    cosines = (x * y).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    return float((1 - cosines).max())


def line(name: str, ours: Result, theirs: Result) -> str:
    same = pairs(ours.detections, theirs.detections)
    boxes = np.abs(ours.detections.bboxes[same[:, 0]] - theirs.detections.bboxes[same[:, 1]]).max()
    scores = np.abs(ours.detections.confidences[same[:, 0]] - theirs.detections.confidences[same[:, 1]]).max()
    alone = len(ours.detections) + len(theirs.detections) - 2 * len(same)
    together = pairs(ours.tracks, theirs.tracks)
    ids = {(int(ours.tracks.tracklet_ids[a]), int(theirs.tracks.tracklet_ids[b])) for a, b in together}
    moved = np.abs(ours.tracks.bboxes[together[:, 0]] - theirs.tracks.bboxes[together[:, 1]]).max()
    lonely = len(ours.tracks) + len(theirs.tracks) - 2 * len(together)
    split = len(ids) - len({a for a, _ in ids}) + len(ids) - len({b for _, b in ids})
    found, drawn = len(ours.detections), len(ours.tracks)
    features = largest_distance(ours, theirs, same)
    return (
        f"| {name} | {boxes:.1g} | {scores:.1g} | {alone} of {found} | {features:.1g} | {moved:.1g} | {lonely} of {drawn} "
        f"| {split} |"
    )


def main() -> None:
    options = parser(__doc__)
    options.add_argument("folder", type=Path, help="a sequence with pixels and ground truth")
    options.add_argument("--frames", type=int, default=64)
    options.add_argument("--detector", type=Path, default=Path("data/weights/sample_detector/sample_detector.pt"))
    options.add_argument("--reid", type=Path, default=Path("data/weights/sample_reid/sample_reid.pth"))
    options.add_argument("--model", default=None, help="architecture of the Re-ID weights; default: that of params.yaml")
    args = options.parse_args()
    info, embed_params = read_seqinfo(args.folder / "seqinfo.ini"), load_section(EmbedParams, "embed")
    bench = Bench(
        args.folder, info, ClipParams(0, min(args.frames, info.num_frames), 1), args.detector, args.reid,
        load_section(DetectParams, "detect"), dataclasses.replace(embed_params, model=args.model or embed_params.model),
    )  # fmt: skip
    first = bench.result(1, 1)
    print("| threads, batch | boxes, px | scores | alone | features, cosine | final boxes, px | alone | tracks cut or joined |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for threads in THREADS:
        for batch_size in BATCHES:
            print(line(f"{threads}, {batch_size}", bench.result(threads, batch_size), first), flush=True)


if __name__ == "__main__":
    execute(main)
