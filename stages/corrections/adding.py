"""A row added to a sequence's corrections, where it agrees with the others and with what is seen."""

from pathlib import Path

from stages.corrections.busy import check_unread
from stages.corrections.constraining import constraints, cut_tracklets
from stages.corrections.naming import Seen
from stages.corrections.resolving import named, row_at
from stages.corrections.rows import OF_TWO, Correction, append_row, read_corrections


def add_row(path: Path, row: Correction, seen: Seen) -> None:
    """Adds a row at the end of the file. Raises DataError where it contradicts others or what is seen, or DVC reads it."""
    every = [*(read_corrections(path) if path.exists() else []), row]
    if row.action in OF_TWO:
        constraints(cut_tracklets(seen.split, every), every)
    if row.action == "rename":
        named(seen.tracks, every)
    if row.action == "delete":
        _check_nameless(row, seen, every)
    check_unread(path)
    append_row(path, row)


def _check_nameless(row: Correction, seen: Seen, every: list[Correction]) -> None:
    """Raises DataError where other rows name whom this one deletes: the name would go to somebody near."""
    person = int(seen.tracks.tracklet_ids[row_at(seen.tracks, row.place, row)])
    for other in every:
        if other.action == "rename" and person in named(seen.tracks, [other]):
            raise row.refused("somebody without a name to delete", f"{other.name!r} (take out {other.where} first)")
