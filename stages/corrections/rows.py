"""The rows of data/corrections/<sequence>.csv: what a person put right, named by frame and box so that it outlives every id.

A row is checked by itself here; whether the boxes are anybody's is found out where tracklets are at hand.
"""

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from stages.artifacts import exclusive, write_text
from stages.errors import DataError

Action = Literal["same", "different", "cut", "delete", "rename"]
OF_TWO: tuple[Action, ...] = ("same", "different", "cut")  # actions that name two boxes
COORDINATES = ("x1", "y1", "x2", "y2")
FOLDER = Path("data/corrections")  # as dvc.yaml has it
COLUMNS = ("action", "frame", *COORDINATES, "other_frame", *(f"other_{name}" for name in COORDINATES), "name")
HEADER = ",".join(COLUMNS) + "\n"
MAX_NAME = 64  # characters
MAX_PX = 1e6
WHOLE = re.compile(r"[0-9]{1,9}")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True)
class Place:
    """One box of somebody: frame of the clip from 0, as the annotated video shows it, and x1, y1, x2, y2 in the source's px."""

    frame: int
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True)
class Correction:
    """One row. `where` names file and line in messages and is no part of what the row says."""

    action: Action
    place: Place
    other: Place | None = None  # of same, different and cut
    name: str | None = None  # of rename
    where: str = field(default="correction", compare=False)

    def __post_init__(self) -> None:
        self._expect(self.action in get_args(Action), f"one of {', '.join(get_args(Action))}", repr(self.action))
        pair, named = self.action in OF_TWO, self.action == "rename"
        self._expect(
            (self.other is not None) == pair, f"{'a second box' if pair else 'one box'} for {self.action}", "otherwise"
        )
        self._expect((self.name is not None) == named, f"{'a' if named else 'no'} name for {self.action}", repr(self.name))
        for place in (self.place, self.other):
            if place is not None:
                self._check(place)
        if self.action == "cut" and self.other is not None:
            self._expect(
                self.other.frame > self.place.frame, f"an other_frame after frame {self.place.frame}", self.other.frame
            )
        if self.name is not None:
            good = self.name.isprintable() and self.name == self.name.strip() and 0 < len(self.name) <= MAX_NAME
            self._expect(good, f"a name of 1 to {MAX_NAME} printable characters without blanks around it", repr(self.name))

    def _check(self, place: Place) -> None:
        x1, y1, x2, y2 = place.bbox
        self._expect(place.frame >= 0, "a frame from 0", place.frame)
        self._expect(all(abs(edge) <= MAX_PX for edge in place.bbox), "edges in px", place.bbox)
        self._expect(x1 < x2 and y1 < y2, "a box with x1 < x2 and y1 < y2", f"{x1:g}, {y1:g}, {x2:g}, {y2:g}")

    def _expect(self, condition: bool, expectation: str, finding: object) -> None:
        if not condition:
            raise self.refused(expectation, finding)

    def refused(self, expectation: str, finding: object) -> DataError:
        """The error that says what this row should have been."""
        return DataError(f"{self.where}: expected {expectation}, got {finding}")

    def cells(self) -> list[str]:
        """The row as text, a cell a column."""
        other = _cells(self.other) if self.other else [""] * (1 + len(COORDINATES))
        return [self.action, *_cells(self.place), *other, self.name or ""]


def corrections_file(sequence: str) -> Path:
    """Where the corrections of a sequence are, from the project's root."""
    return FOLDER / f"{sequence}.csv"


def read_corrections(path: Path) -> list[Correction]:
    """The rows of the file, top to bottom. Raises DataError naming file and line where one is no correction."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets begin a file with a byte order mark
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file with the line {HEADER.strip()}, found none") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8 text, got: {error.reason}") from error
    return parse_corrections(text, path)


def parse_corrections(text: str, path: Path) -> list[Correction]:
    """The rows of a file's text. Raises DataError like `read_corrections`."""
    reader = csv.reader(io.StringIO(text), strict=True)
    corrections: list[Correction] = []
    header = None
    try:
        for cells in reader:
            where = f"{path}: line {reader.line_num}"
            cells = [cell.strip() for cell in cells]
            if header is None:
                header = cells
                if tuple(header) != COLUMNS:
                    raise DataError(f"{where}: expected the columns {HEADER.strip()}, got {','.join(header)!r}")
            elif any(cells):
                corrections.append(_parsed(cells, where))
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: expected comma-separated values, got: {error}") from error
    if header is None:
        raise DataError(f"{path}: expected the line {HEADER.strip()}, got an empty file")
    return corrections


def append_row(path: Path, row: Correction) -> None:
    """Adds a row at the end of the file, which is made where there is none.

    Writers wait for each other and readers see the file before or after, so no row is lost. Raises DataError where the file
    is no file of corrections: then it stays as it is.
    """
    with exclusive(f"corrections@{path.stem}"):
        text = path.read_text(encoding="utf-8-sig") if path.exists() else HEADER
        parse_corrections(text, path)
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row.cells())
        write_text(path, text + ("" if text.endswith("\n") else "\n") + line.getvalue())


def remove_row(path: Path, row: Correction) -> None:
    """Takes the last row that says the same out of the file, under the lock that `append_row` holds.

    Raises DataError where there is none, or the file is no file of corrections: then it stays as it is.
    """
    with exclusive(f"corrections@{path.stem}"):
        rows = read_corrections(path)
        gone = max((k for k, other in enumerate(rows) if other == row), default=None)
        if gone is None:
            raise DataError(f"{path}: expected the row {','.join(row.cells())}, found none")
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(other.cells() for k, other in enumerate(rows) if k != gone)
        write_text(path, HEADER + text.getvalue())


def _parsed(cells: list[str], where: str) -> Correction:
    """The correction in the cells of a line."""
    if len(cells) != len(COLUMNS):
        raise DataError(f"{where}: expected {len(COLUMNS)} cells, got {len(cells)}")
    row = dict(zip(COLUMNS, cells, strict=True))
    other = [row[name] for name in COLUMNS if name.startswith("other_")]
    return Correction(
        row["action"],  # type: ignore[arg-type]  # checked where it is made
        _place(row, "", where),
        _place(row, "other_", where) if any(other) else None,
        row["name"] or None,
        where,
    )


def _place(row: dict[str, str], prefix: str, where: str) -> Place:
    frame = row[f"{prefix}frame"]
    if not WHOLE.fullmatch(frame):
        raise DataError(f"{where}: {prefix}frame: expected a whole number from 0, got {frame!r}")
    edges = []
    for name in COORDINATES:
        cell = row[f"{prefix}{name}"]
        if not NUMBER.fullmatch(cell):
            raise DataError(f"{where}: {prefix}{name}: expected a number of pixels, got {cell!r}")
        edges.append(float(cell))
    return Place(int(frame), (edges[0], edges[1], edges[2], edges[3]))


def _cells(place: Place) -> list[str]:
    return [str(place.frame), *(f"{edge:.10g}" for edge in place.bbox)]
