"""Finished parts of a long computation, kept until its result is written, so that a killed stage goes on where it was.

They lie under $DVC_ROOT/.chunks/<stage>/<sequence>/<fingerprint>/, outside of DVC: DVC deletes a stage's outputs before it
runs. The fingerprint covers all that can change a result, so that a chunk is either right or not found.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stages
from stages.artifacts import writing

Arrays = dict[str, NDArray[Any]]
BLOCK = 2**20  # bytes read at a time
PROJECT = Path(stages.__file__).resolve().parent.parent
PACKAGES = (PROJECT / "stages", PROJECT / "training")


@dataclass(frozen=True)
class Chunks:
    """The chunks of one computation, numbered from 0 and written in this order."""

    folder: Path

    def completed(self, ranges: Sequence[range], compute: Callable[[Sequence[range]], Iterable[Arrays]]) -> Arrays:
        """The columns of all ranges, one chunk a range, joined in order.

        `compute` is asked for the ranges from the first on whose chunk is missing or unreadable.
        """
        parts = self.finished()
        if remaining := ranges[len(parts) :]:
            for arrays in compute(remaining):
                self._write(len(parts), arrays)
                parts.append(arrays)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def finished(self) -> list[Arrays]:
        """The chunks from 0 up to the first that is missing or unreadable."""
        found: list[Arrays] = []
        while (arrays := self._read(len(found))) is not None:
            found.append(arrays)
        return found

    def _write(self, number: int, arrays: Arrays) -> None:
        with writing(self._path(number)) as temporary, open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    def _read(self, number: int) -> Arrays | None:
        try:
            with np.load(self._path(number), allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile):  # absent, or damaged by a crash
            return None

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"


def chunk_ranges(numbers: range, size: int) -> list[range]:
    """The frame numbers in ranges of `size`, the last shorter; one empty range where there are none."""
    return [numbers[first : first + size] for first in range(0, max(len(numbers), 1), size)]


@contextmanager
def kept_chunks(stage: str, sequence: str, fingerprint: str) -> Iterator[Chunks]:
    """The chunks with this fingerprint; deleted when the block ends well, kept when not.

    Chunks of other fingerprints are deleted at once. The folder is locked: `dvc exp run --temp` and `--queue` run in folders of
    their own, with a lock each, and share this one.
    """
    parent = Path(os.environ.get("DVC_ROOT", ".")) / ".chunks" / stage / sequence
    parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for other in parent.iterdir():
            if other.is_dir() and other.name != fingerprint:
                shutil.rmtree(other)
        yield Chunks(parent / fingerprint)
        shutil.rmtree(parent / fingerprint, ignore_errors=True)
    finally:
        os.close(handle)


def fingerprint(settings: Iterable[object], inputs: Iterable[Path]) -> str:
    """SHA-256 over settings (by `repr`), inputs (files, or folders with all in them) and the loaded code of this project."""
    digest = hashlib.sha256()
    for setting in settings:
        digest.update(f"{setting!r}\n".encode())
    for path in inputs:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            digest.update(f"{file.name} {file.stat().st_size}\n".encode())
            _update(digest, file)
    for file in _loaded_sources():
        digest.update(f"{file.relative_to(PROJECT)} {file.stat().st_size}\n".encode())
        _update(digest, file)
    return digest.hexdigest()


def _loaded_sources() -> list[Path]:
    """Files of this project's modules that this process has imported: what it computes with, and never less."""
    files = {Path(file).resolve() for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    return sorted(file for file in files if any(map(file.is_relative_to, PACKAGES)))


def _update(digest: Any, path: Path) -> None:
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
