"""Whether DVC is at work: who lives is waited for, who died is not, and a list that cannot be read may be of anybody."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from stages.corrections.busy import RWLOCK, check_idle
from stages.errors import DataError

DEAD = {"pid": 2**22 + 1, "cmd": "killed"}  # beyond all numbers that a process can have
ALIVE = {"pid": os.getpid(), "cmd": "dvc repro"}


def noted(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """DVC has noted this in a project, which is the current folder."""
    monkeypatch.chdir(folder)
    RWLOCK.parent.mkdir(parents=True)
    RWLOCK.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "users",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"read": {}, "write": {}}, id="nobody any more"),
        pytest.param({"read": {"/a": [DEAD, DEAD]}, "write": {"/b": DEAD}}, id="killed"),
    ],
)
def test_no_run_that_is_alive_is_waited_for(users: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted(tmp_path, monkeypatch, json.dumps(users))
    check_idle()
    RWLOCK.unlink()
    check_idle()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps({"read": {"/a": [DEAD, ALIVE]}}), id="one of two reads"),
        pytest.param(json.dumps({"read": {"/a": [DEAD]}, "write": {"/b": DEAD, "/c": ALIVE}}), id="one writes"),
        pytest.param('{"read": {"/a": [{"pi', id="half a list"),
        pytest.param("", id="no list"),
    ],
)
def test_a_run_that_is_alive_or_may_be_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted(tmp_path, monkeypatch, text)
    with pytest.raises(DataError, match=r"^\.dvc/tmp/rwlock: expected no run of DVC, got one: wait for its end$"):
        check_idle()
