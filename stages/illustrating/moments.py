"""Which boxes of a person to show: sharp, alone, whole, and spread over time and over the tracklets that were joined."""

import numpy as np
from numpy.typing import NDArray

from stages.boxes import largest_overlaps
from stages.contracts.tracklets import Tracklets
from stages.scoring.motion import box_heights

Rows = NDArray[np.int64]
BORDER_PX = 2.0  # a box so near the picture's border shows part of somebody


def view_quality(tracklets: Tracklets) -> NDArray[np.float64]:
    """(M,) how well each box shows its person, in [0, 1]: confident, not overlapped, large; 0 where nobody was detected."""
    heights = box_heights(tracklets)
    largest = np.ones(len(tracklets))
    offsets = tracklets.offsets()
    for first, last in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        largest[first:last] = max(float(heights[first:last].max()), 1.0)
    limits = np.array([tracklets.width_px, tracklets.height_px]) - BORDER_PX
    whole = (tracklets.bboxes[:, :2] > BORDER_PX).all(axis=1) & (tracklets.bboxes[:, 2:] < limits).all(axis=1)
    seen = tracklets.detection_indices >= 0
    overlaps = largest_overlaps(tracklets.frame_numbers, tracklets.bboxes)
    quality = tracklets.confidences * (1 - overlaps) * np.sqrt(np.clip(heights / largest, 0, 1))
    return np.asarray(np.where(seen, quality * np.where(whole, 1.0, 0.5), 0.0), dtype=np.float64)


def best_spread(rows: Rows, parts: NDArray[np.int64], quality: NDArray[np.float64], count: int) -> Rows:
    """At most `count` of a person's rows (K,), in their order: the best of each of so many stretches of time.

    Each part (tracklet) of `parts` (K,) has at least one stretch, the longest parts where there are more than `count`; the rest
    is shared out by length. Rows of quality 0 (K,) are not chosen.
    """
    usable = quality > 0
    rows, parts, quality = rows[usable], parts[usable], quality[usable]
    if len(rows) <= count:
        return rows
    names, lengths = np.unique(parts, return_counts=True)
    longest = np.argsort(-lengths, kind="stable")[:count]
    shares = lengths[longest] * (count - len(longest)) / lengths[longest].sum()
    counts = 1 + np.floor(shares).astype(int)
    counts[np.argsort(np.floor(shares) - shares, kind="stable")[: count - counts.sum()]] += 1
    chosen = []
    for name, number in zip(names[longest], counts, strict=True):
        for stretch in np.array_split(np.flatnonzero(parts == name), number):
            if len(stretch):
                chosen.append(stretch[quality[stretch].argmax()])
    return rows[np.sort(np.array(chosen, dtype=np.int64))]
