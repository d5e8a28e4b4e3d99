"""Training of Re-ID: what is learnt from, how batches are made, and that a killed training ends with the same weights."""

import json
import math
import os
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml

from stages.errors import DataError, ParamsError
from stages.params import make_section
from stages.reid.encoder import EmbedParams
from stages.reid.torchreid_encoder import TorchreidEncoder, build_network
from stages.seqinfo import SequenceInfo, format_seqinfo
from tests.conftest import ROOT
from training.reid import evaluate, train
from training.reid.augmenting import AugmentingParams, shown
from training.reid.crops import Crops
from training.reid.cutting import CuttingParams, cut
from training.reid.dataset import check_test, check_train, read_test, read_train
from training.reid.footage import FootageParams, write_footage
from training.reid.initial import load_initial
from training.reid.losses import hard_triplet_loss
from training.reid.market import GALLERY, QUERY, TRAIN, crop_name, read_market
from training.reid.msmt17 import read_msmt17
from training.reid.sampled import SampledParams, film_scene, write_sampled
from training.reid.sampling import SamplingParams, batches
from training.reid.scenes import ScenesParams
from training.reid.schedule import ScheduleParams, rate
from training.reid.training import Trainer, TrainParams
from training.sections import load_training_section

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torchreid misses a compiled extension for its evaluation
    from torchreid.reid.losses import TripletLoss

SMALL: dict[str, Any] = {
    "model": "osnet_x0_25", "initial_weights": None, "seed": 3, "coarse_epochs": 3,
    "sampling": {"identities": 2, "crops": 2, "from_one_sequence": 2},
    "augmenting": {"flip": 0.5, "shift": 0.05, "erase": 0.5},
    "loss": {"label_smoothing": 0.1, "triplet_weight": 1.0, "triplet_margin": 0.3},
    "schedule": {"kind": "cosine", "epochs": 3, "warmup_epochs": 1, "step_epochs": [], "step_factor": 0.1},
    "learning_rate": 0.001, "weight_decay": 0.0005, "mixed_precision": False, "threads": 1, "workers": 0,
}  # fmt: skip
CUTTING = CuttingParams(0.5, 20, 0.0, 0.0, (90, 90), 1)
SAMPLING = SamplingParams(2, 2, 2)
CPU = torch.device("cpu")


def small(**changes: Any) -> TrainParams:
    return make_section(TrainParams, SMALL | changes, "reid_train")


def write_crop(path: Path, hue: int, rng: np.random.Generator) -> None:
    """A noisy picture of one colour."""
    picture = np.full((24, 12, 3), (hue * 53 % 255, hue * 97 % 255, hue * 31 % 255), dtype=np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.clip(picture + rng.integers(-9, 9, picture.shape), 0, 255).astype(np.uint8))


def make_dataset(folder: Path, people: int = 4) -> Path:
    """People in Market-1501's layout, to learn from and to test with: two cameras, two crops in each."""
    rng = np.random.default_rng(0)
    for name, cameras in ((TRAIN, (1, 2)), (QUERY, (1,)), (GALLERY, (1, 2))):
        for person in range(1, people + 1):
            for camera in cameras:
                for frame in range(2):
                    write_crop(folder / name / crop_name(person, camera, 1 + person % 2, frame, 0), person, rng)
    return folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("reid") / "dataset")


# Data sets


def test_names_of_market_1501_say_who_where_and_when(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("0002_c1s3_000451_02.jpg", "-1_c6s2_000001_00.jpg", "0000_c2s1_000009_01.png", "12345_c1s1_000001_00.jpg"):
        write_crop(tmp_path / name, 1, rng)
    (tmp_path / "Thumbs.db").write_bytes(b"Market-1501 comes with this one")
    crops = read_market(tmp_path)
    found = sorted(zip(crops.identity_ids.tolist(), crops.camera_ids.tolist(), crops.sequence_ids.tolist(), strict=True))
    assert found == [(-1, 6, 2), (0, 2, 1), (2, 1, 3), (12345, 1, 1)]


def test_a_name_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_crop(tmp_path / "bob.jpg", 1, np.random.default_rng(0))
    with pytest.raises(DataError, match=r"bob\.jpg: expected a name like 0002_c1s3_000451_02\.jpg, got bob\.jpg$"):
        read_market(tmp_path)


def test_msmt17_is_read_by_its_lists(tmp_path: Path) -> None:
    name = "0000/0000_000_01_0303morning_0015_0.jpg"
    write_crop(tmp_path / "train" / name, 1, np.random.default_rng(0))
    (tmp_path / "list_train.txt").write_text(f"{name} 0\n0007/0007_003_15_0113noon_0984_1.jpg 7\n")
    crops = read_msmt17(tmp_path, "train")
    assert crops.paths[0] == tmp_path / "train" / name
    assert crops.identity_ids.tolist() == [1, 8]  # 0 is nobody in the other layout
    assert crops.camera_ids.tolist() == [1, 15]
    (tmp_path / "list_train.txt").write_text(f"{name} zero\n")
    with pytest.raises(DataError, match="line 1: expected a path like"):
        read_msmt17(tmp_path, "train")
    with pytest.raises(DataError, match=r"list_query\.txt: expected the list of MSMT17's query crops, found none$"):
        read_msmt17(tmp_path, "query")


def people(identities: list[int], cameras: list[int] | None = None) -> Crops:
    """Crops that are no files."""
    size = len(identities)
    two = np.arange(size) % 2 + 1
    paths = tuple(Path(f"{name:04d}_{k}.jpg") for k, name in enumerate(identities))
    return Crops(paths, np.array(identities, dtype=np.int64), np.array(cameras or two), np.ones(size, dtype=np.int64))


@pytest.mark.parametrize(
    ("crops", "line"),
    [
        (people([]), "data: expected crops to learn from, found none"),
        (people([1, 1, 2]), "data: expected two or more crops of each identity, got identity 2 with 0002_2.jpg alone"),
        (people([1, 1, 0, 0]), "0000_2.jpg: expected an identity from 1 in what is learnt from, got 0"),
        (people([5, 5]), "data: expected 2 or more identities for a batch, got 1"),
        (people([1, 1, 2, 2], [3, 3, 3, 3]), "data: expected crops of two or more cameras, got camera 3 alone"),
        (people([1, 1, 2, 2]), "0001_0.jpg: No such file or directory"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(crops: Crops, line: str) -> None:
    with pytest.raises((DataError, OSError)) as refusal:
        check_train(Path("data"), crops, SAMPLING)
    error = refusal.value
    assert line == (f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error))


@pytest.mark.parametrize(
    ("query", "gallery", "line"),
    [
        (people([]), people([1]), "data: expected queries to test with, found none"),
        (people([1]), people([]), "data: expected a gallery to test with, found none"),
        (people([-1]), people([1]), "-001_0.jpg: expected a person as query, got junk (-1)"),
        (people([1, 2]), people([1, 1]), "0002_1.jpg: expected identity 2 in the gallery, too, found none"),
        (people([1], [4]), people([1], [4]), "data: expected test crops of two or more cameras, got camera 4 alone"),
    ],
)
def test_what_cannot_be_tested_with_is_refused(query: Crops, gallery: Crops, line: str) -> None:
    with pytest.raises(DataError) as refusal:
        check_test(Path("data"), query, gallery)
    assert str(refusal.value) == line


def test_a_picture_that_cannot_be_read_is_refused_before_training(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path)
    broken = folder / TRAIN / crop_name(2, 1, 1, 0, 0)
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(DataError, match=rf"{broken.name}: expected a whole image, got a damaged one of 40 bytes$"):
        check_train(folder, read_train(folder, "market1501"), SAMPLING)


def test_a_whole_data_set_is_accepted(dataset: Path) -> None:
    check_train(dataset, read_train(dataset, "market1501"), SAMPLING)
    check_test(dataset, *read_test(dataset, "market1501"))


SCENES = ScenesParams(first_seed=77, count=1, cameras=2, seconds=4.0, every_s=2.0, people=5, arrivals_per_minute=0.0)


def test_people_of_a_sampled_scene_are_seen_by_two_cameras_or_more(tmp_path: Path) -> None:
    crops = film_scene(77, SCENES, CUTTING)
    assert {crop.frame for crop in crops} == {0, 1}
    assert len({crop.person for crop in crops}) >= 3
    for person in {crop.person for crop in crops}:
        assert {crop.camera for crop in crops if crop.person == person} == {1, 2}
    params = SampledParams(SCENES, replace(SCENES, first_seed=78))
    write_sampled(tmp_path, params, CUTTING)
    learnt = read_market(tmp_path / TRAIN)
    assert sorted(path.read_bytes() for path in learnt.paths) == sorted(crop.content for crop in crops)
    query, _ = read_test(tmp_path, "market1501")
    pairs = list(zip(query.identity_ids.tolist(), query.camera_ids.tolist(), strict=True))
    assert len(pairs) == len(set(pairs)) > 0  # one query of each person in each camera


def test_scenes_that_the_pipeline_is_measured_on_are_refused() -> None:
    params = SampledParams(SCENES, replace(SCENES, first_seed=80))
    params.refuse({3: "crowd"})
    with pytest.raises(ParamsError, match=r"expected seeds of no scene of params\.yaml, got 80, that of corner$"):
        params.refuse({80: "corner"})
    with pytest.raises(ParamsError, match="expected other scenes than those to learn from, got 77"):
        SampledParams(SCENES, SCENES)


def test_footage_gives_crops_of_people_seen_well(tmp_path: Path) -> None:
    # Three people of 40 px; of frames 1 and 3 (stride 2), person 5 has both, person 6 is hidden in one, person 7 is a car.
    for name in ("north", "south"):
        sequence = tmp_path / "footage" / name
        (sequence / "img1").mkdir(parents=True)
        (sequence / "gt").mkdir()
        for frame in range(1, 5):
            cv2.imwrite(str(sequence / "img1" / f"{frame:06d}.png"), np.full((60, 80, 3), 50 * frame, dtype=np.uint8))
        (sequence / "seqinfo.ini").write_text(format_seqinfo(SequenceInfo(name, 80, 60, 25.0, 4, False)))
        rows = [(frame, who, 20 * who - 90, 5, 20, 40, 1, 3 if who == 7 else 1, 0.2 if (who, frame) == (6, 3) else 1)
                for frame in range(1, 5) for who in (5, 6, 7)]  # fmt: skip
        (sequence / "gt" / "gt.txt").write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    made = tmp_path / "made"
    made.mkdir()
    write_footage(made, tmp_path / "footage", FootageParams(("north", "south"), (1,), 2, 2), CUTTING)
    names = sorted(path.name for path in (made / TRAIN).iterdir())
    assert names == ["0001_c1s1_000001_00.jpg", "0001_c1s1_000003_00.jpg", "0002_c2s2_000001_00.jpg", "0002_c2s2_000003_00.jpg"]
    crop = cv2.imread(str(made / TRAIN / names[1]))
    assert crop.shape == (40, 20, 3)
    assert np.abs(crop.astype(int) - 150).max() <= 2  # the third frame's grey
    with pytest.raises(DataError, match=r"gt\.txt: expected people with 9 or more crops, got none$"):
        write_footage(_empty(tmp_path / "other"), tmp_path / "footage", FootageParams(("north",), (1,), 2, 9), CUTTING)


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_crop_lies_in_the_picture_by_half_or_more() -> None:
    picture = np.arange(100, dtype=np.uint8).reshape(10, 10, 1)
    inside = cut(picture, np.array([-2.0, 1, 4, 5]))  # 4 of 6 columns
    assert inside is not None
    assert inside[:, :, 0].tolist() == picture[1:5, 0:4, 0].tolist()
    assert cut(picture, np.array([-5.0, 1, 4, 5])) is None
    assert cut(picture, np.array([20.0, 1, 24, 5])) is None


# Batches


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
    picture = np.random.default_rng(0).integers(0, 255, (50, 30, 3), dtype=np.uint8)
    plain = shown(picture, (256, 128), AugmentingParams(0, 0, 0), np.random.default_rng(0))
    network = build_network("osnet_x0_25").eval()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    encoder = TorchreidEncoder(tmp_path / "w.pth", EmbedParams("osnet_x0_25", "w", 1, 1, 0, 1, 1, False, 1), CPU)
    with torch.inference_mode():
        features = network(plain[None])
    assert features.numpy() == pytest.approx(encoder([picture]), rel=1e-4, abs=1e-5)


def test_augmentation_mirrors_shifts_and_erases() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 20, 3), dtype=np.uint8)
    plain = shown(picture, (40, 20), AugmentingParams(0, 0, 0), np.random.default_rng(0))
    mirrored = shown(picture, (40, 20), AugmentingParams(1, 0, 0), np.random.default_rng(0))
    assert torch.equal(mirrored.flip(2), plain)
    erased = shown(picture, (40, 20), AugmentingParams(0, 0, 1), np.random.default_rng(0))
    gone = (erased == 0).all(dim=0)
    assert 0.01 < gone.float().mean() < 0.45
    assert torch.equal(erased[:, ~gone], plain[:, ~gone])
    shifted = shown(picture, (40, 20), AugmentingParams(0, 0.5, 0), np.random.default_rng(4))
    rows, columns = torch.nonzero((shifted != 0).any(dim=0), as_tuple=True)
    top, left = int(rows.min()), int(columns.min())
    there = shifted[:, top : int(rows.max()) + 1, left : int(columns.max()) + 1]
    assert there.shape[1] < 40 or there.shape[2] < 20
    up, back = (0 if top else 40 - there.shape[1]), (0 if left else 20 - there.shape[2])
    assert torch.equal(there, plain[:, up : up + there.shape[1], back : back + there.shape[2]])


# Losses and schedule


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


# Training


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def trained(dataset: Path, folder: Path) -> Trainer:
    torch.set_num_threads(1)
    trainer = Trainer(read_train(dataset, "market1501"), small(), None, CPU)
    assert list(trainer.run(folder))[-1] == 3
    return trainer


KILLED = """
import sys, time, torch
from pathlib import Path
from tests.test_training_reid import CPU, Trainer, read_train, small
torch.set_num_threads(1)
trainer = Trainer(read_train(Path(sys.argv[1]), "market1501"), small(), None, CPU)
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
    untrained = weights(Trainer(read_train(dataset, "market1501"), small(), None, CPU))
    assert not torch.equal(untrained["conv1.conv.weight"], found["conv1.conv.weight"])


def test_a_coarse_epoch_shows_half_the_size() -> None:
    params = small(coarse_epochs=2)
    assert [params.size(epoch) for epoch in (0, 1, 2)] == [(128, 64), (128, 64), (256, 128)]


def test_training_begins_with_the_weights_that_are_named(dataset: Path, tmp_path: Path) -> None:
    other = build_network("osnet_x0_25", num_classes=1000)  # as ImageNet's has
    torch.save({"state_dict": {f"module.{name}": value for name, value in other.state_dict().items()}}, tmp_path / "w.pth")
    trainer = Trainer(read_train(dataset, "market1501"), small(), tmp_path / "w.pth", CPU)
    found = weights(trainer)
    assert torch.equal(found["conv2.0.conv1.conv.weight"], other.state_dict()["conv2.0.conv1.conv.weight"])
    assert found["classifier.weight"].shape[0] == 4
    with pytest.raises(DataError, match=r"w\.pth: expected weights of resnet50 to begin with, got"):
        load_initial(build_network("resnet50"), tmp_path / "w.pth", "resnet50")


def test_weights_that_are_not_there_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.initial_file(small()) is None
    with pytest.raises(DataError, match=r"data/weights/imagenet: expected one \.pth or \.pth\.tar file, found none"):
        train.initial_file(small(initial_weights="imagenet"))


def test_mixed_precision_is_refused_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRACE_DEVICE", "cpu")
    with pytest.raises(ParamsError, match=r"reid_train\.mixed_precision: expected false, got true on a CPU"):
        train.prepare(small(mixed_precision=True))


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ParamsError, match=r"reid_train\.momentum: expected one of model, .*, got an unknown key$"):
        small(momentum=0.9)


def test_sections_of_the_shipped_parameters_are_whole() -> None:
    params = load_training_section(TrainParams, "reid_train", ROOT / "training" / "params.yaml")
    assert params.sampling.from_one_sequence <= params.sampling.identities


@pytest.fixture
def project(tmp_path: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the parameters of a small training, in which stages run."""
    sections = {"reid_dataset": {"folder": str(dataset), "layout": "market1501"}, "reid_train": SMALL,
                "reid_evaluate": {"worst_queries": 2, "list_length": 3}}  # fmt: skip
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
    monkeypatch.setattr(sys, "argv", ["train", *given, "--timings", "train.json"])
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
    picture = cv2.imread(str(project / "evaluation" / "worst_queries.png"))
    assert picture.shape[0] == 2 * (128 + 4)
