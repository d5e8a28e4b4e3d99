"""What a detector is trained on: pictures with boxes, in Ultralytics' folders, and how much is seen of each box.

    images/<split>/<name>.jpg   pictures, the longer side as long as the network's input
    labels/<split>/<name>.txt   a row a box: class, then middle x, middle y, width and height as shares of the picture
    boxes.csv                   every box in pixels with its visibility, those too hidden to be labels included
    dataset.yaml                the folders and the classes, as Ultralytics reads them

People who are hardly seen are no labels: nobody could find them, and a network that tries invents people. The evaluation needs
to know of them nevertheless, since finding one is no mistake.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.images import read_image

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
CLASSES = ("person",)
COLUMNS = ("split", "name", "x1", "y1", "x2", "y2", "visibility")
MIN_SIDE_PX = 2.0  # of the picture written; what is left of a smaller box is no person any more


@dataclass(frozen=True, eq=False)
class Example:
    """A picture and the n people in it."""

    name: str
    picture: NDArray[np.uint8]  # (H, W, 3) BGR
    bboxes: NDArray[np.float64]  # (n, 4) x1, y1, x2, y2 px
    visibilities: NDArray[np.float64]  # (n,) share that is seen; -1: does not count, whatever is seen of it


@dataclass(frozen=True, eq=False)
class Boxes:
    """The n boxes of a picture in a data set."""

    bboxes: NDArray[np.float64]  # (n, 4) x1, y1, x2, y2 px of the picture in the data set
    visibilities: NDArray[np.float64]  # (n,)


def write_examples(
    folder: Path, split: Split, examples: Iterable[Example], size_px: int, quality: int, min_visibility: float
) -> tuple[int, int]:
    """Numbers of pictures and of labels; writes the examples of a split and appends to boxes.csv."""
    images, labels = folder / "images" / split, folder / "labels" / split
    for made in (images, labels):
        made.mkdir(parents=True, exist_ok=True)
    pictures = boxes = 0
    with open(folder / "boxes.csv", "a", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        if file.tell() == 0:
            rows.writerow(COLUMNS)
        for example in examples:
            picture, bboxes, visibilities = _fitted(example, size_px)
            cv2.imwrite(str(images / f"{example.name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
            height, width = picture.shape[:2]
            labelled = bboxes[visibilities >= min_visibility]
            (labels / f"{example.name}.txt").write_text(format_labels(labelled, width, height), encoding="ascii")
            for bbox, visibility in zip(bboxes.tolist(), visibilities.tolist(), strict=True):
                rows.writerow([split, example.name, *(f"{value:.2f}" for value in bbox), f"{visibility:.3f}"])
            pictures, boxes = pictures + 1, boxes + len(labelled)
    return pictures, boxes


def write_description(folder: Path) -> None:
    """Writes dataset.yaml. It names no path: whoever reads it knows where it lies."""
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    splits = "".join(f"{split}: images/{split}\n" for split in SPLITS)
    (folder / "dataset.yaml").write_text(f"{splits}names:\n{names}", encoding="ascii")


def format_labels(bboxes: NDArray[np.float64], width: int, height: int) -> str:
    """Rows of class, middle and size for boxes (n, 4) in pixels within the picture."""
    middles, sizes = (bboxes[:, :2] + bboxes[:, 2:]) / 2, bboxes[:, 2:] - bboxes[:, :2]
    shares = np.concatenate([middles, sizes], axis=1) / [width, height, width, height]
    return "".join(f"0 {' '.join(f'{value:.6f}' for value in row)}\n" for row in shares.tolist())


def read_boxes(folder: Path, split: Split) -> dict[str, Boxes]:
    """The boxes of a split's pictures by name, from boxes.csv; a picture without boxes is not there."""
    rows: dict[str, list[list[float]]] = {}
    with open(folder / "boxes.csv", encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                rows.setdefault(row["name"], []).append([float(row[name]) for name in COLUMNS[2:]])
    return {name: Boxes(np.array(values)[:, :4], np.array(values)[:, 4]) for name, values in rows.items()}


def read_pictures(folder: Path, split: Split) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Names and pictures (H, W, 3) BGR of a split, by name. Raises DataError for one that cannot be read."""
    for path in sorted((folder / "images" / split).iterdir()):
        yield path.stem, read_image(path)


def scene_of(name: str) -> str:
    """The scene or sequence of a picture: its name without the number at the end."""
    return name.rpartition("_")[0]


def _fitted(example: Example, size_px: int) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """The picture scaled down to `size_px` on its longer side (never up), boxes cut at its edge, and their visibilities.

    Scaled as the detector scales its input (linear), so that training sees what the detector will see.
    """
    height, width = example.picture.shape[:2]
    scale = min(1.0, size_px / max(height, width))
    size = (round(width * scale), round(height * scale))
    picture = example.picture if scale == 1 else cv2.resize(example.picture, size, interpolation=cv2.INTER_LINEAR)
    bboxes = np.clip(example.bboxes * scale, 0, [*size, *size])
    kept = ((bboxes[:, 2:] - bboxes[:, :2]) >= MIN_SIDE_PX).all(axis=1)
    return np.asarray(picture, dtype=np.uint8), bboxes[kept], example.visibilities[kept]
