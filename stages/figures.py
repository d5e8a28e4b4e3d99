"""Figures by name, nested: what `summarize` writes and what reports and tracking servers want flat."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.artifacts import read_json
from stages.errors import DataError


def read_figures(path: Path) -> dict[str, dict[str, Any]]:
    """A JSON file of mappings by name. Raises DataError when it is missing or anything else."""
    return check_figures(read_json(path), str(path))


def check_figures(value: Any, place: str) -> dict[str, dict[str, Any]]:
    """The value, if it is a mapping of mappings. Raises DataError."""
    if not isinstance(value, dict):
        raise DataError(f"{place}: expected a mapping of mappings, got {type(value).__name__}")
    for name, figures in value.items():
        if not isinstance(figures, dict):
            raise DataError(f"{place}: {name}: expected a mapping, got {figures!r}")
    return value


def leaves(node: Mapping[str, Any], separator: str, prefix: str = "") -> dict[str, Any]:
    """What is no mapping, by its keys joined from the root: {"a": {"b": 1}} gives {"a.b": 1} for the separator "."."""
    flat: dict[str, Any] = {}
    for key, value in node.items():
        name = f"{prefix}{key}"
        flat.update(leaves(value, separator, name + separator) if isinstance(value, Mapping) else {name: value})
    return flat
