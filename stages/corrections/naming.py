"""Whom a person means who looks at the annotated video, and the row of corrections that says so.

The video shows the final tracks; cuts and joins are made of tracklets, so a row names the box as it was tracked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.corrections.resolving import covering
from stages.corrections.rows import Action, Correction, Place
from stages.corrections.shown import check_shown
from stages.errors import DataError
from stages.outputs import ARTIFACTS

NUM_PLACES: dict[Action, int] = {"same": 2, "different": 2, "cut": 1, "delete": 1, "rename": 1}


@dataclass(frozen=True, eq=False)
class Seen:
    """What the annotated video shows of a sequence, and the tracklets that cuts and joins are made of."""

    tracks: Tracklets
    identities: Identities
    split: Tracklets

    def row(self, who: str) -> int:
        """The row of the tracks of `number@frame` or `name@frame`. Raises DataError where nobody is meant."""
        person, _, frame = who.rpartition("@")
        if not person or not frame.isdecimal():
            raise DataError(f"{who}: expected a number or name and a frame of the annotated video, such as 7@120")
        if int(frame) >= self.tracks.num_frames:
            raise DataError(f"{who}: expected a frame from 0 to {self.tracks.num_frames - 1}, got {frame}")
        ids = self.identities.identities_of(self.tracks.sequence, self.tracks.tracklet_ids)
        mine = self.identities.of(self.tracks.sequence)
        meant = mine.tracklet_ids[(mine.names == person) | (mine.identity_ids.astype(str) == person)]
        there = self.tracks.frame_numbers == int(frame)
        rows = np.flatnonzero(there & np.isin(self.tracks.tracklet_ids, meant))
        if not len(rows):
            seen = ", ".join(map(str, sorted(ids[there].tolist()))) or "nobody"
            raise DataError(f"{who}: expected somebody in frame {frame} ({seen}), found none of that number or name")
        if len(rows) > 1:
            raise DataError(f"{who}: expected one person in frame {frame}, found {len(rows)} of that number or name")
        return int(rows[0])

    def row_of_track(self, track_id: int, frame: int) -> int:
        """The row of a track in a frame. Raises DataError where it has none."""
        rows = np.flatnonzero((self.tracks.tracklet_ids == track_id) & (self.tracks.frame_numbers == frame))
        if not len(rows):
            raise DataError(f"track {track_id}: expected it to be seen in frame {frame}, found no box")
        return int(rows[0])

    def final(self, row: int) -> Place:
        """The box of the final tracks."""
        return _place(self.tracks, row)

    def tracked(self, row: int) -> Place | None:
        """The box as tracked, None where the tracker saw none and it was filled in."""
        detection = self.tracks.detection_indices[row]
        found = np.flatnonzero((self.split.detection_indices == detection) & (detection >= 0))
        return _place(self.split, int(found[0])) if len(found) else None

    def tracked_before(self, row: int) -> Place | None:
        """The last tracked box of the same track before this one."""
        rows = range(row - 1, -1, -1)
        same = (r for r in rows if self.tracks.tracklet_ids[r] == self.tracks.tracklet_ids[row])
        return next((place for place in map(self.tracked, same) if place), None)

    def tracked_at(self, place: Place) -> Place | None:
        """The box as tracked, or the last before one that was filled in, of whom the video shows there; None: nobody."""
        row = covering(self.tracks, place)
        return None if row is None else self.tracked(row) or self.tracked_before(row)


def load_seen(sequence: str) -> Seen:
    """What lies in artifacts/ of a sequence. Raises DataError where the pipeline has not run, or not to its end."""
    folder = ARTIFACTS / sequence
    tracks = Tracklets.load(folder / "tracks.npz", sequence)
    identities = Identities.load(ARTIFACTS / "identities" / f"{sequence}.npz")
    check_shown(tracks, identities)
    return Seen(tracks, identities, Tracklets.load(folder / "tracklets_split.npz", sequence))


def correction(seen: Seen, action: Action, rows: Sequence[int], name: str | None) -> Correction:
    """The correction that is meant by an action and rows of the tracks.

    Raises DataError where a box was filled in, there is nothing to cut, or the action takes another number of boxes.
    """
    if len(rows) != NUM_PLACES[action]:
        raise DataError(f"{action}: expected {NUM_PLACES[action]} of number@frame, got {len(rows)}")
    if action in ("delete", "rename"):
        return Correction(action, seen.final(rows[0]), None, name)
    places = [seen.tracked(row) for row in rows]
    for row, place in zip(rows, places, strict=True):
        if place is None:
            raise DataError(
                f"{_who(seen, row)}: expected a frame in which the person was detected, got one in which the box was filled in"
            )
    if action == "cut":
        places.insert(0, seen.tracked_before(rows[0]))
        if places[0] is None:
            raise DataError(f"{_who(seen, rows[0])}: expected somebody who was there before that frame, got their first frame")
    return Correction(action, places[0], places[1], name)  # type: ignore[arg-type]


def _who(seen: Seen, row: int) -> str:
    """`number@frame` of a row of the tracks."""
    number = seen.identities.identities_of(seen.tracks.sequence, seen.tracks.tracklet_ids[row : row + 1])[0]
    return f"{number}@{seen.tracks.frame_numbers[row]}"


def _place(tracklets: Tracklets, row: int) -> Place:
    x1, y1, x2, y2 = (round(float(edge), 2) for edge in tracklets.bboxes[row])
    return Place(int(tracklets.frame_numbers[row]), (x1, y1, x2, y2))
