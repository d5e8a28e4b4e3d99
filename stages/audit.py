"""Audit tables: one CSV row a decision, with its evidence."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.artifacts import write_text
from stages.errors import DataError


def write_audit(path: Path, kind: type[Any], rows: Sequence[Any]) -> None:
    """Writes rows of the dataclass `kind` under its field names; floats with six significant digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(kind)])
    for row in rows:
        writer.writerow([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in dataclasses.astuple(row)])
    write_text(path, text.getvalue())


def read_audit(path: Path, *columns: str) -> list[dict[str, str]]:
    """The rows of an audit table, column -> text. Raises DataError where the file is missing or lacks one of the columns."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none (run `dvc repro`)") from error
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise DataError(f"{path}: expected the columns {', '.join(columns)}, found no {', '.join(missing)}")
    return rows
