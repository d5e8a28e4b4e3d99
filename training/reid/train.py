"""A data set of crops to the weights of a Re-ID network. Goes on where it was killed."""
import json, time
from pathlib import Path
from stages.command import execute, log, parser
from stages.devices import prepare_device
from training.sections import load_training_section
from training.reid.training import Trainer, TrainParams
from training.reid.market import TRAIN, read_market
import torch

def main() -> None:
    made = parser(__doc__)
    for name in ("data", "folder"):
        made.add_argument(f"--{name}", required=True, type=Path)
    args = made.parse_args()
    params = load_training_section(TrainParams, "reid_train")
    device = prepare_device("reid_train", params.threads, params.mixed_precision)
    crops = read_market(args.data / TRAIN)
    trainer = Trainer(crops, params, device)
    started = time.time()
    for state in trainer.run(args.folder):
        log.info("epoch %d %s %.0f s", state.epochs, json.dumps(state.curves[-1]), time.time() - started)
    torch.save({k: v for k, v in trainer.network.state_dict().items() if not k.startswith("classifier.")}, args.folder / "weights.pth")

if __name__ == "__main__":
    execute(main)
