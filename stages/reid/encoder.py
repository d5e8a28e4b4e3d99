"""What an encoder is: crops in, features out. A second one is a class with the same call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from stages.params import Range, check_weights_name

Model = Literal["resnet50", "osnet_x0_25", "osnet_x0_5", "osnet_x1_0", "osnet_ain_x1_0"]
FEATURE_DIMS: dict[Model, int] = {
    "resnet50": 2048, "osnet_x0_25": 512, "osnet_x0_5": 512, "osnet_x1_0": 512, "osnet_ain_x1_0": 512
}  # fmt: skip


@dataclass(frozen=True)
class EmbedParams:
    """Which network, and which detections get an embedding."""

    model: Literal["auto", Model]  # auto: whichever the weights fit
    weights: str
    stride: Annotated[int, Range(1, 1000)]
    min_height_px: Annotated[float, Range(0, 10_000)]
    min_confidence: Annotated[float, Range(0, 1)]
    max_overlap: Annotated[float, Range(0, 1)]
    batch_size: Annotated[int, Range(1, 4096)]
    half: bool
    threads: Annotated[int, Range(1, 256)]

    def __post_init__(self) -> None:
        check_weights_name(self.weights)


class Encoder(Protocol):
    """(K, D) float32 features, of any length, of K crops (h, w, 3) uint8 BGR of any sizes."""

    def __call__(self, crops: Sequence[NDArray[Any]]) -> NDArray[np.float32]: ...
