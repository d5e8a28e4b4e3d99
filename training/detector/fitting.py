"""Ultralytics' training of a detector, such that one that was killed goes on and ends with the same weights.

Ultralytics resumes from weights rounded to float16 and from another random state. Here an epoch depends on the state after the
one before, the seed and its number alone: when it begins, generators are seeded anew and pictures kept for mosaics dropped; and
the state is kept in full precision. It is made of tensors and numbers, which loading does not execute.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from stages.artifacts import writing
from stages.detecting.yolo import isolate_ultralytics
from stages.errors import ParamsError

isolate_ultralytics()

from ultralytics.models.yolo import detect  # noqa: E402 - it reads its environment when imported

from training.detector.recipe import Recipe  # noqa: E402

Figures = dict[str, float]
Untyped: Any = detect.DetectionTrainer  # it has no types


class Fitting(Untyped):  # type: ignore[misc]
    """One training. The class is no `...Trainer` by name: to those, Ultralytics adds every tracking service it finds."""

    def __init__(
        self, recipe: Recipe, network: nn.Module, description: Path, state: Path, device: torch.device,
        report: Callable[[int, Figures], None],
    ) -> None:  # fmt: skip
        """`description` is the data set's dataset.yaml in a folder that may be written into; `report` gets figures by epoch."""
        folder = description.parent.resolve()  # in the project: of a relative one it would make a folder below runs/
        where = {"data": str(folder / description.name), "model": "network.yaml", "device": str(device), "project": str(folder),
                 "name": "run", "exist_ok": True, "amp": "bf16" if _on_gpu(device, recipe) else False}  # fmt: skip
        super().__init__(overrides=recipe.overrides() | where)
        self.callbacks = defaultdict[str, list[Any]](list)
        self.recipe, self.state, self.report = recipe, state, report
        self.model = network
        self.history: list[Figures] = []
        self.best_weights: dict[str, torch.Tensor] = {}

    def set_model_attributes(self) -> None:
        """Lays the network out as convolutions on a CPU like it."""
        super().set_model_attributes()
        if self.device.type == "cpu":
            self.model = self.model.to(memory_format=torch.channels_last)

    def _setup_train(self) -> None:
        torch.set_num_threads(self.recipe.threads)  # Ultralytics has taken all
        super()._setup_train()

    def resume_training(self, ckpt: None) -> None:
        """Takes up the state that a killed training has left."""
        if not self.state.exists():
            return
        state = torch.load(self.state, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.ema.ema.load_state_dict(state["ema"])
        self.ema.updates = state["updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.best_fitness, self.best_weights, self.history = state["best_fitness"], state["best_weights"], state["history"]
        self.start_epoch = state["epoch"] + 1

    def _model_train(self) -> None:
        """Called when an epoch begins."""
        super()._model_train()
        seed = int(np.random.SeedSequence([self.recipe.seed, self.epoch]).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the one that Ultralytics draws from
        torch.manual_seed(seed)
        self.train_loader.generator.manual_seed(seed)
        dataset = self.train_loader.dataset
        dataset.buffer.clear()
        dataset.ims = [None] * dataset.ni
        self.train_loader.reset()
        last = self.epoch + 1 == self.epochs
        self.args.val = last or (self.epoch + 1) % self.recipe.validate_every == 0

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The batch on the device; on a CPU, switches to bfloat16 where the recipe wants it.

        Ultralytics refuses bfloat16 there. It calls this within a block of torch.autocast, whose end restores what was set.
        """
        if self.device.type == "cpu" and self.recipe.precision == "bfloat16":
            torch.set_autocast_dtype("cpu", torch.bfloat16)
            torch.set_autocast_enabled("cpu", True)
        made: dict[str, Any] = super().preprocess_batch(batch)
        if self.device.type == "cpu":
            made["img"] = made["img"].contiguous(memory_format=torch.channels_last)
        return made

    def save_metrics(self, metrics: dict[str, Any]) -> None:
        """Keeps and reports the figures of an epoch; those of a validation only where there was one."""
        kinds = ("train/", "val/", "metrics/") if self.args.val else ("train/",)
        figures = {_plain(name): float(value) for name, value in metrics.items() if name.startswith(kinds)}
        figures["learning_rate"] = float(self.optimizer.param_groups[-1]["lr"])
        self.history.append(figures)
        self.report(self.epoch, figures)

    def save_model(self) -> bool:
        """Keeps the state after an epoch, and the averaged weights of the best that was validated."""
        if self.args.val and self.fitness == self.best_fitness:
            self.best_weights = {name: values.detach().clone() for name, values in self.ema.ema.state_dict().items()}
        state = {
            "epoch": self.epoch, "model": self.model.state_dict(), "ema": self.ema.ema.state_dict(),
            "updates": self.ema.updates, "optimizer": self.optimizer.state_dict(), "best_fitness": self.best_fitness,
            "best_weights": self.best_weights, "history": self.history,
        }  # fmt: skip
        with writing(self.state) as temporary:
            torch.save(state, temporary)
        return True

    def _handle_nan_recovery(self, epoch: int) -> bool:
        """Stops a training that has diverged: repeating the epoch, as Ultralytics does, would be another training."""
        loss = float(self.loss.detach())
        if not math.isfinite(loss):
            raise ParamsError(f"lr0: expected a loss that stays finite, got {loss} in epoch {epoch + 1}: lower it")
        return False

    def final_eval(self) -> None:
        """Nothing: evaluation is a stage of its own."""


def _plain(name: str) -> str:
    """The name of a figure as MLflow takes it: val/mAP50 for metrics/mAP50(B)."""
    return name.removesuffix("(B)").replace("metrics/", "val/")


def _on_gpu(device: torch.device, recipe: Recipe) -> bool:
    """Whether Ultralytics itself computes in bfloat16."""
    return device.type != "cpu" and recipe.precision == "bfloat16"
