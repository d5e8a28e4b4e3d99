"""Camera motion between two pictures: corners off people, followed there and back, and the similarity most of them agree on.

People move by themselves, so corners inside their boxes are not used. Whatever else moves is left to RANSAC, which takes the
largest group that agrees: where something moving fills most of the picture, its motion passes for the camera's.

The same pictures give the same bytes on any number of threads: OpenCV's RANSAC seeds its generator anew in every call (and
listens to no other seed, github.com/opencv/opencv/pull/24933), and corners are followed one by one.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.contracts.camera_motion import MAX_SCALE, MIN_SCALE
from stages.registration.params import RegisterParams

Grey = NDArray[np.uint8]  # (h, w)


def shrink(picture: NDArray[np.uint8], max_width_px: int) -> Grey:
    """The picture (H, W, 3) BGR in grey, scaled down to this width where it is wider."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    if width > max_width_px:
        size = (max_width_px, max(1, round(height * max_width_px / width)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, dtype=np.uint8)


def motion_between(
    before: Grey, after: Grey, people: NDArray[Any], size_px: tuple[int, int], params: RegisterParams
) -> NDArray[np.float64] | None:
    """The similarity (2, 3) that maps a pixel of the picture `before` to `after`; None where too few corners agree on one.

    The pictures are scaled down; `people` (N, 4), boxes in the picture before, and the answer are in the pixels of the whole
    picture of size `size_px` (width, height).
    """
    scale = np.array(size_px) / before.shape[::-1]
    start, end = follow(before, after, find_corners(before, people / np.tile(scale, 2), params), params.max_error_px)
    if len(start) < params.min_inliers:
        return None
    matrix, inliers = cv2.estimateAffinePartial2D(
        _whole(start, scale), _whole(end, scale), method=cv2.RANSAC, ransacReprojThreshold=params.max_error_px * scale.max()
    )
    if matrix is None or np.count_nonzero(inliers) < params.min_inliers:
        return None
    return np.asarray(matrix, dtype=np.float64) if MIN_SCALE <= np.hypot(matrix[0, 0], matrix[1, 0]) <= MAX_SCALE else None


def find_corners(picture: Grey, people: NDArray[Any], params: RegisterParams) -> NDArray[np.float32]:
    """(N, 2) places that can be told from their surroundings in both directions, outside the boxes `people` (M, 4).

    Shi and Tomasi, Good features to track (CVPR 1994).
    """
    height, width = picture.shape
    outside = np.full(picture.shape, 255, dtype=np.uint8)
    boxes = np.clip(people, 0, [width, height, width, height])
    for left, top, right, bottom in np.hstack([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])]).astype(int).tolist():
        outside[top:bottom, left:right] = 0
    corners = cv2.goodFeaturesToTrack(
        picture, params.max_corners, params.corner_quality, params.corner_distance_px, mask=outside
    )
    return np.zeros((0, 2), dtype=np.float32) if corners is None else np.asarray(corners, dtype=np.float32).reshape(-1, 2)


def follow(before: Grey, after: Grey, points: NDArray[np.float32], max_error_px: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """(K, 2) those of the points (N, 2) that are found again in the picture after, and (K, 2) where.

    Found again is a point that, followed there and back, ends within `max_error_px` of where it began: Kalal, Mikolajczyk and
    Matas, Forward-backward error (ICPR 2010). Followed by the pyramidal method of Lucas and Kanade, OpenCV's windows.
    """
    if not len(points):
        return points, points
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None)  # type: ignore[call-overload]
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(after, before, there, None)  # type: ignore[call-overload]
    kept = (found[:, 0] == 1) & (found_back[:, 0] == 1) & (np.linalg.norm(back - points, axis=1) <= max_error_px)
    return points[kept], there[kept]


def _whole(points: NDArray[Any], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (N, 2) of the scaled picture in the whole one, where boxes count from the picture's edge.

    OpenCV calls the middle of the first pixel 0.
    """
    return (points.astype(np.float64) + 0.5) * scale
