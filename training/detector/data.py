"""A data set to train the detector on: drawn by the sample world, or made of annotated footage."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2

from stages.artifacts import writing_folder
from stages.command import execute, stage_options, stage_run
from stages.params import Range, make_section, read_params
from stages.pins import check_pins
from stages.progress import progress
from stages.world.scene import CameraParams, SceneParams
from training.detector.checking import check_dataset
from training.detector.examples import SPLITS, Example, Split, write_description, write_examples
from training.detector.footage import FootageParams, read_sequence
from training.detector.sampled import Filming, SampledParams, draw, filmings
from training.sections import load_training_section

PIPELINE = Path("params.yaml")


@dataclass(frozen=True)
class DataParams:
    """Where pictures come from, and what is written of them."""

    source: Literal["sampled", "footage"]
    image_size_px: Annotated[int, Range(32, 4096)]
    jpeg_quality: Annotated[int, Range(1, 100)]
    min_visibility: Annotated[float, Range(0, 1)]
    sampled: SampledParams
    footage: FootageParams


def sampled_examples(params: SampledParams) -> dict[Split, Iterator[Example]]:
    """Pictures of each split, drawn; none of them of a scene of the pipeline."""
    sections = read_params(PIPELINE)
    scenes = {name: make_section(SceneParams, node, f"{PIPELINE}: scenes.{name}") for name, node in sections["scenes"].items()}
    cameras = {
        name: make_section(CameraParams, node, f"{PIPELINE}: cameras.{name}") for name, node in sections["cameras"].items()
    }
    return {split: _drawn(split, plan) for split, plan in filmings(params, scenes, cameras).items()}


def _drawn(split: Split, plan: list[Filming]) -> Iterator[Example]:
    for filming in progress(plan, split, unit="scene"):
        yield from draw(filming)


def footage_examples(folder: Path, params: FootageParams) -> dict[Split, Iterator[Example]]:
    """Pictures of each split, of the sequences that the parameters give it."""
    return {split: _read(split, folder, params) for split in SPLITS}


def _read(split: Split, folder: Path, params: FootageParams) -> Iterator[Example]:
    for name in progress(getattr(params, split), split, unit="sequence"):
        yield from read_sequence(folder / name, params)


def main() -> None:
    args = stage_options(__doc__, "pins", "footage", "dataset", "timings")
    check_pins(args.pins)
    params = load_training_section(DataParams, "detector_data")
    cv2.setNumThreads(1)
    sampled = params.source == "sampled"
    examples = sampled_examples(params.sampled) if sampled else footage_examples(args.footage, params.footage)
    with stage_run("detector_data", "all", args.timings) as run, writing_folder(args.dataset) as folder, run.computing():
        for split in SPLITS:
            pictures, labels = write_examples(
                folder, split, examples[split], params.image_size_px, params.jpeg_quality, params.min_visibility
            )
            run.counts |= {f"{split}_pictures": pictures, f"{split}_labels": labels}
        write_description(folder)
        check_dataset(folder)


if __name__ == "__main__":
    execute(main)
