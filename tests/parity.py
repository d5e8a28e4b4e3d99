"""Our tracks beside those that the ByteTrack authors' own code put out for the same detections (shared data)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.contracts.detections import Detections
from stages.motchallenge import read_rows
from stages.seqinfo import read_seqinfo
from stages.track import TrackParams
from tests.tables import track_params

REFERENCE_FPS = 30.0  # the references ran at a nominal 30 frames per second, whatever the video's rate
TOLERANCE_PX = 0.01
Boxes = dict[int, dict[int, NDArray[np.float64]]]  # by frame and id


@dataclass(frozen=True)
class Reference:
    """One stored output: `folder` of a sequence in the shared data, and the `name` that holds the settings."""

    folder: str
    name: str

    @property
    def params(self) -> TrackParams:
        thresh, match, buffer = re.findall(r"[\d.]+", self.name)
        return track_params(track_thresh=float(thresh), match_thresh=float(match), track_buffer=int(buffer))

    def path(self, shared_data: Path) -> Path:
        return shared_data / self.folder / "bytetrack" / f"{self.name}.txt"

    def detections(self, shared_data: Path) -> Detections:
        """What the authors' code was given."""
        folder = shared_data / self.folder
        info, rows = read_seqinfo(folder / "seqinfo.ini"), read_rows(folder / "det" / "det.txt")
        return Detections(
            info.name, info.num_frames, info.width_px, info.height_px, REFERENCE_FPS,
            rows.frame_numbers, rows.bboxes, rows.scores, np.zeros(len(rows), np.int16),
        )  # fmt: skip


REFERENCES = [
    Reference(f"mot17_first_half/MOT17-{number}", name)
    for number in ("02", "04", "05", "09", "10", "11", "13")
    for name in ("thresh0.5_match0.8_buffer30", "thresh0.6_match0.9_buffer30")
] + [
    Reference(f"dancetrack/dancetrack{number}", "thresh0.6_match0.8_buffer30")
    for number in ("0004", "0005", "0007", "0010", "0014")
]  # fmt: skip


@dataclass(frozen=True)
class Parity:
    """Frames with boxes in either output, and those in which they differ."""

    frames: int
    other_boxes: list[int]  # not the same boxes
    other_ids: list[int]  # the same boxes, but one renaming for the whole sequence does not map the ids


def compare(ids: NDArray[Any], frame_numbers: NDArray[Any], bboxes: NDArray[Any], reference: Path) -> Parity:
    """Tracks of M boxes (M, 4) x1, y1, x2, y2 px beside a stored output: boxes to 0.01 px, ids under one renaming."""
    rows = read_rows(reference)
    a, b = _table(ids, frame_numbers, bboxes), _table(rows.ids, rows.frame_numbers, rows.bboxes)
    forward: dict[int, int] = {}
    backward: dict[int, int] = {}
    parity = Parity(len(set(a) | set(b)), [], [])
    for frame in sorted(set(a) | set(b)):
        pairs = _pairs(a.get(frame, {}), b.get(frame, {}), forward)
        if pairs is None:
            parity.other_boxes.append(frame)
        elif not all(forward.setdefault(x, y) == y and backward.setdefault(y, x) == x for x, y in pairs):
            parity.other_ids.append(frame)
    return parity


def _table(ids: NDArray[Any], frames: NDArray[Any], bboxes: NDArray[Any]) -> Boxes:
    table: Boxes = {}
    for name, frame, corners in zip(ids.tolist(), frames.tolist(), bboxes.astype(np.float64), strict=True):
        table.setdefault(frame, {})[name] = corners
    return table


def _pairs(
    ours: dict[int, NDArray[np.float64]], theirs: dict[int, NDArray[np.float64]], known: dict[int, int]
) -> list[tuple[int, int]] | None:
    """Ids of equal boxes of one frame, each once, by the known renaming where boxes repeat; None where boxes differ."""
    free = dict(theirs)
    pairs = []
    for name, corners in ours.items():
        equal = [other for other, values in free.items() if np.abs(values - corners).max() <= TOLERANCE_PX]
        if not equal:
            return None
        other = known[name] if known.get(name) in equal else equal[0]
        del free[other]
        pairs.append((name, other))
    return None if free else pairs
