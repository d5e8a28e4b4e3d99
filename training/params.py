"""The training's own params.yaml, read like the pipeline's."""

from pathlib import Path
from typing import TypeVar

from stages.params import make_section, read_yaml

T = TypeVar("T")
PARAMS = Path("training/params.yaml")


def load_training_section(kind: type[T], section: str, path: Path = PARAMS) -> T:
    node = read_yaml(path)
    for key in section.split("."):
        node = node[key]
    return make_section(kind, node, f"{path}: {section}")
