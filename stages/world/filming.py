"""Pictures of a walk, and what is exactly true of each: whose pixels are where, how much of each person is seen."""

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.world.body import make_joints
from stages.world.camera import Camera
from stages.world.light import Sun
from stages.world.posing import Person, Pose
from stages.world.raster import Canvas
from stages.world.seen import Seen
from stages.world.setting import Setting, cast_shadow, soft
from stages.world.solids import Solids
from stages.world.sprites import Sprite, draw_sprite
from stages.world.walking import Moment

Array = NDArray[np.float64]

SHADOW_SCALE = 0.5  # of the picture: shadows are soft
SHADOW_TINT = (0.84, 0.95, 1.0)  # how much of a shadow blue, green and red take: the sky lights it
SHADED_PERSON = 0.75  # how much of the ground's shadow falls on who stands in it
SILHOUETTE = 128  # coverage from which a pixel belongs to somebody
NOISE_FIELDS, NOISE_MARGIN_PX = 6, 64


class Film:
    """A camera that films people in a setting; `tint` (3,) is what light and camera make of white, blue to red."""

    def __init__(
        self, camera: Camera, setting: Setting, sun: Sun, people: list[Person], tint: Array, noise: float, seed: int
    ) -> None:
        self.camera, self.setting, self.sun, self.people = camera, setting, sun, people
        self.eye = np.array(camera.position)
        self.shades = [_ramp(1 - sun.shadow * share) for share in SHADOW_TINT]
        self.tint = tint.astype(np.float32)
        self.still = np.clip(np.rint(setting.picture * self.tint), 0, 255).astype(np.uint8)
        self.noise = _noise(camera, noise, np.random.default_rng([seed, 4]))

    def take(self, moment: Moment, frame_number: int) -> tuple[Canvas, Seen]:
        """The picture (H, W, 3) BGR of a moment, and who is in it, in the order of identities."""
        heights = np.array([self.people[name - 1].height_m for name in moment.identity_ids])
        joints = make_joints(heights, moment.speeds, moment.phases)
        people = [
            (int(name), point, Pose(self.people[name - 1], point, heading, bones, self.eye, self.sun.direction).solids())
            for name, point, heading, bones in zip(moment.identity_ids, moment.points, moment.headings, joints, strict=True)
        ]
        picture = self._ground([solids for _, _, solids in people])
        people.sort(key=lambda person: -float(np.hypot(*(person[1] - self.eye[:2]))))
        owners: NDArray[np.int32] = np.zeros(picture.shape[:2], dtype=np.int32)
        sprites: dict[int, Sprite] = {}
        for name, point, solids in people:
            sprite = draw_sprite(solids, self.camera, self._sun_side(point))
            if sprite is not None:
                self._paint(picture, owners, name, sprite, point, self._brightness(point))
                sprites[name] = sprite
        return self._noisy(picture, frame_number), _seen(sprites, owners)

    def _ground(self, people: list[Solids]) -> Canvas:
        """The setting with everybody's shadow on the ground."""
        height, width = self.camera.height_px, self.camera.width_px
        moving: Canvas = np.zeros((round(height * SHADOW_SCALE), round(width * SHADOW_SCALE)), dtype=np.uint8)
        for solids in people:
            cast_shadow(moving, solids, self.camera, self.sun, SHADOW_SCALE)
        moving = soft(moving, self.sun, height, SHADOW_SCALE)
        deepest = cv2.max(self.setting.shadow, np.asarray(cv2.resize(moving, (width, height)), dtype=np.uint8))
        on_ground = cv2.min(deepest, self.setting.ground)
        shade = cv2.merge([cv2.LUT(on_ground, ramp) for ramp in self.shades])
        return np.asarray(cv2.multiply(self.still, shade, scale=1 / 255), dtype=np.uint8)

    def _sun_side(self, point: Array) -> float:
        """Sine of the sun's bearing as somebody at the point sees the camera; 1: the sun is on the picture's right."""
        ahead = (point - self.eye[:2]) / np.hypot(*(point - self.eye[:2]))
        return float(self.sun.direction[0] * ahead[1] - self.sun.direction[1] * ahead[0])

    def _brightness(self, point: Array) -> float:
        """Of somebody who stands there, in the sun or in the shadow of something."""
        (x, y), _ = self.camera.project(np.array([*point, 0.0]))
        if not (0 <= x < self.camera.width_px and 0 <= y < self.camera.height_px):
            return 1.0
        return 1 - SHADED_PERSON * self.sun.shadow * float(self.setting.shadow[int(y), int(x)]) / 255

    def _paint(
        self, picture: Canvas, owners: NDArray[np.int32], name: int, sprite: Sprite, point: Array, brightness: float
    ) -> None:
        """Paints a person over those behind, where no thing hides them, and notes whose pixels they are."""
        height, width = sprite.coverage.shape
        x1, y1 = max(sprite.left, 0), max(sprite.top, 0)
        x2, y2 = min(sprite.left + width, self.camera.width_px), min(sprite.top + height, self.camera.height_px)
        if x1 >= x2 or y1 >= y2:
            return
        part = np.s_[y1 - sprite.top : y2 - sprite.top, x1 - sprite.left : x2 - sprite.left]
        free = self._free(point, x1, y1, x2, y2)
        coverage = sprite.coverage[part] * free
        colors = sprite.colors[part] * free[..., None] * (np.float32(brightness) * self.tint)
        window = picture[y1:y2, x1:x2]
        window[:] = np.minimum(np.rint(colors + window * (1 - coverage / np.float32(255))[..., None]), 255)
        owners[y1:y2, x1:x2][(sprite.coverage[part] >= SILHOUETTE) & (free >= 0.5)] = name

    def _free(self, point: Array, x1: int, y1: int, x2: int, y2: int) -> NDArray[np.float32]:
        """(y2 - y1, x2 - x1) share of each pixel of a window that no thing before the point covers."""
        free: NDArray[np.float32] = np.ones((y2 - y1, x2 - x1), dtype=np.float32)
        for cover in self.setting.covers:
            a1, b1, a2, b2 = cover.window
            left, top, right, bottom = max(a1, x1), max(b1, y1), min(a2, x2), min(b2, y2)
            if left < right and top < bottom and cover.hides(point[None], self.eye)[0]:
                inside = cover.coverage[top - b1 : bottom - b1, left - a1 : right - a1]
                free[top - y1 : bottom - y1, left - x1 : right - x1] *= 1 - inside / np.float32(255)
        return free

    def _noisy(self, picture: Canvas, frame_number: int) -> Canvas:
        """The picture with the sensor's noise, another for each frame."""
        if not self.noise:
            return picture
        brighter, darker = self.noise[frame_number % NOISE_FIELDS]
        x, y = (frame_number * 29) % NOISE_MARGIN_PX, (frame_number * 41) % NOISE_MARGIN_PX
        height, width = picture.shape[:2]
        window = np.s_[y : y + height, x : x + width]
        return np.asarray(cv2.subtract(cv2.add(picture, brighter[window]), darker[window]), dtype=np.uint8)


def _seen(sprites: dict[int, Sprite], owners: NDArray[np.int32]) -> Seen:
    """Everybody drawn, with the share of their silhouette that the finished picture shows."""
    names = sorted(sprites)
    shares = []
    for name in names:
        sprite = sprites[name]
        height, width = sprite.coverage.shape
        window = owners[max(sprite.top, 0) : max(sprite.top + height, 0), max(sprite.left, 0) : max(sprite.left + width, 0)]
        whole = int(np.count_nonzero(sprite.coverage >= SILHOUETTE))
        shares.append(int(np.count_nonzero(window == name)) / max(whole, 1))
    bboxes = np.array([sprites[name].bbox for name in names]).reshape(-1, 4)
    return Seen(np.array(names, dtype=np.int64), bboxes, np.array(shares))


def _ramp(lowest: float) -> Canvas:
    """(256,) brightness from 255 without shadow to `lowest` of it in full shadow."""
    return np.rint(255 * (1 - (1 - lowest) * np.arange(256) / 255)).astype(np.uint8)


def _noise(camera: Camera, level: float, rng: np.random.Generator) -> list[tuple[Canvas, Canvas]]:
    """Fields larger than a picture, each as what is added and what is taken away."""
    size = (camera.height_px + NOISE_MARGIN_PX, camera.width_px + NOISE_MARGIN_PX, 1)
    fields = []
    for _ in range(NOISE_FIELDS if level else 0):
        field = np.rint(rng.normal(0, level, size) + rng.normal(0, 0.35 * level, (*size[:2], 3)))
        fields.append((np.maximum(field, 0).astype(np.uint8), np.maximum(-field, 0).astype(np.uint8)))
    return fields
