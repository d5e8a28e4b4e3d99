"""A data set in the layout of MSMT17 (Wei et al., Person Transfer GAN, CVPR 2018): lists of paths and identities.

`train/0000/0000_000_01_0303morning_0015_0.jpg` was taken by camera 1; list_train.txt names it and its identity, from 0.
"""

from pathlib import Path

import numpy as np

from stages.errors import DataError
from training.reid.crops import Crops

LISTS = {"train": "list_train.txt", "query": "list_query.txt", "gallery": "list_gallery.txt"}
FOLDERS = {"train": ("train", "mask_train_v2"), "query": ("test", "mask_test_v2"), "gallery": ("test", "mask_test_v2")}


def read_msmt17(folder: Path, split: str) -> Crops:
    """The crops of `train`, `query` or `gallery`, in the list's order; identities count from 1, as 0 is nobody elsewhere.

    Raises DataError naming the line that does not fit.
    """
    listed = folder / LISTS[split]
    if not listed.is_file():
        raise DataError(f"{listed}: expected the list of MSMT17's {split} crops, found none")
    pictures = next((folder / name for name in FOLDERS[split] if (folder / name).is_dir()), None)
    if pictures is None:
        raise DataError(f"{folder}: expected a folder {' or '.join(FOLDERS[split])}, found none")
    paths, identities, cameras = [], [], []
    for number, line in enumerate(listed.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        name, _, identity = line.strip().rpartition(" ")
        parts = Path(name).name.split("_")
        if not identity.isdecimal() or len(parts) < 4 or not parts[2].isdecimal():
            raise DataError(
                f"{listed}: line {number}: expected a path like 0000/0000_000_01_0303morning_0015_0.jpg and an identity, "
                f"got {line}"
            )
        paths.append(pictures / name)
        identities.append(int(identity) + 1)
        cameras.append(int(parts[2]))
    return Crops(
        tuple(paths),
        np.array(identities, dtype=np.int64),
        np.array(cameras, dtype=np.int64),
        np.ones(len(paths), dtype=np.int64),
    )
