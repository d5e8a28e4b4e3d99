"""Networks before and after training: made of weights or of an architecture, and written as Ultralytics' `.pt` files."""

import copy
from pathlib import Path
from typing import Any

import torch

from stages.detecting.yolo import isolate_ultralytics
from stages.errors import DataError
from stages.yaml_file import read_yaml

isolate_ultralytics()

from ultralytics.nn import tasks  # noqa: E402 - it reads its environment when imported

untyped: Any = tasks  # it has no types
OF_TRAINING = {"args", "criterion"}  # attributes of a network that its training leaves: paths, settings, the loss


def make_network(start: Path, classes: tuple[str, ...], seed: int) -> Any:
    """A network for these classes: fine-tuned from a `.pt` file, or with random weights from an architecture's `.yaml`."""
    torch.manual_seed(seed)
    names = dict(enumerate(classes))
    if start.suffix == ".yaml":
        return _named(untyped.DetectionModel(read_yaml(start), nc=len(classes), verbose=False), names)
    try:
        trained, _ = untyped.load_checkpoint(start)
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(
            f"{start}: expected an Ultralytics network, got a damaged or foreign file ({type(error).__name__})"
        ) from error
    network = _named(untyped.DetectionModel(trained.yaml, nc=len(classes), verbose=False), names)
    network.load(trained, verbose=False)  # rows of the classes that it knows by name, too
    return network


def write_network(path: Path, network: Any, weights: dict[str, torch.Tensor]) -> None:
    """Writes the network with these weights in float16, without anything of its training: equal weights, equal bytes."""
    clean = copy.copy(network)
    clean.__dict__ = {name: value for name, value in vars(network).items() if name not in OF_TRAINING}
    clean = copy.deepcopy(clean).to("cpu", memory_format=torch.contiguous_format)
    clean.load_state_dict(weights)
    clean = clean.half().eval().requires_grad_(False)
    torch.save({"model": clean, "train_args": {}, "license": "AGPL-3.0"}, path)


def _named(network: Any, names: dict[int, str]) -> Any:
    network.names = names
    return network
