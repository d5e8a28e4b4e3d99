"""Data sets of crops for tests of Re-ID."""

from pathlib import Path

import cv2
import numpy as np

from training.reid.crops import Crops
from training.reid.market import GALLERY, QUERY, TRAIN, crop_name


def write_crop(path: Path, hue: int, rng: np.random.Generator) -> None:
    """A noisy picture of one colour."""
    picture = np.full((24, 12, 3), (hue * 53 % 255, hue * 97 % 255, hue * 31 % 255), dtype=np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.clip(picture + rng.integers(-9, 9, picture.shape), 0, 255).astype(np.uint8))


def make_dataset(folder: Path, people: int = 4) -> Path:
    """People in Market-1501's layout, to learn from and to test with: two cameras, two crops in each."""
    rng = np.random.default_rng(0)
    for name, cameras in ((TRAIN, (1, 2)), (QUERY, (1,)), (GALLERY, (1, 2))):
        for person in range(1, people + 1):
            for camera in cameras:
                for frame in range(2):
                    write_crop(folder / name / crop_name(person, camera, 1 + person % 2, frame, 0), person, rng)
    return folder


def people(identities: list[int], cameras: list[int] | None = None) -> Crops:
    """Crops that are no files."""
    size = len(identities)
    two = np.arange(size) % 2 + 1
    paths = tuple(Path(f"{name:04d}_{k}.jpg") for k, name in enumerate(identities))
    return Crops(paths, np.array(identities, dtype=np.int64), np.array(cameras or two), np.ones(size, dtype=np.int64))
