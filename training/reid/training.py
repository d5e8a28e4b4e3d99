"""The training loop: epochs of PK batches, each of them worked out from the seed and the epoch's number alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from stages.errors import ParamsError
from stages.images import read_image
from stages.params import Range
from stages.progress import progress
from stages.reid.encoder import FEATURE_DIMS, Model
from stages.reid.torchreid_encoder import build_network
from training.reid.attributes import AttributeHeads
from training.reid.augmenting import AugmentingParams, shown
from training.reid.checkpoints import Curves, read_checkpoint, write_checkpoint
from training.reid.crops import Crops, Ints
from training.reid.initial import load_initial
from training.reid.losses import LossParams, hard_triplet_loss
from training.reid.sampling import SamplingParams, batches
from training.reid.schedule import ScheduleParams, rate


@dataclass(frozen=True)
class TrainParams:
    """Everything that decides what weights come out, and how fast."""

    model: Model
    start: str
    seed: Annotated[int, Range(0, 2**32 - 1)]
    height_px: Annotated[int, Range(32, 1024)]
    width_px: Annotated[int, Range(32, 1024)]
    sampling: SamplingParams
    augmenting: AugmentingParams
    loss: LossParams
    schedule: ScheduleParams
    learning_rate: Annotated[float, Range(0, 10)]
    weight_decay: Annotated[float, Range(0, 1)]
    precision: Literal["float32", "bfloat16", "float16"]
    threads: Annotated[int, Range(1, 256)]
    workers: Annotated[int, Range(0, 256)]


class Shown(Dataset[tuple[torch.Tensor, int]]):
    """Crops as one epoch shows them; item (row, n) is the crop of this row as the epoch's n-th."""

    def __init__(self, crops: Crops, labels: Sequence[int], params: TrainParams, epoch: int) -> None:
        self.crops, self.labels, self.params, self.epoch = crops, labels, params, epoch

    def __getitem__(self, item: Any) -> tuple[torch.Tensor, int]:
        row, number = item
        rng = np.random.default_rng([self.params.seed, self.epoch, 1, number])
        picture = read_image(self.crops.paths[row])
        size = (self.params.height_px, self.params.width_px)
        return shown(picture, size, self.params.augmenting, rng), self.labels[row]


class Trainer:
    """A network in training on some crops."""

    def __init__(
        self, crops: Crops, params: TrainParams, initial: Path | None, device: torch.device, attributes: Ints | None = None
    ) -> None:
        """attributes (I, A): codes of the crops' identities, sorted; None where they are not learnt."""
        self.crops, self.params, self.device = crops, params, device
        identities, labels = np.unique(crops.identity_ids, return_inverse=True)
        self.labels: list[int] = labels.tolist()
        torch.manual_seed(params.seed)
        self.num_identities = len(identities)
        network = build_network(params.model, self.num_identities, "triplet")
        if initial is not None:
            load_initial(network, initial, params.model)
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.heads = None if attributes is None else AttributeHeads(FEATURE_DIMS[params.model], attributes).to(device)
        learnt = [*self.network.parameters(), *(self.heads.parameters() if self.heads else [])]
        self.optimizer = torch.optim.Adam(learnt, lr=params.learning_rate, weight_decay=params.weight_decay, amsgrad=True)
        self.scaler = torch.amp.GradScaler(device.type, enabled=params.precision == "float16")
        self.curves: Curves = []  # figures of each epoch done

    @property
    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        heads = {"heads": self.heads} if self.heads else {}
        return {"network": self.network, "optimizer": self.optimizer, "scaler": self.scaler, **heads}

    def run(self, folder: Path) -> Iterator[int]:
        """Trains on from the checkpoint in the folder, where there is one; the number of epochs done, after each of them.

        The last is told, too, where there was nothing left to do.
        """
        self.curves = read_checkpoint(folder, self.parts, self.device)
        if self.curves:
            yield len(self.curves)
        for epoch in range(len(self.curves), self.params.schedule.epochs):
            self.curves.append(self.epoch(epoch))
            write_checkpoint(folder, self.curves, self.parts)
            yield epoch + 1

    def epoch(self, epoch: int) -> dict[str, float]:
        """Shows all crops once; mean losses and the share of crops that the softmax takes for the right person.

        Raises ParamsError where the training has diverged.
        """
        torch.manual_seed(self.params.seed + epoch)  # of layers that drop out
        made = batches(self.crops, self.params.sampling, np.random.default_rng([self.params.seed, epoch, 0]))
        loader = DataLoader(Shown(self.crops, self.labels, self.params, epoch), batch_sampler=_numbered(made),
                            num_workers=self.params.workers)  # fmt: skip
        self.network.train()
        sums = np.zeros(4)
        for number, (images, labels) in enumerate(progress(loader, f"epoch {epoch + 1}", len(made), "batch")):
            share = rate(epoch + number / len(made), self.params.schedule)
            for group in self.optimizer.param_groups:
                group["lr"] = self.params.learning_rate * share
            sums += self.step(images.to(self.device, memory_format=torch.channels_last), labels.to(self.device))
        if not np.isfinite(sums).all():
            raise ParamsError(f"reid_train.learning_rate: expected losses that stay finite, got others in epoch {epoch + 1}: "
                              "lower it")  # fmt: skip
        names = ("softmax_loss", "triplet_loss", "attribute_loss", "accuracy")
        return dict(zip(names, (sums / len(made)).tolist(), strict=True))

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float, float, float]:
        """One step down; the losses, and the share of crops that the softmax takes for the right person."""
        params = self.params.loss
        precision = self.params.precision
        with torch.autocast(self.device.type, getattr(torch, precision), enabled=precision != "float32"):
            logits, features = self.network(images)
        logits, features = logits.float(), features.float()
        softmax = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=params.label_smoothing)
        triplet = hard_triplet_loss(features, labels, params.triplet_margin)
        named = self.heads.loss(features, labels) if self.heads else torch.zeros_like(softmax)
        self.optimizer.zero_grad(set_to_none=True)
        total = softmax + params.triplet_weight * triplet + params.attribute_weight * named
        torch.autograd.backward(self.scaler.scale(total))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return softmax.item(), triplet.item(), named.item(), (logits.argmax(dim=1) == labels).float().mean().item()


def _numbered(made: list[Ints]) -> list[list[tuple[int, int]]]:
    """The rows of each batch, each with its number in the epoch."""
    return [[(row, k * len(rows) + n) for n, row in enumerate(rows.tolist())] for k, rows in enumerate(made)]
