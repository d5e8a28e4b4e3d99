"""The levels of tracklets that are measured side by side, so that one sees what each stage gains."""

from pathlib import Path
from typing import Any

from stages.contracts.tracklets import Tracklets

LEVELS = ("raw", "rewired", "split", "merged", "final")


def load_levels(paths: Any) -> dict[str, Tracklets]:
    """The tracklets of every level; `paths` has one attribute a level with the path of its .npz."""
    return {level: Tracklets.load(Path(getattr(paths, level))) for level in LEVELS}
