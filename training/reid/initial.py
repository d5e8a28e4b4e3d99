"""Weights to begin with: such as those of the same architecture for ImageNet, or of a narrower OSNet, which is widened."""

from pathlib import Path

import torch

from stages.errors import DataError
from stages.reid.torchreid_encoder import HEAD, read_weights

COUNTERS = "num_batches_tracked"  # older files lack them, and nothing reads them


def load_initial(network: torch.nn.Module, path: Path, model: str, seed: int = 0) -> None:
    """Fills the network, but for its head, with the weights in the file; `seed` decides how they are widened, where they are.

    Raises DataError unless they all are there and fit, or are of a narrower OSNet.
    """
    wanted = {name: value for name, value in network.state_dict().items() if not name.startswith(HEAD)}
    found = {name: value for name, value in read_weights(path).state.items() if name in wanted}
    generator = torch.Generator().manual_seed(seed)
    for name, value in wanted.items():
        if name not in found and not name.endswith(COUNTERS):
            raise DataError(f"{path}: expected weights of {model} to begin with, got none for {name}")
        if name not in found or found[name].shape == value.shape:
            continue
        if not (model.startswith("osnet") and _fits_into(found[name].shape, value.shape)):
            raise DataError(
                f"{path}: expected weights of {model} to begin with, got shape {tuple(found[name].shape)} for {name} "
                f"instead of {tuple(value.shape)}"
            )
        found[name] = widened(found[name], value.shape, generator)
    network.load_state_dict(found, strict=False)


def widened(value: torch.Tensor, shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """A layer's weights (out, in, ...), or one number a channel (out,), for more channels, which repeat those there are.

    Repeated inputs share the weight that the one input had, each output in other parts (uniform on the simplex): the
    network gives what it gave, and those that are equal now learn different things.

    Source: Net2WiderNet, Chen et al., Net2Net, arXiv:1511.05641, section 2.2 and algorithm 1.
    """
    value = value[torch.arange(shape[0]) % len(value)]
    if len(shape) == 1 or shape[1] == value.shape[1]:
        return value
    source = torch.arange(shape[1]) % value.shape[1]  # of each input
    parts = torch.empty(shape[:2], dtype=torch.float64).exponential_(generator=generator)
    whole = torch.zeros(shape[0], value.shape[1], dtype=torch.float64).index_add_(1, source, parts)
    shares = (parts / whole[:, source]).to(value.dtype)
    return value[:, source] * shares.reshape(*shares.shape, *[1] * (len(shape) - 2))


def _fits_into(narrow: torch.Size, wide: torch.Size) -> bool:
    """Whether weights can be widened so: as many dimensions, no fewer channels and the same kernel."""
    return len(narrow) == len(wide) and all(a <= b for a, b in zip(narrow, wide, strict=True)) and narrow[2:] == wide[2:]
