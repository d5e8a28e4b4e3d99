"""What a Re-ID network is trained to make small: softmax over the training identities plus the hard-mining triplet loss."""

from dataclasses import dataclass
from typing import Annotated

import torch

from stages.params import Range


@dataclass(frozen=True)
class LossParams:
    """Label smoothing as Szegedy et al. (CVPR 2016); margin and weight of the triplet loss; weight of attributes."""

    label_smoothing: Annotated[float, Range(0, 1)]
    triplet_weight: Annotated[float, Range(0, 100)]
    triplet_margin: Annotated[float, Range(0, 100)]
    attribute_weight: Annotated[float, Range(0, 100)]


def hard_triplet_loss(features: torch.Tensor, labels: torch.Tensor, margin: float) -> torch.Tensor:
    """Mean over the batch of max(0, margin + farthest positive - nearest negative), Euclidean, of features (B, D) at length 1.

    Hermans et al., In Defense of the Triplet Loss (arXiv:1703.07737), eq. 5. At length 1 because crops are compared by their
    angle, and because a network that begins from nothing otherwise makes all features shorter until none is left.
    """
    units = torch.nn.functional.normalize(features)
    distances = (2 - 2 * units @ units.T).clamp(min=1e-12).sqrt()
    same = labels[:, None] == labels[None]
    positives = distances.masked_fill(~same, 0).amax(dim=1)
    negatives = distances.masked_fill(same, float("inf")).amin(dim=1)
    return torch.relu(margin + positives - negatives).mean()
