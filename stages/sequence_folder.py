"""The folder of a sequence: pixels/, gt/, det/, motion/, seqinfo.ini and camera.json, all always there.

DVC knows no optional dependency and keeps no empty folder, so where there is nothing, a marker file says so.
"""

from pathlib import Path

from stages.artifacts import write_text

MARKER = "none.txt"


def holds_data(folder: Path) -> bool:
    """Whether the folder (pixels/, gt/, det/ or motion/) holds something else than the marker."""
    return not (folder / MARKER).exists()


def write_marker(folder: Path, what: str) -> None:
    """Marks the folder as holding nothing, for the reason given."""
    write_text(folder / MARKER, f"{what}\n")
