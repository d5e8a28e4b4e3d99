"""Data sets that exist: copied into Market-1501's layout, in which everything else finds them."""

import shutil
from pathlib import Path

from training.reid.market import GALLERY, QUERY, TRAIN, crop_name, read_market
from training.reid.msmt17 import read_msmt17

SPLITS = {TRAIN: "train", QUERY: "query", GALLERY: "gallery"}


def copy_market(folder: Path, source: Path) -> None:
    """Copies the three folders of Market-1501. Raises DataError naming what does not fit."""
    for name in SPLITS:
        crops = read_market(source / name)
        (folder / name).mkdir()
        for path in crops.paths:
            shutil.copyfile(path, folder / name / path.name)


def copy_msmt17(folder: Path, source: Path) -> None:
    """Copies what the lists of MSMT17 name; a crop's number in its list becomes its frame."""
    for name, split in SPLITS.items():
        crops = read_msmt17(source, split)
        (folder / name).mkdir()
        for k, path in enumerate(crops.paths):
            named = crop_name(int(crops.identity_ids[k]), int(crops.camera_ids[k]), int(crops.sequence_ids[k]), k, 0)
            shutil.copyfile(path, folder / name / named)
