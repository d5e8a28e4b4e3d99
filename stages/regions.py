"""Where people count: a region of interest and ignored regions, polygons in pixels.

A person stands where the middle of the box's lower edge is. Tracks and ground truth are filtered alike, so a region changes
what is asked, not how well it is answered. Detection does not know regions: drawing another one reruns no network.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.boxes import foot_points
from stages.errors import ParamsError

Polygon = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class RegionParams:
    """One polygon to keep (empty: everywhere) and any number to leave out."""

    interest: tuple[tuple[float, ...], ...]
    ignored: tuple[tuple[tuple[float, ...], ...], ...]

    def __post_init__(self) -> None:
        for name, polygon in [("interest", self.interest)] * bool(self.interest) + [("ignored", p) for p in self.ignored]:
            if len(polygon) < 3 or any(len(point) != 2 for point in polygon):
                raise ParamsError(f"{name}: expected at least three points [x, y] per polygon, got {polygon}")
            if np.ptp(polygon, axis=0).min() <= 1:  # a line, or shares of the picture
                raise ParamsError(f"{name}: expected points in pixels, more than one apart in x and in y, got {polygon}")


EVERYWHERE = RegionParams((), ())


def counted(bboxes: NDArray[Any], regions: RegionParams) -> NDArray[np.bool_]:
    """(N,) whether the person of each box (N, 4) stands in the region of interest and in no ignored region."""
    feet = foot_points(bboxes)
    keep = _inside(feet, regions.interest) if regions.interest else np.ones(len(feet), dtype=bool)
    for polygon in regions.ignored:
        keep &= ~_inside(feet, polygon)
    return keep


def _inside(points: NDArray[np.float64], polygon: Polygon) -> NDArray[np.bool_]:
    """(N,) whether points (N, 2) lie in the polygon: a ray to the right crosses its border an odd number of times."""
    x, y = points[:, 0, None], points[:, 1, None]
    start = np.asarray(polygon, dtype=np.float64)
    end = np.roll(start, -1, axis=0)
    spans = (start[:, 1] > y) != (end[:, 1] > y)
    height = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
    crossing = start[:, 0] + (y - start[:, 1]) / height * (end[:, 0] - start[:, 0])
    return np.asarray((spans & (x < crossing)).sum(axis=1) % 2 == 1)
