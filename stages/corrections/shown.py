"""Whether tracks, identities and annotated video belong together: after a run that failed in between, some are older ones."""

from pathlib import Path

import numpy as np

from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.errors import DataError
from stages.lock_file import locked, read_otherwise
from stages.outputs import ARTIFACTS


def check_identified(tracks: Tracklets, identities: Identities) -> None:
    """Returns when the identities are those of these tracks. Raises DataError where they are of others."""
    if not np.array_equal(tracks.ids, np.unique(identities.of(tracks.sequence).tracklet_ids)):
        raise _missing(tracks.sequence, "identities", ARTIFACTS / "identities" / f"{tracks.sequence}.npz")


def check_shown(tracks: Tracklets, identities: Identities) -> None:
    """Returns when identities and, by DVC's notes, the annotated video are of these tracks. Raises DataError otherwise."""
    check_identified(tracks, identities)
    name = tracks.sequence
    if read_otherwise(locked(), f"render@{name}", f"smooth@{name}", f"identify@{name}"):
        raise _missing(name, "the annotated video", ARTIFACTS / name / "annotated.mp4")


def _missing(sequence: str, what: str, path: Path) -> DataError:
    """The error that says which file was made of other tracks, or not at all."""
    return DataError(f"{path}: expected {what} of {sequence}'s tracks as they are now, found none (run `dvc repro`)")
