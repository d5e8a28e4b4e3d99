"""Installed libraries are inputs: a stage names the file of pins it depends on and refuses other versions."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from stages.errors import DataError


def check_pins(path: Path) -> None:
    """Returns when every `name==version` line of the file is what is installed.

    Raises DataError naming the file, the library and both versions.
    """
    for name, pinned in _pins(path):
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "none"
        if installed.split("+")[0] != pinned:  # a build's own suffix (+cpu) is the same version (PEP 440)
            raise DataError(f"{path}: expected {name} {pinned}, got {installed} installed (run `make install`)")


def read_pins(folder: Path) -> list[tuple[str, str]]:
    """Names and versions of all libraries that the folder's files pin, by name."""
    return sorted({pin for path in folder.glob("*.txt") for pin in _pins(path)})


def _pins(path: Path) -> list[tuple[str, str]]:
    """(name, version) of each `name==version` line."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [(name, version_) for name, _, version_ in (line.partition("==") for line in lines if line)]
