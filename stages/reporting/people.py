"""What is known of each person of a sequence, for tables and contact sheets."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.colors import css_color, identity_color
from stages.errors import DataError
from stages.lineage import Piece
from stages.reporting.media import Media, Picture
from stages.reporting.words import called


@dataclass(frozen=True)
class Stay:
    """One track of a person: a row of people.csv, with the pictures there are."""

    track: int
    identity: int
    name: str  # given by hand, or empty
    first_s: float
    last_s: float
    visible_s: float
    distance: float
    unit: str
    boxes: int
    pieces: int  # tracklets that were joined
    picture: Picture | None
    where: Picture | None


@dataclass(frozen=True)
class Person:
    """One identity: the sums of its stays, which are sorted by time."""

    identity: int
    called: str
    color: str
    first_frame: int
    last_frame: int
    first_s: float
    last_s: float
    visible_s: float
    distance: float
    unit: str
    boxes: int
    pieces: int
    stays: list[Stay]


def read_people(path: Path, media: Media, folder: str, pieces: Mapping[int, list[Piece]]) -> list[Person]:
    """The people in the file of `analyze`, by when they were first seen. Raises DataError where it holds anything else."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            stays = [_stay(row, media, folder, pieces) for row in csv.DictReader(file)]
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none (run `dvc repro`)") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected the people of a sequence, got: {error!r}") from error
    found: dict[int, list[Stay]] = {}
    for stay in sorted(stays, key=lambda stay: (stay.first_s, stay.track)):
        found.setdefault(stay.identity, []).append(stay)
    return [_person(mine, media.fps) for mine in found.values()]


def _stay(row: Mapping[str, str], media: Media, folder: str, pieces: Mapping[int, list[Piece]]) -> Stay:
    track, identity = int(row["tracklet_id"]), int(row["identity_id"])
    who = called(identity, row["name"])
    return Stay(
        track=track,
        identity=identity,
        name=row["name"],
        first_s=float(row["first_seen_s"]),
        last_s=float(row["last_seen_s"]),
        visible_s=float(row["visible_s"]),
        distance=float(row["distance"]),
        unit=row["unit"],
        boxes=int(row["boxes"]),
        pieces=len(pieces.get(track, ())),
        picture=media.picture(f"person-{track}", folder, f"Views of {who} at the moments below"),
        where=media.picture(f"where-{track}", folder, f"The way of {who} through the picture"),
    )


def _person(stays: list[Stay], fps: float) -> Person:
    first, last = stays[0], max(stays, key=lambda stay: stay.last_s)
    return Person(
        identity=first.identity,
        called=called(first.identity, first.name),
        color=css_color(identity_color(first.identity)),
        first_frame=round(first.first_s * fps),
        last_frame=round(last.last_s * fps),
        first_s=first.first_s,
        last_s=last.last_s,
        visible_s=sum(stay.visible_s for stay in stays),
        distance=sum(stay.distance for stay in stays),
        unit=first.unit,
        boxes=sum(stay.boxes for stay in stays),
        pieces=sum(stay.pieces for stay in stays),
        stays=stays,
    )
