"""What a camera sees of a place without people: the picture, where shadows lie, and what hides somebody behind it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.world.camera import Camera
from stages.world.furniture import thing_pieces
from stages.world.houses import backdrop_pieces, block_pieces
from stages.world.light import Sun
from stages.world.looks import Color, blend, color, palette
from stages.world.place import BLOCK_DEPTH_M, STREET_M, Block, Place, Thing
from stages.world.raster import Canvas, fill, seen_solids
from stages.world.solids import Piece, Solids

Array = NDArray[np.float64]

FINE = 3  # canvas pixels per pixel
SLAB_M = 1.0
JOINT_M = 0.03
BAND_EVERY = 5  # slabs
SLABS = palette("d8cdbb d3c7b4 dcd2c2 cfc4b3")
BAND, JOINT, STREET, SKY = color("b9a994"), color("b5a997"), color("aaa69d"), color("cfe3ea")


@dataclass(frozen=True, eq=False)
class Cover:
    """Something on the ground, a thing or a block, that hides who is behind it."""

    what: Thing | Block
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
    shadow: Canvas  # (H, W) 255 in the full shadow of a thing
    ground: Canvas  # (H, W) 255 where the ground is seen
    covers: tuple[Cover, ...]


def make_setting(place: Place, camera: Camera, sun: Sun, seed: int) -> Setting:
    """The place as this camera sees it; the same place for every camera of a scene."""
    rng = np.random.default_rng([seed, 3])
    eye = np.array(camera.position)
    houses = [block_pieces(block, sun, rng) for block in place.blocks]
    shown = [pieces if block.faces(eye) else [] for block, pieces in zip(place.blocks, houses, strict=True)]
    things = [thing_pieces(thing, sun, rng) for thing in place.things]
    canvas: Canvas = np.full((camera.height_px * FINE, camera.width_px * FINE, 3), SKY, dtype=np.uint8)
    paving = _paving(place, rng)
    far = backdrop_pieces(place, sun, rng)
    for pieces in (paving, far):
        fill(canvas, seen_solids(pieces, eye, sun.direction), camera, FINE)
    masks: Canvas = np.zeros(canvas.shape[:2], dtype=np.uint8)
    fill(masks, seen_solids(far, eye, sun.direction), camera, FINE, value=(255,))
    covers = []
    for what, pieces in sorted(zip([*place.blocks, *place.things], [*shown, *things], strict=True), key=lambda item: -_distance(item[0], eye)):
        solids = seen_solids(pieces, eye, sun.direction)
        fill(canvas, solids, camera, FINE)
        fill(masks, solids, camera, FINE, value=(255,))
        covers += _cover(what, solids, camera)
    shadow: Canvas = np.zeros((camera.height_px, camera.width_px), dtype=np.uint8)
    for pieces in [*houses, *things]:
        cast_shadow(shadow, seen_solids(_solid(pieces), eye, sun.direction), camera, sun)
    size = (camera.width_px, camera.height_px)
    ground = 255 - cv2.resize(masks, size, interpolation=cv2.INTER_AREA)
    picture = _falloff(np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
    return Setting(picture, soft(shadow, sun, camera.height_px), np.asarray(ground, dtype=np.uint8), tuple(covers))


def cast_shadow(canvas: Canvas, solids: Solids, camera: Camera, sun: Sun, scale: float = 1.0) -> None:
    """Fills what the solids keep the sun from, on the ground."""
    everywhere = np.ones(len(solids.points), dtype=bool)
    fill(canvas, Solids(sun.on_ground(solids.points), everywhere, solids.casting, []), camera, scale, value=(255,))


def soft(shadow: Canvas, sun: Sun, height_px: int, scale: float = 1.0) -> Canvas:
    """A shadow with a soft edge."""
    return np.asarray(cv2.GaussianBlur(shadow, (0, 0), sun.softness_px * height_px / 720 * scale), dtype=np.uint8)


def _solid(pieces: list[Piece]) -> list[Piece]:
    """The pieces as things that cast shadows from every side."""
    return [Piece(piece.points, piece.color) for piece in pieces]


def _distance(what: Thing | Block, eye: Array) -> float:
    """Metres on the ground from the camera to the middle of a thing or to the nearest point of a block."""
    if isinstance(what, Thing):
        return float(np.hypot(what.x - eye[0], what.y - eye[1]))
    return float(np.hypot(np.clip(eye[0], what.x1, what.x2) - eye[0], np.clip(eye[1], what.y1, what.y2) - eye[1]))


def _cover(what: Thing | Block, solids: Solids, camera: Camera) -> list[Cover]:
    """What the solids cover of the picture; nothing where they are out of it."""
    mask: Canvas = np.zeros((camera.height_px * FINE, camera.width_px * FINE), dtype=np.uint8)
    fill(mask, solids, camera, FINE, value=(255,))
    small = np.asarray(cv2.resize(mask, (camera.width_px, camera.height_px), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    x, y, width, height = cv2.boundingRect(small)
    if not width:
        return []
    return [Cover(what, (x, y, x + width, y + height), small[y : y + height, x : x + width].copy())]


def _paving(place: Place, rng: np.random.Generator) -> list[Piece]:
    """Slabs of the square with darker bands, and the streets around it."""
    half = np.array([place.width_m, place.depth_m]) / 2
    reach = half + BLOCK_DEPTH_M + STREET_M
    pieces = _tiles(-reach, reach, 2.0, lambda i, j: blend(STREET, (255, 255, 255), 0.05 * rng.random()))
    pieces.append(_tile(-half, half, JOINT))

    def tone(i: int, j: int) -> Color:
        band = i % BAND_EVERY == 0 or j % BAND_EVERY == 0
        slab = BAND if band else SLABS[int(rng.integers(len(SLABS)))]
        return blend(slab, (90, 90, 100), 0.07 * float(rng.random()))

    return pieces + _tiles(-half, half, SLAB_M, tone)


def _tiles(low: Array, high: Array, size: float, tone) -> list[Piece]:  # type: ignore[no-untyped-def]
    counts = np.round((high - low) / size).astype(int)
    steps = (high - low) / counts
    return [
        _tile(low + steps * (i, j) + JOINT_M / 2, low + steps * (i + 1, j + 1) - JOINT_M / 2, tone(i, j))
        for i in range(counts[0])
        for j in range(counts[1])
    ]


def _tile(low: Array, high: Array, tone: Color) -> Piece:
    (x1, y1), (x2, y2) = low.tolist(), high.tolist()
    return Piece(np.array([[x1, y1, 0], [x2, y1, 0], [x2, y2, 0], [x1, y2, 0]]), tone)


def _falloff(picture: Canvas) -> Canvas:
    """The picture a little darker towards its corners, as lenses have it."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(np.rint(picture * (1 - 0.09 * (x**2 + y**2) ** 1.5 / 2)[..., None]), dtype=np.uint8)
