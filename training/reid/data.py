"""A data set to train the Re-ID network on, in Market-1501's layout: filmed in the sample world, cut from annotated footage, or
copied from a data set that there is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2

from stages.artifacts import writing_folder
from stages.command import execute, stage_options, stage_run
from stages.params import read_params
from stages.pins import check_pins
from training.reid.cutting import CuttingParams
from training.reid.existing import copy_market, copy_msmt17
from training.reid.footage import FootageParams, write_footage
from training.reid.sampled import SampledParams, write_sampled
from training.sections import load_training_section


@dataclass(frozen=True)
class DataParams:
    """Where crops come from, and how they are cut."""

    source: Literal["sampled", "footage", "market1501", "msmt17"]
    existing: str
    sampled: SampledParams
    footage: FootageParams
    cutting: CuttingParams


def write(folder: Path, params: DataParams, given: Path) -> None:
    """Writes the data set into the folder; `given` holds what is not made here."""
    if params.source == "sampled":
        params.sampled.refuse({scene["seed"]: name for name, scene in read_params()["scenes"].items()})
        write_sampled(folder, params.sampled, params.cutting)
    elif params.source == "footage":
        write_footage(folder, given, params.footage, params.cutting)
    elif params.source == "market1501":
        copy_market(folder, given / params.existing)
    else:
        copy_msmt17(folder, given / params.existing)


def main() -> None:
    args = stage_options(__doc__, "pins", "given", "dataset", "timings")
    check_pins(args.pins)
    params = load_training_section(DataParams, "reid_data")
    cv2.setNumThreads(1)
    with stage_run("reid_data", "all", args.timings) as run, writing_folder(args.dataset) as folder:
        with run.computing():
            write(folder, params, args.given)
        run.counts = {f"{kind.name}_crops": len(list(kind.iterdir())) for kind in sorted(folder.iterdir()) if kind.is_dir()}


if __name__ == "__main__":
    execute(main)
