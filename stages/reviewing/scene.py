"""What the review page shows of a sequence, and the corrections that are made on it."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.corrections.adding import add_row
from stages.corrections.busy import check_unread
from stages.corrections.naming import Seen, correction, load_seen
from stages.corrections.rows import Action, Correction, corrections_file, read_corrections, remove_row
from stages.errors import DataError
from stages.outputs import ARTIFACTS


@dataclass(frozen=True, eq=False)
class Scene:
    """A sequence as it was last tracked; `version` changes with what is shown of it."""

    sequence: str
    seen: Seen
    version: str

    def to_json(self) -> dict[str, Any]:
        """Size and rate, and of each track its number, name, frames, boxes (source px) and which of them were tracked."""
        tracks = self.seen.tracks
        tracked = self.seen.split.detection_indices  # smoothing takes further detections into gaps, which no row can name
        rows = self.seen.identities.rows_of(tracks.sequence, tracks.ids)
        numbers, names = self.seen.identities.identity_ids[rows].tolist(), self.seen.identities.names[rows].tolist()
        people = [
            {
                "track": track["tracklet_id"],
                "number": number,
                "name": name,
                "frames": track["frame_numbers"].tolist(),
                "boxes": np.rint(track["bboxes"]).astype(int).tolist(),
                "tracked": ((track["detection_indices"] >= 0) & np.isin(track["detection_indices"], tracked))
                .astype(int)
                .tolist(),
            }
            for track, number, name in zip(tracks.to_dicts(), numbers, names, strict=True)
        ]
        size = {name: getattr(tracks, name) for name in ("num_frames", "width_px", "height_px", "fps")}
        return {"sequence": self.sequence, "version": self.version, **size, "people": people}

    def correct(self, action: Action, people: list[tuple[int, int]], name: str | None) -> Correction:
        """Appends the row that is meant by (track, frame) pairs, and returns it.

        Raises DataError where they are nobody, or the row contradicts the others or what is seen.
        """
        rows = [self.seen.row_of_track(track, frame) for track, frame in people]
        row = correction(self.seen, action, rows, name)
        add_row(corrections_file(self.sequence), row, self.seen)
        return row


def load_scene(sequence: str) -> Scene:
    """What lies in artifacts/. Raises DataError where the pipeline has not run."""
    return Scene(sequence, load_seen(sequence), version(sequence))


def version(sequence: str) -> str:
    """A text that changes with the tracks, and with numbers and names of people. Raises DataError where there are none."""
    digest = hashlib.sha256()
    for path in (ARTIFACTS / sequence / "tracks.npz", ARTIFACTS / "identities" / f"{sequence}.npz"):
        try:
            digest.update(path.read_bytes())
        except FileNotFoundError as error:
            raise DataError(f"{path}: expected a file, found none (run `dvc repro`)") from error
    return digest.hexdigest()[:16]


def rows_of(sequence: str) -> list[list[str]]:
    """The cells of every correction of a sequence."""
    path = corrections_file(sequence)
    return [row.cells() for row in read_corrections(path)] if path.exists() else []


def undo(sequence: str, cells: list[str]) -> None:
    """Takes the last row with these cells out again. Raises DataError where somebody else did, or it is no correction."""
    path = corrections_file(sequence)
    row = next((row for row in read_corrections(path) if row.cells() == cells), None) if path.exists() else None
    if row is None:
        raise DataError(f"{path}: expected the row {','.join(cells)}, found none")
    check_unread(path)
    remove_row(path, row)
