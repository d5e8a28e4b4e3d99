"""From what was trained to what the pipeline names: promoted, registered under an alias, fetched by it."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.command import execute
from stages.errors import DataError, ParamsError
from stages.trusted import sha256
from stages.weights import weights_file
from training import fetch, promote
from training.tracking import Tracking

REFERENCE = "retrace-detector@champion"


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take a second to make, and no experiment of ours."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.tracking import MlflowClient

        MlflowClient(f"sqlite:///{folder / 'mlflow.db'}").search_experiments()
    return folder / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which a detector was trained; the current folder, with a store of its own."""
    shutil.copy(empty_store, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    trained = tmp_path / "artifacts" / "training" / "detector"
    for name, text in {
        "weights/detector.pt": "first weights",
        "weights/history.json": "[]",
        "evaluation/metrics.json": json.dumps({"mAP50": 0.96, "people": 1200, "mAP50_by_scene": {"plaza": 0.95}}),
    }.items():
        (trained / name).parent.mkdir(parents=True, exist_ok=True)
        (trained / name).write_text(text)
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "params.yaml").write_text("detector_train: {epochs: 13}\nreid_train: {epochs: 99}\n")
    return tmp_path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command line; its one line of error, nothing where it ends well."""

    def run(module: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [module, *arguments])
        try:
            execute({"promote": promote.main, "fetch": fetch.main}[module])
        except SystemExit as stopped:
            return str(stopped.code)
        return ""

    return run


def test_what_was_promoted_is_fetched_by_its_alias(project: Path, command: Callable[..., str]) -> None:
    assert command("promote", "detector", "--to", "data/weights/ours") == ""
    assert (project / "data/weights/ours/ours.pt").read_text() == "first weights"
    card = (project / "data/weights/ours/README.md").read_text()
    assert "| mAP50 | 0.96 |" in card
    assert "epochs: 13" in card
    assert "99" not in card  # the other network's
    assert sha256(project / "data/weights/ours/ours.pt") in card
    assert command("fetch", REFERENCE) == ""
    fetched = weights_file(Path("data/weights") / REFERENCE, (".pt",))
    assert fetched.read_text() == "first weights"
    version = json.loads((fetched.parent / "version.json").read_text())
    assert version == {"model": "retrace-detector", "number": 1, "file": "ours.pt", "sha256": sha256(fetched)}


def test_the_alias_moves_with_the_next_promotion_and_what_was_fetched_stays(project: Path, command: Callable[..., str]) -> None:
    command("promote", "detector", "--to", "data/weights/ours")
    command("fetch", REFERENCE)
    (project / "artifacts/training/detector/weights/detector.pt").write_text("second weights")
    command("promote", "detector", "--to", "data/weights/ours")
    assert weights_file(Path("data/weights") / REFERENCE, (".pt",)).read_text() == "first weights"
    command("fetch", REFERENCE)
    assert weights_file(Path("data/weights") / REFERENCE, (".pt",)).read_text() == "second weights"


def test_promoting_the_same_bytes_again_makes_no_version(project: Path, command: Callable[..., str]) -> None:
    command("promote", "detector", "--to", "data/weights/ours")
    command("promote", "detector", "--to", "data/weights/ours", "--alias", "night")
    assert [Tracking().find("retrace-detector", alias).number for alias in ("champion", "night")] == [1, 1]


def test_an_alias_that_nobody_has_is_one_clear_line(project: Path, command: Callable[..., str]) -> None:
    command("promote", "detector", "--to", "data/weights/ours")
    for reference in ("retrace-detector@nobody", "nothing@champion"):
        model, _, alias = reference.partition("@")
        assert f"expected a registered model {model} with the alias {alias}, found none" in command("fetch", reference)
        assert not Path("data/weights", reference).exists()


def test_a_file_changed_behind_the_registry_is_refused(project: Path, command: Callable[..., str]) -> None:
    command("promote", "detector", "--to", "data/weights/ours")
    (kept,) = (project / "mlartifacts").rglob("ours.pt")
    kept.write_text("others")
    assert "retrace-detector version 1: expected SHA-256" in command("fetch", REFERENCE)
    assert not Path("data/weights", REFERENCE).exists()


def test_nothing_trained_is_one_clear_line(project: Path, command: Callable[..., str]) -> None:
    shutil.rmtree(project / "artifacts/training/detector/evaluation")
    assert "evaluation/metrics.json: expected a file, found none" in command("promote", "detector", "--to", "data/weights/ours")
    assert not (project / "data").exists()


def test_weights_of_another_recipe_or_other_figures_are_not_taken_over(project: Path, command: Callable[..., str]) -> None:
    lock = project / "training/dvc.lock"

    def locked(epochs: int, trained: str) -> str:
        weights = "../artifacts/training/detector/weights"
        train = {
            "params": {"training/params.yaml": {"detector_train": {"epochs": epochs}}},
            "outs": [{"path": weights, "md5": trained}],
        }
        return json.dumps({"stages": {"detector_train": train, "detector_evaluate": {"deps": [{"path": weights, "md5": "1"}]}}})

    lock.write_text(locked(12, "1"))
    assert "training/params.yaml: detector_train: expected what detector_train ran with, got other numbers" in command(
        "promote", "detector", "--to", "data/weights/ours"
    )
    lock.write_text(locked(13, "2"))
    assert "artifacts/training/detector/weights: expected the weights that were evaluated, got others" in command(
        "promote", "detector", "--to", "data/weights/ours"
    )
    assert not (project / "data").exists()
    lock.write_text(locked(13, "1"))
    assert command("promote", "detector", "--to", "data/weights/ours") == ""


def test_a_folder_that_no_parameter_can_name_is_refused(project: Path, command: Callable[..., str]) -> None:
    assert "expected the name of a folder in data/weights" in command("promote", "detector", "--to", "data/weights/my best")
    assert not (project / "data").exists()


def test_a_folder_that_holds_something_else_is_left_as_it_is(project: Path, command: Callable[..., str]) -> None:
    weights = project / "data/weights"
    for name, file in (("yolov8n", "README.md"), ("bare", "other.pt")):
        (weights / name).mkdir(parents=True)
        (weights / name / file).write_text("of somebody else")
        line = f"data/weights/{name}: expected a new folder, or one with an earlier promotion of detector, got one with {file}"
        assert line in command("promote", "detector", "--to", f"data/weights/{name}")
        assert [path.read_text() for path in (weights / name).iterdir()] == ["of somebody else"]
    assert command("promote", "detector", "--to", "data/weights/ours") == ""
    shutil.copytree(project / "artifacts/training/detector", project / "artifacts/training/reid")
    assert "or one with an earlier promotion of reid, got one with" in command("promote", "reid", "--to", "data/weights/ours")


def test_a_folder_elsewhere_is_refused(project: Path, command: Callable[..., str]) -> None:
    assert "--to: expected data/weights/ours, where parameters find weights, got ours" in command(
        "promote", "detector", "--to", "ours"
    )
    assert not (project / "ours").exists()


@pytest.mark.parametrize("text", ["detector", "a@b@c", "@champion", "../x@y"])
def test_a_reference_is_a_model_and_an_alias(text: str) -> None:
    with pytest.raises(ParamsError, match="expected <model>@<alias>"):
        fetch.parse_reference(text)


def test_weights_that_were_not_fetched_say_how_to(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=rf"found none: `python -m training.fetch {REFERENCE}` fetches it from the model registry"
    ):
        weights_file(tmp_path / REFERENCE, (".pt",))


def test_an_interrupted_training_goes_on_in_its_run(project: Path) -> None:
    run = Tracking().begin("detector", "f1", {"epochs": 13, "augmentation": {"mosaic": 0.0}})
    run.log(1, {"train/box_loss": 2.0})
    with Tracking().begin("detector", "f1", {"epochs": 13}) as again:
        again.log(2, {"train/box_loss": 1.0, "val/mAP50-95": 0.5})
    assert again.run_id == run.run_id
    assert Tracking().begin("detector", "f1", {}).run_id != run.run_id  # that one has ended
    assert Tracking().begin("detector", "f2", {}).run_id != run.run_id


def test_a_training_that_fails_is_no_longer_running_until_it_goes_on(project: Path) -> None:
    def status() -> str:
        return str(client.get_run(run.run_id).info.status)

    from mlflow.tracking import MlflowClient

    client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    with pytest.raises(DataError, match="diverged"), Tracking().begin("detector", "f1", {}) as run:
        raise DataError("diverged")
    assert status() == "FAILED"
    with Tracking().begin("detector", "f1", {}) as again:
        assert (again.run_id, status()) == (run.run_id, "RUNNING")
    assert status() == "FINISHED"
