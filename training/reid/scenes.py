"""Scenes of the sample world for training and testing Re-ID: each seed another place, fashion, light and set of cameras."""

from dataclasses import dataclass
from typing import Annotated, cast, get_args

import numpy as np

from stages.errors import ParamsError
from stages.params import Range
from stages.world.scene import CameraParams, DetectorParams, Kind, Light, SceneParams

OCCLUDERS: tuple[Kind, ...] = ("tree", "tree", "kiosk", "column", "bench", "planter", "lamp", "fountain")
APART_DEG = (50.0, 150.0)  # from a camera to the next, seen from the middle of the square


@dataclass(frozen=True)
class ScenesParams:
    """Scenes that are filmed by some cameras each, and which of their people become crops."""

    first_seed: Annotated[int, Range(0, 2**31)]
    count: Annotated[int, Range(1, 10_000)]
    cameras: Annotated[int, Range(2, 6)]
    seconds: Annotated[float, Range(1, 3600)]
    every_s: Annotated[float, Range(0.04, 60)]  # everybody
    hidden_every_s: Annotated[float, Range(0.04, 60)]  # who is mostly hidden
    people: Annotated[int, Range(2, 1000)]
    arrivals_per_minute: Annotated[float, Range(0, 1000)]

    def __post_init__(self) -> None:
        if abs(self.every_s / self.hidden_every_s - self.stride) > 1e-6:
            raise ParamsError(f"every_s: expected a multiple of hidden_every_s, {self.hidden_every_s}, got {self.every_s}")

    @property
    def seeds(self) -> range:
        return range(self.first_seed, self.first_seed + self.count)

    @property
    def stride(self) -> int:
        """Filmed frames from one that everybody is cut from to the next."""
        return max(round(self.every_s / self.hidden_every_s), 1)


def make_scene(seed: int, params: ScenesParams) -> SceneParams:
    """The scene with this seed, filmed in the frames that crops are taken from: people walk as ever."""
    rng = np.random.default_rng([seed, 101])
    lights = cast(tuple[Light, ...], get_args(Light))
    return SceneParams(
        seed=seed,
        rendered=True,
        width_px=1280,
        height_px=720,
        fps=1 / params.hidden_every_s,
        seconds=params.seconds,
        area_m=(float(rng.integers(20, 27)), float(rng.integers(18, 25))),
        people=params.people,
        arrivals_per_minute=params.arrivals_per_minute,
        return_share=0.3,
        pair_share=0.3,
        stop_share=0.25,
        occluders=tuple(kind for kind in OCCLUDERS if rng.random() < 0.7),
        light=lights[int(rng.integers(len(lights)))],
        noise=float(rng.uniform(0, 3)),
        detector=DetectorParams(0.0, 0.0, 0.0),
    )


def make_cameras(scene: SceneParams, params: ScenesParams) -> list[CameraParams]:
    """The scene's cameras, around the square and each with its own exposure and white balance."""
    rng = np.random.default_rng([scene.seed, 102])
    bearing_deg = rng.uniform(0, 360)
    cameras = []
    for _ in range(params.cameras):
        distance = rng.uniform(14, 19)
        east, north = distance * np.cos(np.radians(bearing_deg)), distance * np.sin(np.radians(bearing_deg))
        cameras.append(
            CameraParams(
                scene=str(scene.seed),
                position_m=(float(east), float(north), float(rng.uniform(4.5, 7))),
                target_m=(float(rng.uniform(-1.5, 1.5)), float(rng.uniform(-1.5, 1.5))),
                field_of_view_deg=float(rng.uniform(54, 66)),
                clock_offset_s=float(rng.uniform(0, params.every_s)),
                exposure=float(rng.uniform(0.85, 1.15)),
                warmth=float(rng.uniform(-0.25, 0.25)),
            )
        )
        bearing_deg += rng.uniform(*APART_DEG)
    return cameras
