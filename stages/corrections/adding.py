"""A row added to a sequence's corrections, where it agrees with the others and with what is seen."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from stages.association.pairs import seen_together
from stages.association.partition import partition
from stages.contracts.tracklets import Tracklets, relabel
from stages.corrections.busy import check_unread
from stages.corrections.clipped import check_clip
from stages.corrections.constraining import constraints, cut_tracklets
from stages.corrections.naming import Seen
from stages.corrections.resolving import deleted, named
from stages.corrections.rows import Correction, append_row, read_corrections
from stages.lineage import NOBODY, owners, owners_of


def add_row(path: Path, row: Correction, seen: Seen) -> None:
    """Adds a row at the end of the file.

    Raises DataError where it contradicts others or what is seen, params.yaml has another clip than that, or DVC reads the file.
    """
    check_clip(path.stem)
    every = [*(read_corrections(path) if path.exists() else []), row]
    check_rows(every, seen)
    check_unread(path)
    append_row(path, row)


def check_rows(every: Sequence[Correction], seen: Seen) -> None:
    """Returns when all rows agree with each other and with what is seen. Raises DataError where some do not."""
    people, of_one = _people(every, seen), [row for row in every if row.action in ("rename", "delete")]
    tracked = [replace(row, place=place) for row in of_one if (place := seen.tracked_at(row.place))]
    named(people, tracked)
    deleted(people, tracked)


def _people(every: Sequence[Correction], seen: Seen) -> Tracklets:
    """The tracklets under an id a person: those whom the video shows, cut, told apart and joined as the rows say."""
    parts = cut_tracklets(seen.split, every)
    asked = constraints(parts, every)
    begins = parts.offsets()[:-1]
    shown = owners_of(parts.detection_indices[begins], owners(seen.tracks))
    order = np.lexsort((parts.frame_numbers[begins], shown))
    ways = [pair for pair in pairwise(order.tolist()) if shown[pair[0]] == shown[pair[1]] != NOBODY]
    pairs, must, cannot = (np.array(some, dtype=np.int64).reshape(-1, 2) for some in (ways, asked.must, asked.cannot))
    apart = np.concatenate([seen_together(parts), cannot])
    labels = partition(len(parts.ids), pairs, np.ones(len(pairs)), apart, must).labels
    return relabel(parts, labels[parts.positions()] + 1)
