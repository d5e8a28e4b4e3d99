"""Audit tables: one CSV row a decision, with its evidence."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.artifacts import write_text


def write_audit(path: Path, kind: type[Any], rows: Sequence[Any]) -> None:
    """Writes rows of the dataclass `kind` under its field names; floats with six significant digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(kind)])
    for row in rows:
        writer.writerow([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in dataclasses.astuple(row)])
    write_text(path, text.getvalue())
