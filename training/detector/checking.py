"""What a data set must be before hours are spent on it: each wrong thing is one clear line."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stages.errors import DataError
from stages.images import read_image
from training.detector.examples import CLASSES, SPLITS, Split, scene_of

STRIDE_PX = 32  # of the network's input


def check_dataset(folder: Path) -> None:
    """Returns when a detector can be trained on the data set. Raises DataError naming the file and what is wrong with it.

    Refused: a split without pictures, a picture without a label file and the other way round, a picture that cannot be read,
    rows that are no labels, a split in which nobody has a class, and a scene or sequence in two splits, which would test what
    was learnt by heart.
    """
    scenes: dict[str, Split] = {}
    for split in SPLITS:
        counts = np.zeros(len(CLASSES), dtype=np.int64)
        for name in _names(folder, split):
            if (other := scenes.setdefault(scene_of(name), split)) != split:
                raise DataError(f"{folder}: expected {scene_of(name)} in one split, got it in {other} and in {split}")
            read_image(folder / "images" / split / f"{name}.jpg")
            labels = read_labels(folder / "labels" / split / f"{name}.txt")
            counts += np.bincount(labels[:, 0].astype(np.int64), minlength=len(CLASSES))
        for class_name, count in zip(CLASSES, counts.tolist(), strict=True):
            if count == 0:
                raise DataError(f"{folder / 'labels' / split}: expected labels of every class, got none of {class_name}")


def check_one_shape(folder: Path, image_size_px: int) -> None:
    """Raises DataError unless all pictures to learn from fill one shape of the network's input, in steps of STRIDE_PX.

    Of several, Ultralytics makes batches in the order of their shapes, the same in every epoch, and says nothing.
    """
    shapes: dict[tuple[int, ...], Path] = {}
    for path in sorted((folder / "images" / "train").glob("*.jpg")):
        with Image.open(path) as picture:
            size = picture.size
        shapes.setdefault(tuple(math.ceil(side / max(size) * image_size_px / STRIDE_PX) for side in size), path)
        if len(shapes) > 1:
            one, other = (found.name for found in shapes.values())
            raise DataError(
                f"{path.parent}: expected pictures of one shape, got {one} and {other} of two: detector_train.rectangular "
                "false takes them"
            )


def read_labels(path: Path) -> NDArray[np.float64]:
    """The rows (n, 5) of class, middle x, middle y, width and height. Raises DataError for a row that is none."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            row = [float(value) for value in line.split()]
        except ValueError:
            row = []
        whole = len(row) == 5 and row[0] in range(len(CLASSES))
        if not whole or not all(0 <= value <= 1 for value in row[1:]) or min(row[3:]) == 0:
            raise DataError(
                f"{path}: line {number}: expected a class in [0, {len(CLASSES) - 1}], then middle x, middle y, width and "
                f"height as shares of the picture, got {line.strip()!r}"
            )
        rows.append(row)
    return np.array(rows).reshape(-1, 5)


def _names(folder: Path, split: Split) -> list[str]:
    """Names of a split's pictures, each of which has its label file."""
    pictures = {path.stem for path in (folder / "images" / split).glob("*.jpg")}
    labels = {path.stem for path in (folder / "labels" / split).glob("*.txt")}
    if not pictures:
        raise DataError(f"{folder / 'images' / split}: expected pictures, found none: each split needs some")
    for name in sorted(pictures ^ labels):
        found, missing = ("picture", "label file") if name in pictures else ("label file", "picture")
        raise DataError(f"{folder}: expected a {missing} for each {found}, got none for {name} in {split}")
    return sorted(pictures)
