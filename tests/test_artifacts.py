"""Files: whole or absent, one writer at a time, one line when the disk refuses."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from stages.artifacts import exclusive, lives, read_json, sweep, write_json, write_text, writing, writing_folder
from stages.errors import DataError
from tests.conftest import ROOT


def test_an_error_in_the_block_leaves_the_old_file_and_no_temporary(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), writing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".a.txt.99999.tmp").write_text("half")
    write_text(tmp_path / "a.txt", "whole")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_only_what_dead_processes_were_writing_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    for process in (dead.pid, os.getpid()):
        for name in (f".a.txt.{process}.tmp", f"deep/.b.npz.{process}.tmp"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        for name in (f".made.{process}.tmp", f"deep/.made.{process}.old.tmp"):
            (tmp_path / name / "in").mkdir(parents=True)
    kept = {".tmp", "notes.tmp", f"a.{dead.pid}.tmp", ".a.tmp"}
    for name in kept:
        (tmp_path / name).touch()
    swept = {path.relative_to(tmp_path).as_posix() for path in sweep(tmp_path)}
    assert swept == {f"{name}.{dead.pid}.{end}" for name, end in (
        (".a.txt", "tmp"), ("deep/.b.npz", "tmp"), (".made", "tmp"), ("deep/.made", "old.tmp"))}  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {
        *kept,
        "deep",
        f".a.txt.{os.getpid()}.tmp",
        f".made.{os.getpid()}.tmp",
    }
    assert sweep(tmp_path) == sweep(tmp_path / "absent") == []


def test_a_process_lives_that_runs_or_is_stopped_but_not_one_that_is_dead_and_not_asked_for() -> None:
    """In a container nobody may ever ask for a process whose parent was killed."""
    child = subprocess.Popen(["sleep", "60"])
    assert lives(child.pid)
    child.send_signal(signal.SIGSTOP)
    assert lives(child.pid)
    child.kill()
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not lives(child.pid)
    child.wait()
    assert not lives(child.pid)


def test_a_folder_takes_its_place_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with writing_folder(path) as folder:
        (folder / "old").touch()
    with pytest.raises(RuntimeError), writing_folder(path) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert [file.name for file in path.iterdir()] == ["old"]
    with pytest.raises(DataError, match="expected to write it"), writing_folder(path) as folder:
        folder.rmdir()  # the old one is already moved away when the new one turns out to be missing
    assert [file.name for file in path.iterdir()] == ["old"]
    with writing_folder(path) as folder:
        (folder / "new").touch()
    assert [file.name for file in path.iterdir()] == ["new"]
    assert [file.name for file in tmp_path.iterdir()] == ["made"]


def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path: Path) -> None:
    """A file size limit stands in for the full disk: the write fails with an OSError half-way."""
    code = (
        "import resource, signal, sys; from pathlib import Path; from stages.artifacts import write_text\n"
        "from stages.command import execute\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "execute(lambda: write_text(Path('a.txt'), 'x' * 5000))\n"
    )
    (tmp_path / "a.txt").write_text("old")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it writes, too
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: a.txt: expected to write it, got: File too large\n"
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_json_refuses_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"a\.json: expected JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(DataError, match=r"b\.json: expected a file, found none"):
        read_json(tmp_path / "b.json")


def test_an_orphan_finishes_before_its_successor_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process outlives its parent and writes late; the second, newer one must have the last word."""
    monkeypatch.chdir(tmp_path)
    orphan = (
        "import time; from pathlib import Path; from stages.artifacts import exclusive, write_text\n"
        "with exclusive('track@hall'):\n"
        "    Path('started').touch(); time.sleep(0.7); write_text(Path('result'), 'old')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", orphan], env={**os.environ, "PYTHONPATH": str(ROOT)})
    while not Path("started").exists():
        assert process.poll() is None
        time.sleep(0.01)
    with exclusive("track@hall"):
        write_text(Path("result"), "new")
    assert process.wait() == 0
    assert Path("result").read_text() == "new"
