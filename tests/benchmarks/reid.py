"""How fast the evaluation of Re-ID is beside torchreid's, on random features of Market-1501's size, in one run.

    python -m tests.benchmarks.reid [--quick]

The same labels and the same matrix of distances go to both; what they make of them is compared, and must be equal to 1e-6. Our
own way from features to figures, by blocks, is timed too, with the memory that it took beside what was there before. CPU time.
"""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stages.command import execute, parser, peak_memory_bytes
from stages.errors import DataError
from training.reid.crops import Crops
from training.reid.features import unit
from training.reid.ranking import Scores, distances, rank_all, right_ranks, summarize

QUERIES, GALLERY, PEOPLE, CAMERAS, DIMENSIONS = 3368, 15913, 750, 6, 512  # Market-1501's; its gallery without junk
QUICK = 10  # times fewer queries
T = TypeVar("T")


def labels(count: int, rng: np.random.Generator) -> Crops:
    people, cameras = rng.integers(1, PEOPLE + 1, count), rng.integers(1, CAMERAS + 1, count)
    return Crops((Path(),) * count, people, cameras, np.ones(count, dtype=np.int64))


def theirs(apart: NDArray[np.float32], query: Crops, gallery: Crops) -> tuple[float, float]:
    """Rank-1 and mAP by torchreid, in Python: its faster Cython is not in its package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses that extension
        from torchreid.reid.metrics.rank import evaluate_rank
    cmc, mean_precision = evaluate_rank(
        apart, query.identity_ids, gallery.identity_ids, query.camera_ids, gallery.camera_ids, use_cython=False
    )
    return float(cmc[0]), float(mean_precision)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result and the seconds of CPU time, which other programs on the machine distort least."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the queries")
    queries = QUERIES // QUICK if options.parse_args().quick else QUERIES
    rng = np.random.default_rng(0)
    query, gallery = labels(queries, rng), labels(GALLERY, rng)
    features = unit(rng.standard_normal((queries, DIMENSIONS))), unit(rng.standard_normal((GALLERY, DIMENSIONS)))
    before = peak_memory_bytes()
    whole, whole_s = timed(lambda: summarize(rank_all(*features, query, gallery)))
    grown_mib = (peak_memory_bytes() - before) / 2**20
    apart = distances(*features)
    ours, ours_s = timed(lambda: summarize(right_ranks(apart, query, gallery)))
    reference, theirs_s = timed(lambda: theirs(apart, query, gallery))
    check(ours, reference)
    print(f"{queries:,} queries, {GALLERY:,} in the gallery")
    print(f"features to figures, by blocks: {whole_s:.2f} s, {grown_mib:.0f} MiB, mAP {whole.mean_average_precision:.6f}")
    print(f"distances to figures: {ours_s:.2f} s, torchreid {theirs_s:.2f} s: {theirs_s / ours_s:.1f} x")


def check(ours: Scores, reference: tuple[float, float]) -> None:
    if not np.allclose((ours.rank1, ours.mean_average_precision), reference, atol=1e-6):
        raise DataError(f"expected torchreid's Rank-1 and mAP, {reference}, to 1e-6, got {ours}")


if __name__ == "__main__":
    execute(main)
