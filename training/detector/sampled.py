"""Examples drawn from the sample world: many squares, people, lights and cameras, none of them one of the pipeline's."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, get_args

import numpy as np

from stages.errors import ParamsError
from stages.params import Range
from stages.world.place import make_place
from stages.world.scene import CameraParams, DetectorParams, Kind, Light, SceneParams
from stages.world.world import World, film, make_world
from training.detector.examples import SPLITS, Example, Split

LIGHTS: tuple[Light, ...] = get_args(Light)
LARGE: tuple[Kind, ...] = ("fountain", "kiosk")  # at most one of each: two leave no room to walk
SMALL: tuple[Kind, ...] = ("tree", "tree", "column", "bench", "lamp", "planter")
NOT_IMITATED = DetectorParams(miss_rate=0.0, false_positives=0.0, jitter=0.0)


@dataclass(frozen=True)
class SampledParams:
    """How much is drawn, and between which values scenes differ (each a lowest and a highest value)."""

    seed: Annotated[int, Range(0, 2**32 - 1)]
    train_scenes: Annotated[int, Range(1, 100_000)]
    val_scenes: Annotated[int, Range(1, 100_000)]
    test_scenes: Annotated[int, Range(1, 100_000)]
    cameras: tuple[str, ...]
    frames: Annotated[int, Range(1, 100_000)]
    every_s: Annotated[float, Range(0.05, 600)]
    width_px: Annotated[int, Range(64, 7680)]
    height_px: Annotated[int, Range(64, 7680)]
    area_m: tuple[Annotated[float, Range(12, 200)], ...]
    people: tuple[Annotated[int, Range(0, 1000)], ...]
    camera_height_m: tuple[Annotated[float, Range(2, 100)], ...]
    camera_behind_m: tuple[Annotated[float, Range(0, 100)], ...]
    field_of_view_deg: tuple[Annotated[float, Range(10, 120)], ...]
    exposure: tuple[Annotated[float, Range(0.1, 10)], ...]
    warmth: tuple[Annotated[float, Range(-1, 1)], ...]
    noise: tuple[Annotated[float, Range(0, 50)], ...]

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name != "cameras" and isinstance(value, tuple) and (len(value) != 2 or value[0] > value[1]):
                raise ParamsError(f"{field.name}: expected a lowest and a highest value, got {list(value)}")


@dataclass(frozen=True)
class Filming:
    """A scene with its camera, under the name that its pictures begin with."""

    name: str
    scene: SceneParams
    camera: CameraParams


def filmings(
    params: SampledParams, scenes: dict[str, SceneParams], cameras: dict[str, CameraParams]
) -> dict[Split, list[Filming]]:
    """What is drawn for each split; `scenes` and `cameras` are those of the pipeline.

    The test also has the pipeline's cameras that `params.cameras` names, in squares of their kind with other seeds. No two have
    the same seed, and none has one of the pipeline's: neither place nor people of a test were seen in training.
    """
    taken = {scene.seed for scene in scenes.values()}
    rng = np.random.default_rng([params.seed, 0])
    made: dict[Split, list[Filming]] = {}
    for split, count in zip(SPLITS, (params.train_scenes, params.val_scenes, params.test_scenes), strict=True):
        made[split] = [_random_filming(f"{split}{number:04d}", params, _unused(taken, rng), rng) for number in range(count)]
    for name in params.cameras:
        if name not in cameras:
            raise ParamsError(f"detector_data.sampled.cameras: expected some of {', '.join(cameras)}, got {name}")
        scene = dataclasses.replace(scenes[cameras[name].scene], seed=_unused(taken, rng))
        made["test"].append(Filming(name, _slowly(scene, params), cameras[name]))
    return made


def draw(filming: Filming) -> Iterator[Example]:
    """The pictures of a scene, far apart in time."""
    world: World = make_world(filming.scene, filming.camera)
    for number, (picture, seen) in enumerate(film(world)):
        yield Example(f"{filming.name}_{number:04d}", picture, seen.bboxes, seen.visibilities)


def _unused(taken: set[int], rng: np.random.Generator) -> int:
    """A seed that is not taken, and is from now on."""
    while (seed := int(rng.integers(2**32))) in taken:
        pass
    taken.add(seed)
    return seed


def _slowly(scene: SceneParams, params: SampledParams) -> SceneParams:
    """The scene filmed at one frame in `every_s` seconds: people walk as ever, and what lies between is not drawn."""
    return dataclasses.replace(scene, rendered=True, fps=1 / params.every_s, seconds=params.frames * params.every_s)


def _random_filming(name: str, params: SampledParams, seed: int, rng: np.random.Generator) -> Filming:
    """A square and a camera that looks into it from somewhere around."""
    while True:  # until the things on it find room
        area = tuple(round(_between(params.area_m, rng), 1) for _ in range(2))
        large = [kind for kind in LARGE if rng.random() < 0.5]
        small = rng.choice(SMALL, int(rng.integers(2, 9))).tolist()
        scene = SceneParams(
            seed=seed, rendered=True, width_px=params.width_px, height_px=params.height_px, fps=1 / params.every_s,
            seconds=params.frames * params.every_s, area_m=area,
            people=int(rng.integers(params.people[0], params.people[1] + 1)),
            arrivals_per_minute=float(rng.uniform(0, 40)), return_share=0.5, pair_share=float(rng.uniform(0, 0.6)),
            stop_share=float(rng.uniform(0, 0.5)), occluders=(*large, *small), light=LIGHTS[int(rng.integers(len(LIGHTS)))],
            noise=_between(params.noise, rng), detector=NOT_IMITATED,
        )  # fmt: skip
        camera = _random_camera(scene, params, rng)
        try:
            make_place(scene)
        except ParamsError:
            continue
        return Filming(name, scene, camera)


def _between(limits: tuple[float, ...], rng: np.random.Generator) -> float:
    return float(rng.uniform(limits[0], limits[1]))


def _random_camera(scene: SceneParams, params: SampledParams, rng: np.random.Generator) -> CameraParams:
    """One that hangs behind the border of the square, in any direction, and looks at a point near its middle."""
    direction = np.array([np.cos(angle := rng.uniform(0, 2 * np.pi)), np.sin(angle)])
    half = np.array(scene.area_m) / 2
    border = 1 / float(np.max(np.abs(direction) / half))
    east, north = direction * (border + _between(params.camera_behind_m, rng))
    target = rng.uniform(-0.25, 0.25, 2) * half
    return CameraParams(
        scene="", position_m=(float(east), float(north), _between(params.camera_height_m, rng)),
        target_m=(float(target[0]), float(target[1])), field_of_view_deg=_between(params.field_of_view_deg, rng),
        clock_offset_s=0.0, exposure=_between(params.exposure, rng), warmth=_between(params.warmth, rng),
    )  # fmt: skip
