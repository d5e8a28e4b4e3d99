"""The light of a scene: where the sun stands, how dark its shadows are, and its colour."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stages.world.looks import Color
from stages.world.scene import Light

Array = NDArray[np.float64]

SKY_SHADE = (1.07, 1.0, 0.96)  # what shade does to blue, green and red besides darkening: the sky is blue


@dataclass(frozen=True)
class Sun:
    """`azimuth_deg` anticlockwise from east, `softness_px` the blur of a shadow's edge in a picture of 720 lines."""

    azimuth_deg: float
    elevation_deg: float
    shadow: float
    softness_px: float
    tint: tuple[float, float, float]  # of blue, green and red
    ambient: float = 0.62  # brightness of a face that the sun does not reach

    @cached_property
    def direction(self) -> Array:
        """(3,) unit vector towards the sun."""
        azimuth, elevation = np.radians(self.azimuth_deg), np.radians(self.elevation_deg)
        return np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])

    def on_ground(self, points: Array) -> Array:
        """Where the shadows (..., 3) of points (..., 3) fall."""
        shadows = points - points[..., 2:] / self.direction[2] * self.direction
        shadows[..., 2] = 0.0
        return np.asarray(shadows)

    def lit(self, tone: Color, normal: tuple[float, float, float]) -> Color:
        """The colour of a face with this outward normal, that has `tone` in full light."""
        cosine = max(0.0, float(np.array(normal) @ self.direction))
        brightness = self.ambient + (1 - self.ambient) * min(1.0, cosine * 1.35)
        blue, green, red = (
            min(255, round(c * brightness * (1 + (s - 1) * (1 - brightness) * 2))) for c, s in zip(tone, SKY_SHADE, strict=True)
        )
        return blue, green, red


SUNS: dict[Light, Sun] = {
    "morning": Sun(-22.0, 41.0, 0.36, 1.4, (0.95, 0.995, 1.03)),
    "noon": Sun(-70.0, 60.0, 0.4, 1.2, (1.0, 1.0, 1.0)),
    "evening": Sun(-160.0, 30.0, 0.32, 2.0, (0.86, 0.97, 1.07)),
    "overcast": Sun(-60.0, 84.0, 0.24, 5.0, (1.02, 0.985, 0.95), 0.84),
}
