"""What a camera sees of a place without people: the picture, where shadows lie, and what hides somebody behind it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.world.camera import Camera
from stages.world.furniture import thing_pieces
from stages.world.houses import backdrop_pieces, block_pieces
from stages.world.light import Sun
from stages.world.looks import color
from stages.world.paving import JOINT, paving_pieces
from stages.world.place import Block, Place, Thing
from stages.world.raster import Canvas, fill, seen_solids
from stages.world.solids import Piece, Solids

Array = NDArray[np.float64]

FINE = 3  # canvas pixels per pixel
SKY = color("cfe3ea")
CORNERS_DARKER = 0.09  # as lenses have it


@dataclass(frozen=True, eq=False)
class Scenery:
    """What stands in a place, in pieces; the same for every camera."""

    ground: list[Piece]
    backdrop: list[Piece]
    standing: list[tuple[Block | Thing, list[Piece]]]


@dataclass(frozen=True, eq=False)
class Cover:
    """Something on the ground, a thing or a block, that hides who is behind it."""

    what: Block | Thing
    window: tuple[int, int, int, int]  # x1, y1, x2, y2 px that it is seen in
    coverage: Canvas  # (y2 - y1, x2 - x1) 0 to 255

    def hides(self, points: Array, eye: Array) -> NDArray[np.bool_]:
        """(n,) which of people standing at the points (n, 2) are behind it.

        Nobody stands in a thing, so that who is farther than its middle is behind it. Somebody is before a block where a line
        along one of its sides has both the person and the eye on its outer side.
        """
        what = self.what
        if isinstance(what, Thing):
            return np.asarray(np.hypot(*(points - eye[:2]).T) > np.hypot(what.x - eye[0], what.y - eye[1]))
        (x, y), (eye_x, eye_y) = points.T, eye[:2]
        before = ((x <= what.x1) & (eye_x <= what.x1)) | ((x >= what.x2) & (eye_x >= what.x2))
        before |= ((y <= what.y1) & (eye_y <= what.y1)) | ((y >= what.y2) & (eye_y >= what.y2))
        return np.asarray(~before)


@dataclass(frozen=True, eq=False)
class Setting:
    """The still part of a camera's pictures."""

    picture: Canvas  # (H, W, 3) BGR, no shadow on the ground
    shadow: Canvas  # (H, W) 255 in the full shadow of something
    ground: Canvas  # (H, W) 255 where the ground is seen
    covers: tuple[Cover, ...]


def make_scenery(place: Place, sun: Sun, seed: int) -> Scenery:
    """The place in pieces; the same for the same seed."""
    rng = np.random.default_rng([seed, 3])
    blocks = [(block, block_pieces(block, sun, rng)) for block in place.blocks]
    things = [(thing, thing_pieces(thing, sun, rng)) for thing in place.things]
    return Scenery(paving_pieces(place, rng), backdrop_pieces(place, sun, rng), [*blocks, *things])


def make_setting(scenery: Scenery, camera: Camera, sun: Sun) -> Setting:
    """The scenery as this camera sees it."""
    eye, size = np.array(camera.position), (camera.width_px, camera.height_px)
    canvas: Canvas = np.full((camera.height_px * FINE, camera.width_px * FINE, 3), JOINT, dtype=np.uint8)
    canvas[: max(0, round(camera.horizon_px() * FINE))] = SKY
    raised: Canvas = np.zeros(canvas.shape[:2], dtype=np.uint8)
    fill(canvas, seen_solids(scenery.ground, eye, sun.direction), camera, FINE)
    standing = [solids for _, solids in _far_first(scenery, camera, sun)]
    for solids in [seen_solids(scenery.backdrop, eye, sun.direction), *standing]:
        fill(canvas, solids, camera, FINE)
        fill(raised, solids, camera, FINE, value=(255,))
    picture = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    ground = cv2.resize(255 - raised, size, interpolation=cv2.INTER_AREA)
    shadow: Canvas = np.zeros((camera.height_px, camera.width_px), dtype=np.uint8)
    for _, pieces in scenery.standing:
        bodies = [Piece(piece.points, piece.color) for piece in pieces]  # the sun sees their other sides as well
        cast_shadow(shadow, seen_solids(bodies, eye, sun.direction), camera, sun)
    return Setting(
        _falling_off(np.asarray(picture, dtype=np.uint8)),
        soft(shadow, sun, camera.height_px),
        np.asarray(ground, dtype=np.uint8),
        make_covers(scenery, camera, sun),
    )


def make_covers(scenery: Scenery, camera: Camera, sun: Sun) -> tuple[Cover, ...]:
    """What hides people from this camera; nothing that is out of its picture."""
    covers = []
    for what, solids in _far_first(scenery, camera, sun):
        mask: Canvas = np.zeros((camera.height_px * FINE, camera.width_px * FINE), dtype=np.uint8)
        fill(mask, solids, camera, FINE, value=(255,))
        small = cv2.resize(mask, (camera.width_px, camera.height_px), interpolation=cv2.INTER_AREA)
        x, y, width, height = cv2.boundingRect(small)
        if width:
            coverage = np.array(small[y : y + height, x : x + width], dtype=np.uint8)
            covers.append(Cover(what, (x, y, x + width, y + height), coverage))
    return tuple(covers)


def cast_shadow(canvas: Canvas, solids: Solids, camera: Camera, sun: Sun, scale: float = 1.0) -> None:
    """Fills what the solids keep the sun from, on the ground."""
    everything = np.ones(len(solids.points), dtype=bool)
    fill(canvas, Solids(sun.on_ground(solids.points), everything, solids.casting, []), camera, scale, value=(255,))


def soft(shadow: Canvas, sun: Sun, height_px: int, scale: float = 1.0) -> Canvas:
    """A shadow with a soft edge."""
    return np.asarray(cv2.GaussianBlur(shadow, (0, 0), sun.softness_px * height_px / 720 * scale), dtype=np.uint8)


def _far_first(scenery: Scenery, camera: Camera, sun: Sun) -> list[tuple[Block | Thing, Solids]]:
    """What stands in the place as the camera sees it; the camera looks over blocks that turn their back to it."""
    eye = np.array(camera.position)
    shown = [(what, pieces) for what, pieces in scenery.standing if isinstance(what, Thing) or what.faces(eye)]
    shown.sort(key=lambda item: -item[0].distance(eye))
    return [(what, seen_solids(pieces, eye, sun.direction)) for what, pieces in shown]


def _falling_off(picture: Canvas) -> Canvas:
    """The picture a little darker towards its corners."""
    height, width = picture.shape[:2]
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    share = 1 - CORNERS_DARKER * ((x**2 + y**2) / 2) ** 1.5
    return np.asarray(cv2.multiply(picture, cv2.merge([share] * 3), dtype=cv2.CV_8U), dtype=np.uint8)
