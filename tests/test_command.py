"""Commands as programs see them: exit statuses, log lines as JSON objects, tracebacks for those who ask."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

# A stage whose work is one line of Python, run as `python -m stages.example` would be.
STAGE = """
import sys
from pathlib import Path
from stages.command import execute, log, parser, stage_run
from stages.errors import DataError

def main():
    options = parser("Does something.")
    options.add_argument("--sequence")
    args = options.parse_args()
    with stage_run("example", args.sequence, Path("timings.json")) as run:
        {work}

execute(main)
"""


def run(folder: Path, work: str, *options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    (folder / "example.py").write_text(STAGE.format(work=work))
    return subprocess.run(
        [sys.executable, "example.py", "--sequence", "hall", *options], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip


def objects(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


@pytest.mark.parametrize(
    ("work", "options", "status", "said"),
    [
        ("run.counts = {'frames': 3}", (), 0, "example hall: 3 frames in "),
        ("raise DataError('a.txt: expected text')", (), 1, "error: a.txt: expected text\n"),
        ("open('none.txt')", (), 1, "error: none.txt: No such file or directory\n"),
        ("raise MemoryError", (), 1, "error: expected input that fits into memory, got: MemoryError (--debug shows where)\n"),
        ("pass", ("--unknown",), 2, "error: unrecognized arguments: --unknown\n"),
        ("raise KeyboardInterrupt", (), 130, ""),
    ],
)
def test_exit_statuses(tmp_path: Path, work: str, options: tuple[str, ...], status: int, said: str) -> None:
    done = run(tmp_path, work, *options)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "timings.json").exists() == (status == 0)


def test_debug_shows_where_an_error_was_raised(tmp_path: Path) -> None:
    for done in (run(tmp_path, "raise DataError('a')", "--debug"), run(tmp_path, "raise DataError('a')", RETRACE_DEBUG="1")):
        assert done.returncode == 1
        assert "Traceback" in done.stderr
        assert done.stderr.endswith("stages.errors.DataError: a\n")


def test_a_mistake_of_ours_is_a_traceback_and_status_1(tmp_path: Path) -> None:
    done = run(tmp_path, "1 / 0")
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_json_lines_say_stage_sequence_counts_and_seconds(tmp_path: Path) -> None:
    done = run(tmp_path, "log.info('two\\nlines'); run.counts = {'frames': 3}", RETRACE_LOG="json")
    first, last = objects(done.stderr)
    assert (first["level"], first["stage"], first["sequence"], first["message"]) == ("info", "example.py", "hall", "two\nlines")
    assert first["time"].endswith("+00:00")
    assert (last["stage"], last["sequence"], last["counts"]) == ("example", "hall", {"frames": 3})
    assert last["wall_s"] > 0
    assert last["compute_s"] == 0


def test_errors_are_json_lines_too(tmp_path: Path) -> None:
    done = run(tmp_path, "raise DataError('a.txt: expected text')", RETRACE_LOG="json")
    assert done.returncode == 1
    assert [(line["level"], line["message"]) for line in objects(done.stderr)] == [("error", "a.txt: expected text")]
    for done in (run(tmp_path, "1 / 0", RETRACE_LOG="json"), run(tmp_path, "open('no')", "--debug", RETRACE_LOG="json")):
        assert done.returncode == 1
        (line,) = objects(done.stderr)
        assert line["traceback"].startswith("Traceback")


def test_another_kind_of_log_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "pass", RETRACE_LOG="xml")
    assert done.returncode == 1
    assert done.stderr == "error: RETRACE_LOG (environment): expected text or json, got 'xml'\n"


def test_a_stage_is_named_as_in_dvc_yaml(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stages.track", "--sequence", "hall", "--pins", "p", "--detections", "d", "--camera-motion", "c",
         "--tracklets", "t", "--timings", "i"],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT), "RETRACE_LOG": "json"},
    )  # fmt: skip
    (line,) = objects(done.stderr)
    assert (line["stage"], line["sequence"], line["level"]) == ("track", "hall", "error")
