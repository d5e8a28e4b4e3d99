"""The detector's training: the same weights whether it was killed or not, and a file that the pipeline can use."""

import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.detecting.detector import DetectParams
from stages.detecting.yolo import YoloDetector
from stages.errors import DataError, ParamsError
from stages.weights import weights_file
from tests.conftest import ROOT
from tests.detector_data import RECIPE, recipe, write_architecture, write_dataset
from training.detector.examples import CLASSES, read_pictures
from training.detector.fitting import Figures
from training.detector.network import make_network, write_network
from training.detector.recipe import Recipe
from training.detector.train import train
from training.sections import load_training_section

CPU = torch.device("cpu")
KILLED_IN_EPOCH = 2  # from 0: the states after epochs 0 and 1 are there


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "dataset")


@pytest.fixture
def start(tmp_path: Path) -> Path:
    return write_architecture(tmp_path / "start")


def ignore(epoch: int, figures: Figures) -> None:
    pass


def trained(chosen: Recipe, start: Path, dataset: Path, scratch: Path) -> bytes:
    """The file that a training ends with."""
    network, weights, _ = train(chosen, start, dataset, scratch, CPU, ignore)
    write_network(scratch / "detector.pt", network, weights)
    return (scratch / "detector.pt").read_bytes()


def train_and_be_killed(chosen: Recipe, start: Path, dataset: Path, scratch: Path) -> None:
    def kill(epoch: int, figures: Figures) -> None:
        if epoch == KILLED_IN_EPOCH:
            os.kill(os.getpid(), signal.SIGKILL)

    train(chosen, start, dataset, scratch, CPU, kill)


@pytest.mark.parametrize(
    "chosen",
    [
        recipe(),  # the kill falls into the first epoch without mosaics
        recipe({"mosaic": 0.0, "mosaic_epochs": 0}, rectangular=True, optimizer="MuSGD", precision="bfloat16"),
        recipe(optimizer="AdamW", lr0=0.002, validate_every=1),
    ],
    ids=["mosaics", "bfloat16", "adam"],
)
def test_a_training_killed_and_resumed_ends_with_the_same_bytes(
    chosen: Recipe, start: Path, dataset: Path, tmp_path: Path
) -> None:
    whole = trained(chosen, start, dataset, tmp_path / "whole")
    interrupted = tmp_path / "interrupted"
    child = multiprocessing.get_context("fork").Process(target=train_and_be_killed, args=(chosen, start, dataset, interrupted))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert torch.load(interrupted / "state.pt", weights_only=True)["epoch"] == KILLED_IN_EPOCH - 1
    epochs: list[int] = []
    network, weights, history = train(chosen, start, dataset, interrupted, CPU, lambda epoch, _: epochs.append(epoch))
    write_network(interrupted / "detector.pt", network, weights)
    assert epochs == [KILLED_IN_EPOCH]
    assert len(history) == chosen.epochs
    assert (interrupted / "detector.pt").read_bytes() == whole


def test_another_seed_gives_other_weights(start: Path, dataset: Path, tmp_path: Path) -> None:
    one, other = (trained(recipe(seed=seed, epochs=2), start, dataset, tmp_path / str(seed)) for seed in (1, 2))
    assert one != other


def test_training_writes_nothing_into_the_data_set(start: Path, dataset: Path, tmp_path: Path) -> None:
    """It is an output that DVC has hashed; Ultralytics likes to cache labels in it."""
    before = sorted(dataset.rglob("*"))
    train(recipe(epochs=2), start, dataset, tmp_path / "scratch", CPU, ignore)
    assert sorted(dataset.rglob("*")) == before


def test_curves_have_names_that_mlflow_takes_and_validations_where_they_were(
    start: Path, dataset: Path, tmp_path: Path
) -> None:
    _, _, history = train(recipe(), start, dataset, tmp_path / "scratch", CPU, ignore)
    assert ["val/mAP50" in figures for figures in history] == [False, True, True]  # each second, and the last
    assert all({"train/box_loss", "learning_rate"} <= figures.keys() for figures in history)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzAP0123456789_-/") for name in history[-1])


def test_the_pipeline_detects_with_what_was_trained(start: Path, dataset: Path, tmp_path: Path) -> None:
    trained(recipe(epochs=2), start, dataset, tmp_path / "scratch")
    params = DetectParams(
        weights="tiny", class_ids=(0,), image_size_px=64, batch_size=1, half=False, compile=False, min_confidence=0.0,
        nms_iou=0.7, max_detections=5, threads=1,
    )  # fmt: skip
    detector = YoloDetector(tmp_path / "scratch" / "detector.pt", params, CPU)
    _, picture = next(iter(read_pictures(dataset, "test")))
    (found,) = detector([picture])
    assert found.bboxes.shape[1] == 4
    assert set(found.class_ids.tolist()) <= {0}


def test_fine_tuning_begins_with_the_weights_of_the_file(start: Path, tmp_path: Path) -> None:
    first = make_network(start, CLASSES, seed=1)
    write_network(tmp_path / "first.pt", first, first.state_dict())
    again = make_network(tmp_path / "first.pt", CLASSES, seed=2)
    for name, values in first.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name].numpy(), values.half().to(values.dtype).numpy(), err_msg=name)


def test_a_network_of_many_classes_becomes_one_of_ours(start: Path, dataset: Path, tmp_path: Path) -> None:
    """Ultralytics keeps the width that the head had for those classes."""
    classes = ("bird", "person", *(f"thing {number}" for number in range(60)))
    many = make_network(start, classes, seed=1)
    write_network(tmp_path / "many.pt", many, many.state_dict())
    trained(recipe(epochs=2), tmp_path / "many.pt", dataset, tmp_path / "scratch")
    again = make_network(tmp_path / "scratch" / "detector.pt", CLASSES, seed=1)
    assert again.names == {0: "person"}
    assert again.model[-1].cv3[0][0].conv.out_channels == len(classes)


def test_a_damaged_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"no network")
    with pytest.raises(DataError, match=r"broken.pt: expected an Ultralytics network, got a damaged or foreign file"):
        make_network(tmp_path / "broken.pt", CLASSES, seed=0)


def test_a_start_without_weights_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected one .pt or .yaml file, found none"):
        weights_file(tmp_path / "nothing", (".pt", ".yaml"))


def test_a_training_that_diverged_stops(start: Path, dataset: Path, tmp_path: Path) -> None:
    lost = make_network(start, CLASSES, seed=1)
    weights = lost.state_dict()
    weights["model.0.conv.weight"][:] = float("nan")
    write_network(tmp_path / "lost.pt", lost, weights)
    with pytest.raises(ParamsError, match=r"lr0: expected a loss that stays finite, got nan in epoch 1: lower it"):
        train(recipe(), tmp_path / "lost.pt", dataset, tmp_path / "scratch", CPU, ignore)


def test_the_recipe_in_the_project_is_one() -> None:
    chosen = load_training_section(Recipe, "detector_train", ROOT / "training/params.yaml")
    assert (ROOT / "data/weights" / chosen.start).is_dir()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": 1}, "detector_train.colour: expected one of start, seed,"),
        ({"image_size_px": 100}, "detector_train.image_size_px: expected a multiple of 32, got 100"),
        ({"optimizer": "Lion"}, "detector_train.optimizer: expected one of SGD, MuSGD, Adam, AdamW, got \"Lion\""),
        ({"rectangular": True}, "detector_train.augmentation.mosaic: expected 0 where rectangular is true: a mosaic"),
        ({"epochs": 1}, "detector_train.augmentation.mosaic_epochs: expected at most the 1 epochs, got 2"),
    ],
)  # fmt: skip
def test_an_impossible_recipe_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(json.dumps({"detector_train": RECIPE | changes}))  # JSON is YAML
    with pytest.raises(ParamsError) as raised:
        load_training_section(Recipe, "detector_train", path)
    assert message in str(raised.value)
