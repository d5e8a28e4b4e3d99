"""A data set to a trained detector: fine-tunes an Ultralytics network, or trains one from scratch.

It goes on where it was killed, with the same result: the state after each epoch is kept outside of DVC until the weights are
written.
"""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from stages.artifacts import write_json, writing_folder
from stages.chunks import fingerprint, kept_chunks
from stages.command import execute, log, stage_options, stage_run
from stages.devices import device_name, prepare_device
from stages.pins import check_pins
from stages.trusted import check_trusted
from stages.weights import weights_file
from training.detector.checking import check_dataset, check_one_shape
from training.detector.examples import CLASSES, SPLITS
from training.detector.fitting import Figures, Fitting
from training.detector.network import make_network, write_network
from training.detector.recipe import Recipe
from training.sections import load_training_section
from training.tracking import Tracking


def train(
    recipe: Recipe, start: Path, dataset: Path, scratch: Path, device: torch.device, report: Callable[[int, Figures], None]
) -> tuple[Any, dict[str, torch.Tensor], list[Figures]]:
    """The network, its best weights and the figures of every epoch. The state is kept in `scratch` until it is deleted."""
    network = make_network(start, CLASSES, recipe.seed)
    fitting = Fitting(recipe, network, link_dataset(dataset, scratch), scratch / "state.pt", device, report)
    fitting.train()
    return network, fitting.best_weights, fitting.history


def link_dataset(dataset: Path, scratch: Path) -> Path:
    """The data set's description in a folder of links to its files: Ultralytics caches labels beside them."""
    folder = scratch / "dataset"
    shutil.rmtree(folder, ignore_errors=True)
    for split in SPLITS:
        for part in (Path("images") / split, Path("labels") / split):
            (folder / part).mkdir(parents=True)
            for path in (dataset / part).iterdir():
                (folder / part / path.name).symlink_to(path.resolve())
    return Path(shutil.copyfile(dataset / "dataset.yaml", folder / "dataset.yaml"))


def main() -> None:
    args = stage_options(__doc__, "pins", "dataset", "start", "weights", "timings")
    check_pins(args.pins)
    recipe = load_training_section(Recipe, "detector_train")
    start = weights_file(args.start, (".pt", ".yaml"))
    if start.suffix == ".pt":
        check_trusted(start)
    check_dataset(args.dataset)
    if recipe.rectangular:
        check_one_shape(args.dataset, recipe.image_size_px)
    device = prepare_device("detector_train", recipe.threads, half=False)
    log.info("detector_train: %s, %d epochs on %s", start.name, recipe.epochs, device_name(device))
    pins = args.pins.read_text(encoding="utf-8")
    mark = fingerprint([recipe, device_name(device), pins], [args.dataset, start])
    curves = Tracking().begin("detector", mark, dataclasses.asdict(recipe))

    def report(epoch: int, figures: Figures) -> None:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        log.info("detector_train: epoch %d of %d: %s", epoch + 1, recipe.epochs, shown)
        curves.log(epoch + 1, figures)

    with curves, stage_run("detector_train", "all", args.timings) as run, kept_chunks("detector_train", "all", mark) as kept:
        with run.computing():
            network, weights, history = train(recipe, start, args.dataset, kept.folder, device, report)
        with writing_folder(args.weights) as folder:
            write_network(folder / "detector.pt", network, weights)
            write_json(folder / "history.json", history)
        run.counts = {"epochs": len(history)}


if __name__ == "__main__":
    execute(main)
