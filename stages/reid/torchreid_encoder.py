"""torchreid's Re-ID networks, with weights from a file.

Crops are prepared as torchreid tests its networks: 256x128 unless the weights say what else they were trained at, bilinear with
antialiasing (on bytes torch's gives what PIL's does), RGB in [0, 1], normalised by the ImageNet statistics.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from stages.errors import DataError
from stages.reid.encoder import EmbedParams, Model
from stages.weights import where_to_get

HEIGHT_PX, WIDTH_PX = 256, 128  # where the weights do not say
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet, RGB
HEAD = "classifier."  # tells the training identities apart; features come from before it
MAX_SIDE_PX = 4096


@dataclass(frozen=True, eq=False)
class Weights:
    """A network's tensors by name, and the size of the crops that it was trained with."""

    state: dict[str, torch.Tensor]
    height_px: int
    width_px: int


class TorchreidEncoder:
    """An encoder with one of torchreid's architectures, `model`."""

    def __init__(self, weights: Path, params: EmbedParams, device: torch.device) -> None:
        self._device = device
        self._dtype = torch.float16 if params.half else torch.float32
        self._mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(STD, device=device).view(1, 3, 1, 1)
        read = read_weights(weights)
        self._size = (read.height_px, read.width_px)
        self.model = fitting_model(weights, read.state) if params.model == "auto" else params.model
        network = build_network(self.model)
        state = _fitting_state(weights, read.state, network, self.model)
        network.load_state_dict(state, strict=False)  # the head stays as it is
        network = network.eval().to(device=device, dtype=self._dtype)
        self._network = network.to(memory_format=torch.channels_last)  # a quarter faster on a CPU

    def __call__(self, crops: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """(K, D) float32 features of crops (h, w, 3) uint8 BGR."""
        with torch.inference_mode():
            images = torch.cat([resized(crop, *self._size) for crop in crops]).to(self._device).flip(1).float().div_(255)
            images = images.sub_(self._mean).div_(self._std).to(self._dtype, memory_format=torch.channels_last)
            features = self._network(images)
            return np.asarray(features.float().cpu().numpy())


def resized(crop: NDArray[Any], height_px: int, width_px: int) -> torch.Tensor:
    """(1, 3, height_px, width_px) uint8 of a crop (h, w, 3) uint8, its channels as they are."""
    image = torch.from_numpy(np.ascontiguousarray(crop)).permute(2, 0, 1)[None]
    return torch.nn.functional.interpolate(image, (height_px, width_px), mode="bilinear", antialias=True)


def build_network(model: str, num_classes: int = 1, loss: str = "softmax") -> torch.nn.Module:
    """The architecture with random weights: torchreid would download others. In training, `triplet` gives features, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchreid misses a compiled extension for its own evaluation
        from torchreid.reid.models import build_model
    network: torch.nn.Module = build_model(model, num_classes, loss, pretrained=False, use_gpu=False)
    return network


def fitting_model(path: Path, state: dict[str, torch.Tensor]) -> Model:
    """The architecture whose weights, but for the head, have these names and shapes. Raises DataError where none has."""
    models: tuple[Model, ...] = get_args(Model)
    for model in models:
        with torch.device("meta"):  # shapes alone
            network = build_network(model)
        if _shapes(state) == _shapes(network.state_dict()):
            return model
    raise DataError(f"{path}: expected the weights of {', '.join(models)}, got those of none (with one of them as embed.model "
                    "it is said what differs)")  # fmt: skip


def _shapes(state: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    """Of all tensors but the head's."""
    return {name: value.shape for name, value in state.items() if not name.startswith(HEAD)}


def _fitting_state(path: Path, state: dict[str, torch.Tensor], network: torch.nn.Module, model: str) -> dict[str, torch.Tensor]:
    """The file's weights without the head. Raises DataError unless all others, and no more, are there in the right shapes."""
    found = {name: value for name, value in state.items() if not name.startswith(HEAD)}
    wanted = {name: value for name, value in network.state_dict().items() if not name.startswith(HEAD)}
    place = f"{path}: expected the weights of {model}"
    for name, value in wanted.items():
        if name not in found:
            raise DataError(f"{place}, got none for {name} (set embed.model to the network that the file is of)")
        if not torch.isfinite(found[name].float()).all():
            raise DataError(f"{place}, got NaN or infinity in {name}: {where_to_get(path.parent)}")
        if found[name].shape != value.shape:
            raise DataError(f"{place}, got shape {tuple(found[name].shape)} for {name} instead of {tuple(value.shape)}")
    if unknown := [name for name in found if name not in wanted]:
        raise DataError(f"{place}, got {unknown[0]}, which it does not have")
    return found


def read_weights(path: Path) -> Weights:
    """What is in a state dict, or in a training checkpoint that holds one; "module." of parallel training is dropped.

    Raises DataError where the file is neither.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is said below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(
            f"{path}: expected a state dict of torch, got a damaged or foreign file ({type(error).__name__}): "
            f"{where_to_get(path.parent)}"
        ) from error
    wrapped = isinstance(content, dict) and "state_dict" in content
    state = content["state_dict"] if wrapped else content
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(f"{path}: expected a state dict of torch, got {type(content).__name__}: {where_to_get(path.parent)}")
    sides = [content.get("height_px", HEIGHT_PX), content.get("width_px", WIDTH_PX)] if wrapped else [HEIGHT_PX, WIDTH_PX]
    if not all(isinstance(side, int) and 1 <= side <= MAX_SIDE_PX for side in sides):
        raise DataError(f"{path}: expected height_px and width_px in [1, {MAX_SIDE_PX}], got {sides[0]} and {sides[1]}")
    return Weights({str(name).removeprefix("module."): value for name, value in state.items()}, *sides)
