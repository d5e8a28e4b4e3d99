"""Crops of the sample world: scenes to learn from, and other scenes to test with.

A scene is filmed by several cameras from different sides; its people wear one fashion, so that colours alone say little.
"""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.command import die_with_dvc
from stages.errors import ParamsError
from stages.progress import progress
from stages.world.looks import make_fashion, make_look
from stages.world.world import film, make_world
from training.reid.attributes import attributes_of, write_attributes
from training.reid.cutting import CuttingParams, cut, encoded, jittered
from training.reid.market import GALLERY, QUERY, TRAIN, crop_name
from training.reid.scenes import ScenesParams, make_cameras, make_scene


@dataclass(frozen=True)
class SampledParams:
    """Scenes to learn from and other scenes to test with."""

    train: ScenesParams
    test: ScenesParams

    def __post_init__(self) -> None:
        if set(self.train.seeds) & set(self.test.seeds):
            raise ParamsError(f"test.first_seed: expected other scenes than those to learn from, got {self.test.first_seed}")

    def refuse(self, names: dict[int, str]) -> None:
        """Raises ParamsError where one of the seeds is that of a scene that the pipeline is measured on, seed -> name."""
        for seed in (*self.train.seeds, *self.test.seeds):
            if seed in names:
                raise ParamsError(f"sampled: expected seeds of no scene of params.yaml, got {seed}, that of {names[seed]}")


@dataclass(frozen=True)
class Crop:
    """One crop of a scene's person, as a JPEG."""

    person: int
    camera: int
    frame: int
    content: bytes


def write_sampled(folder: Path, params: SampledParams, cutting: CuttingParams) -> None:
    """Writes the three folders of Market-1501's layout; the same bytes for the same parameters.

    One crop of each test person and camera, taken by chance, is a query; all others are the gallery, and so is whoever would
    not be in it at all.
    """
    for name in (TRAIN, QUERY, GALLERY):
        (folder / name).mkdir()
    people: dict[int, dict[str, str]] = {}
    for identity, sequence, crop in _film_all(params.train, cutting):
        _write(folder / TRAIN, identity, sequence, crop)
        if identity not in people:
            seed = params.train.seeds[sequence - 1]
            people[identity] = attributes_of(make_look(seed, crop.person, make_fashion(seed)))
    write_attributes(folder, people)
    views: dict[tuple[int, int, int], list[Crop]] = {}
    for identity, sequence, crop in _film_all(params.test, cutting):
        views.setdefault((identity, crop.camera, sequence), []).append(crop)
    findable = {identity for (identity, _, _), crops in views.items() if len(crops) > 1}
    for (identity, camera, sequence), crops in views.items():
        asked = int(np.random.default_rng([params.test.first_seed, identity, camera]).integers(len(crops)))
        for number, crop in enumerate(crops):
            is_query = number == asked and identity in findable
            _write(folder / (QUERY if is_query else GALLERY), identity, sequence, crop)


def _write(folder: Path, identity: int, sequence: int, crop: Crop) -> None:
    (folder / crop_name(identity, crop.camera, sequence, crop.frame, 0)).write_bytes(crop.content)


def _film_all(scenes: ScenesParams, cutting: CuttingParams) -> Iterator[tuple[int, int, Crop]]:
    """Identity (from 1), sequence (from 1) and crop, scene by scene; scenes are filmed side by side on all cores.

    A worker would wait for ever for the next scene from a process that was killed.
    """
    count = len(scenes.seeds)
    identities: dict[tuple[int, int], int] = {}
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(os.cpu_count() or 1, count), spawned, initializer=die_with_dvc) as pool:
        filmed = pool.map(film_scene, scenes.seeds, [scenes] * count, [cutting] * count)
        for sequence, crops in enumerate(progress(filmed, "reid_data", count, "scene"), start=1):
            for crop in crops:
                yield identities.setdefault((sequence, crop.person), len(identities) + 1), sequence, crop


def film_scene(seed: int, scenes: ScenesParams, cutting: CuttingParams) -> list[Crop]:
    """All crops of the people of a scene who are seen by two cameras or more; the same for the same seed."""
    scene = make_scene(seed, scenes)
    crops = []
    for number, camera in enumerate(make_cameras(scene, scenes), start=1):
        rng = np.random.default_rng([seed, 103, number])
        for frame, (picture, seen) in enumerate(film(make_world(scene, camera))):
            heights = seen.bboxes[:, 3] - seen.bboxes[:, 1]
            found = jittered(seen.bboxes, cutting.jitter, rng)
            wanted = (seen.visibilities >= cutting.min_visibility) & (heights >= cutting.min_height_px)
            if frame % scenes.stride:
                wanted &= seen.visibilities < cutting.hidden_visibility
            for row in np.flatnonzero(wanted):
                pixels = cut(picture, found[row])
                if pixels is not None:
                    crops.append(Crop(int(seen.identity_ids[row]), number, frame, encoded(pixels, cutting, rng)))
    cameras: dict[int, set[int]] = {}
    for crop in crops:
        cameras.setdefault(crop.person, set()).add(crop.camera)
    return [crop for crop in crops if len(cameras[crop.person]) > 1]
