"""Crops made a little different each time they are shown: mirrored, shifted, cut off, covered from a side, partly erased.

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
COVERED_SHARE = (0.1, 0.75)  # of the height or width, from one side
SLOPE = 0.4  # of what hides people, across the crop


@dataclass(frozen=True)
class AugmentingParams:
    """Shares of crops that are changed in each way, and by how much they are shifted."""

    flip: Annotated[float, Range(0, 1)]
    shift: Annotated[float, Range(0, 0.5)]
    cut: Annotated[float, Range(0, 1)]
    cover: Annotated[float, Range(0, 1)]
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
    if rng.random() < params.cut:
        _cover(image, torch.zeros(3), 0.0, rng)
    if rng.random() < params.cover:
        _cover(image, torch.from_numpy((rng.random(3) - MEAN) / STD).float(), SLOPE, rng)
    if rng.random() < params.erase:
        _erase(image, rng)
    return image


def _cover(image: torch.Tensor, colour: torch.Tensor, slope: float, rng: np.random.Generator) -> None:
    """Fills one side with a colour (3,), up to an edge that is askew by at most `slope`."""
    height, width = image.shape[1:]
    rows, columns = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)[None, :]
    along, across = (rows, columns) if rng.integers(2) else (columns, rows)
    if rng.integers(2):
        along = 1 - along
    covered = along < rng.uniform(*COVERED_SHARE) + rng.uniform(-slope, slope) * (across - 0.5)
    image[:, covered] = colour[:, None]


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
