"""Crops made a little different each time they are shown: mirrored, shifted, partly erased.

Everything by chance comes from the crop's own generator, so that neither workers nor interruptions change a batch.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray

from stages.params import Range
from stages.reid.torchreid_encoder import MEAN, STD, resized

ERASED_SHARE, ERASED_ASPECT = (0.02, 0.4), 0.3  # of area; height / width from this to its inverse: Zhong et al., AAAI 2020
TRIES = 100


@dataclass(frozen=True)
class AugmentingParams:
    """Shares of crops that are mirrored and partly erased, and by how much they are shifted."""

    flip: Annotated[float, Range(0, 1)]
    shift: Annotated[float, Range(0, 0.5)]
    erase: Annotated[float, Range(0, 1)]


def shown(crop: NDArray[Any], size: tuple[int, int], params: AugmentingParams, rng: np.random.Generator) -> torch.Tensor:
    """(3, H, W) float32 of a crop (h, w, 3) uint8 BGR: resized to `size` (H, W), augmented, RGB, normalised."""
    height, width = size
    image = resized(crop, height, width)[0].flip(0).float().div_(255)
    image = image.sub_(torch.tensor(MEAN).view(3, 1, 1)).div_(torch.tensor(STD).view(3, 1, 1))
    if rng.random() < params.flip:
        image = image.flip(2)
    down, right = (round(rng.uniform(-params.shift, params.shift) * side) for side in size)
    image = _shifted(image, down, right)
    if rng.random() < params.erase:
        _erase(image, rng)
    return image


def _shifted(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """The image moved by whole pixels; what comes in is the mean colour, 0."""
    moved = torch.zeros_like(image)
    height, width = image.shape[1:]
    moved[:, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = image[
        :, max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
    ]
    return moved


def _erase(image: torch.Tensor, rng: np.random.Generator) -> None:
    """Fills a rectangle by chance with the mean colour."""
    height, width = image.shape[1:]
    for _ in range(TRIES):
        area = rng.uniform(*ERASED_SHARE) * height * width
        aspect = rng.uniform(ERASED_ASPECT, 1 / ERASED_ASPECT)
        h, w = round(float(np.sqrt(area * aspect))), round(float(np.sqrt(area / aspect)))
        if 0 < h < height and 0 < w < width:
            top, left = int(rng.integers(height - h)), int(rng.integers(width - w))
            image[:, top : top + h, left : left + w] = 0
            return
