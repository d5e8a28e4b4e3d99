"""Crops from frames whose people are known, cut as a detector would have found them."""

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.errors import ParamsError
from stages.params import Range
from stages.reid.crops import cut_out


@dataclass(frozen=True)
class CuttingParams:
    """Which boxes become crops, how far off a detector's boxes are, and what lens and compression take from the picture."""

    min_visibility: Annotated[float, Range(0, 1)]
    hidden_visibility: Annotated[float, Range(0, 1)]
    min_height_px: Annotated[float, Range(1, 10_000)]
    jitter: Annotated[float, Range(0, 1)]
    blur_px: Annotated[float, Range(0, 10)]
    jpeg_quality: tuple[int, ...]
    seed: Annotated[int, Range(0, 2**32 - 1)]

    def __post_init__(self) -> None:
        if len(self.jpeg_quality) != 2 or not 0 <= self.jpeg_quality[0] <= self.jpeg_quality[1] <= 100:
            raise ParamsError(f"jpeg_quality: expected lowest and highest in [0, 100], got {list(self.jpeg_quality)}")


def jittered(bboxes: NDArray[Any], jitter: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """The boxes (N, 4) with each edge moved by a normal deviate of `jitter` times the height."""
    heights = bboxes[:, 3] - bboxes[:, 1]
    return np.asarray(bboxes + jitter * heights[:, None] * rng.standard_normal(bboxes.shape))


def cut(picture: NDArray[Any], bbox: NDArray[Any]) -> NDArray[Any] | None:
    """The pixels (h, w, 3) of a box x1, y1, x2, y2, as `embed` cuts them out; None where less than half lies in the picture."""
    height, width = picture.shape[:2]
    window = np.rint(bbox).astype(np.int64)
    x1, y1, x2, y2 = np.clip(window, 0, [width, height, width, height]).tolist()
    area = (bbox[2] - bbox[0]) * (bbox[3] - bbox[1])
    if x2 <= x1 or y2 <= y1 or (x2 - x1) * (y2 - y1) < area / 2:
        return None
    return cut_out(picture, window)


def encoded(crop: NDArray[Any], params: CuttingParams, rng: np.random.Generator) -> bytes:
    """The crop as JPEG, blurred and compressed by chance between nothing and what `params` say."""
    sigma = float(rng.uniform(0, params.blur_px))
    if sigma > 0.2:  # px; less changes nothing
        crop = cv2.GaussianBlur(crop, (0, 0), sigma)
    low, high = params.jpeg_quality
    good, content = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(low, high + 1))])
    if not good:
        raise ValueError("OpenCV could not encode a crop as JPEG")
    return content.tobytes()
