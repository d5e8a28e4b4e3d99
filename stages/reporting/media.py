"""The pictures that `illustrate` left beside the report, as its index.json lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifacts import read_json
from stages.errors import DataError


@dataclass(frozen=True)
class Picture:
    """One file as a page shows it; a sheet's tiles are `tile` px wide and its rows show the frames of `rows`."""

    path: str
    width: int
    height: int
    alt: str
    fps: float
    tile: int
    rows: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Media:
    """Names, sizes and frames of a sequence's pictures."""

    filmed: bool
    fps: float
    pictures: Mapping[str, tuple[int, int]]  # name -> width, height px
    frames: Mapping[str, tuple[tuple[int, ...], ...]]  # sheet -> frames of its tiles, row by row

    def picture(self, name: str, folder: str, alt: str) -> Picture | None:
        """The picture of this name, found in `folder` (with its slash) from the page; None where there is none."""
        if name not in self.pictures:
            return None
        width, height = self.pictures[name]
        rows = self.frames.get(name, ())
        return Picture(f"{folder}{name}.jpg", width, height, alt, self.fps, width // max(map(len, rows), default=1), rows)


def read_media(folder: Path) -> Media:
    """What the folder's index.json says. Raises DataError where it is missing or anything else."""
    path = folder / "index.json"
    values: Any = read_json(path)
    try:
        return Media(
            bool(values["filmed"]),
            float(values["fps"]),
            {str(name): (int(width), int(height)) for name, (width, height) in values["pictures"].items()},
            {str(name): tuple(tuple(map(int, row)) for row in rows) for name, rows in values["frames"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: expected the index of a sequence's pictures, got: {error!r} (run `dvc repro`)") from error
