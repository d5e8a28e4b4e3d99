"""Pixels to detections: a network in fixed batches of frames, or the detections stored with the sequence.

Batches begin at fixed frame numbers, so that an interrupted run, which goes on after its last finished chunk, gives the same
bytes as one in a single go.
"""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stages.chunks import Arrays, chunk_ranges, fingerprint, kept_chunks
from stages.clip import ClipParams, clip_fps, source_frames
from stages.command import Run, execute, log, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.detecting.detector import Detector, DetectParams, FrameDetections
from stages.detecting.stored import stored_detections
from stages.errors import DataError
from stages.exclusions import excluded_rows, read_exclusions
from stages.params import load_section, load_value
from stages.pins import check_pins
from stages.seqinfo import SequenceInfo, read_seqinfo
from stages.sequence_folder import holds_data
from stages.trusted import check_trusted
from stages.weights import weights_file

CHUNK_BATCHES = 8
NOTHING = FrameDetections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int16))


def detect(frames: Iterator[NDArray[Any]], frame_numbers: range, detector: Detector, batch_size: int) -> Arrays:
    """Columns of the detections in the next frames of the iterator, which have these numbers.

    Every batch has one size, the last filled up with its last frame: `torch.compile` compiles anew for another.
    """
    found: list[FrameDetections] = []
    while batch := list(islice(frames, min(batch_size, len(frame_numbers) - len(found)))):
        padding = [batch[-1]] * (batch_size - len(batch))
        found += detector(batch + padding)[: len(batch)]
    counts = [len(one.bboxes) for one in found]
    return {
        "frame_numbers": np.repeat(np.asarray(frame_numbers, dtype=np.int32), counts),
        "bboxes": np.concatenate([one.bboxes for one in (NOTHING, *found)]),
        "confidences": np.concatenate([one.confidences for one in (NOTHING, *found)]),
        "class_ids": np.concatenate([one.class_ids for one in (NOTHING, *found)]),
    }


def network_detections(args: Namespace, params: DetectParams, info: SequenceInfo, clip: ClipParams,
                       run: Run, stack: ExitStack) -> Detections:  # fmt: skip
    """The network's detections in the clip; finished chunks are kept until `stack` closes."""
    if not holds_data(args.pixels):
        raise DataError(
            f"{args.pixels}: expected a video or images, found none: set sequences.{args.sequence}.detections to stored"
        )
    weights = weights_file(args.weights, (".pt",))
    check_trusted(weights)
    from stages.detecting.yolo import YoloDetector  # torch takes seconds to import; stored detections do without
    from stages.devices import device_name, prepare_device, saying_what_fits
    from stages.frames import read_frames
    from stages.inference import fitting_batch, infer
    from stages.prefetching import prefetched

    device = prepare_device("detect", params.threads, params.half)
    detector = YoloDetector(weights, params, device)
    blank = np.zeros((info.height_px, info.width_px, 3), dtype=np.uint8)
    batch_size = fitting_batch(f"detect {args.sequence}", detector, blank, params.batch_size, weights, device)
    source = source_frames(info, clip)

    def read(numbers: range) -> Iterator[NDArray[Any]]:
        return prefetched(read_frames(args.pixels, info, source[numbers.start : numbers.stop]), 2 * batch_size)

    def compute(frames: Iterator[NDArray[Any]], numbers: range) -> Arrays:
        with saying_what_fits("detect", batch_size):
            return detect(frames, numbers, detector, batch_size)

    key = fingerprint([params, clip, batch_size, device_name(device), args.pins.read_text(encoding="utf-8")],
                      [args.pixels, args.seqinfo, weights])  # fmt: skip
    chunks = stack.enter_context(kept_chunks("detect", args.sequence, key))
    ranges = chunk_ranges(range(len(source)), CHUNK_BATCHES * batch_size)
    with run.computing():
        columns = infer(f"detect {args.sequence}", chunks, ranges, read, compute, on_cpu=device.type == "cpu")
    return Detections(args.sequence, len(source), info.width_px, info.height_px, clip_fps(info, clip), **columns)


def without_forgotten(detections: Detections, path: Path, source: range) -> Detections:
    """The detections but for those of people who are excluded in the file; `source` are the clip's source frames."""
    kept = ~excluded_rows(detections.frame_numbers, detections.bboxes, read_exclusions(path), source)
    if not kept.all():
        log.info("detect %s: %s detections left out: %s", detections.sequence, f"{(~kept).sum():,}", path)
    columns = ("frame_numbers", "bboxes", "confidences", "class_ids")
    return replace(detections, **{name: getattr(detections, name)[kept] for name in columns})


def main() -> None:
    args = stage_options(__doc__, "sequence", "pixels", "seqinfo", "stored", "weights", "exclusions", "pins", "detections",
                         "timings")  # fmt: skip
    check_pins(args.pins)
    params = load_section(DetectParams, "detect")
    clip = load_section(ClipParams, f"sequences.{args.sequence}.clip")
    origin = load_value(Literal["network", "stored"], f"sequences.{args.sequence}.detections")
    with stage_run("detect", args.sequence, args.timings) as run, ExitStack() as stack:
        info = read_seqinfo(args.seqinfo)
        if origin == "stored":
            with run.computing():
                detections = stored_detections(args.stored, args.sequence, info, clip)
        else:
            detections = network_detections(args, params, info, clip, run, stack)
        detections = without_forgotten(detections, args.exclusions, source_frames(info, clip))
        run.counts = {"frames": detections.num_frames, "detections": len(detections)}
        detections.save(args.detections)


if __name__ == "__main__":
    execute(main)
