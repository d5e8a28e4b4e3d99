"""Sections of training/params.yaml as dataclasses, checked like the pipeline's."""

from pathlib import Path
from typing import Any, TypeVar

from stages.errors import ParamsError
from stages.params import make_section, read_yaml

PARAMS = Path("training/params.yaml")
T = TypeVar("T")


def load_training_section(kind: type[T], section: str, path: Path = PARAMS) -> T:
    """The dataclass `kind` made from the section with this dotted name.

    Raises ParamsError naming file, key, expectation and finding.
    """
    node: Any = read_yaml(path)
    for depth, key in enumerate(parts := section.split(".")):
        if not isinstance(node, dict) or key not in node:
            raise ParamsError(f"{path}: {'.'.join(parts[: depth + 1])}: expected an entry, found none")
        node = node[key]
    return make_section(kind, node, f"{path}: {section}")
