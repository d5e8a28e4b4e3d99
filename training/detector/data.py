"""A data set to train the detector on: drawn by the sample world, or made of annotated footage."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2

from stages.artifacts import writing_folder
from stages.command import execute, stage_options, stage_run
from stages.errors import ParamsError
from stages.params import Range, make_section, read_params
from stages.pins import check_pins
from stages.progress import progress
from stages.world.scene import CameraParams, SceneParams
from training.detector.examples import SPLITS, Example, Split, write_description, write_examples
from training.detector.sampled import SampledParams, draw, filmings
from training.sections import load_training_section

PIPELINE = Path("params.yaml")


@dataclass(frozen=True)
class DataParams:
    """Where pictures come from, and what is written of them."""

    source: Literal["sampled", "motchallenge"]
    image_size_px: Annotated[int, Range(32, 4096)]
    jpeg_quality: Annotated[int, Range(1, 100)]
    min_visibility: Annotated[float, Range(0, 1)]
    sampled: SampledParams


def pipeline_scenes() -> tuple[dict[str, SceneParams], dict[str, CameraParams]]:
    """Scenes and cameras of the pipeline's params.yaml by name."""
    sections = read_params(PIPELINE)
    scenes = {name: make_section(SceneParams, values, f"{PIPELINE}: scenes.{name}") for name, values in sections["scenes"].items()}
    cameras = {
        name: make_section(CameraParams, values, f"{PIPELINE}: cameras.{name}") for name, values in sections["cameras"].items()
    }
    return scenes, cameras


def main() -> None:
    args = stage_options(__doc__, "pins", "footage", "dataset", "timings")
    check_pins(args.pins)
    params = load_training_section(DataParams, "detector_data")
    cv2.setNumThreads(1)
    with stage_run("detector_data", "all", args.timings) as run, writing_folder(args.dataset) as folder:
        with run.computing():
            plan = filmings(params.sampled, *pipeline_scenes())
            for split in SPLITS:
                examples = (example for filming in progress(plan[split], split, len(plan[split]), "scene") for example in draw(filming))
                counts = write_examples(
                    folder, split, examples, params.image_size_px, params.jpeg_quality, params.min_visibility
                )
                run.counts |= {f"{split}_pictures": counts[0], f"{split}_boxes": counts[1]}
            write_description(folder)


if __name__ == "__main__":
    execute(main)
