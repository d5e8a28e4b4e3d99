"""Compiles the tracker's functions with numba, once per state of their source.

Built code is kept in `~/.cache/retrace/kernels` (or `$XDG_CACHE_HOME`), one folder per hash of all modules of this folder:
numba by itself would not notice a change in a function that another module's function calls, and would compile anew in every
clone.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")

SOURCES = Path(__file__).parent


def source_hash() -> str:
    """Of every module in this folder: any of them may be part of any compiled function."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


SOURCE_HASH = source_hash()


def folder() -> Path:
    """Where the code built from these sources lies."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retrace" / "kernels" / SOURCE_HASH


def is_built(module: str) -> bool:
    """Whether this module was compiled from these sources before: the first time takes some twenty seconds."""
    return any(folder().glob(f"{module}.*.nbi"))


class SourceHashLocator:
    """Tells numba where built functions lie (numba.core.caching, `_CacheLocator`)."""

    def __init__(self, function: Any):
        self.line = function.__code__.co_firstlineno
        self.folder = folder()

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
        return SOURCE_HASH

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
