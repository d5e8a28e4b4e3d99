"""The state of a training between two epochs, kept so that a killed one goes on and ends with the same weights."""

from pathlib import Path
from typing import Any

import torch

from stages.artifacts import writing

FILE = "checkpoint.pt"
Curves = list[dict[str, float]]  # figures of each epoch that is finished


def write_checkpoint(folder: Path, curves: Curves, parts: dict[str, Any]) -> None:
    """Writes the curves and the state of all parts (network, optimizer, ...), whole or not at all."""
    state = {name: part.state_dict() for name, part in parts.items()}
    with writing(folder / FILE) as temporary:
        torch.save({"curves": curves, "state": state}, temporary)


def read_checkpoint(folder: Path, parts: dict[str, Any], device: torch.device) -> Curves:
    """The curves so far, with all parts brought to the state after them; without a checkpoint, parts stay as they are."""
    if not (folder / FILE).exists():
        return []
    content = torch.load(folder / FILE, map_location=device, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(content["state"][name])
    curves: Curves = content["curves"]
    return curves
