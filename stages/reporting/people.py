"""What is known of each person of a sequence, for tables and contact sheets."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.colors import css_color, identity_color
from stages.errors import DataError
from stages.lineage import Piece
from stages.reporting.media import Media, Picture


@dataclass(frozen=True)
class Person:
    """One row of people.csv, with the pictures there are."""

    track: int
    identity: int
    color: str
    first_frame: int
    last_frame: int
    first_s: float
    last_s: float
    visible_s: float
    distance: float
    unit: str
    boxes: int
    pieces: int  # tracklets that were joined
    picture: Picture | None
    where: Picture | None


def read_people(path: Path, media: Media, folder: str, pieces: Mapping[int, list[Piece]]) -> list[Person]:
    """The people in the file of `analyze`, by when they were first seen. Raises DataError where it holds anything else."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            people = [_person(row, media, folder, pieces) for row in csv.DictReader(file)]
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none (run `dvc repro`)") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected the people of a sequence, got: {error!r}") from error
    return sorted(people, key=lambda person: (person.first_frame, person.track))


def _person(
    row: Mapping[str, str],
    media: Media,
    folder: str,
    pieces: Mapping[int, list[Piece]],
) -> Person:
    track, identity = int(row["tracklet_id"]), int(row["identity_id"])
    first_s, last_s = float(row["first_seen_s"]), float(row["last_seen_s"])
    return Person(
        track=track,
        identity=identity,
        color=css_color(identity_color(identity)),
        first_frame=round(first_s * media.fps),
        last_frame=round(last_s * media.fps),
        first_s=first_s,
        last_s=last_s,
        visible_s=float(row["visible_s"]),
        distance=float(row["distance"]),
        unit=row["unit"],
        boxes=int(row["boxes"]),
        pieces=len(pieces.get(track, ())),
        picture=media.picture(f"person-{track}", folder, f"Person {identity} at the moments below"),
        where=media.picture(f"where-{track}", folder, f"The way of person {identity} through the picture"),
    )
