"""Weights to begin with: such as those of the same architecture for ImageNet."""

from pathlib import Path

import torch

from stages.errors import DataError
from stages.reid.torchreid_encoder import HEAD, read_weights

COUNTERS = "num_batches_tracked"  # older files lack them, and nothing reads them


def load_initial(network: torch.nn.Module, path: Path, model: str) -> None:
    """Fills the network, but for its head, with the weights in the file. Raises DataError unless they all are there and fit."""
    wanted = {name: value for name, value in network.state_dict().items() if not name.startswith(HEAD)}
    found = {name: value for name, value in read_weights(path).state.items() if name in wanted}
    for name, value in wanted.items():
        if name not in found and not name.endswith(COUNTERS):
            raise DataError(f"{path}: expected weights of {model} to begin with, got none for {name}")
        if name in found and found[name].shape != value.shape:
            raise DataError(
                f"{path}: expected weights of {model} to begin with, got shape {tuple(found[name].shape)} for {name} "
                f"instead of {tuple(value.shape)}"
            )
    network.load_state_dict(found, strict=False)
