"""Compiles functions with numba, once per state of their source.

Built code is kept in `~/.cache/retrace/kernels` (or `$XDG_CACHE_HOME`), one folder per hash of all modules of a folder: numba
by itself would not notice a change in a function that another module's function calls, and would compile anew in every clone.
A compiled function calls compiled functions of its own folder alone, so a change in one folder leaves the others' code built.
"""

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def source_hash(sources: Path) -> str:
    """Of this module and of every module in the folder `sources`: any of them may be part of any function compiled there."""
    digest = hashlib.sha256()
    for path in (Path(__file__), *sorted(sources.glob("*.py"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def folder(sources: Path) -> Path:
    """Where the code built from a folder's sources lies."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retrace" / "kernels" / source_hash(sources)


def is_built(function: Any) -> bool:
    """Whether the module that this function is from was compiled before from these sources: the first time takes a while."""
    module = Path(function.__code__.co_filename)
    return any(folder(module.parent).glob(f"{module.stem}.*.nbi"))


class SourceHashLocator:
    """Tells numba where built functions lie (numba.core.caching, `_CacheLocator`)."""

    def __init__(self, function: Any):
        self.line = function.__code__.co_firstlineno
        sources = Path(function.__code__.co_filename).parent
        self.folder, self.stamp = folder(sources), source_hash(sources)

    @classmethod
    def from_function(cls, function: Any, _file: str) -> "SourceHashLocator":
        """The locator of one function."""
        return cls(function)

    def ensure_cache_path(self) -> None:
        """Makes the folder; OSError names it where that is not possible."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """Folder of the index and the built code."""
        return str(self.folder)

    def get_source_stamp(self) -> str:
        """What the folder's name says already."""
        return self.stamp

    def get_disambiguator(self) -> str:
        """Part of the file's name, beside module and function."""
        return str(self.line)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function in machine code: strict IEEE arithmetic, so the same bits as Python's own."""
    config: Any = numba.config
    before = config.CACHE_LOCATOR_CLASSES
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.{SourceHashLocator.__name__}"
    try:
        dispatcher: Callable[P, R] = numba.njit(cache=True, error_model="numpy")(function)
    finally:
        config.CACHE_LOCATOR_CLASSES = before
    return dispatcher
