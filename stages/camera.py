"""Where people stand on the ground: the homography in camera.json from image pixels to metres on the ground plane."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import read_json
from stages.errors import DataError

Homography = NDArray[np.float64]  # (3, 3), row-major in the file
HORIZON = 1e-12  # relative distance from the horizon below which a point counts as on it


def read_camera(path: Path) -> Homography | None:
    """The homography in `{"image_to_ground": [[...], [...], [...]]}`, None where it is null: the camera is not calibrated.

    Raises DataError when the file is missing or holds anything else, or a matrix that cannot be inverted.
    """
    values = read_json(path)
    if not isinstance(values, dict) or set(values) != {"image_to_ground"}:
        raise DataError(f'{path}: expected {{"image_to_ground": null or a 3x3 matrix}}, got {values!r}')
    if values["image_to_ground"] is None:
        return None
    rows = values["image_to_ground"]
    numbers = isinstance(rows, list) and all(isinstance(row, list) and all(map(_is_number, row)) for row in rows)
    try:
        homography = np.asarray(rows if numbers else [], dtype=np.float64)
    except (OverflowError, ValueError):
        homography = np.zeros(0)
    if homography.shape != (3, 3) or not np.isfinite(homography).all() or np.linalg.matrix_rank(homography) < 3:
        raise DataError(
            f"{path}: image_to_ground: expected three rows of three finite numbers that can be inverted, "
            f"got {values['image_to_ground']!r}"
        )
    return homography


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def to_ground(points: NDArray[np.float64], image_to_ground: Homography, seen: tuple[float, float]) -> NDArray[np.float64]:
    """(N, 2) metres on the ground of image points (N, 2) px; NaN for points on the horizon or above it.

    `seen` is a pixel known to show the ground, such as the middle of the image's lower edge: a homography's sign is arbitrary,
    so only such a point tells which side of the horizon the ground is on. Raises DataError where it lies on the horizon.
    """
    x, y, w = image_to_ground @ np.concatenate([points, np.ones((len(points), 1))], axis=1).T
    w_seen = float(image_to_ground[2] @ np.array([*seen, 1.0]))
    if w_seen == 0:
        raise DataError(f"image_to_ground: expected the ground at pixel {seen}, got the horizon")
    safe = np.where(w / w_seen > HORIZON, w, np.nan)
    return np.stack([x / safe, y / safe], axis=1)
