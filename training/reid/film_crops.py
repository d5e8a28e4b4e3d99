"""Parameters to a Re-ID data set of the sample world, in Market-1501's layout: training people and, of other scenes, test people.

A scene is filmed by several cameras from different sides; its people wear one fashion, so that colours alone say little. Scenes
of the pipeline's own params.yaml are refused: what it is measured on may not be learnt.
"""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.artifacts import writing_folder
from stages.command import execute, log, parser
from stages.errors import ParamsError
from stages.params import read_params
from stages.pins import check_pins
from stages.progress import progress
from stages.world.world import film, make_world
from training.sections import load_training_section
from training.reid.cutting import CuttingParams, cut, encoded, jittered
from training.reid.market import GALLERY, QUERY, TRAIN, crop_name
from training.reid.scenes import ScenesParams, make_cameras, make_scene


@dataclass(frozen=True)
class FilmCropsParams:
    """Scenes to learn from, other scenes to test with, and how crops are cut from both."""

    train: ScenesParams
    test: ScenesParams
    cutting: CuttingParams

    def __post_init__(self) -> None:
        if set(self.train.seeds) & set(self.test.seeds):
            raise ParamsError(f"test.first_seed: expected other scenes than those to learn from, got {self.test.first_seed}")


@dataclass(frozen=True)
class Crop:
    """One crop of a scene's person, as a JPEG."""

    person: int
    camera: int
    frame: int
    content: bytes


def film_scene(seed: int, scenes: ScenesParams, cutting: CuttingParams) -> list[Crop]:
    """All crops of the people of a scene who are seen by two cameras or more; the same for the same seed."""
    scene = make_scene(seed, scenes)
    crops = []
    for number, camera in enumerate(make_cameras(scene, scenes), start=1):
        rng = np.random.default_rng([seed, 103, number])
        for frame, (picture, seen) in enumerate(film(make_world(scene, camera))):
            heights = seen.bboxes[:, 3] - seen.bboxes[:, 1]
            found = jittered(seen.bboxes, cutting.jitter, rng)
            for row in np.flatnonzero((seen.visibilities >= cutting.min_visibility) & (heights >= cutting.min_height_px)):
                pixels = cut(picture, found[row])
                if pixels is not None:
                    crops.append(Crop(int(seen.identity_ids[row]), number, frame, encoded(pixels, cutting, rng)))
    cameras: dict[int, set[int]] = {}
    for crop in crops:
        cameras.setdefault(crop.person, set()).add(crop.camera)
    return [crop for crop in crops if len(cameras[crop.person]) > 1]


def film_scenes(scenes: ScenesParams, cutting: CuttingParams) -> Iterator[tuple[int, int, Crop]]:
    """Identity (from 1), sequence (from 1) and crop, scene by scene; scenes are filmed side by side on all cores."""
    count = len(scenes.seeds)
    identities: dict[tuple[int, int], int] = {}
    with ProcessPoolExecutor(min(os.cpu_count() or 1, count), multiprocessing.get_context("spawn")) as pool:
        filmed = pool.map(film_scene, scenes.seeds, [scenes] * count, [cutting] * count)
        for sequence, crops in enumerate(progress(filmed, "film crops", count, "scene"), start=1):
            for crop in crops:
                yield identities.setdefault((sequence, crop.person), len(identities) + 1), sequence, crop


def write_train(folder: Path, scenes: ScenesParams, cutting: CuttingParams) -> int:
    """Writes the crops to learn from; returns how many."""
    folder.mkdir()
    count = 0
    for identity, sequence, crop in film_scenes(scenes, cutting):
        (folder / crop_name(identity, crop.camera, sequence, crop.frame, 0)).write_bytes(crop.content)
        count += 1
    return count


def write_test(query: Path, gallery: Path, scenes: ScenesParams, cutting: CuttingParams) -> int:
    """Writes one crop of each person and camera, taken by chance, as query and all others as gallery; returns how many."""
    query.mkdir()
    gallery.mkdir()
    views: dict[tuple[int, int, int], list[Crop]] = {}
    for identity, sequence, crop in film_scenes(scenes, cutting):
        views.setdefault((identity, crop.camera, sequence), []).append(crop)
    for (identity, camera, sequence), crops in views.items():
        asked = int(np.random.default_rng([scenes.first_seed, identity, camera]).integers(len(crops)))
        for number, crop in enumerate(crops):
            folder = query if number == asked else gallery
            (folder / crop_name(identity, camera, sequence, crop.frame, 0)).write_bytes(crop.content)
    return sum(len(crops) for crops in views.values())


def refuse_default_scenes(params: FilmCropsParams) -> None:
    """Raises ParamsError where a scene of the pipeline's params.yaml would be learnt or tested with."""
    defaults = {scene["seed"]: name for name, scene in read_params()["scenes"].items()}
    for seed in (*params.train.seeds, *params.test.seeds):
        if seed in defaults:
            raise ParamsError(f"film_crops: expected seeds of no scene of params.yaml, got {seed}, that of {defaults[seed]}")


def main() -> None:
    made = parser(__doc__)
    for name in ("pins", "folder"):
        made.add_argument(f"--{name}", required=True, type=Path)
    args = made.parse_args()
    check_pins(args.pins)
    params = load_training_section(FilmCropsParams, "reid_film")
    refuse_default_scenes(params)
    with writing_folder(args.folder) as folder:
        train = write_train(folder / TRAIN, params.train, params.cutting)
        test = write_test(folder / QUERY, folder / GALLERY, params.test, params.cutting)
    log.info("film_crops: %d crops to learn from, %d to test with", train, test)


if __name__ == "__main__":
    execute(main)
