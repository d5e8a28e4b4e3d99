"""A data set of crops to a trained Re-ID network.

It goes on where it was killed, with the same result: the state after each epoch is kept outside of DVC until the weights are
written. The curves are live in MLflow.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from stages.artifacts import write_json, writing, writing_folder
from stages.chunks import fingerprint, kept_chunks
from stages.command import execute, log, stage_options, stage_run
from stages.devices import device_name, prepare_device
from stages.errors import ParamsError
from stages.pins import check_pins
from stages.reid.torchreid_encoder import HEAD
from stages.sequence_folder import holds_data
from stages.weights import weights_file
from training.reid.attributes import read_attributes
from training.reid.checking import check_test, check_train
from training.reid.crops import Crops, Ints
from training.reid.market import GALLERY, QUERY, TRAIN, read_market
from training.reid.training import Trainer, TrainParams
from training.sections import load_training_section
from training.tracking import Tracking

SUFFIXES = (".pth", ".pth.tar")


def prepare(params: TrainParams) -> torch.device:
    """The device to train on. Raises ParamsError where float16 is asked of a CPU."""
    device = prepare_device("reid_train", params.threads, half=False)
    if params.precision == "float16" and device.type == "cpu":
        raise ParamsError("reid_train.precision: expected float32 or bfloat16 on a CPU, got float16, which needs a GPU")
    if device.type != "cpu":  # where some gradients have no deterministic kernel; equal weights are promised for a CPU
        torch.use_deterministic_algorithms(True, warn_only=True)
    return device


def initial_file(start: Path) -> Path | None:
    """The weights in the folder to begin with; None where its marker says that there are none. Raises DataError for neither."""
    return weights_file(start, SUFFIXES) if holds_data(start) else None


def write_weights(path: Path, network: torch.nn.Module, params: TrainParams) -> None:
    """Writes the network and the size of its crops as `embed` reads them; without its head, whose identities nobody meets."""
    state = {name: value.cpu() for name, value in network.state_dict().items() if not name.startswith(HEAD)}
    with writing(path) as temporary:
        torch.save({"state_dict": state, "height_px": params.height_px, "width_px": params.width_px}, temporary)


def train(
    crops: Crops,
    attributes: Ints | None,
    params: TrainParams,
    initial: Path | None,
    device: torch.device,
    mark: str,
    scratch: Path,
) -> Trainer:
    """The trainer after its last epoch. `mark` names the training; its state is kept in `scratch`."""
    trainer = Trainer(crops, params, initial, device, attributes)
    log.info("reid_train: %s on %s: %d crops of %d people in %d cameras", params.model, device_name(device), len(crops),
             trainer.num_identities, len(set(crops.camera_ids.tolist())))  # fmt: skip
    with Tracking().begin("reid", mark, asdict(params)) as curves:
        for epochs in trainer.run(scratch):
            figures = trainer.curves[-1]
            curves.log(epochs, figures)
            shown = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
            log.info("reid_train: epoch %d of %d: %s", epochs, params.schedule.epochs, shown)
    return trainer


def main() -> None:
    args = stage_options(__doc__, "pins", "dataset", "start", "weights", "timings")
    check_pins(args.pins)
    params = load_training_section(TrainParams, "reid_train")
    device, initial = prepare(params), initial_file(args.start)
    with stage_run("reid_train", "all", args.timings) as run:
        crops = read_market(args.dataset / TRAIN)
        check_train(args.dataset, crops, params.sampling)
        if (args.dataset / QUERY).is_dir():  # annotated footage has none: what is wrong with a test is said before the hours
            check_test(args.dataset, read_market(args.dataset / QUERY), read_market(args.dataset / GALLERY))
        identities = np.unique(crops.identity_ids)
        attributes = read_attributes(args.dataset, identities) if params.loss.attribute_weight > 0 else None
        pins = args.pins.read_text(encoding="utf-8")
        mark = fingerprint([params, device_name(device), pins], [args.dataset, *([initial] if initial else [])])
        with kept_chunks("reid_train", "all", mark) as kept:
            with run.computing():
                trainer = train(crops, attributes, params, initial, device, mark, kept.folder)
            with writing_folder(args.weights) as folder:
                write_weights(folder / f"{params.model}.pth", trainer.network, params)
                write_json(folder / "history.json", trainer.curves)
        run.counts = {"crops": len(crops), "people": trainer.num_identities, "epochs": params.schedule.epochs}


if __name__ == "__main__":
    execute(main)
