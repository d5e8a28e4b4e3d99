"""A data set of crops to a trained Re-ID network.

It goes on where it was killed, with the same result: the state after each epoch is kept outside of DVC until the weights are
written. The curves are live in MLflow.
"""

from pathlib import Path

import torch

from stages.artifacts import write_json, writing, writing_folder
from stages.chunks import fingerprint, kept_chunks
from stages.command import execute, log, stage_options, stage_run
from stages.devices import device_name, prepare_device
from stages.pins import check_pins
from stages.reid.torchreid_encoder import HEAD
from stages.weights import weights_file
from training.params import load_training_section
from training.reid.curves import Curves
from training.reid.dataset import DatasetParams, check_train, read_train
from training.reid.training import Trainer, TrainParams

WEIGHTS = (".pth", ".pth.tar")


def write_weights(path: Path, network: torch.nn.Module) -> None:
    """Writes the network without its head, whose identities nobody will meet again, as `embed` reads it."""
    state = {name: value.cpu() for name, value in network.state_dict().items() if not name.startswith(HEAD)}
    with writing(path) as temporary:
        torch.save(state, temporary)


def main() -> None:
    args = stage_options(__doc__, "pins", "dataset", "weights", "timings")
    check_pins(args.pins)
    params = load_training_section(TrainParams, "reid.train")
    layout = load_training_section(DatasetParams, "reid.dataset").layout
    device = prepare_device("reid.train", params.threads, params.mixed_precision)
    initial = None if params.initial_weights is None else weights_file(Path("data/weights") / params.initial_weights, WEIGHTS)
    crops = read_train(args.dataset, layout)
    check_train(args.dataset, crops, params.sampling)
    inputs = [args.dataset] + ([] if initial is None else [initial])
    with stage_run("reid_train", "all", args.timings) as run:
        mark = fingerprint([params, layout, device_name(device)], inputs)
        with kept_chunks("reid_train", "all", mark) as kept, Curves("reid", mark, params) as curves:
            with run.computing():
                trainer = Trainer(crops, params, initial, device)
                log.info("reid_train: %s on %s: %d crops of %d people in %d cameras", params.model, device_name(device),
                         len(crops), trainer.num_identities, len(set(crops.camera_ids.tolist())))  # fmt: skip
                for state in trainer.run(kept.folder):
                    figures = state.curves[-1]
                    curves.log(state.epochs, figures)
                    shown = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
                    log.info("reid_train: epoch %d of %d: %s", state.epochs, params.schedule.epochs, shown)
            with writing_folder(args.weights) as folder:
                write_weights(folder / f"{params.model}.pth", trainer.network)
                write_json(folder / "history.json", state.curves)
            run.counts = {"epochs": state.epochs, "crops": len(crops)}


if __name__ == "__main__":
    execute(main)
