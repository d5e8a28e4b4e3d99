"""A data set to train the Re-ID network on, in Market-1501's layout: filmed in the sample world, or cut from annotated footage.

Data sets that have that layout or MSMT17's already are used as they are (`reid.dataset`), without this stage.
"""

from dataclasses import dataclass
from typing import Literal

import cv2

from stages.artifacts import writing_folder
from stages.command import execute, stage_options, stage_run
from stages.params import read_params
from stages.pins import check_pins
from training.params import load_training_section
from training.reid.cutting import CuttingParams
from training.reid.footage import FootageParams, write_footage
from training.reid.sampled import SampledParams, write_sampled


@dataclass(frozen=True)
class DataParams:
    """Where crops come from, and how they are cut."""

    source: Literal["sampled", "motchallenge"]
    sampled: SampledParams
    motchallenge: FootageParams
    cutting: CuttingParams


def main() -> None:
    args = stage_options(__doc__, "pins", "footage", "dataset", "timings")
    check_pins(args.pins)
    params = load_training_section(DataParams, "reid.data")
    cv2.setNumThreads(1)
    with stage_run("reid_data", "all", args.timings) as run, writing_folder(args.dataset) as folder:
        with run.computing():
            if params.source == "sampled":
                params.sampled.refuse({scene["seed"]: name for name, scene in read_params()["scenes"].items()})
                write_sampled(folder, params.sampled, params.cutting)
            else:
                write_footage(folder, args.footage, params.motchallenge, params.cutting)
        run.counts = {f"{kind.name}_crops": len(list(kind.iterdir())) for kind in sorted(folder.iterdir())}


if __name__ == "__main__":
    execute(main)
