"""Image files: one picture, and a folder of numbered ones."""

import io
import re
import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.errors import DataError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


def list_images(folder: Path) -> list[Path]:
    """The images of a folder by the number in their name; empty where there is none.

    Raises DataError naming a number that is missing or there twice, or a name without number.
    """
    numbered: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        digits = re.findall(r"[0-9]+", path.stem)
        if not digits:
            raise DataError(f"{path}: expected a frame number in the name, found none")
        number = int(digits[-1])
        if number in numbered:
            raise DataError(f"{folder}: expected one image of number {number}, got {numbered[number].name} and {path.name}")
        numbered[number] = path
    order = sorted(numbered)
    for before, after in zip(order, order[1:], strict=False):
        if after != before + 1:
            raise DataError(
                f"{folder}: expected image number {before + 1} after {numbered[before].name}, got {numbered[after].name}"
            )
    return [numbered[number] for number in order]


def read_image(path: Path) -> NDArray[np.uint8]:
    """The picture (H, W, 3) BGR of an image file.

    Raises DataError where it is unreadable or truncated, or its header declares more pixels than fit into half a gigabyte.
    """
    data = path.read_bytes()
    _check_declared_size(data, path)
    try:  # from memory: imread fills up a truncated JPEG with grey and says nothing
        picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:  # a header that declares more than 2^30 pixels
        picture = None
    if picture is None:
        raise DataError(
            f"{path}: expected a whole image, got {f'a damaged one of {len(data)} bytes' if data else 'an empty file'}"
        )
    return np.asarray(picture, dtype=np.uint8)


def _check_declared_size(data: bytes, path: Path) -> None:
    """Raises DataError where an image's header declares over 179 million pixels, Pillow's bound: a megabyte can unpack to that.

    OpenCV takes memory for 1,074 million, and decodes before it can be asked for the size.
    """
    from PIL import Image  # loaded for folders of images alone

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # half of the bound
            Image.open(io.BytesIO(data)).close()
    except Image.DecompressionBombError as error:
        raise DataError(f"{path}: expected at most {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, got: {error}") from error
    except (OSError, SyntaxError, ValueError, ImportError):  # ImportError: Ultralytics adds formats to Pillow
        return  # damaged or unknown to Pillow: OpenCV decides
