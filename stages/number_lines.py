"""Text files of numbers, a row a line."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.errors import DataError

MAX_SHOWN = 80  # letters of what is no number


def read_numbers(path: Path, columns: range, separator: str | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(N, C) the numbers of a file, and (N,) the lines that they stand in, from 1: blank ones have none.

    The first line says how many columns there are, of those allowed; in an empty file the most. The separator None is white
    space. Raises DataError naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8 text, got: {error.reason}") from error
    rows = {number: line for number, line in enumerate(text, 1) if line.strip()}
    if not rows:
        return np.zeros((0, columns[-1])), np.zeros(0, np.int64)
    try:
        values = np.loadtxt(list(rows.values()), delimiter=separator, ndmin=2, comments=None)
    except ValueError as error:
        raise DataError(f"{path}: {_fault(rows, columns, separator)}") from error
    if values.shape[1] not in columns:
        raise DataError(f"{path}: {_fault(rows, columns, separator)}")
    return values, np.array(list(rows))


def _fault(rows: dict[int, str], columns: range, separator: str | None) -> str:
    """What is wrong with the first line that is no row of the file."""
    allowed, as_before = columns, ""
    kind = f"numbers between {'white space' if separator is None else 'commas'}"
    for number, line in rows.items():
        cells = line.split(separator)
        if len(cells) not in allowed:
            counts = f"{allowed[0]} to {allowed[-1]}" if len(allowed) > 1 else f"{allowed[0]}"
            return f"line {number}: expected {counts} {kind}{as_before}, got {len(cells)}"
        for column, cell in enumerate(cells, 1):
            if not _is_number(cell):
                return f"line {number}: expected a number in column {column}, got {cell.strip()[:MAX_SHOWN]!r}"
        if not as_before:
            allowed, as_before = range(len(cells), len(cells) + 1), f" as in line {number}"
    return f"expected lines of {kind}, got something else"


def _is_number(cell: str) -> bool:
    """Whether numpy reads the text as a number, which knows no 1_000."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
