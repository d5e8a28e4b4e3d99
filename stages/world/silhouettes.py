"""Who would be seen in a picture that nobody draws: boxes from the joints of walking bodies, visibility from points on them.

A body's outline is three capsules (legs, trunk, head). A point of it is hidden outside the picture, behind a thing, and inside
the outline of somebody nearer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.world.body import CHAINS, JOINTS, make_joints
from stages.world.camera import Camera
from stages.world.seen import Seen
from stages.world.setting import Cover
from stages.world.walking import Moment

Array = NDArray[np.float64]

HEAD_Z, HEAD_RADIUS = 0.93, 0.078
JOINT_RADII = np.array([CHAINS.get(name, 0.021) for name in JOINTS])
# Lower end, upper end, radius of the outline's capsules, in shares of the height: legs, trunk, head.
CAPSULES = np.array([[0.075, 0.45, 0.075], [0.52, 0.76, 0.105], [0.92, 0.935, 0.07]])
GRID = (np.linspace(-0.7, 0.7, 3), np.linspace(0.0, 1.0, 4))  # points across and along a capsule
NEAR_M = 0.5


@dataclass(frozen=True, eq=False)
class Outlines:
    """Capsules of n people in the picture."""

    starts: Array  # (n, 3, 2) px
    ends: Array  # (n, 3, 2) px
    radii: Array  # (n, 3) px

    def points(self) -> Array:
        """(n, 36, 2) px spread over each outline."""
        across, along = (grid.ravel() for grid in np.meshgrid(*GRID))
        axes = self.ends - self.starts
        units = axes / np.maximum(np.linalg.norm(axes, axis=2, keepdims=True), 1e-9)
        sideways = np.stack([-units[..., 1], units[..., 0]], axis=-1) * self.radii[..., None]
        points = self.starts[:, :, None] + along[:, None] * axes[:, :, None] + across[:, None] * sideways[:, :, None]
        return np.asarray(points.reshape(len(self.starts), len(CAPSULES) * len(across), 2))

    def contain(self, who: NDArray[np.int64], points: Array) -> NDArray[np.bool_]:
        """(m, P) which points (m, P, 2) lie in the outline of person who[m]."""
        starts, axes = self.starts[who][:, None], (self.ends - self.starts)[who][:, None]  # (m, 1, 3, 2)
        offsets = points[:, :, None] - starts
        shares = np.clip((offsets * axes).sum(axis=3) / np.maximum((axes**2).sum(axis=3), 1e-9), 0, 1)
        distances = np.linalg.norm(offsets - shares[..., None] * axes, axis=3)
        return np.asarray((distances < self.radii[who][:, None]).any(axis=2))


def see(moment: Moment, heights_m: Array, camera: Camera, covers: tuple[Cover, ...]) -> Seen:
    """Who is seen at a moment; heights (N,) of all identities from 1."""
    heights = heights_m[moment.identity_ids - 1]
    bboxes, depths = _boxes(moment, heights, camera)
    size = np.array([camera.width_px, camera.height_px])
    reaching = (bboxes[:, 2:] > 0).all(axis=1) & (bboxes[:, :2] < size).all(axis=1) & (depths > NEAR_M)
    who = np.flatnonzero(reaching)
    points_m, distances = moment.points[who], np.hypot(*(moment.points[who] - camera.position[:2]).T)
    outlines = _outlines(points_m, heights[who], camera)
    hidden = _hidden(outlines, bboxes[who], distances, size)
    for cover in covers:
        behind = cover.hides(points_m, np.array(camera.position))
        hidden[behind] |= _covered(outlines.points()[behind], cover)
    return Seen(moment.identity_ids[who], bboxes[who], 1 - hidden.mean(axis=1))


def _boxes(moment: Moment, heights: Array, camera: Camera) -> tuple[Array, Array]:
    """Boxes (n, 4) px around joints and head, and the depth (n,) of each person's nearest part."""
    joints = make_joints(heights, moment.speeds, moment.phases).reshape(len(heights), 2 * len(JOINTS), 3)
    head = np.stack([np.zeros_like(heights), np.zeros_like(heights), HEAD_Z * heights], axis=1)
    points = np.concatenate([joints, head[:, None]], axis=1)
    radii = np.concatenate([np.tile(JOINT_RADII, 2), [HEAD_RADIUS]]) * heights[:, None]
    cos, sin = np.cos(moment.headings)[:, None], np.sin(moment.headings)[:, None]
    x, y, z = np.moveaxis(points, -1, 0)
    world = np.stack([cos * x - sin * y + moment.points[:, :1], sin * x + cos * y + moment.points[:, 1:], z], axis=-1)
    pixels, depths = camera.project(world)
    around = (radii * camera.focal_px / np.maximum(depths, NEAR_M))[..., None]
    return np.concatenate([(pixels - around).min(axis=1), (pixels + around).max(axis=1)], axis=1), depths.min(axis=1)


def _outlines(points_m: Array, heights: Array, camera: Camera) -> Outlines:
    ends = []
    for column in (0, 1):
        z = heights[:, None] * CAPSULES[:, column]
        ground = np.broadcast_to(points_m[:, None], (*z.shape, 2))
        ends.append(camera.project(np.concatenate([ground, z[..., None]], axis=2)))
    (starts, depths), (stops, _) = ends
    radii = heights[:, None] * CAPSULES[:, 2] * camera.focal_px / np.maximum(depths, NEAR_M)
    return Outlines(starts, stops, radii)


def _hidden(outlines: Outlines, bboxes: Array, distances: Array, size: Array) -> NDArray[np.bool_]:
    """(n, 36) points of each outline outside the picture or behind somebody nearer."""
    points = outlines.points()
    hidden = np.asarray(((points < 0) | (points >= size)).any(axis=2))
    apart = (bboxes[:, None, :2] >= bboxes[None, :, 2:]).any(axis=2)
    rows, nearer = np.nonzero(~apart & ~apart.T & (distances[None, :] < distances[:, None]))
    np.logical_or.at(hidden, rows, outlines.contain(nearer, points[rows]))
    return hidden


def _covered(points: Array, cover: Cover) -> NDArray[np.bool_]:
    """(m, P) points (m, P, 2) px where a thing is seen."""
    x1, y1, x2, y2 = cover.window
    columns, rows = np.floor(points[..., 0]).astype(int), np.floor(points[..., 1]).astype(int)
    inside = (columns >= x1) & (columns < x2) & (rows >= y1) & (rows < y2)
    covered = np.zeros(inside.shape, dtype=bool)
    covered[inside] = cover.coverage[rows[inside] - y1, columns[inside] - x1] >= 128
    return covered
