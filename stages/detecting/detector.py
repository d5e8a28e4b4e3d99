"""What a detector is: frames in, boxes out. A second one is a class with the same call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stages.errors import ParamsError
from stages.params import Range, check_weights_name


@dataclass(frozen=True)
class DetectParams:
    """Which network, on what image size, and which of its boxes are kept."""

    weights: str
    class_ids: tuple[Annotated[int, Range(0, 32_767)], ...]
    image_size_px: Annotated[int, Range(32, 4096)]
    batch_size: Annotated[int, Range(1, 512)]
    half: bool
    compile: bool
    min_confidence: Annotated[float, Range(0, 1)]
    nms_iou: Annotated[float, Range(0, 1)]
    max_detections: Annotated[int, Range(1, 10_000)]
    threads: Annotated[int, Range(1, 256)]

    def __post_init__(self) -> None:
        check_weights_name(self.weights)
        if self.image_size_px % 32:
            raise ParamsError(f"image_size_px: expected a multiple of 32, got {self.image_size_px}")
        if not self.class_ids:
            raise ParamsError("class_ids: expected at least one class, got none")


class FrameDetections(NamedTuple):
    """N boxes of one frame by descending confidence."""

    bboxes: NDArray[np.float32]  # (N, 4) x1, y1, x2, y2 px of the frame, within it
    confidences: NDArray[np.float32]  # (N,) in [0, 1]
    class_ids: NDArray[np.int16]  # (N,)


class Detector(Protocol):
    """Detections of each frame of a batch; all frames have one size."""

    def __call__(self, frames: Sequence[NDArray[Any]]) -> list[FrameDetections]: ...
