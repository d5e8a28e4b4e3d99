"""The MLflow store: one run per fingerprint, found again by its tag.

MLflow takes seconds to import, so that happens when a store is opened and not before.
"""

import logging
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from dotenv import load_dotenv

from stages.artifacts import temporary_names
from stages.errors import DataError
from stages.publishing.description import Published
from stages.publishing.result import HEADLINES, Result

EXPERIMENT = "retrace"
FINGERPRINT = "retrace.fingerprint"
COMMIT = "retrace.git_commit"
DVC_EXPERIMENT = "retrace.dvc_experiment"
MAX_REASON_CHARACTERS = 250
RUNS_SEARCHED = 1000  # the newest, for the one before
HALF_WRITTEN = shutil.ignore_patterns("*.tmp")  # as .gitignore and .dvcignore have it
EXPERIMENT_TAGS = {  # how MLflow's page shows it
    "mlflow.note.content": "Results of the Retrace pipeline, one run each. Select two and press Compare.",
    "mlflow.experimentKind": "custom_model_development",  # not GenAI
    "mlflow.experiment.primaryMetric.name": HEADLINES[0],
}
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # of a server that is down; MLflow would try for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",  # seconds
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "GIT_PYTHON_REFRESH": "quiet",  # MLflow's git library shall not complain where git is missing
}


def main_folder() -> Path:
    """The folder that holds the local store: $DVC_ROOT, which in an experiment's temporary folder is the main one."""
    return Path(os.environ.get("DVC_ROOT", ".")).resolve()


def has_store() -> bool:
    """Whether something was ever published from here: a server or database is named, or the local one is there."""
    load_dotenv(main_folder() / ".env", override=False)
    return "MLFLOW_TRACKING_URI" in os.environ or (main_folder() / "mlflow.db").exists()


class Store:
    """The experiment `retrace` of a tracking server or of a local SQLite file."""

    def __init__(self) -> None:
        """Opens MLFLOW_TRACKING_URI (environment, then .env), or else mlflow.db in the main folder.

        The artifacts of a database go to mlartifacts/ beside it. Raises DataError in one line when the store does not answer.
        """
        root = main_folder()
        load_dotenv(root / ".env", override=False)
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # it tells of every further try
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it shows tracebacks of what we say in a line
        self.uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / 'mlflow.db'}"
        served = self.uri.startswith(("http", "databricks"))  # a server knows where its artifacts go
        with self._answering():
            from mlflow.tracking import MlflowClient

            self._client = MlflowClient(tracking_uri=self.uri)
            self._experiment_id = self._open_experiment(None if served else (root / "mlartifacts").as_uri())

    def run_id(self, fingerprint: str) -> str | None:
        """The run with this fingerprint, None where there is none."""
        with self._answering():
            found = self._client.search_runs([self._experiment_id], f"tags.`{FINGERPRINT}` = '{fingerprint}'", max_results=1)
        return found[0].info.run_id if found else None

    def run_before(self, fingerprint: str, history: Sequence[str]) -> Published | None:
        """The run that a result follows: that of the nearest commit in `history` (newest first).

        Runs of DVC experiments come after all others. Without git, it is the newest run. Runs that began after the one with
        this fingerprint do not count.
        """
        with self._answering():
            runs = self._client.search_runs([self._experiment_id], max_results=RUNS_SEARCHED, order_by=["start_time DESC"])
        begun = next((run.info.start_time for run in runs if run.data.tags.get(FINGERPRINT) == fingerprint), None)
        ranks = {sha: rank for rank, sha in enumerate(history)}
        candidates = [
            (DVC_EXPERIMENT in tags, ranks.get(tags.get(COMMIT, ""), -1), place, run)
            for place, run in enumerate(runs)
            if (tags := run.data.tags).get(FINGERPRINT) != fingerprint
            and (begun is None or run.info.start_time < begun)
            and (not history or tags.get(COMMIT) in ranks)
        ]
        if not candidates:
            return None
        run = min(candidates)[-1]
        link = f"#/experiments/{self._experiment_id}/runs/{run.info.run_id}"
        return Published(run.info.run_id, str(run.info.run_name), link, run.data.params, run.data.metrics)

    def publish(
        self, name: str, result: Result, timings: dict[str, float], tags: dict[str, str], folders: Sequence[Path]
    ) -> bool:
        """Logs the result as a run, with these folders as artifacts, or brings the run with its fingerprint up to date.

        Returns whether the run is new.
        """
        known = self.run_id(result.fingerprint)
        with self._answering():
            run_id = known or self._client.create_run(
                self._experiment_id, tags={FINGERPRINT: result.fingerprint}, run_name=name
            ).info.run_id  # fmt: skip
            self._log(run_id, result, timings, tags)
            for artifacts in folders:
                with TemporaryDirectory() as folder:  # copies that may be overwritten: DVC's own files are read-only
                    copied = shutil.copytree(
                        artifacts, Path(folder) / artifacts.name, ignore=HALF_WRITTEN, copy_function=shutil.copyfile
                    )
                    self._client.log_artifacts(run_id, str(copied), artifacts.name)
            self._client.set_terminated(run_id, "FINISHED")
        return known is None

    def remove_artifacts(self, paths: Sequence[str]) -> int:
        """Deletes these files and folders of every run's artifacts, and what was left half written beside them.

        Deleted runs lose them as well. Returns the number of runs that there are.
        """
        from mlflow.entities import ViewType
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        count, token = 0, ""
        with self._answering():
            while token is not None:
                runs = self._client.search_runs([self._experiment_id], run_view_type=ViewType.ALL, page_token=token or None)
                for run in runs:
                    repository: Any = get_artifact_repository(run.info.artifact_uri)
                    for path in map(PurePosixPath, paths):
                        for found in repository.list_artifacts(str(path.parent)):
                            name = PurePosixPath(found.path).name
                            if name == path.name or fnmatchcase(name, temporary_names(path.name)):
                                repository.delete_artifacts(found.path)
                count, token = count + len(runs), runs.token
        return count

    def _open_experiment(self, artifact_location: str | None) -> str:
        from mlflow.exceptions import MlflowException

        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            try:
                return self._client.create_experiment(EXPERIMENT, artifact_location, EXPERIMENT_TAGS)
            except MlflowException:
                experiment = self._client.get_experiment_by_name(EXPERIMENT)  # made by another process meanwhile?
                if experiment is None:
                    raise
        if experiment.lifecycle_stage != "active":
            raise DataError(f"{self.place}: expected an active experiment {EXPERIMENT}, got a deleted one (restore it with "
                            f"`mlflow experiments restore -x {experiment.experiment_id}`)")  # fmt: skip
        for key in EXPERIMENT_TAGS.keys() - experiment.tags.keys():  # one made before these were
            self._client.set_experiment_tag(experiment.experiment_id, key, EXPERIMENT_TAGS[key])
        return str(experiment.experiment_id)

    def _log(self, run_id: str, result: Result, timings: dict[str, float], tags: dict[str, str]) -> None:
        """Logs params, tags, and the metrics whose value is not there yet."""
        from mlflow.entities import Metric, Param, RunTag

        there = self._client.get_run(run_id).data.metrics
        now_ms = int(time.time() * 1000)
        metrics = {**result.flat_metrics(), **timings}
        self._client.log_batch(
            run_id,
            [Metric(key, value, now_ms, 0) for key, value in metrics.items() if there.get(key) != value],
            [Param(key, value) for key, value in result.flat_params().items()],
            [RunTag(key, value) for key, value in tags.items()],
        )

    @property
    def place(self) -> str:
        """The address, without user and password."""
        return _without_credentials(self.uri)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turns what a store can answer, or its silence, into a DataError of one line."""
        from alembic.util import CommandError
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (CommandError, MlflowException, SQLAlchemyError) as error:
            reason = _without_credentials(" ".join(str(_root_cause(error)).split()))[:MAX_REASON_CHARACTERS]
            raise DataError(f"{self.place}: expected an MLflow store that answers, got: {reason}") from error


def _root_cause(error: BaseException) -> BaseException:
    """The network's or SQLite's own error behind it, which is short and clear; else the error itself."""
    deepest = error
    while inner := deepest.__cause__ or deepest.__context__:
        deepest = inner
    return deepest if isinstance(deepest, OSError | sqlite3.Error) else error


def _without_credentials(text: str) -> str:
    """The text with user and password cut out of its addresses."""
    return re.sub(r"//[^/@\s]*@", "//", text)
