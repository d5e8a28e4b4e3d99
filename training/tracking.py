"""Training in the tracking store: live curves of a run, and the model registry.

Curves are logged while a training goes on, in an experiment of their own; one that was killed goes on in the same run. A
registered model has versions, each a file with its SHA-256, and aliases such as `champion` that point to one of them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.artifacts import exclusive
from stages.errors import DataError
from stages.publishing.store import FINGERPRINT, Store
from stages.trusted import sha256

EXPERIMENT = "retrace-training"
FILE, SHA256 = "retrace.file", "retrace.sha256"  # tags of a version
MAX_PARAM_CHARACTERS = 500


@dataclass(frozen=True)
class Version:
    """A version of a registered model: a file, whose bytes its SHA-256 names."""

    model: str
    number: int
    file: str
    sha256: str


class Tracking(Store):
    """The store that the pipeline publishes to, with the experiment and the models of training."""

    def __init__(self) -> None:
        """Opens the store. Raises DataError in one line when it does not answer."""
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        super().__init__()
        with exclusive("tracking"), self._answering():  # of two trainings that begin at once, one makes the experiment
            pipeline = self._client.get_experiment(self._experiment_id)
            found = self._client.get_experiment_by_name(EXPERIMENT)
            self._training_id = (
                found.experiment_id
                if found
                else self._client.create_experiment(EXPERIMENT, _beside(pipeline.artifact_location))
            )

    def begin(self, name: str, fingerprint: str, params: Mapping[str, object]) -> "LiveRun":
        """The run of a training with this fingerprint: a new one, or the one that was interrupted or has failed."""
        with self._answering():
            found = self._client.search_runs(
                [self._training_id],
                f"tags.`{FINGERPRINT}` = '{fingerprint}' and attributes.status != 'FINISHED'",
                max_results=1,
            )
            if found:
                self._client.update_run(found[0].info.run_id, status="RUNNING")
                return LiveRun(self, found[0].info.run_id)
            run_id = self._client.create_run(self._training_id, tags={FINGERPRINT: fingerprint}, run_name=name).info.run_id
            self._log_params(run_id, params)
        return LiveRun(self, run_id)

    def log_figures(self, run_id: str, step: int, figures: Mapping[str, float]) -> None:
        with self._answering():
            for name, value in figures.items():
                self._client.log_metric(run_id, name, value, step=step)

    def end(self, run_id: str, status: str) -> None:
        with self._answering():
            self._client.set_terminated(run_id, status)

    def register(self, model: str, alias: str, weights: Path, card: str, figures: Mapping[str, float]) -> Version:
        """The version of the model that is this file, found by its bytes or made; the alias points to it from now on."""
        digest = sha256(weights)
        with self._answering():
            version = self._version_with(model, digest) or self._make_version(model, weights, digest, card, figures)
            self._client.set_registered_model_alias(model, alias, str(version.number))
        return version

    def find(self, model: str, alias: str) -> Version:
        """The version that an alias points to. Raises DataError where the model or the alias is not registered."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_model_version_by_alias(model, alias)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise DataError(f"{self.place}: expected a model registry that answers, got: {error}") from error
            raise DataError(
                f"{self.place}: expected a registered model {model} with the alias {alias}, found none "
                "(python -m training.promote registers what was trained)"
            ) from error
        return Version(model, int(found.version), found.tags[FILE], found.tags[SHA256])

    def fetch(self, version: Version, folder: Path) -> Path:
        """The version's file, brought into the folder. Raises DataError when it is not what was registered."""
        with self._answering():
            run_id = self._client.get_model_version(version.model, str(version.number)).run_id
            path = Path(self._client.download_artifacts(str(run_id), version.file, str(folder)))
        if (digest := sha256(path)) != version.sha256:
            raise DataError(f"{version.model} version {version.number}: expected SHA-256 {version.sha256}, got {digest}")
        return path

    def _version_with(self, model: str, digest: str) -> Version | None:
        for found in self._client.search_model_versions(f"name = '{model}'"):
            if found.tags.get(SHA256) == digest:
                return Version(model, int(found.version), found.tags[FILE], digest)
        return None

    def _make_version(self, model: str, weights: Path, digest: str, card: str, figures: Mapping[str, float]) -> Version:
        run_id = self._client.create_run(self._training_id, run_name=f"{model} promoted").info.run_id
        with TemporaryDirectory() as folder:  # a copy that may be read: DVC's own files are links
            copied = Path(folder) / weights.name
            copied.write_bytes(weights.read_bytes())
            self._client.log_artifact(run_id, str(copied))
        self._client.log_text(run_id, card, "README.md")
        for name, value in figures.items():
            self._client.log_metric(run_id, name, value)
        self._client.set_terminated(run_id, "FINISHED")
        if not self._client.search_registered_models(f"name = '{model}'"):
            self._client.create_registered_model(model)
        source = f"{self._client.get_run(run_id).info.artifact_uri}/{weights.name}"
        tags = {FILE: weights.name, SHA256: digest}
        made = self._client.create_model_version(model, source, run_id=run_id, tags=tags, description=card)
        return Version(model, int(made.version), weights.name, digest)

    def _log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        for name, value in params.items():
            self._client.log_param(run_id, name, str(value)[:MAX_PARAM_CHARACTERS])


@dataclass(frozen=True)
class LiveRun:
    """The curves of a training that goes on; where its block ends, it has finished or failed."""

    tracking: Tracking
    run_id: str

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Adds a point to each curve; the same point again, after an interruption, changes nothing that one sees."""
        self.tracking.log_figures(self.run_id, step, figures)

    def __enter__(self) -> "LiveRun":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.tracking.end(self.run_id, "FAILED" if kind else "FINISHED")


def _beside(location: str) -> str | None:
    """Where artifacts of another experiment go: a server decides itself, a local store has one folder for all."""
    return location if location.startswith("file:") else None
