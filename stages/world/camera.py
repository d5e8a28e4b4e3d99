"""A pinhole camera above the ground plane. World axes: X east, Y north, Z up, in metres; the ground is Z = 0."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stages.world.scene import CameraParams

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """Looks from `position` (metres) at `target` on the ground, upright, square pixels, no distortion."""

    width_px: int
    height_px: int
    position: tuple[float, float, float]
    target: tuple[float, float]
    focal_px: float

    @cached_property
    def axes(self) -> Array:
        """(3, 3) rows: right, down and ahead of the picture in world axes."""
        ahead = np.array([*self.target, 0.0]) - np.array(self.position)
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(ahead, right), ahead])

    def project(self, points: Array) -> tuple[Array, Array]:
        """Pixels (..., 2) and depths along the optical axis (...) in metres of world points (..., 3).

        A point behind the camera has a depth below 0 and pixels that mean nothing.
        """
        right, down, ahead = np.moveaxis((points - np.array(self.position)) @ self.axes.T, -1, 0)
        safe = np.where(np.abs(ahead) < 1e-9, 1e-9, ahead)
        pixels = np.stack([right / safe, down / safe], axis=-1) * self.focal_px
        return pixels + np.array([self.width_px / 2, self.height_px / 2]), ahead

    def horizon_px(self) -> float:
        """The row of the picture, perhaps outside it, where the ground would end if it were endless."""
        ahead = self.axes[2]
        return self.height_px / 2 + self.focal_px * float(ahead[2] / np.hypot(ahead[0], ahead[1]))

    def image_to_ground(self) -> Array:
        """(3, 3) homography from pixels to metres on the ground: the inverse of K [R | -R c] without its column for Z."""
        intrinsics = np.array(
            [[self.focal_px, 0, self.width_px / 2], [0, self.focal_px, self.height_px / 2], [0, 0, 1]], dtype=np.float64
        )
        outer = np.column_stack([self.axes, -self.axes @ np.array(self.position)])
        return np.asarray(np.linalg.inv(intrinsics @ outer[:, [0, 1, 3]]))


def make_camera(params: CameraParams, width_px: int, height_px: int) -> Camera:
    """The camera whose picture has this size."""
    focal_px = width_px / 2 / np.tan(np.radians(params.field_of_view_deg) / 2)
    east, north, up = params.position_m
    return Camera(width_px, height_px, (east, north, up), (params.target_m[0], params.target_m[1]), float(focal_px))
