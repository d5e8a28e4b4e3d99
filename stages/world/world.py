"""A scene's place, people and walk: the same for every camera, so each works it out by itself."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.world.agenda import make_agendas
from stages.world.camera import Camera, make_camera
from stages.world.filming import Film
from stages.world.light import SUNS
from stages.world.looks import make_fashion, make_look
from stages.world.place import Place, make_place
from stages.world.posing import Person
from stages.world.raster import Canvas
from stages.world.scene import CameraParams, SceneParams
from stages.world.seen import Seen
from stages.world.setting import make_covers, make_scenery, make_setting
from stages.world.silhouettes import see
from stages.world.walking import WARM_UP_S, Moment, Walk, walk

Array = NDArray[np.float64]

WARMEST = 0.25  # how much a camera of warmth 1 brightens red and darkens blue


@dataclass(frozen=True, eq=False)
class World:
    """A scene as one camera will film it."""

    scene: SceneParams
    camera: Camera
    settings: CameraParams
    place: Place
    heights_m: Array  # (N,) of identity 1 and so on
    walk: Walk

    def moments(self) -> Iterator[Moment]:
        """Everybody who is in the place when the camera takes its frames."""
        ahead = round(self.settings.clock_offset_s * self.scene.fps, 6)  # frames: an offset of whole frames shifts them exactly
        for frame in range(self.scene.num_frames):
            yield self.walk.at((frame + ahead) / self.scene.fps)


def make_world(scene: SceneParams, camera: CameraParams) -> World:
    """The scene, walked until the camera's last frame."""
    place = make_place(scene)
    agendas = make_agendas(scene, place, -WARM_UP_S)
    walked = walk(place, agendas, scene.seconds + camera.clock_offset_s)
    heights = np.array([agenda.height_m for agenda in agendas])
    return World(scene, make_camera(camera, scene.width_px, scene.height_px), camera, place, heights, walked)


def film(world: World) -> Iterator[tuple[Canvas, Seen]]:
    """The pictures (H, W, 3) BGR, and who is seen in each."""
    scene, sun = world.scene, SUNS[world.scene.light]
    setting = make_setting(make_scenery(world.place, sun, scene.seed), world.camera, sun)
    fashion = make_fashion(scene.seed)
    people = [Person(make_look(scene.seed, k, fashion), float(height)) for k, height in enumerate(world.heights_m, start=1)]
    warm = WARMEST * world.settings.warmth
    tint = np.array(sun.tint) * [1 - warm, 1.0, 1 + warm] * world.settings.exposure
    camera = Film(world.camera, setting, sun, people, tint, scene.noise, scene.seed)
    for frame_number, moment in enumerate(world.moments()):
        yield camera.take(moment, frame_number)


def look_on(world: World) -> Iterator[Seen]:
    """Who would be seen in each frame, without pictures."""
    sun = SUNS[world.scene.light]
    covers = make_covers(make_scenery(world.place, sun, world.scene.seed), world.camera, sun)
    for moment in world.moments():
        yield see(moment, world.heights_m, world.camera, covers)
