"""calibrate as a command: what it says, shows and writes, and what it refuses, in a small project."""

import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from stages import calibrate
from stages.association.decisions import Decision
from stages.audit import write_audit
from stages.command import execute
from stages.seqinfo import SequenceInfo, format_seqinfo
from tests.sample_project import contents
from tests.tables import box, detections, tracklets

FRAMES = 20
ENTRY = "{clip: {start_frame: 0, end_frame: null, frame_stride: 1}, regions: {interest: [], ignored: []}}"
PARAMS = f"""\
# What goes through the pipeline.
sequences:
  street: {ENTRY}
  yard: {ENTRY}
  silent: {ENTRY}

merge:
  enabled: true   # false: tracklets pass through
  temper: 0.24    # 0.01 to 10
  offset: 0.89    # -10 to 10 nats
"""
Run = Callable[..., str]
Outcomes = dict[float, tuple[int, int]]  # lead in nats -> decisions about one person and about two
STREET: Outcomes = {3.0: (16, 4), -1.0: (4, 12)}
YARD: Outcomes = {3.0: (8, 2), -1.0: (2, 6)}


def make_sequence(name: str, outcomes: Outcomes | None) -> None:
    """A sequence with as many decisions: of each, a tracklet in frames 0 to 4 and one in frames 10 to 14 of the same place."""
    folder, artifacts = Path("data/sequences") / name, Path("artifacts") / name
    info = SequenceInfo(name, 640, 480, 10.0, FRAMES, variable_rate=False)
    truth, ways, merges = [], {}, []
    pairs = [(gain, k < one) for gain, (one, two) in (outcomes or {}).items() for k in range(one + two)]
    for number, (gain, same) in enumerate(pairs):
        first, second = 2 * number + 1, 2 * number + 2
        place = box(15 * (number % 40), 40 * (number // 40), 10, 20)
        ways[first], ways[second] = dict.fromkeys(range(5), place), dict.fromkeys(range(10, 15), place)
        people = {first: first, second: first if same else second}
        truth += [f"{f + 1},{people[t]},{place[0]},{place[1]},10,20,1,-1,-1,-1\n" for t in people for f in ways[t]]
        kind = "joined" if gain > 0 else "refused"
        merges.append(Decision(kind, first, second, first, second, 0.5, gain, 0.6, 0.0, gain, 0.0, 0.0, 0.0, None, None))
    table = tracklets(ways, FRAMES, sequence=name)
    rows = sorted((frame, track) for track, way in ways.items() for frame in way)
    found = [(frame, ways[track][frame], 0.9) for frame, track in rows]
    detections(found, FRAMES, sequence=name).save(artifacts / "detections_raw.npz")
    table.save(artifacts / "tracklets_split.npz")
    write_audit(artifacts / "merges.csv", Decision, merges)
    (folder / "gt").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text(format_seqinfo(info))
    (folder / "gt" / ("none.txt" if outcomes is None else "gt.txt")).write_text("".join(truth))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three sequences as the stages leave them, `silent` without ground truth; 36 and 18 decisions in the others."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("params.yaml").write_text(PARAMS)
    for name, outcomes in (("street", STREET), ("yard", YARD), ("silent", None)):
        make_sequence(name, outcomes)
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line as its module does; what it printed and logged, or its one line of error."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["calibrate", *arguments])
        caplog.clear()
        with caplog.at_level(logging.INFO, "retrace"):
            try:
                execute(calibrate.main)
            except SystemExit as stopped:
                return str(stopped.code)
        return capsys.readouterr().out + "\n".join(caplog.messages)

    return run


def test_every_sequence_with_ground_truth_is_judged_and_shown(project: Path, run: Run) -> None:
    """3 nats were right in 4 of 5 cases, -1 nat in 1 of 4; today they are called 0.83 and 0.66."""
    lines = run().splitlines()
    assert [line.split()[:3] for line in lines[1:5]] == [
        ["street", "36", "20"], ["yard", "18", "10"], ["all", "54", "30"], ["judged", "by", "others"]]  # fmt: skip
    assert [line.split()[3:6] for line in lines if line.startswith(("0.6 to", "0.8 to"))] == [
        ["24", "0.66", "0.25"], ["30", "0.83", "0.80"]]  # fmt: skip
    assert any(line.startswith("fitted to all: merge.temper 0.5") for line in lines)
    assert lines[-1] == "reliability in reports/calibration.html"
    shown = Path("reports/calibration.html").read_text()
    assert "54 decisions judged by ground truth" in shown
    assert "plotly" in shown
    assert Path("params.yaml").read_text() == PARAMS


def test_numbers_go_into_params_yaml_and_nothing_else_changes(project: Path, run: Run) -> None:
    """Log-odds of 4 / 5 at 3 nats and of 1 / 4 at -1: Platt's targets draw them a little together."""
    said = run("--write", "--plot", "elsewhere/page.html").splitlines()
    assert said[-1] == "written to params.yaml; next: dvc repro"
    written = yaml.safe_load(Path("params.yaml").read_text())["merge"]
    assert 3 * written["temper"] + written["offset"] == pytest.approx(1.39, abs=0.15)
    assert -written["temper"] + written["offset"] == pytest.approx(-1.10, abs=0.15)
    temper, offset = (f"{written[name]!r} ".ljust(8) for name in ("temper", "offset"))
    expected = PARAMS.replace("0.24    ", temper).replace("0.89    ", offset)
    assert Path("params.yaml").read_text() == expected
    assert sorted(path for path in contents(project) if path.endswith(".html")) == ["elsewhere/page.html"]
    again = run("--write")
    assert f"(today {written['temper']:g} and {written['offset']:g})" in again
    assert Path("params.yaml").read_text() == expected


def test_a_sequence_may_be_chosen_and_its_own_decisions_may_suffice(project: Path, run: Run) -> None:
    lines = run("street", "street").splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["street", "all"]
    assert lines[1].split()[-4:] == ["-"] * 4, "there are no others to judge it by"
    assert "fitted to all: merge.temper" in "".join(lines)


def test_too_few_decisions_are_shown_and_not_written(project: Path, run: Run) -> None:
    few = "expected at least 30 decisions, 5 about one person and 5 about two people among them, got 18: 10 and 8"
    assert f"too few decisions for a fit: {few}" in run("yard")
    assert run("yard", "--write") == f"error: params.yaml: {few}"
    assert Path("params.yaml").read_text() == PARAMS


def test_one_outcome_alone_is_not_written(project: Path, run: Run) -> None:
    (project / "data/sequences/yard").rename(project / "data/sequences/old")
    make_sequence("yard", {3.0: (40, 0)})
    assert run("yard", "--write").endswith("among them, got 40: 40 and 0")
    assert Path("params.yaml").read_text() == PARAMS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["road"], "road: expected one of the sequences in params.yaml (street, yard, silent), got another name"),
        (["street", "silent"], "silent: expected ground truth in data/sequences/silent/gt, found none"),
    ],
)
def test_names_that_cannot_be_judged_are_refused(project: Path, run: Run, arguments: list[str], message: str) -> None:
    assert run(*arguments) == f"error: {message}"
    assert not Path("reports").exists()


def test_no_ground_truth_at_all_is_refused(project: Path, run: Run) -> None:
    for name in ("street", "yard"):
        Path(f"data/sequences/{name}/gt/none.txt").touch()
    assert run() == "error: params.yaml: sequences: expected one at least with ground truth, found none"


def test_no_decision_at_all_is_refused(project: Path, run: Run) -> None:
    write_audit(Path("artifacts/yard/merges.csv"), Decision, [])
    assert run("yard") == "error: yard: expected decisions of merge that ground truth can judge, found none"


@pytest.mark.parametrize("file", ["merges.csv", "tracklets_split.npz", "detections_raw.npz"])
def test_a_sequence_that_never_ran_is_refused(project: Path, run: Run, file: str) -> None:
    Path("artifacts/street", file).unlink()
    assert run() == f"error: artifacts/street/{file}: expected a file, found none (run `dvc repro`)"
    assert not Path("reports").exists()


def test_ground_truth_of_another_clip_is_refused(project: Path, run: Run) -> None:
    Path("params.yaml").write_text(PARAMS.replace("start_frame: 0", "start_frame: 5"))
    assert run("street") == "error: street: expected ground truth of the 20 frames that were tracked, got of 15"


def test_a_run_of_dvc_is_waited_for(project: Path, run: Run) -> None:
    lock = Path(".dvc/tmp/rwlock")
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps({"write": {"artifacts/street": {"pid": os.getpid(), "cmd": "dvc repro"}}}))
    assert run("--write") == "error: .dvc/tmp/rwlock: expected no run of DVC, got one: wait for its end"


def test_decisions_older_than_params_yaml_are_refused(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """After --write, `dvc repro` must come first."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project / ".dvc/site"))
    stage = {"cmd": "true", "params": ["merge"], "outs": ["artifacts/${item}/merges.csv"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"merge": {"foreach": ["street", "yard"], "do": stage}}}))
    with Repo.init(no_scm=True) as repo:
        repo.commit(force=True)
    assert "written to params.yaml" in run("--write")
    both = "merge@street, merge@yard"
    assert run() == f"error: {both}: expected results that are up to date, got changes in {both} (run `dvc repro`)"
