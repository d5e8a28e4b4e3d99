"""How the detector is trained: every number of it."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal

from stages.errors import ParamsError
from stages.params import Range

SAME_NAMES = (
    "epochs", "seed", "optimizer", "lr0", "lrf", "cos_lr", "momentum", "weight_decay", "warmup_epochs", "warmup_momentum",
    "warmup_bias_lr", "box", "cls", "dfl", "freeze", "workers",
)  # fmt: skip
FIXED: dict[str, object] = {
    "task": "detect", "mode": "train", "deterministic": True, "patience": 0, "plots": False, "save": True, "verbose": False,
    "cache": False, "mixup": 0.0, "cutmix": 0.0, "copy_paste": 0.0, "shear": 0.0, "perspective": 0.0, "flipud": 0.0,
}  # fmt: skip
Share = Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Augmentation:
    """How pictures are changed, each time another way. Names and meanings are Ultralytics' own."""

    mosaic: Share
    mosaic_epochs: Annotated[int, Range(0, 100_000)]
    degrees: Annotated[float, Range(0, 180)]
    translate: Share
    scale: Share
    fliplr: Share
    hsv_h: Share
    hsv_s: Share
    hsv_v: Share


@dataclass(frozen=True)
class Recipe:
    """What a training is started with. Ultralytics has the same names and explains them."""

    start: str
    seed: Annotated[int, Range(0, 2**31 - 1)]
    epochs: Annotated[int, Range(1, 100_000)]
    batch_size: Annotated[int, Range(1, 4096)]
    image_size_px: Annotated[int, Range(32, 4096)]
    rectangular: bool
    precision: Literal["float32", "bfloat16"]
    optimizer: Literal["SGD", "MuSGD", "Adam", "AdamW"]
    lr0: Share
    lrf: Share
    cos_lr: bool
    momentum: Share
    weight_decay: Share
    warmup_epochs: Annotated[float, Range(0, 100)]
    warmup_momentum: Share
    warmup_bias_lr: Share
    box: Annotated[float, Range(0, 1000)]
    cls: Annotated[float, Range(0, 1000)]
    dfl: Annotated[float, Range(0, 1000)]
    freeze: Annotated[int, Range(0, 1000)]
    augmentation: Augmentation
    validate_every: Annotated[int, Range(1, 100_000)]
    workers: Annotated[int, Range(0, 256)]
    threads: Annotated[int, Range(1, 256)]

    def __post_init__(self) -> None:
        if self.image_size_px % 32:
            raise ParamsError(f"image_size_px: expected a multiple of 32, got {self.image_size_px}")
        if self.rectangular and self.augmentation.mosaic > 0:
            raise ParamsError("augmentation.mosaic: expected 0 where rectangular is true: a mosaic is a square, got "
                              f"{self.augmentation.mosaic:g}")  # fmt: skip
        if self.augmentation.mosaic_epochs > self.epochs:
            raise ParamsError(f"augmentation.mosaic_epochs: expected at most the {self.epochs} epochs, got "
                              f"{self.augmentation.mosaic_epochs}")  # fmt: skip

    def overrides(self) -> dict[str, object]:
        """As Ultralytics' settings. `nbs` is the batch: no gradient waits for the next epoch when training is interrupted."""
        changes = dataclasses.asdict(self.augmentation)
        mosaic_epochs = changes.pop("mosaic_epochs")
        return FIXED | changes | {name: getattr(self, name) for name in SAME_NAMES} | {
            "batch": self.batch_size, "nbs": self.batch_size, "imgsz": self.image_size_px, "rect": self.rectangular,
            "close_mosaic": self.epochs - mosaic_epochs,
        }  # fmt: skip
