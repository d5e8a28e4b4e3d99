"""What one reads off the annotated video to a row of data/corrections: people by number (or name) and frame, as `7@120`.

    python -m stages.correct street same 7@120 12@480      # one person
    python -m stages.correct street different 7@120 7@480  # two people under one number
    python -m stages.correct street cut 7@300              # from frame 300 on, 7 is somebody else than before
    python -m stages.correct street delete 9@40            # nobody
    python -m stages.correct street rename 7@120 --name Ann

The row names frame and box, so it outlives the numbers; `dvc repro` then reruns what depends on it.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.command import execute, log, parser
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.corrections.rows import Action, Correction, Place, append_row, corrections_file
from stages.errors import DataError
from stages.params import sequence_names

ARTIFACTS = Path("artifacts")  # as dvc.yaml has it
NUM_PLACES = {"same": 2, "different": 2, "cut": 1, "delete": 1, "rename": 1}


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
        ids = self.identities.identities_of(self.tracks.sequence, self.tracks.tracklet_ids)
        mine = self.identities.of(self.tracks.sequence)
        meant = mine.tracklet_ids[(mine.names == person) | (mine.identity_ids.astype(str) == person)]
        there = self.tracks.frame_numbers == int(frame)
        rows = np.flatnonzero(there & np.isin(self.tracks.tracklet_ids, meant))
        if not len(rows):
            seen = ", ".join(map(str, sorted(ids[there].tolist()))) or "nobody"
            raise DataError(f"{who}: expected somebody in frame {frame} ({seen}), found none of that number or name")
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


def correction(seen: Seen, action: Action, people: list[str], name: str | None) -> Correction:
    """The row that is meant. Raises DataError where a box was filled in, or there is nothing to cut."""
    if len(people) != NUM_PLACES[action]:
        raise DataError(f"{action}: expected {NUM_PLACES[action]} of number@frame, got {len(people)}")
    rows = [seen.row(who) for who in people]
    if action in ("delete", "rename"):
        return Correction(action, seen.final(rows[0]), None, name)
    places = [seen.tracked(row) for row in rows]
    for who, place in zip(people, places, strict=True):
        if place is None:
            raise DataError(f"{who}: expected a frame in which the person was detected, got one in which the box was filled in")
    if action == "cut":
        places.insert(0, seen.tracked_before(rows[0]))
        if places[0] is None:
            raise DataError(f"{people[0]}: expected somebody who was there before that frame, got their first frame")
    return Correction(action, places[0], places[1], name)  # type: ignore[arg-type]


def _place(tracklets: Tracklets, row: int) -> Place:
    x1, y1, x2, y2 = (round(float(edge), 2) for edge in tracklets.bboxes[row])
    return Place(int(tracklets.frame_numbers[row]), (x1, y1, x2, y2))


def options() -> argparse.ArgumentParser:
    made = parser(__doc__)
    made.add_argument("sequence", help="a sequence of params.yaml")
    made.add_argument("action", choices=list(NUM_PLACES))
    made.add_argument(
        "people", nargs="+", metavar="WHO@FRAME", help="number or name, and frame, as the annotated video shows them"
    )
    made.add_argument("--name", help="of rename")
    return made


def main() -> None:
    args = options().parse_args()
    if args.sequence not in sequence_names():
        raise DataError(f"{args.sequence}: expected one of {', '.join(sequence_names())}, got another name")
    folder = ARTIFACTS / args.sequence
    seen = Seen(
        Tracklets.load(folder / "tracks.npz", args.sequence),
        Identities.load(ARTIFACTS / "identities" / f"{args.sequence}.npz"),
        Tracklets.load(folder / "tracklets_split.npz", args.sequence),
    )
    row = correction(seen, args.action, args.people, args.name)
    path = corrections_file(args.sequence)
    append_row(path, row)
    log.info("added to %s: %s; next: dvc repro", path, ",".join(row.cells()))


if __name__ == "__main__":
    execute(main)
