"""Detections to embeddings: a Re-ID network on the crops that show somebody well enough.

It depends on detections alone, so that tuning the tracker never touches the network. Chunks of frames are as in `detect`. Who
is forgotten is blurred first: nobody's crop shows them.
"""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.chunks import Arrays, chunk_ranges, fingerprint, kept_chunks
from stages.clip import ClipParams, source_frames
from stages.command import Run, execute, log, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.exclusions import read_exclusions
from stages.params import load_section
from stages.pins import check_pins
from stages.reid.crops import chosen_rows, cut, whole_windows
from stages.reid.encoder import FEATURE_DIMS, EmbedParams, Encoder
from stages.seqinfo import read_seqinfo
from stages.sequence_folder import holds_data
from stages.weights import weights_file

CHUNK_FRAMES = 64
NO_WEIGHTS = "none"  # folder that stands for no network
PREFETCH = 16  # decoded frames waiting


def embed(crops: Iterator[NDArray[Any]], encoder: Encoder, batch_size: int, dim: int) -> NDArray[np.float16]:
    """(K, dim) features of unit length of the K crops, encoded in batches."""
    features = [np.zeros((0, dim), dtype=np.float32)]
    while batch := list(islice(crops, batch_size)):
        features.append(encoder(batch))
    joined = np.concatenate(features)
    return np.asarray(joined / np.linalg.norm(joined, axis=1, keepdims=True), dtype=np.float16)


def no_embeddings(detections: Detections) -> Embeddings:
    """The table of a sequence where nothing can be embedded."""
    nothing = np.zeros((0, 1), dtype=np.float16)  # of one dimension: none has no mean variance
    return Embeddings(detections.sequence, len(detections), "none", np.zeros(0, dtype=np.int32), nothing)


def network_embeddings(args: Namespace, params: EmbedParams, clip: ClipParams, detections: Detections,
                       rows: NDArray[np.int64], run: Run, stack: ExitStack) -> Embeddings:  # fmt: skip
    """Embeddings of these rows of the detections; finished chunks are kept until `stack` closes."""
    weights = weights_file(args.weights, (".pth", ".pth.tar"))
    from stages.devices import device_name, prepare_device, saying_what_fits  # torch takes seconds
    from stages.frames import read_frames
    from stages.inference import fitting_batch, infer
    from stages.prefetching import prefetched
    from stages.privacy.veil import forgotten, veiled
    from stages.reid.torchreid_encoder import TorchreidEncoder

    info = read_seqinfo(args.seqinfo)
    source = source_frames(info, clip)
    device = prepare_device("embed", params.threads, params.half)
    encoder = TorchreidEncoder(weights, params, device)
    blank = np.zeros((256, 128, 3), dtype=np.uint8)
    batch_size = fitting_batch(f"embed {args.sequence}", encoder, blank, params.batch_size, weights, device)
    veil = forgotten(read_exclusions(args.exclusions), source)
    windows, window_frames = whole_windows(detections)[rows], detections.frame_numbers[rows]

    def read(numbers: range) -> Iterator[NDArray[Any]]:
        frames = read_frames(args.pixels, info, source[numbers.start : numbers.stop : numbers.step])
        return prefetched(veiled(frames, numbers, veil), PREFETCH)

    def compute(frames: Iterator[NDArray[Any]], numbers: range) -> Arrays:
        part = slice(*np.searchsorted(window_frames, [numbers.start, numbers.stop]))
        crops = cut(frames, numbers, windows[part], window_frames[part])
        with saying_what_fits("embed", batch_size):
            features = embed(crops, encoder, batch_size, FEATURE_DIMS[encoder.model])
        return {"detection_indices": rows[part].astype(np.int32), "features": features}

    key = fingerprint([params, clip, batch_size, device_name(device), args.pins.read_text(encoding="utf-8")],
                      [args.pixels, args.seqinfo, args.detections, args.exclusions, weights])  # fmt: skip
    chunks = stack.enter_context(kept_chunks("embed", args.sequence, key))
    ranges = chunk_ranges(range(0, detections.num_frames, params.stride), CHUNK_FRAMES)
    with run.computing():
        columns = infer(f"embed {args.sequence}", chunks, ranges, read, compute, on_cpu=device.type == "cpu")
    return Embeddings(detections.sequence, len(detections), encoder.model, **columns)


def main() -> None:
    args = stage_options(__doc__, "sequence", "pixels", "seqinfo", "detections", "weights", "exclusions", "pins",
                         "embeddings", "timings")  # fmt: skip
    check_pins(args.pins)
    params = load_section(EmbedParams, "embed")
    clip = load_section(ClipParams, f"sequences.{args.sequence}.clip")
    with stage_run("embed", args.sequence, args.timings) as run, ExitStack() as stack:
        detections = Detections.load(args.detections, args.sequence)
        blind = ": no network" if args.weights.name == NO_WEIGHTS else ": no pixels" if not holds_data(args.pixels) else ""
        rows = np.zeros(0, dtype=np.int64) if blind else chosen_rows(detections, params)
        log.info("embed %s: %s of %s detections%s", args.sequence, f"{len(rows):,}", f"{len(detections):,}", blind)
        if len(rows):
            embeddings = network_embeddings(args, params, clip, detections, rows, run, stack)
        else:
            embeddings = no_embeddings(detections)
        run.counts = {"frames": detections.num_frames, "detections": len(detections), "embeddings": len(embeddings)}
        embeddings.save(args.embeddings)


if __name__ == "__main__":
    execute(main)
