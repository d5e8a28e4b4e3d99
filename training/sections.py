"""Sections of training/params.yaml as dataclasses, checked like the pipeline's."""

from pathlib import Path
from typing import TypeVar

from stages.errors import ParamsError
from stages.params import make_section
from stages.yaml_file import read_yaml

PARAMS = Path("training/params.yaml")
T = TypeVar("T")


def load_training_section(kind: type[T], section: str, path: Path = PARAMS) -> T:
    """The dataclass `kind` made from the section. Raises ParamsError naming file, key, expectation and finding."""
    sections = read_yaml(path)
    if section not in sections:
        raise ParamsError(f"{path}: {section}: expected an entry, found none")
    return make_section(kind, sections[section], f"{path}: {section}")
