"""Weights are plain files that a person puts into a folder: found there or asked for, never downloaded."""

from pathlib import Path

from stages.errors import DataError


def weights_file(folder: Path, suffixes: tuple[str, ...]) -> Path:
    """The one file in the folder with one of the suffixes. Raises DataError that says what to put where."""
    wanted = " or ".join(suffixes)
    found = sorted(path for path in folder.glob("*") if path.name.endswith(suffixes) and path.is_file())
    if not found:
        others = ", ".join(path.name for path in files_in(folder)) or "none"
        raise DataError(f"{folder}: expected one {wanted} file, found {others}: {where_to_get(folder)}")
    if len(found) > 1:
        raise DataError(f"{folder}: expected one {wanted} file, got {', '.join(path.name for path in found)}")
    return found[0]


def files_in(folder: Path) -> list[Path]:
    """The weights in the folder by name: all but the card, DVC's pointers, the list of trusted files and hidden ones."""
    return sorted(path for path in folder.glob("[!.]*") if path.is_file() and path.suffix not in (".md", ".dvc", ".txt"))


def where_to_get(folder: Path) -> str:
    """A sentence on how weights come into this folder."""
    if "@" in folder.name:
        return f"`python -m training.fetch {folder.name}` fetches it from the model registry"
    card = folder / "README.md"
    source = f"{card} says where to get it" if card.is_file() else "get it from where the network was published"
    return f"{source}; put it into {folder} and `dvc add` it"
