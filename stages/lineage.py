"""Which tracklet claims a detection: the detections are what the tracklets of all levels have in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets

NOBODY = -1


@dataclass(frozen=True)
class Piece:
    """A tracklet of an earlier level inside a final track."""

    tracklet_id: int
    first_frame: int
    last_frame: int


def owners(tracklets: Tracklets, length: int = 0) -> NDArray[np.int64]:
    """(D,) the tracklet that claims each detection, NOBODY where none does; at least `length` long."""
    claimed = tracklets.detection_indices >= 0
    found = np.full(max(length, int(tracklets.detection_indices.max(initial=-1)) + 1), NOBODY, dtype=np.int64)
    found[tracklets.detection_indices[claimed]] = tracklets.tracklet_ids[claimed]
    return found


def owners_of(rows: NDArray[np.int32], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """(M,) entries of `known` (D,) for detections (M,), NOBODY for -1 and for those beyond its end."""
    found = np.full(len(rows), NOBODY, dtype=np.int64)
    there = (rows >= 0) & (rows < len(known))
    found[there] = known[rows[there]]
    return found


def pieces_of(final: Tracklets, earlier: Tracklets) -> dict[int, list[Piece]]:
    """Final track -> the tracklets of the earlier level that it was made of, by their ids."""
    tracks = owners_of(earlier.detection_indices, owners(final))
    offsets = earlier.offsets()
    pieces: dict[int, list[Piece]] = {}
    for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        piece = Piece(int(earlier.tracklet_ids[a]), int(earlier.frame_numbers[a]), int(earlier.frame_numbers[b - 1]))
        for track in np.unique(tracks[a:b][tracks[a:b] != NOBODY]).tolist():
            pieces.setdefault(track, []).append(piece)
    return pieces
