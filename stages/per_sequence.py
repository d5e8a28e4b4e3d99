"""A folder with one file a sequence, which a stage over all sequences depends on as a whole."""

from collections.abc import Sequence
from pathlib import Path

from stages.errors import DataError


def listed_files(folder: Path, names: Sequence[str], suffix: str) -> dict[str, Path]:
    """Name -> path of each sequence's file, in the order of params.yaml.

    Raises DataError for a file of a sequence that params.yaml does not list: a ghost in every figure.
    """
    for path in sorted(folder.glob(f"*{suffix}")):
        if path.stem not in names:
            raise DataError(
                f"{path}: expected files of the sequences in params.yaml alone, got {path.stem} "
                f"(run `python -m stages.remove_sequence {path.stem}`, or delete the file)"
            )
    return {name: folder / f"{name}{suffix}" for name in names}
