"""What the tracking store holds after publishing, and what happens where there is none."""

import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from stages.errors import DataError
from stages.forget import published
from stages.publish import main
from stages.publishing.provenance import Commit, current_commit
from stages.publishing.result import Result, timing_metrics, weights_hashes
from stages.publishing.store import ENVIRONMENT, Store
from stages.scoring.table import COLUMNS
from stages.timings import Timing
from tests.conftest import ROOT

if TYPE_CHECKING:  # imported when run, MLflow would report its use before the stage can forbid it
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

PARAMS = {
    "sequences": {"hall": {"detections": "stored", "regions": {"ignored": [[[0, 0], [9, 0], [9, 9]]]}}},
    "detect": {"weights": "yolov8n", "half": False},
    "embed": {"weights": "osnet"},
}
METRICS = {"raw": {"HOTA": 59.4, "IDF1": 77.9, "IDSW": 7}, "final": {"HOTA": 62.1, "IDF1": 80.2, "IDSW": 2}}
OPTIONS = (
    "--pins constraints/publishing.txt --metrics reports/metrics.json --per-sequence reports/sequences.json "
    "--timings artifacts/timings --reports reports --stills artifacts/stills --weights data/weights "
    "--published artifacts/published.json"
)
VARIABLES = ["MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_EXP_NAME", *ENVIRONMENT]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take a second to make, and no experiment of ours."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        client(folder).search_experiments()
    return folder / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one published-to-be result, the current directory; without git, with no trace in the environment."""
    shutil.copy(empty_store, tmp_path)
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that what the stage sets is undone
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["publish", *OPTIONS.split()])
    write("params.yaml", yaml.safe_dump(PARAMS))
    write("constraints/publishing.txt", (ROOT / "constraints/publishing.txt").read_text())
    write("reports/metrics.json", json.dumps(METRICS))
    write("reports/sequences.json", json.dumps({"hall": METRICS}))
    write("reports/index.html", "<p>page</p>")
    write("artifacts/stills/hall/frame_000007.jpg", "picture")
    write("data/weights/yolov8n/yolov8n.pt", "weights")
    write("data/weights/yolov8n/README.md", "card")
    write_seconds(2.0)
    return tmp_path


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def write_seconds(wall_s: float) -> None:
    timing = {"stage": "track", "sequence": "hall", "wall_s": wall_s, "compute_s": 1.0, "peak_memory_mb": 9.0,
              "counts": {"frames": 50}}  # fmt: skip
    write("artifacts/timings/hall/track.json", json.dumps(timing))


def client(folder: Path) -> "MlflowClient":
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")


def runs(folder: Path) -> "list[Run]":
    """All runs in the folder's store."""
    store = client(folder)
    experiment = store.get_experiment_by_name("retrace")
    return list(store.search_runs([experiment.experiment_id])) if experiment else []


def test_a_run_holds_params_metrics_seconds_origin_and_reports(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "sassy-auk")
    main()
    (run,) = runs(project)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "sassy-auk"
    assert run.data.params == {
        "sequences.hall.detections": "stored",
        "sequences.hall.regions.ignored": "[[[0, 0], [9, 0], [9, 9]]]",
        "detect.weights": "yolov8n",
        "detect.half": "false",
        "embed.weights": "osnet",
    }
    assert run.data.metrics == {
        **{f"{level}/{name}": figure for level, figures in METRICS.items() for name, figure in figures.items()},
        **{f"sequences/hall/{level}/{name}": value for level, figures in METRICS.items() for name, value in figures.items()},
        **METRICS["final"],
        "Seconds": 2.0,
        "seconds/track": 2.0,
        "sequences/hall/seconds/track": 2.0,
        "frames_per_s/track": 50.0,
        "peak_memory_mb/track": 9.0,
    }
    tags = run.data.tags
    assert tags["retrace.weights.detect"] == f"yolov8n.pt: {hashlib.sha256(b'weights').hexdigest()}"
    assert tags["retrace.weights.embed"] == "absent"
    assert tags["retrace.dvc_experiment"] == "sassy-auk"
    assert "| final | 62.1 | 80.2 | 2 |" in tags["mlflow.note.content"]
    assert "retrace.git_commit" not in tags, "this folder is no git repository"
    artifacts = project / "mlartifacts" / run.info.run_id / "artifacts"
    assert (artifacts / "reports/index.html").read_text() == "<p>page</p>"
    assert (artifacts / "stills/hall/frame_000007.jpg").read_text() == "picture"
    published = json.loads(Path("artifacts/published.json").read_text())
    assert published["fingerprint"] == tags["retrace.fingerprint"]
    assert "final/HOTA" in published["metrics"]


def test_what_a_killed_stage_had_half_written_is_not_published(project: Path) -> None:
    """An unblurred picture, say, of a run before `privacy.blur: people`."""
    for half in (
        "artifacts/stills/.hall.123.tmp/frame_000007.jpg",
        "reports/media/.hall.9.old.tmp/a.jpg",
        "reports/.a.html.9.tmp",
    ):
        write(half, "picture")
    main()
    published = {path.name for path in (project / "mlartifacts").rglob("*") if path.is_file()}
    assert published == {"index.html", "metrics.json", "sequences.json", "frame_000007.jpg"}
    assert not list((project / "mlartifacts").rglob("*.tmp"))


def test_equal_results_are_one_run_whose_seconds_follow_and_another_result_is_another_run(project: Path) -> None:
    main()
    first = Path("artifacts/published.json").read_bytes()
    write_seconds(3.0)
    main()
    (run,) = runs(project)
    assert run.data.metrics["seconds/track"] == 3.0
    assert len(client(project).get_metric_history(run.info.run_id, "final/HOTA")) == 1, "an equal figure is logged once"
    assert Path("artifacts/published.json").read_bytes() == first
    write("params.yaml", yaml.safe_dump(PARAMS | {"merge": {"max_cost": 0.25}}))
    main()
    assert sorted(run.data.params.get("merge.max_cost", "-") for run in runs(project)) == ["-", "0.25"]


def test_many_sequences_and_long_values_fit_into_one_run(project: Path) -> None:
    settings = {f"camera{n}": {"detections": "stored", "clip": {"start_frame": n, "end_frame": n + 1}} for n in range(60)}
    write("params.yaml", yaml.safe_dump(PARAMS | {"sequences": settings, "detect": {"weights": "", "note": ["x" * 900] * 10}}))
    write("reports/sequences.json", json.dumps(dict.fromkeys(settings, METRICS)))
    main()
    (run,) = runs(project)
    assert len(run.data.params) == 3 * 60 + 3
    assert len([name for name in run.data.metrics if name.endswith("final/HOTA")]) == 61
    assert sorted(run.data.metrics)[:4] == ["HOTA", "IDF1", "IDSW", "Seconds"], "what people compare stands first"
    note = run.data.params["detect.note"]
    assert (len(note), note[-10:]) == (6000, "x" * 7 + "...")


def result(**other: Any) -> Result:
    parts: dict[str, Any] = {"params": {"a": 1, "b": 2}, "metrics": METRICS, "per_sequence": {"hall": METRICS},
                             "weights": {"detect": "f: 1"}}  # fmt: skip
    return Result(**(parts | other))


def test_a_fingerprint_knows_params_metrics_and_weights_and_no_order_of_keys() -> None:
    same = result(params={"b": 2, "a": 1}, metrics=dict(reversed(METRICS.items())))
    assert same.fingerprint == result().fingerprint
    others = [result(params={"a": 1, "b": 3}), result(metrics={}), result(per_sequence={}), result(weights={})]
    assert len({made.fingerprint for made in [result(), *others]}) == 5


def test_what_is_no_finite_number_is_no_metric() -> None:
    odd = {"final": {"HOTA": float("nan"), "unit": "m", "IDF1": None, "boxes": 3, "gap": {"longest_s": 1.5}}}
    assert result(metrics=odd, per_sequence={}).flat_metrics() == {"final/boxes": 3.0, "final/gap/longest_s": 1.5}


def test_seconds_are_summed_over_sequences_and_kept_for_each() -> None:
    timings = [Timing("track", "hall", 1.0, 0.5, 90.0, 10), Timing("track", "plaza", 2.0, 0.5, 80.0, 40),
               Timing("identify", "hall", 4.0, 1.0, 70.0, 0)]  # fmt: skip
    assert timing_metrics(timings) == {
        "Seconds": 7.0, "sequences/hall/seconds/track": 1.0, "sequences/plaza/seconds/track": 2.0, "seconds/track": 3.0,
        "peak_memory_mb/track": 90.0,
        "frames_per_s/track": 50.0, "sequences/hall/seconds/identify": 4.0,
        "seconds/identify": 4.0, "peak_memory_mb/identify": 70.0,
    }  # fmt: skip


def test_all_files_of_weights_are_hashed_but_the_card_and_the_list_of_trusted_ones(tmp_path: Path) -> None:
    (tmp_path / "pair").mkdir()
    for name in ("b.bin", "a.bin", "README.md", "trusted.txt", ".hidden"):
        (tmp_path / "pair" / name).write_text(name)
    hashes = weights_hashes({"detect": {"weights": "pair"}}, tmp_path)
    assert hashes == {"detect": ", ".join(f"{n}: {hashlib.sha256(n.encode()).hexdigest()}" for n in ("a.bin", "b.bin"))}


def test_a_server_that_is_down_is_one_line_and_nothing_is_written(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        uri = f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}"
        environment = os.environ | {"MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
        ended = subprocess.run([sys.executable, "-m", "stages.publish", *OPTIONS.split()], env=environment,
                               capture_output=True, text=True)  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"error: {uri.replace('user:secret@', '')}: expected an MLflow store that answers, got: [Errno 111] Connection refused"
    ]
    assert not Path("artifacts/published.json").exists()


def test_a_locked_database_is_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/mlflow.db?timeout=0.1")
    holder = sqlite3.connect(project / "mlflow.db")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(
        DataError, match=r"mlflow.db\?timeout=0.1: expected an MLflow store that answers, got: database is locked$"
    ):
        main()
    holder.close()


def test_a_deleted_experiment_is_not_published_into(project: Path) -> None:
    main()
    client(project).delete_experiment(runs(project)[0].info.experiment_id)
    with pytest.raises(DataError, match="expected an active experiment retrace, got a deleted one"):
        main()


def test_the_env_file_is_read_and_the_environment_has_precedence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("from_file", "from_environment"):
        shutil.copy("mlflow.db", f"{name}.db")
    write(".env", f"MLFLOW_TRACKING_URI=sqlite:///{project}/from_file.db\n")
    assert Store().uri.endswith("from_file.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/from_environment.db")
    assert Store().uri.endswith("from_environment.db")


def test_an_experiment_in_a_temporary_folder_publishes_to_the_main_one(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    main_folder = tmp_path_factory.mktemp("main")
    Path("mlflow.db").rename(main_folder / "mlflow.db")
    monkeypatch.setenv("DVC_ROOT", str(main_folder))
    main()
    (run,) = runs(main_folder)
    assert run.info.artifact_uri.startswith((main_folder / "mlartifacts").as_uri())
    assert not (project / "mlflow.db").exists()


def test_two_processes_may_make_the_store_at_once(project: Path) -> None:
    Path("mlflow.db").unlink()
    other = project / "experiment"  # a temporary folder of DVC
    shutil.copytree(project, other, ignore=shutil.ignore_patterns("experiment"))
    (other / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"merge": {"max_cost": 0.25}}))
    environment = os.environ | {"DVC_ROOT": str(project), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "stages.publish", *OPTIONS.split()]
    started = [subprocess.Popen(command, cwd=folder, env=environment) for folder in (project, other)]
    assert [process.wait() for process in started] == [0, 0]
    assert len(runs(project)) == 2


@pytest.fixture
def git(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command in the project, which is a git repository with one commit."""
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "A")
        monkeypatch.setenv(f"{name}_EMAIL", "a@example.org")

    def run(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    write("dvc.lock", "schema: '2.0'\n")
    write(".gitignore", "/mlflow.db\n/mlartifacts\n/artifacts\n/.locks\n")
    run("git", "init", "-q")
    run("git", "add", "-A")
    run("git", "commit", "-qm", "first")
    return run


def test_only_changes_that_the_pipeline_does_not_make_are_dirty(git: Callable[..., str]) -> None:
    sha = git("git", "rev-parse", "HEAD")
    write("dvc.lock", "schema: 'other'\n")
    write("reports/metrics.json", "{}")
    assert current_commit(Path("reports")) == Commit(sha, dirty=False)
    write("params.yaml", "{}")
    assert current_commit(Path("reports")) == Commit(sha, dirty=True)


@pytest.mark.usefixtures("git")
def test_git_is_looked_at_without_its_lock_which_dvc_may_want_at_that_moment() -> None:
    index = Path(".git/index").read_bytes()
    os.utime("params.yaml", (1, 1))  # git would note in its index that the file is as before
    assert current_commit(Path("reports")) is not None
    assert Path(".git/index").read_bytes() == index


def test_the_run_before_is_that_of_the_nearest_commit_and_rather_no_experiment(
    git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """main: 1 - 2, and 3 on a branch off 1. Each is published, and an experiment on 1."""

    def publish(value: int, experiment: str = "") -> str:
        write("params.yaml", yaml.safe_dump(PARAMS | {"merge": {"max_cost": value}}))
        monkeypatch.setenv("DVC_EXP_NAME", experiment)
        main()
        (run,) = [run for run in runs(Path()) if run.data.params["merge.max_cost"] == str(value)]
        return str(run.data.tags.get("retrace.changes"))

    def commit() -> None:
        git("git", "commit", "-qam", "next")

    assert publish(1) == "None"
    commit()
    assert publish(2) == "merge.max_cost 1 to 2"
    commit()
    assert publish(10, "auk") == "merge.max_cost 2 to 10"
    assert publish(3) == "merge.max_cost 2 to 3", "the run of the commit before, which is no experiment"
    git("git", "checkout", "-q", "-f", "HEAD~1")
    assert publish(4) == "merge.max_cost 2 to 4", "2 was published on this commit, before it was committed"
    assert publish(2) == "merge.max_cost 1 to 2", "published again, it follows what it followed"


def test_the_pipeline_ends_with_its_figures_and_where_to_look(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    write("reports/sequences.json", json.dumps({"hall": METRICS, "yard": {"final": {}}}))
    with caplog.at_level("INFO", "retrace"):
        main()
    lines = caplog.messages[-1].splitlines()
    assert lines[0].split() == ["all", "sequences", *COLUMNS]
    assert lines[2].split() == ["final", "62.10", "-", "-", "-", "80.20", "2", "-", "-", "-"]
    assert lines[4].split()[:2] == ["final", "tracks"]
    assert lines[6].split() == ["yard", *9 * "-"]
    assert lines[-1].startswith("report: reports/index.html")


def test_without_git_there_is_no_commit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert current_commit(Path("reports")) is None
    monkeypatch.setenv("PATH", "")
    assert current_commit(Path("reports")) is None


def test_experiments_without_a_run_are_published_once(
    project: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project / "artifacts/site"))
    dvc = (sys.executable, "-m", "dvc")
    git(*dvc, "init", "-q")
    write("dvc.yaml", yaml.safe_dump({"stages": {"publish": {"cmd": f"python -m stages.publish {OPTIONS}"}}}))
    git("git", "add", "-A")
    git("git", "commit", "-qm", "second")
    main()
    write("params.yaml", yaml.safe_dump(PARAMS | {"merge": {"max_cost": 0.25}}))
    git(*dvc, "exp", "save", "-n", "auk")
    sha = next(line.split()[0] for line in git("git", "for-each-ref", "refs/exps").splitlines() if line.endswith("/auk"))
    git("git", "checkout", "-q", "params.yaml")
    monkeypatch.setattr(sys, "argv", ["publish", "--experiments"])
    for _ in range(2):
        main()
        restored = [run for run in runs(project) if run.data.params.get("merge.max_cost") == "0.25"]
        assert len(runs(project)) == 2, "the workspace's run and the experiment's"
        assert [(run.info.run_name, run.data.tags["retrace.git_commit"]) for run in restored] == [("auk", sha)]
        assert restored[0].data.metrics["final/HOTA"] == 62.1


def test_pictures_of_a_sequence_go_from_every_run_of_deleted_ones_too(project: Path) -> None:
    """What `forget` asks of the store: the overview and the other's pictures stay, the page with everybody's names goes."""
    for name in ("hall", "hall2"):
        write(f"reports/media/{name}/person-1.jpg", "picture")
    write("reports/people.html", "<h3>Ann</h3>")
    main()
    write("reports/metrics.json", json.dumps({"final": {"HOTA": 1.0}}))
    main()
    for half in (".hall.123.tmp", ".hall.old.tmp"):  # as publish once uploaded them
        for folder in Path("mlartifacts").glob("*/artifacts/stills"):
            write(f"{folder / half}/frame_000007.jpg", "picture")
    store = client(project)
    experiments = [experiment.experiment_id for experiment in store.search_experiments()]
    store.delete_run(store.search_runs(experiments)[0].info.run_id)
    assert Store().remove_artifacts(published(["hall"])) == 2
    kept = [path.relative_to(path.parents[3]).as_posix() for path in Path("mlartifacts").rglob("*.jpg")]
    assert kept == 2 * ["reports/media/hall2/person-1.jpg"]
    assert len(list(Path("mlartifacts").rglob("index.html"))) == 2
    assert list(Path("mlartifacts").rglob("people.html")) == []
