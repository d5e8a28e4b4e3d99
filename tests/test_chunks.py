"""Chunks: what is finished is not computed again, what is damaged is, and nothing of another computation is taken."""

import fcntl
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from stages.chunks import Arrays, Chunks, chunk_ranges, fingerprint, kept_chunks

RANGES = chunk_ranges(range(10), 3)  # 0-2, 3-5, 6-8, 9
Compute = Callable[[Sequence[range]], Iterator[Arrays]]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)


def squares(asked: list[int], stop_before: int = 10) -> Compute:
    """Squares of the numbers; notes which ranges are asked for and is interrupted before one of them."""

    def compute(remaining: Sequence[range]) -> Iterator[Arrays]:
        for numbers in remaining:
            if numbers.start >= stop_before:
                raise KeyboardInterrupt
            asked.append(numbers.start)
            yield {"squares": np.asarray(numbers, dtype=np.int64) ** 2}

    return compute


def test_the_last_range_is_shorter_and_no_numbers_make_one_empty_range() -> None:
    assert [range(3), range(3, 6), range(6, 9), range(9, 10)] == RANGES
    assert chunk_ranges(range(0, 9, 2), 3) == [range(0, 6, 2), range(6, 10, 2)]
    assert chunk_ranges(range(0), 3) == [range(0)]


def test_an_interrupted_computation_goes_on_after_its_last_finished_chunk(tmp_path: Path) -> None:
    asked: list[int] = []
    with pytest.raises(KeyboardInterrupt), kept_chunks("detect", "plaza", "f1") as chunks:
        chunks.completed(RANGES, squares(asked, stop_before=6))
    assert asked == [0, 3]
    with kept_chunks("detect", "plaza", "f1") as chunks:
        columns = chunks.completed(RANGES, squares(asked))
    assert asked == [0, 3, 6, 9]
    assert columns["squares"].tolist() == [n * n for n in range(10)]


def test_a_damaged_chunk_and_those_after_it_are_computed_again(tmp_path: Path) -> None:
    Chunks(tmp_path).completed(RANGES, squares([]))
    second = tmp_path / "000001.npz"
    for damaged in (second.read_bytes()[:-9], b"", b"no archive"):
        second.write_bytes(damaged)
        asked: list[int] = []
        columns = Chunks(tmp_path).completed(RANGES, squares(asked))
        assert asked == [3, 6, 9]
        assert columns["squares"].tolist() == [n * n for n in range(10)]


def test_chunks_go_when_the_result_is_written_and_stay_when_it_is_not(tmp_path: Path) -> None:
    folder = tmp_path / ".chunks/detect/plaza/f1"
    with pytest.raises(OSError, match="disk full"), kept_chunks("detect", "plaza", "f1") as chunks:
        chunks.completed(RANGES, squares([]))
        raise OSError("disk full")
    assert len(list(folder.iterdir())) == 4
    with kept_chunks("detect", "plaza", "f1") as chunks:
        chunks.completed(RANGES, squares([]))
    assert not folder.exists()


def test_chunks_of_an_outdated_computation_of_the_same_sequence_are_deleted(tmp_path: Path) -> None:
    for stage, sequence in (("detect", "plaza"), ("detect", "street"), ("embed", "plaza")):
        with pytest.raises(KeyboardInterrupt), kept_chunks(stage, sequence, "old") as chunks:
            chunks.completed(RANGES, squares([], stop_before=3))
    (tmp_path / ".chunks" / "detect" / "plaza" / "notes.txt").touch()  # somebody's file is no chunk
    with kept_chunks("detect", "plaza", "new"):
        left = {str(path.parent.relative_to(tmp_path / ".chunks")) for path in tmp_path.rglob("*.npz")}
    assert left == {"detect/street/old", "embed/plaza/old"}


def test_chunks_lie_in_the_main_workspace_of_dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "main"))
    with kept_chunks("detect", "plaza", "f1") as chunks:
        assert chunks.folder == tmp_path / "main/.chunks/detect/plaza/f1"


def test_a_second_process_cannot_enter_the_same_sequence() -> None:
    with kept_chunks("detect", "plaza", "f1") as chunks:
        handle = os.open(chunks.folder.parent, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)


def test_a_fingerprint_changes_with_each_thing_that_can_change_a_result(tmp_path: Path) -> None:
    weights, images = tmp_path / "w.pt", tmp_path / "images"
    weights.write_bytes(b"weights")
    images.mkdir()
    (images / "1.png").write_bytes(b"one")
    first = fingerprint([0.5, "cpu"], [weights, images])
    assert fingerprint([0.5, "cpu"], [weights, images]) == first
    assert fingerprint([0.6, "cpu"], [weights, images]) != first
    (images / "2.png").write_bytes(b"two")
    more = fingerprint([0.5, "cpu"], [weights, images])
    weights.write_bytes(b"weightS")
    assert len({first, more, fingerprint([0.5, "cpu"], [weights, images])}) == 3


def test_a_fingerprint_changes_with_the_code_that_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "nouns"
    package.mkdir()
    for name in ("loaded_noun", "other_noun"):
        (package / f"{name}.py").write_text("LIMIT = 1\n")
    monkeypatch.setattr("stages.chunks.PROJECT", tmp_path)
    monkeypatch.setattr("stages.chunks.PACKAGES", (package,))
    monkeypatch.syspath_prepend(package)
    monkeypatch.delitem(sys.modules, "loaded_noun", raising=False)
    importlib.import_module("loaded_noun")
    first = fingerprint([], [])
    (package / "other_noun.py").write_text("LIMIT = 2\n")
    assert fingerprint([], []) == first  # nothing computes with it
    (package / "loaded_noun.py").write_text("LIMIT = 2\n")
    assert fingerprint([], []) != first
    del sys.modules["loaded_noun"]
