"""The pipeline as a whole, by its real commands in a copy of this checkout: what runs, what does not, what is left."""

import json
import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import yaml

from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from tests.campaigns.faults import CAN_MOUNT, NEED_MOUNTS, suffer
from tests.checkout import WITHOUT_NETWORK, Checkout
from tests.conftest import ROOT
from tests.opened import undeclared
from tests.tiny_pipeline import contents, make_tiny, stages_of

AFTER_MERGE = [
    f"{stage}@plaza"
    for stage in (
        "merge",
        "smooth",
        "portray",
        "identify",
        "analyze",
        "evaluate",
        "diagnose",
        "render",
        "illustrate",
        "present",
    )
]
AFTER_MERGE += ["summarize", "report", "publish"]
NOTES = "../opened"  # what tests/listening/sitecustomize.py heard


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that has run once, heard in what its stages opened, and committed what dvc repro wrote for git."""
    made = make_tiny(tmp_path_factory.mktemp("pipeline"))
    made.run(f"PYTHONPATH={ROOT / 'tests/listening'} RETRACE_OPENED=$PWD/{NOTES} dvc repro")
    made.run("git add -A && git commit -qm 'first run'")
    return made


@pytest.mark.skipif(not WITHOUT_NETWORK, reason="network namespaces are not permitted here (unshare --net)")
def test_the_whole_pipeline_has_run_without_a_network(checkout: Checkout) -> None:
    """All commands of a checkout run in a namespace without a route: those of this file, of the README and of real footage."""
    for address in ("('192.0.2.1', 443)", "('127.0.0.1', 5000)"):
        said = checkout.run(f'python -c "import socket; socket.create_connection({address}, 5)"', expect=1)
        assert "Network is unreachable" in said
    assert (checkout.folder / "artifacts/published.json").is_file()
    artifacts = checkout.folder / "artifacts/plaza"
    assert len(Detections.load(artifacts / "detections_raw.npz")) > 100  # both networks have run
    assert len(Embeddings.load(artifacts / "embeddings.npz")) > 100


def test_stages_open_no_file_of_the_project_that_dvc_yaml_does_not_declare(checkout: Checkout) -> None:
    notes = checkout.folder / NOTES
    assert {line.partition("\t")[0] for line in notes.read_text().splitlines()} == set(stages_run(checkout))
    assert undeclared(notes, checkout.folder) == {}
    heard = notes.with_name("more")
    heard.write_text("".join(f"track@plaza\t{checkout.folder}/{path}\n" for path in ("stages/merge.py", "stages/track.py")))
    assert undeclared(heard, checkout.folder) == {"track@plaza": {"stages/merge.py"}}


def stages_run(checkout: Checkout) -> list[str]:
    return list(yaml.safe_load((checkout.folder / "dvc.lock").read_text())["stages"])


def test_a_first_run_leaves_nothing_to_do_and_nothing_out_of_place(checkout: Checkout) -> None:
    assert "Data and pipelines are up to date." in checkout.run("dvc repro")
    assert checkout.run("git status --porcelain") == ""
    for name in ("artifacts/plaza/annotated.mp4", "artifacts/plaza/tracks.txt", "reports/index.html",
                 "reports/sequences/plaza/audit.html", "mlflow.db"):  # fmt: skip
        assert (checkout.folder / name).stat().st_size > 0
    metrics = json.loads((checkout.folder / "reports/metrics.json").read_text())
    assert list(metrics) == ["raw", "rewired", "split", "merged", "final"]
    assert all(metrics[level]["HOTA"] > 60 for level in metrics)
    assert "reports/metrics/final.json" in checkout.run("dvc metrics show")


def test_the_same_input_in_another_folder_gives_the_same_bytes_interrupted_or_not(checkout: Checkout, tmp_path: Path) -> None:
    """The second run is killed when one of three chunks of the detector's work is done."""
    other = make_tiny(tmp_path)
    kill(start(other, "detect@plaza", stops_at="000001.npz"))
    printed = other.run("python -m stages.mend_lock && dvc repro summarize analyze@plaza")
    assert "detect plaza: going on from frame" in printed
    suffixes = (".npz", ".csv", ".txt", ".json")
    theirs = checkout.artifacts(*suffixes)
    compared = other.artifacts(*suffixes)
    assert len(compared) > 15
    assert {name for name, content in compared.items() if theirs[name] != content} == set()


def test_a_parameter_reruns_its_stage_and_what_follows_and_a_comment_in_params_nothing(checkout: Checkout) -> None:
    checkout.run("echo '# a remark' >> params.yaml")
    assert checkout.repro() == []
    checkout.set_params(merge__max_gap_s=0.5)
    ran = checkout.repro()
    assert ran[0] == "merge@plaza"
    assert set(ran) <= set(AFTER_MERGE)
    checkout.run("git checkout -q params.yaml dvc.lock reports")
    assert checkout.repro() in ([], ["publish"])  # the run cache knows the rest


def test_a_change_of_code_reruns_the_stages_that_import_it_and_no_other(checkout: Checkout) -> None:
    checkout.run("echo '# a remark' >> stages/association/reach.py")
    assert "merge@plaza" not in checkout.run("dvc status dvc.yaml")
    assert checkout.repro("code") == ["code"]
    assert re.findall(r"^(\w+@?\w*):$", checkout.run("dvc status dvc.yaml"), re.M) == ["merge@plaza"]
    assert checkout.repro() == ["merge@plaza", "report", "publish"]  # the tracklets are the same, the seconds are not
    checkout.run("echo '# a remark' >> stages/remove_sequence.py")
    assert checkout.repro() == ["code"]
    checkout.run("git checkout -q stages dvc.lock reports")
    assert checkout.repro() in ([], ["publish"])


def test_an_impossible_parameter_is_one_line_and_loses_nothing(checkout: Checkout) -> None:
    before = checkout.artifacts(".npz", ".csv")
    checkout.run("sed -i 's/match_thresh: 0.9/match_thresh: 8/' params.yaml")
    printed = checkout.run("dvc repro", expect=255)
    assert "error: params.yaml: track.match_thresh: expected a number in [0, 1], got 8" in printed
    assert "Traceback" not in printed
    checkout.run("git checkout -q params.yaml && dvc checkout -q")
    assert checkout.artifacts(".npz", ".csv") == before
    assert checkout.repro() == []


def test_sequences_come_and_go_and_leave_no_ghost(checkout: Checkout) -> None:
    """One with ground truth, and one in which nobody was detected and nobody knows who was there."""
    before = checkout.artifacts(".npz", ".csv", ".json")
    checkout.run("mkdir -p ../annex && cp -r data/sequences/plaza/{seqinfo.ini,gt,det} ../annex/")
    checkout.run("mkdir -p ../vacancy/det && touch ../vacancy/det/det.txt && cp ../annex/seqinfo.ini ../vacancy/")
    checkout.run("python -m stages.add_sequence ../annex && python -m stages.add_sequence ../vacancy")
    ran = checkout.repro()
    assert "track@annex" in ran
    assert "track@plaza" not in ran
    assert "render@plaza" not in ran
    assert "annex" in (checkout.folder / "reports/sequences.json").read_text()
    people = (checkout.folder / "artifacts/vacancy/people.csv").read_text()
    assert len(people.splitlines()) == 1
    assert (checkout.folder / "artifacts/vacancy/annotated.mp4").stat().st_size > 0
    checkout.run("python -m stages.remove_sequence annex && python -m stages.remove_sequence vacancy")
    checkout.repro()
    assert checkout.artifacts(".npz", ".csv", ".json") == before
    named = checkout.run("grep -rlwE 'annex|vacancy' artifacts reports params.yaml dvc.lock data --include='*' || true")
    assert named == ""
    assert not (checkout.folder / "artifacts/annex").exists()


def test_a_leftover_of_an_unlisted_sequence_is_refused(checkout: Checkout) -> None:
    ghost = checkout.folder / "artifacts/scores/ghost.json"
    ghost.write_bytes((checkout.folder / "artifacts/scores/plaza.json").read_bytes())
    printed = checkout.run("dvc repro", expect=255)
    assert "artifacts/scores/ghost.json: expected files of the sequences in params.yaml alone, got ghost" in printed
    ghost.unlink()
    assert checkout.repro() == ["summarize"]
    assert checkout.run("git status --porcelain") == ""


@pytest.mark.soak
def test_experiments_run_in_place_in_a_temporary_folder_and_from_the_queue(checkout: Checkout) -> None:
    checkout.run("dvc exp run -S track.track_thresh=0.6 -n in-place")
    assert "track.track_thresh" in checkout.run("dvc params diff")
    checkout.run("dvc metrics diff")
    checkout.run("git checkout -q . && dvc checkout -q")
    checkout.run("dvc exp run --temp -S track.track_thresh=0.7 -n temporary")
    checkout.run("dvc exp run --queue -S track.track_thresh=0.65 -n queued && dvc exp run --run-all")
    shown = checkout.run("dvc exp show --csv")
    assert all(name in shown for name in ("in-place", "temporary", "queued"))
    runs = subprocess.run(
        ["python", "-c", "import mlflow; print(len(mlflow.search_runs(experiment_names=['retrace'])))"],
        cwd=checkout.folder, env=checkout.environment() | {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(runs.stdout.split()[-1]) >= 4  # the first run and three experiments, all in the main project's store


@pytest.mark.parametrize("fault", ["stopped", "full", "read-only"])
def test_stages_that_cannot_write_say_it_in_one_line_and_leave_nothing_half(checkout: Checkout, fault: str) -> None:
    """A share of `python -m tests.campaigns.faults`: the writer is stopped, the disk is full, the folder is read-only."""
    if fault in NEED_MOUNTS and not CAN_MOUNT:
        pytest.skip("mounts are not permitted here (unshare --map-root-user --mount)")
    stages = {stage.name: stage for stage in stages_of(checkout.folder)}
    expected = contents(checkout.folder, list(stages.values()))
    for name in ("smooth@plaza", "summarize"):
        failed, losses = suffer(checkout, stages[name], fault, expected, Random(0))
        assert losses == []
        assert failed or fault == "full"  # a file system may have the pages that it needs
    checkout.repro()


@pytest.mark.parametrize(
    "shell", ["/bin/bash", "/bin/sh"]
)  # DVC runs commands in $SHELL; dash stays their parent, bash does not
@pytest.mark.parametrize("whom", ["dvc and its stage", "dvc alone"])
def test_a_run_killed_half_way_leaves_no_artifact_and_the_next_run_finishes(checkout: Checkout, whom: str, shell: str) -> None:
    """render is killed when all is written and nothing is in its place: with its DVC, or by the kernel since its DVC is."""
    before = checkout.artifacts(".npz", ".csv", ".mp4")
    artifacts = checkout.folder / "artifacts"
    running = start(checkout, "--force --single-item render@plaza", stops_at=".annotated.mp4.", shell=shell)
    kill(running, alone=whom == "dvc alone")
    assert list(artifacts.glob("plaza/.annotated.mp4.*.tmp"))
    assert list(artifacts.glob("stills/.plaza.*.tmp/frame_000015.jpg"))
    assert not (artifacts / "plaza/annotated.mp4").exists()
    assert not (artifacts / "stills/plaza").exists()
    assert checkout.repro() in ([], ["render@plaza"])  # nothing runs where DVC's run cache knows the result
    assert checkout.artifacts(".npz", ".csv", ".mp4") == before
    checkout.run("python -m stages.mend_lock")
    assert not list(artifacts.rglob(".*.tmp"))


def start(checkout: Checkout, arguments: str, stops_at: str, shell: str = "/bin/sh") -> "subprocess.Popen[bytes]":
    """A dvc repro whose stage has stopped where it opens a file with `stops_at` in its name."""
    listening = {"PYTHONPATH": str(ROOT / "tests/listening"), "RETRACE_STOPS_AT": stops_at}
    running = subprocess.Popen(
        ["dvc", "repro", *arguments.split()], cwd=checkout.folder,
        env=checkout.environment() | listening | {"SHELL": shell},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while not any(line.startswith("T") for line in session(running)):
        assert running.poll() is None, f"dvc repro {arguments} has opened no {stops_at}"
        time.sleep(0.01)
    return running


def kill(running: "subprocess.Popen[bytes]", alone: bool = False) -> None:
    """Kills DVC, and its stage unless DVC `alone`; then that may go on if it lives. Returns when nothing of both does."""
    if alone:
        running.kill()
    else:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGCONT)
    while session(running):
        time.sleep(0.01)


def session(leader: "subprocess.Popen[bytes]") -> list[str]:
    """State and command line of all living processes in the session that this one leads."""
    listed = subprocess.run(["ps", "-o", "stat=,args=", "-s", str(leader.pid)], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if not line.startswith("Z")]
