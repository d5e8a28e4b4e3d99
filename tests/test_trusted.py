"""Weights that can run code are loaded when somebody vouched for this very file, and the list says which."""

import hashlib
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from stages import trust_weights
from stages.command import execute
from stages.errors import DataError
from stages.trusted import check_trusted, sha256, trust, trusted
from tests.conftest import ROOT


def weights(folder: Path, content: bytes = b"weights") -> Path:
    path = folder / "my.pt"
    path.write_bytes(content)
    return path


def run(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *arguments: str | Path) -> str:
    """What the command logs, or its line of error."""
    monkeypatch.setattr(sys, "argv", ["trust_weights", *map(str, arguments)])
    with caplog.at_level(logging.INFO, "retrace"):
        try:
            execute(trust_weights.main)
        except SystemExit as stopped:
            return str(stopped.code)
    return "\n".join(caplog.messages)


def test_an_unlisted_file_is_refused_with_the_command_that_lists_it(tmp_path: Path) -> None:
    path = weights(tmp_path)
    with pytest.raises(DataError) as raised:
        check_trusted(path)
    assert hashlib.sha256(b"weights").hexdigest() in str(raised.value)
    assert f"`python -m stages.trust_weights {tmp_path}`" in str(raised.value)


def test_a_listed_file_passes_until_a_byte_of_it_changes(tmp_path: Path) -> None:
    path = weights(tmp_path)
    trust(path, "trained\nhere")
    check_trusted(path)
    assert trusted(tmp_path) == {sha256(path): "trained here"}
    path.write_bytes(b"Weights")
    with pytest.raises(DataError, match="got another"):
        check_trusted(path)


def test_listing_twice_is_one_line_and_another_file_is_another(tmp_path: Path) -> None:
    trust(weights(tmp_path), "first")
    trust(weights(tmp_path), "again")
    trust(weights(tmp_path, b"other"), "second")
    lines = (tmp_path / "trusted.txt").read_text().splitlines()
    assert [line[64:] for line in lines] == ["  my.pt  # first", "  my.pt  # second"]


@pytest.mark.parametrize("line", ["my.pt", "0" * 63 + "  my.pt", "0" * 64 + " my.pt", "0" * 64 + "  a b", "\xff\x00"])
def test_a_line_that_is_no_row_is_an_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "trusted.txt").write_text(f"# comment\n\n{line}\n")
    with pytest.raises(DataError, match=r"trusted\.txt: line 3: expected a SHA-256"):
        trusted(tmp_path)


def test_the_command_says_what_the_file_is_and_lists_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save({"model": torch.nn.Linear(1, 1)}, tmp_path / "my.pt")
    said = run(monkeypatch, caplog, tmp_path, "--what", "mine")
    assert "loading it makes objects of 1 classes of torch" in said
    assert trusted(tmp_path) == {sha256(tmp_path / "my.pt"): "mine"}


class Touch:
    """Unpickled, it makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("open('touched', 'w')",)


def test_the_command_lists_nothing_that_names_other_code_and_runs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Touch()}, tmp_path / "my.pt")
    said = run(monkeypatch, caplog, tmp_path)
    assert said.endswith("expected classes of torch, Ultralytics and NumPy, got builtins.exec: not listed")
    weights(tmp_path, b"no pickle")
    assert "expected a checkpoint of torch, got a damaged or foreign file" in run(monkeypatch, caplog, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my.pt"]


def test_the_lists_in_the_project_can_be_read() -> None:
    for path in (ROOT / "data/weights").glob("*/trusted.txt"):
        assert trusted(path.parent)
