"""The state of a training between two epochs, kept so that a killed one goes on and ends with the same weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from stages.artifacts import writing

FILE = "checkpoint.pt"


@dataclass
class Progress:
    """Epochs finished, and the curves so far: one mapping of figures for each."""

    epochs: int
    curves: list[dict[str, float]]


def write_checkpoint(folder: Path, progress: Progress, parts: dict[str, Any]) -> None:
    """Writes the state of all parts (network, optimizer, ...) whole or not at all."""
    state = {name: part.state_dict() for name, part in parts.items()}
    with writing(folder / FILE) as temporary:
        torch.save({"epochs": progress.epochs, "curves": progress.curves, "state": state}, temporary)


def read_checkpoint(folder: Path, parts: dict[str, Any], device: torch.device) -> Progress:
    """Brings all parts to the state in the folder; without a checkpoint, leaves them and begins."""
    if not (folder / FILE).exists():
        return Progress(0, [])
    content = torch.load(folder / FILE, map_location=device, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(content["state"][name])
    return Progress(content["epochs"], content["curves"])
