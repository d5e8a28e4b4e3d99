"""A data set of crops in the layout of Market-1501: three folders of pictures whose names say who, where and when.

`0002_c1s3_000451_02.jpg` is identity 2 in camera 1, sequence 3, frame 451, its second box. Identity -1 marks junk, which
counts neither as right nor as wrong; 0 marks distractors, which are nobody's picture and count as wrong (Zheng et al.,
Scalable Person Re-identification, ICCV 2015).
"""

import re
from pathlib import Path

import numpy as np

from stages.errors import DataError
from training.reid.crops import Crops

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"
NAME = re.compile(r"(-1|\d+)_c(\d+)s(\d+)_(\d+)_(\d+)\.(jpg|jpeg|png)")
PICTURES = (".jpg", ".jpeg", ".png")
JUNK = -1


def crop_name(identity_id: int, camera_id: int, sequence_id: int, frame: int, box: int) -> str:
    """The file name of a crop."""
    return f"{identity_id:04d}_c{camera_id}s{sequence_id}_{frame:06d}_{box:02d}.jpg"


def read_market(folder: Path) -> Crops:
    """The crops of one of the three folders, in the order of their names. Raises DataError naming what does not fit."""
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of crops, found none")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    names = [NAME.fullmatch(path.name) for path in paths]
    for path, name in zip(paths, names, strict=True):
        if name is None:
            raise DataError(f"{path}: expected a name like 0002_c1s3_000451_02.jpg, got {path.name}")
    numbers = np.array([[int(name[k]) for k in (1, 2, 3)] for name in names if name is not None], dtype=np.int64).reshape(-1, 3)
    return Crops(tuple(paths), numbers[:, 0], numbers[:, 1], numbers[:, 2])
