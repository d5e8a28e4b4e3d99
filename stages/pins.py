"""Installed libraries are inputs: a stage names the file of pins it depends on and refuses other versions."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from stages.errors import DataError


def check_pins(path: Path) -> None:
    """Returns when every `name==version` line of the file is what is installed.

    Raises DataError naming the file, the library and both versions.
    """
    for line in path.read_text(encoding="utf-8").splitlines():
        requirement = line.split("#")[0].strip()
        if not requirement:
            continue
        name, _, pinned = requirement.partition("==")
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "none"
        if installed.split("+")[0] != pinned:  # a build's own suffix (+cpu) is the same version (PEP 440)
            raise DataError(f"{path}: expected {name} {pinned}, got {installed} installed (run `make install`)")
