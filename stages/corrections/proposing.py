"""Rows of corrections that put right what the cameras of a group show of each other's tracks."""

from collections.abc import Mapping

from stages.corrections.naming import Seen, correction
from stages.corrections.rows import Correction
from stages.identity.changes import Found


def proposed(found: Found, seen: Mapping[str, Seen]) -> list[tuple[str, Correction]]:
    """Sequence and row: a `cut` for each change of person, then a `same` for parts that are one person; `seen` by sequence.

    Raises DataError where the tracks of `seen` are not those in which it was found.
    """
    rows = []
    for change in found.changes:
        one = seen[change.sequence]
        rows.append(
            (change.sequence, correction(one, "cut", [one.row_of_track(change.tracklet_id, change.frame_number)], None))
        )
    for reunion in found.reunions:
        one = seen[reunion.sequence]
        places = [one.row_of_track(*part) for part in (reunion.first, reunion.second)]
        rows.append((reunion.sequence, correction(one, "same", places, None)))
    return rows
