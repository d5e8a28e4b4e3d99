"""Whether crops can be learnt from and tested with: what is unfit is refused before anything starts."""

from pathlib import Path

import numpy as np

from stages.errors import DataError
from stages.images import read_image
from stages.progress import progress
from training.reid.crops import Crops
from training.reid.market import JUNK
from training.reid.sampling import SamplingParams


def check_train(folder: Path, crops: Crops, sampling: SamplingParams) -> None:
    """Raises DataError unless PK batches of two or more cameras can be made of whole pictures."""
    if not len(crops):
        raise DataError(f"{folder}: expected crops to learn from, found none")
    nobody = np.flatnonzero(crops.identity_ids <= 0)
    if len(nobody):
        raise DataError(
            f"{crops.paths[nobody[0]]}: expected an identity from 1 in what is learnt from, got {crops.identity_ids[nobody[0]]}"
        )
    identities, first, counts = np.unique(crops.identity_ids, return_index=True, return_counts=True)
    if (counts < 2).any():
        alone = int(np.argmin(counts))
        raise DataError(
            f"{folder}: expected two or more crops of each identity, got identity {identities[alone]} with "
            f"{crops.paths[first[alone]].name} alone"
        )
    if len(identities) < sampling.identities:
        raise DataError(f"{folder}: expected {sampling.identities} or more identities for a batch, got {len(identities)}")
    if len(cameras := np.unique(crops.camera_ids)) < 2:
        raise DataError(f"{folder}: expected crops of two or more cameras, got camera {cameras[0]} alone")
    check_pictures(crops)


def check_test(folder: Path, query: Crops, gallery: Crops) -> None:
    """Raises DataError unless each query's identity is in the gallery, one by another camera, and all pictures are whole."""
    for name, crops in (("queries", query), ("a gallery", gallery)):
        if not len(crops):
            raise DataError(f"{folder}: expected {name} to test with, found none")
    if (query.identity_ids == JUNK).any():
        raise DataError(f"{query.paths[int(np.argmax(query.identity_ids == JUNK))]}: expected a person as query, got junk (-1)")
    missing = ~np.isin(query.identity_ids, gallery.identity_ids)
    if missing.any():
        row = int(np.argmax(missing))
        raise DataError(f"{query.paths[row]}: expected identity {query.identity_ids[row]} in the gallery, too, found none")
    cameras: dict[int, set[int]] = {}
    for identity, camera in zip(gallery.identity_ids.tolist(), gallery.camera_ids.tolist(), strict=True):
        cameras.setdefault(identity, set()).add(camera)
    asked = zip(query.identity_ids.tolist(), query.camera_ids.tolist(), strict=True)
    if not any(cameras[identity] - {camera} for identity, camera in asked):
        raise DataError(f"{folder}: expected a query whose person another camera saw for the gallery, found none")
    check_pictures(query)
    check_pictures(gallery)


def check_pictures(crops: Crops) -> None:
    """Raises DataError naming the first file that is missing or no whole picture."""
    for path in progress(crops.paths, "check crops", len(crops), "crop"):
        read_image(path)
