"""What a scene and a camera are told by params.yaml."""

from dataclasses import dataclass
from typing import Annotated, Literal

from stages.errors import ParamsError
from stages.params import Range

Kind = Literal["tree", "kiosk", "column", "bench", "lamp", "planter", "fountain"]
Light = Literal["morning", "noon", "evening", "overcast"]


@dataclass(frozen=True)
class DetectorParams:
    """How a detector is imitated: what it misses, invents and gets not quite right."""

    miss_rate: Annotated[float, Range(0, 1)]
    false_positives: Annotated[float, Range(0, 100)]
    jitter: Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class SceneParams:
    """A square with people, and how it is filmed. `area_m`: width (east) and depth (north) of the open ground."""

    seed: Annotated[int, Range(0, 2**32 - 1)]
    rendered: bool
    width_px: Annotated[int, Range(64, 7680)]
    height_px: Annotated[int, Range(64, 7680)]
    fps: Annotated[float, Range(1, 1000)]
    seconds: Annotated[float, Range(0.04, 36_000)]
    area_m: tuple[float, ...]
    people: Annotated[int, Range(0, 1000)]
    arrivals_per_minute: Annotated[float, Range(0, 1000)]
    return_share: Annotated[float, Range(0, 1)]
    pair_share: Annotated[float, Range(0, 1)]
    stop_share: Annotated[float, Range(0, 1)]
    occluders: tuple[Kind, ...]
    light: Light
    noise: Annotated[float, Range(0, 50)]
    detector: DetectorParams

    def __post_init__(self) -> None:
        if len(self.area_m) != 2 or not all(12 <= side <= 200 for side in self.area_m):
            raise ParamsError(f"area_m: expected width and depth in [12, 200], got {list(self.area_m)}")

    @property
    def num_frames(self) -> int:
        return max(1, round(self.seconds * self.fps))


@dataclass(frozen=True)
class CameraParams:
    """A camera of a scene: where it hangs, which point of the ground is in the middle of its picture, and its clock.

    Frame f is taken at `f / fps + clock_offset_s` of the scene's time.
    """

    scene: str
    position_m: tuple[float, ...]
    target_m: tuple[float, ...]
    field_of_view_deg: Annotated[float, Range(10, 120)]
    clock_offset_s: Annotated[float, Range(0, 3600)]
    exposure: Annotated[float, Range(0.1, 10)]
    warmth: Annotated[float, Range(-1, 1)]

    def __post_init__(self) -> None:
        if len(self.position_m) != 3 or not 2 <= self.position_m[2] <= 100:
            raise ParamsError(f"position_m: expected east, north and a height in [2, 100], got {list(self.position_m)}")
        if len(self.target_m) != 2 or self.target_m == self.position_m[:2]:
            raise ParamsError(
                f"target_m: expected east and north of another point than the camera's, got {list(self.target_m)}"
            )
