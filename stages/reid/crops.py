"""Which detections get an embedding, and their pixels.

A crop that is tiny, doubtful or mostly shows somebody else gives a feature that misleads more than it tells. Who is nearer is
taken from the picture: with a camera above the heads, the box whose lower edge is lower stands in front.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.contracts.detections import Detections
from stages.reid.completion import completed
from stages.reid.encoder import EmbedParams

BLANK = (104, 116, 124)  # BGR: ImageNet's mean, which networks see as nothing


def chosen_rows(detections: Detections, params: EmbedParams) -> NDArray[np.int64]:
    """(K,) ascending rows of the detections that get an embedding.

    Detections below `min_confidence` cover nobody: they may not be there at all.
    """
    windows = crop_windows(detections)
    sizes = windows[:, 2:] - windows[:, :2]
    likely = detections.confidences >= np.float32(params.min_confidence)
    large = (sizes > 0).all(axis=1) & (sizes[:, 1] >= params.min_height_px)
    chosen = likely & large & (detections.frame_numbers % params.stride == 0)
    offsets = detections.frame_offsets()
    for frame in np.unique(detections.frame_numbers[chosen]):
        rows = np.arange(offsets[frame], offsets[frame + 1])
        rows = rows[likely[rows]]
        chosen[rows] &= covered_shares(windows[rows]) <= params.max_overlap
    return np.flatnonzero(chosen)


def crop_windows(detections: Detections) -> NDArray[np.int64]:
    """(N, 4) x1, y1, x2, y2 px: boxes rounded to whole pixels and clipped to the picture; x2, y2 are not part of the crop."""
    limits = np.tile([detections.width_px, detections.height_px], 2)
    return np.clip(np.rint(detections.bboxes), 0, limits).astype(np.int64)


def whole_windows(detections: Detections) -> NDArray[np.int64]:
    """(N, 4) the same, completed to whole people where the picture's edge cuts them off: these reach out of it."""
    return np.rint(completed(detections)).astype(np.int64)


def covered_shares(windows: NDArray[Any]) -> NDArray[np.float64]:
    """(N,) largest share of each box (N, 4) that one nearer box covers; 0 where nobody is nearer."""
    areas = np.maximum((windows[:, 2] - windows[:, 0]) * (windows[:, 3] - windows[:, 1]), 1)
    nearer = windows[None, :, 3] > windows[:, None, 3]  # of boxes with equal lower edges neither is
    low = np.maximum(windows[:, None, :2], windows[None, :, :2])
    high = np.minimum(windows[:, None, 2:], windows[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    return np.asarray((np.where(nearer, shared, 0) / areas[:, None]).max(axis=1, initial=0.0))


def cut(
    frames: Iterable[NDArray[Any]], frame_numbers: Sequence[int], windows: NDArray[Any], window_frames: NDArray[Any]
) -> Iterator[NDArray[Any]]:
    """The pixels (h, w, 3) in each window (K, 4), in the order of their frames' numbers `window_frames` (K,).

    What lies outside of the picture is BLANK. `frame_numbers` are those of the frames in the iterable, of which exactly as many
    are taken.

    Crops are copies: a view would keep its whole frame in memory.
    """
    first = np.searchsorted(window_frames, frame_numbers, side="left")
    last = np.searchsorted(window_frames, frame_numbers, side="right")
    for begin, end, frame in zip(first, last, frames, strict=False):
        for window in windows[begin:end]:
            yield cut_out(frame, window)


def cut_out(picture: NDArray[Any], window: NDArray[Any]) -> NDArray[Any]:
    """The pixels (y2 - y1, x2 - x1, 3) of a window x1, y1, x2, y2 of whole pixels, BLANK outside of the picture (H, W, 3)."""
    x1, y1, x2, y2 = window.tolist()
    crop = np.empty((y2 - y1, x2 - x1, 3), np.uint8)
    crop[:] = BLANK
    inside = picture[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    top, left = max(-y1, 0), max(-x1, 0)
    crop[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return crop
