"""Training of Re-ID: batches, losses, and that a killed training ends with the same weights."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from stages.errors import DataError, ParamsError
from stages.images import read_image
from stages.params import make_section
from stages.reid.encoder import EmbedParams
from stages.reid.torchreid_encoder import TorchreidEncoder, build_network
from tests.conftest import ROOT
from tests.reid_crops import make_dataset, people
from training.reid import evaluate, train
from training.reid.augmenting import AugmentingParams, shown
from training.reid.crops import Crops
from training.reid.initial import load_initial
from training.reid.losses import hard_triplet_loss
from training.reid.market import GALLERY, TRAIN, read_market
from training.reid.sampling import SamplingParams, batches
from training.reid.schedule import ScheduleParams, rate
from training.reid.training import Trainer, TrainParams
from training.sections import load_training_section

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torchreid misses a compiled extension for its evaluation
    from torchreid.reid.losses import TripletLoss

SMALL: dict[str, Any] = {
    "model": "osnet_x0_25", "start": "untrained", "seed": 3, "height_px": 64, "width_px": 32,
    "sampling": {"identities": 2, "crops": 2, "from_one_sequence": 2},
    "augmenting": {"flip": 0.5, "shift": 0.05, "cut": 0.5, "cover": 0.5, "erase": 0.5},
    "loss": {"label_smoothing": 0.1, "triplet_weight": 1.0, "triplet_margin": 0.3, "attribute_weight": 0.0},
    "schedule": {"kind": "cosine", "epochs": 3, "warmup_epochs": 1, "step_epochs": [], "step_factor": 0.1},
    "learning_rate": 0.001, "weight_decay": 0.0005, "precision": "float32", "threads": 1, "workers": 0,
}  # fmt: skip
CPU = torch.device("cpu")


def small(**changes: Any) -> TrainParams:
    return make_section(TrainParams, SMALL | changes, "reid_train")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("reid") / "dataset")


def test_a_batch_has_p_people_with_k_crops_each_and_groups_of_one_sequence() -> None:
    identities = np.repeat(np.arange(1, 25), 6)
    crops = Crops(tuple(Path(str(k)) for k in range(144)), identities, np.tile([1, 1, 1, 2, 2, 2], 24), (identities - 1) // 6)
    made = batches(crops, SamplingParams(4, 2, 2), np.random.default_rng(1))
    shown_rows = np.concatenate(made)
    assert len(made) == 18  # 24 people with 3 times 2 crops, 4 people a batch
    assert sorted(shown_rows.tolist()) == list(range(144))  # each crop once
    for rows in made:
        who = identities[rows].reshape(4, 2)
        assert (who[:, 0] == who[:, 1]).all()
        assert len(set(who[:, 0].tolist())) == 4
        assert (crops.sequence_ids[rows[0:4]] == crops.sequence_ids[rows[0]]).all()  # two people of one sequence,
        assert (crops.sequence_ids[rows[4:8]] == crops.sequence_ids[rows[4]]).all()  # and again two
        assert (crops.camera_ids[rows].reshape(4, 2).sum(axis=1) == 3).all()  # a crop from each camera
    again = batches(crops, SamplingParams(4, 2, 2), np.random.default_rng(1))
    assert [rows.tolist() for rows in again] == [rows.tolist() for rows in made]


def test_who_has_few_crops_gives_some_twice() -> None:
    (rows,) = batches(people([1, 1, 2, 2, 2]), SamplingParams(2, 4, 1), np.random.default_rng(0))
    assert sorted(set(rows.tolist())) == [0, 1, 2, 3, 4]
    assert len(rows) == 8


def test_without_augmentation_a_crop_is_what_the_pipeline_shows_its_network(tmp_path: Path) -> None:
    """At the size that the weights carry."""
    picture = np.random.default_rng(0).integers(0, 255, (50, 30, 3), dtype=np.uint8)
    plain = shown(picture, (96, 48), augmenting(), np.random.default_rng(0))
    network = build_network("osnet_x0_25").eval()
    train.write_weights(tmp_path / "w.pth", network, small(height_px=96, width_px=48))
    encoder = TorchreidEncoder(tmp_path / "w.pth", EmbedParams("osnet_x0_25", "w", 1, 1, 0, 1, 1, False, 1), CPU)
    with torch.inference_mode():
        features = network(plain[None])
    assert features.numpy() == pytest.approx(encoder([picture]), rel=1e-4, abs=1e-5)


def test_a_size_that_cannot_be_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": build_network("osnet_x0_25").state_dict(), "height_px": 0}, tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"w\.pth: expected height_px and width_px in \[1, 4096\], got 0 and 128$"):
        TorchreidEncoder(tmp_path / "w.pth", EmbedParams("osnet_x0_25", "w", 1, 1, 0, 1, 1, False, 1), CPU)


def augmenting(**shares: float) -> AugmentingParams:
    """Nothing but what is named."""
    return AugmentingParams(**{"flip": 0, "shift": 0, "cut": 0, "cover": 0, "erase": 0} | shares)


def test_augmentation_mirrors_shifts_and_erases() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 20, 3), dtype=np.uint8)
    plain = shown(picture, (40, 20), augmenting(), np.random.default_rng(0))
    mirrored = shown(picture, (40, 20), augmenting(flip=1), np.random.default_rng(0))
    assert torch.equal(mirrored.flip(2), plain)
    erased = shown(picture, (40, 20), augmenting(erase=1), np.random.default_rng(0))
    gone = (erased == 0).all(dim=0)
    assert 0.01 < gone.float().mean() < 0.45
    assert torch.equal(erased[:, ~gone], plain[:, ~gone])
    shifted = shown(picture, (40, 20), augmenting(shift=0.5), np.random.default_rng(4))
    rows, columns = torch.nonzero((shifted != 0).any(dim=0), as_tuple=True)
    top, left = int(rows.min()), int(columns.min())
    there = shifted[:, top : int(rows.max()) + 1, left : int(columns.max()) + 1]
    assert there.shape[1] < 40 or there.shape[2] < 20
    up, back = (0 if top else 40 - there.shape[1]), (0 if left else 20 - there.shape[2])
    assert torch.equal(there, plain[:, up : up + there.shape[1], back : back + there.shape[2]])


@pytest.mark.parametrize("seed", range(8))
def test_augmentation_covers_one_side_with_one_colour(seed: int) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 20, 3), dtype=np.uint8)
    plain = shown(picture, (40, 20), augmenting(), np.random.default_rng(0))
    covered = shown(picture, (40, 20), augmenting(cover=1), np.random.default_rng(seed))
    changed = (covered != plain).any(dim=0)
    assert 0.05 < changed.float().mean() < 0.8
    assert len(torch.unique(covered[:, changed], dim=1).T) == 1
    sides = [changed[0], changed[-1], changed[:, 0], changed[:, -1]]
    assert max(side.float().mean() for side in sides) > 0.7  # a steep edge leaves a corner


@pytest.mark.parametrize("seed", range(8))
def test_augmentation_cuts_off_one_side(seed: int) -> None:
    """Rows and columns of the picture have numbers; what is left is a run of them from one side, up to the blur of resizing."""
    rows = np.tile(np.arange(40)[:, None, None] * 6, (1, 20, 3)).astype(np.uint8)
    columns = np.tile(np.arange(20)[None, :, None] * 12, (40, 1, 3)).astype(np.uint8)
    plain, kept = [], []
    for picture in (rows, columns):
        plain.append(shown(picture, (40, 20), augmenting(), np.random.default_rng(0))[0])
        kept.append(shown(picture, (40, 20), augmenting(cut=1), np.random.default_rng(seed))[0])
    spans = [float((k.max() - k.min()) / (p.max() - p.min())) for p, k in zip(plain, kept, strict=True)]
    assert max(spans) == pytest.approx(1, abs=0.02)
    assert 0.4 < min(spans) < 0.95


def test_the_hardest_positive_and_negative_make_the_loss() -> None:
    # Unit vectors at 0, 60, 90 and 180 degrees; the first two are one person, the others another. Chords 2 sin(angle / 2).
    angles = [0, 60, 90, 180]
    features = torch.tensor([[3 * math.cos(math.radians(a)), 3 * math.sin(math.radians(a))] for a in angles])

    def chord(degrees: float) -> float:
        return 2 * math.sin(math.radians(degrees) / 2)

    expected = [chord(60) - chord(90), chord(60) - chord(30), chord(90) - chord(30), chord(90) - chord(120)]
    loss = hard_triplet_loss(features, torch.tensor([0, 0, 1, 1]), 0.3)
    assert float(loss) == pytest.approx(sum(max(0.0, 0.3 + value) for value in expected) / 4, abs=1e-6)


def test_the_triplet_loss_is_torchreids_of_features_at_length_1() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(24, 16, generator=generator)
    labels = torch.arange(24) % 6
    reference = TripletLoss(0.4)(torch.nn.functional.normalize(features), labels)
    assert float(hard_triplet_loss(features, labels, 0.4)) == pytest.approx(float(reference), abs=1e-6)


def test_the_rate_warms_up_and_falls() -> None:
    cosine = ScheduleParams("cosine", 12, 2, (), 0.1)
    assert rate(0, cosine) < 0.01
    assert rate(1, cosine) == pytest.approx(0.5, abs=0.01)
    assert [rate(epoch, cosine) for epoch in (2, 7, 12)] == pytest.approx([1, 0.5, 0])
    steps = ScheduleParams("step", 12, 0, (4, 8), 0.1)
    assert [rate(epoch, steps) for epoch in (0, 3.9, 4, 8, 11)] == pytest.approx([1, 1, 0.1, 0.01, 0.01])


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def trained(dataset: Path, folder: Path) -> Trainer:
    torch.set_num_threads(1)
    trainer = Trainer(read_market(dataset / TRAIN), small(), None, CPU)
    assert list(trainer.run(folder))[-1] == 3
    return trainer


def test_a_query_that_nobody_could_find_is_refused_before_training(
    project: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = shutil.copytree(dataset, project / "given")
    for path in (given / GALLERY).glob("0003_*"):
        path.unlink()
    options = {"pins": ROOT / "constraints" / "networks.txt", "dataset": given, "weights": "weights",
               "start": ROOT / "data" / "weights" / "untrained", "timings": "train.json"}  # fmt: skip
    monkeypatch.setattr(
        sys, "argv", ["train", *(text for name, value in options.items() for text in (f"--{name}", str(value)))]
    )
    with pytest.raises(DataError, match=r"expected identity 3 in the gallery, too, found none"):
        train.main()
    assert not (project / "mlflow.db").exists()


def test_a_training_that_diverges_ends_in_one_line(dataset: Path, tmp_path: Path) -> None:
    trainer = Trainer(read_market(dataset / TRAIN), small(), None, CPU)
    torch.nn.init.constant_(trainer.network.get_parameter("classifier.bias"), float("inf"))
    with pytest.raises(ParamsError, match=r"learning_rate: expected losses that stay finite, got others in epoch 1: lower it"):
        list(trainer.run(tmp_path))


KILLED = """
import sys, time, torch
from pathlib import Path
from tests.test_training_reid import CPU, TRAIN, Trainer, read_market, small
torch.set_num_threads(1)
trainer = Trainer(read_market(Path(sys.argv[1]) / TRAIN), small(), None, CPU)
for epochs in trainer.run(Path(sys.argv[2])):
    print(epochs, flush=True)
    time.sleep(60)  # until it is killed
"""


def test_a_killed_training_ends_with_the_same_weights(dataset: Path, tmp_path: Path) -> None:
    whole = trained(dataset, tmp_path / "whole")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(dataset), str(tmp_path / "killed")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = trained(dataset, tmp_path / "killed")
    assert resumed.curves == whole.curves
    expected, found = weights(whole), weights(resumed)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    untrained = weights(Trainer(read_market(dataset / TRAIN), small(), None, CPU))
    assert not torch.equal(untrained["conv1.conv.weight"], found["conv1.conv.weight"])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_features_learn_to_name_attributes(precision: str, dataset: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    crops = read_market(dataset / TRAIN)  # four people
    codes = np.array([[0, 0], [0, 1], [1, 2], [1, 3]])
    schedule = SMALL["schedule"] | {"epochs": 8}
    changes = {"loss": SMALL["loss"] | {"attribute_weight": 2.0}, "schedule": schedule, "augmenting": vars(augmenting()),
               "precision": precision}  # fmt: skip
    trainer = Trainer(crops, small(**changes), None, CPU, codes)
    assert trainer.heads is not None
    chance = (math.log(2) + math.log(4)) / 2
    features, labels = torch.zeros(4, 512), torch.arange(4)
    for parameter in trainer.heads.parameters():
        torch.nn.init.zeros_(parameter)
    assert trainer.heads.loss(features, labels).item() == pytest.approx(chance)
    list(trainer.run(tmp_path))
    assert trainer.curves[-1]["attribute_loss"] < chance / 2
    resumed = Trainer(crops, small(**changes), None, CPU, codes)
    assert list(resumed.run(tmp_path)) == [8]
    assert resumed.heads is not None
    assert all(torch.equal(a, b) for a, b in zip(trainer.heads.parameters(), resumed.heads.parameters(), strict=True))


def test_training_begins_with_the_weights_that_are_named(dataset: Path, tmp_path: Path) -> None:
    other = build_network("osnet_x0_25", num_classes=1000)  # as ImageNet's has
    torch.save({"state_dict": {f"module.{name}": value for name, value in other.state_dict().items()}}, tmp_path / "w.pth")
    trainer = Trainer(read_market(dataset / TRAIN), small(), tmp_path / "w.pth", CPU)
    found = weights(trainer)
    assert torch.equal(found["conv2.0.conv1.conv.weight"], other.state_dict()["conv2.0.conv1.conv.weight"])
    assert found["classifier.weight"].shape[0] == 4
    with pytest.raises(DataError, match=r"w\.pth: expected weights of resnet50 to begin with, got"):
        load_initial(build_network("resnet50"), tmp_path / "w.pth", "resnet50")


def test_weights_that_are_not_there_are_asked_for(tmp_path: Path) -> None:
    assert train.initial_file(ROOT / "data" / "weights" / "untrained") is None
    with pytest.raises(DataError, match=r"imagenet: expected one \.pth or \.pth\.tar file, found none"):
        train.initial_file(tmp_path / "imagenet")


def test_float16_is_refused_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRACE_DEVICE", "cpu")
    with pytest.raises(ParamsError, match=r"reid_train\.precision: expected float32 or bfloat16 on a CPU, got float16"):
        train.prepare(small(precision="float16"))


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"reid_train\.momentum: expected one of model, .*, got an unknown key$"):
        small(momentum=0.9)


def test_sections_of_the_shipped_parameters_are_whole() -> None:
    params = load_training_section(TrainParams, "reid_train", ROOT / "training" / "params.yaml")
    assert params.sampling.from_one_sequence <= params.sampling.identities


@pytest.fixture
def project(tmp_path: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the parameters of a small training, in which stages run."""
    sections = {"reid_train": SMALL, "reid_evaluate": {"worst_queries": 2, "list_length": 3}}  # fmt: skip
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "params.yaml").write_text(yaml.safe_dump(sections))
    embed = yaml.safe_load((ROOT / "params.yaml").read_text())["embed"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"embed": embed | {"threads": 1}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("RETRACE_DEVICE", "cpu")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr("stages.command.die_with_dvc", lambda: None)
    return tmp_path


def test_a_training_leaves_weights_that_the_pipeline_loads_and_curves_that_mlflow_shows(
    project: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = str(ROOT / "constraints" / "networks.txt")
    given = ["--pins", pins, "--dataset", str(dataset), "--weights", "weights"]
    start = str(ROOT / "data" / "weights" / "untrained")
    monkeypatch.setattr(sys, "argv", ["train", *given, "--start", start, "--timings", "train.json"])
    train.main()
    assert sorted(path.name for path in (project / "weights").iterdir()) == ["history.json", "osnet_x0_25.pth"]
    curves = json.loads((project / "weights" / "history.json").read_text())
    assert len(curves) == 3
    assert not list((project / ".chunks" / "reid_train" / "all").iterdir())  # the state is gone when the weights are there

    from mlflow.tracking import MlflowClient

    client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    (run,) = client.search_runs([e.experiment_id for e in client.search_experiments() if "training" in e.name])
    logged = client.get_metric_history(run.info.run_id, "softmax_loss")
    assert [(point.step, point.value) for point in logged] == [(k + 1, curve["softmax_loss"]) for k, curve in enumerate(curves)]

    monkeypatch.setattr(sys, "argv", ["evaluate", *given, "--evaluation", "evaluation", "--timings", "evaluate.json"])
    evaluate.main()
    metrics = json.loads((project / "evaluation" / "metrics.json").read_text())
    assert metrics["people"] == 4
    assert metrics["queries"] == 8
    assert metrics["color_histogram"]["Rank-1"] == 1.0  # each person has a colour
    assert 0 <= metrics["mINP"] <= metrics["mAP"] <= 1
    picture = read_image(project / "evaluation" / "worst_queries.png")
    assert picture.shape[0] == 2 * (128 + 4)
