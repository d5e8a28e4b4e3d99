"""How the camera's motion is estimated. Apart from the estimation, so that a camera that stands still needs no OpenCV."""

from dataclasses import dataclass
from typing import Annotated

from stages.params import Range


@dataclass(frozen=True)
class RegisterParams:
    """Corners are found and followed in the scaled picture; its pixels are meant by `corner_distance_px`, `max_error_px`."""

    max_width_px: Annotated[int, Range(64, 7680)]
    max_corners: Annotated[int, Range(10, 10**5)]
    corner_quality: Annotated[float, Range(1e-6, 1)]
    corner_distance_px: Annotated[float, Range(1, 1000)]
    max_error_px: Annotated[float, Range(0.01, 100)]
    min_inliers: Annotated[int, Range(3, 10**5)]
