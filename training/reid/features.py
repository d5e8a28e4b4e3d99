"""What crops are compared by: a network's features, as `embed` computes them, or colour histograms to measure it against."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.errors import DataError
from stages.images import read_image
from stages.progress import progress
from stages.reid.encoder import Encoder
from training.reid.crops import Crops

BINS = (8, 4, 4)  # hue, saturation, value


def encode(crops: Crops, encoder: Encoder, batch_size: int) -> NDArray[np.float32]:
    """(N, D) unit features of the crops."""
    pictures = progress((read_image(path) for path in crops.paths), "encode", len(crops), "crop")
    return unit(np.concatenate([encoder(batch) for batch in _batched(pictures, batch_size)]))


def color_histograms(crops: Crops) -> NDArray[np.float32]:
    """(N, 128) unit vectors whose cosine is the Bhattacharyya coefficient of two crops' histograms."""
    rows = []
    for path in crops.paths:
        hsv = cv2.cvtColor(read_image(path), cv2.COLOR_BGR2HSV)
        rows.append(np.sqrt(cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, 180, 0, 256, 0, 256]).ravel()))
    return unit(np.array(rows))


def unit(features: NDArray[Any]) -> NDArray[np.float32]:
    """The features (N, D) at length 1. Raises DataError for one that is not finite or has no direction."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise DataError("features: expected finite values that are not all 0, got others (did the training diverge?)")
    return np.asarray(features / lengths, dtype=np.float32)


def _batched(items: Iterable[NDArray[Any]], size: int) -> Iterator[list[NDArray[Any]]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
