"""How far embeddings of the same person and of different people are apart: whether appearance can tell them apart at all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.contracts.embeddings import Embeddings
from stages.lineage import NOBODY

MAX_VIEWS = 1500  # embeddings compared with each other, evenly taken from all
MIN_APART_S = 1.0  # views of one person closer in time are nearly the same picture
BINS = 60
MAX_DISTANCE = 1.2  # cosine; the last bin takes what is farther


def distance_histograms(
    embeddings: Embeddings, people: NDArray[np.int64], frame_numbers: NDArray[np.int32], fps: float
) -> dict[str, Any]:
    """Numbers of pairs by cosine distance: `edges` (BINS + 1,), `same` and `different` (BINS,).

    `people` (D,) is whom each detection shows, `frame_numbers` (D,) when. Pairs of one person lie MIN_APART_S apart at least.
    """
    rows = np.flatnonzero(people[embeddings.detection_indices] != NOBODY)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_VIEWS)).astype(np.int64))]
    features = embeddings.features[rows].astype(np.float32)
    found = embeddings.detection_indices[rows]
    first, second = np.triu_indices(len(rows), 1)
    distances = np.clip((1 - features @ features.T)[first, second], 0, MAX_DISTANCE - 1e-6)
    same = people[found[first]] == people[found[second]]
    apart = np.abs(frame_numbers[found[first]].astype(np.int64) - frame_numbers[found[second]]) >= MIN_APART_S * fps
    edges = np.linspace(0, MAX_DISTANCE, BINS + 1)
    return {
        "edges": [round(float(edge), 6) for edge in edges],
        "same": np.histogram(distances[same & apart], edges)[0].tolist(),
        "different": np.histogram(distances[~same], edges)[0].tolist(),
    }
