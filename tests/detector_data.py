"""A tiny data set and a tiny network for tests of the detector's training."""

from pathlib import Path
from typing import Any

import numpy as np

from training.detector.examples import SPLITS, Example, write_description, write_examples
from training.detector.recipe import Augmentation, Recipe

SIDE_PX = 64
ARCHITECTURE = """\
nc: 1
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, C2f, [16, True]]
  - [-1, 1, Conv, [16, 3, 2]]
head:
  - [[2, 3], 1, Detect, [nc]]
"""
AUGMENTATION: dict[str, Any] = {
    "mosaic": 1.0, "mosaic_epochs": 2, "degrees": 0.0, "translate": 0.1, "scale": 0.2, "fliplr": 0.5, "hsv_h": 0.01,
    "hsv_s": 0.5, "hsv_v": 0.3,
}  # fmt: skip
RECIPE: dict[str, Any] = {
    "start": "tiny", "seed": 3, "epochs": 3, "batch_size": 4, "image_size_px": SIDE_PX, "rectangular": False,
    "precision": "float32", "optimizer": "SGD", "lr0": 0.01, "lrf": 0.1, "cos_lr": True, "momentum": 0.9,
    "weight_decay": 0.0005, "warmup_epochs": 1.0, "warmup_momentum": 0.8, "warmup_bias_lr": 0.1, "box": 7.5, "cls": 0.5,
    "dfl": 1.5, "freeze": 0, "augmentation": AUGMENTATION, "validate_every": 2, "workers": 0, "threads": 1,
}  # fmt: skip


def recipe(augmentation: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    values = RECIPE | changes
    return Recipe(**values | {"augmentation": Augmentation(**AUGMENTATION | (augmentation or {}))})


def write_dataset(folder: Path, pictures: int = 6) -> Path:
    """Bright upright boxes on a dark ground, called people."""
    rng = np.random.default_rng(5)
    folder.mkdir()
    for split in SPLITS:
        examples = []
        for number in range(pictures):
            x, y = rng.uniform(2, 40, 2)
            bbox = np.array([[x, y, x + 12, y + 20]])
            picture = rng.integers(0, 60, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
            picture[int(y) : int(y + 20), int(x) : int(x + 12)] += 150
            examples.append(Example(f"{split}_{number:02d}", picture, bbox, np.ones(1)))
        write_examples(folder, split, examples, SIDE_PX, 95, 0.25)
    write_description(folder)
    return folder


def write_architecture(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.yaml"
    path.write_text(ARCHITECTURE)
    return path
