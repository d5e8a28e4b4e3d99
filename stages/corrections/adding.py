"""A row added to a sequence's corrections, where it agrees with the others and with what is seen."""

from pathlib import Path

from stages.corrections.busy import check_unread
from stages.corrections.naming import Seen
from stages.corrections.resolving import constraints, cut_tracklets, named
from stages.corrections.rows import Correction, append_row, read_corrections


def add_row(path: Path, row: Correction, seen: Seen) -> None:
    """Adds a row at the end of the file. Raises DataError where it contradicts others or what is seen, or DVC reads it."""
    every = [*(read_corrections(path) if path.exists() else []), row]
    if row.action in ("same", "different"):
        constraints(cut_tracklets(seen.split, every), every)
    if row.action == "rename":
        named(seen.tracks, every)
    check_unread(path)
    append_row(path, row)
