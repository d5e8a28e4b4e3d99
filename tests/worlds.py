"""Small scenes for tests of the sample world."""

from typing import Any

from stages.world.scene import CameraParams, DetectorParams, SceneParams

DETECTOR = DetectorParams(miss_rate=0.06, false_positives=0.15, jitter=0.02)


def scene(**changes: Any) -> SceneParams:
    """A square with some people, filmed for four seconds."""
    values: dict[str, Any] = {
        "seed": 3, "rendered": False, "width_px": 640, "height_px": 360, "fps": 10.0, "seconds": 4.0, "area_m": (22, 20),
        "people": 8, "arrivals_per_minute": 20.0, "return_share": 0.5, "pair_share": 0.3, "stop_share": 0.3,
        "occluders": ("tree", "kiosk", "column", "bench", "lamp", "planter", "fountain"), "light": "noon", "noise": 0.0,
        "detector": DETECTOR,
    }  # fmt: skip
    return SceneParams(**(values | changes))


def camera(**changes: Any) -> CameraParams:
    """A camera in the south."""
    values: dict[str, Any] = {
        "scene": "square", "position_m": (0, -15, 6), "target_m": (0, 0), "field_of_view_deg": 60.0, "clock_offset_s": 0.0,
        "exposure": 1.0, "warmth": 0.0,
    }  # fmt: skip
    return CameraParams(**(values | changes))
