"""The learning rate over training: a linear warm-up, then a cosine to zero or steps."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from stages.params import Range


@dataclass(frozen=True)
class ScheduleParams:
    """In epochs; `step_epochs` and `step_factor` count for steps alone."""

    kind: Literal["cosine", "step"]
    epochs: Annotated[int, Range(1, 100_000)]
    warmup_epochs: Annotated[float, Range(0, 100_000)]
    step_epochs: tuple[int, ...]
    step_factor: Annotated[float, Range(0, 1)]


def rate(epoch: float, params: ScheduleParams) -> float:
    """The share of the full learning rate at this point of training; `epoch` counts from 0 and may be a fraction."""
    if epoch < params.warmup_epochs:
        return (epoch + 0.01) / (params.warmup_epochs + 0.01)
    if params.kind == "step":
        return params.step_factor ** sum(epoch >= step for step in params.step_epochs)
    left = (params.epochs - epoch) / max(params.epochs - params.warmup_epochs, 1e-9)
    return (1 - math.cos(math.pi * left)) / 2
