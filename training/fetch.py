"""Brings weights from the model registry to where the pipeline looks for them.

    python -m training.fetch retrace-detector@champion

writes data/weights/retrace-detector@champion/: the file, and which version it is. `detect.weights: retrace-detector@champion`
in params.yaml uses it, and DVC reruns what depends on it when the bytes change. An alias may point to another version tomorrow,
so nothing fetches by itself.
"""

import dataclasses
import re
from pathlib import Path

from stages.artifacts import write_json, writing_folder
from stages.command import execute, log, parser
from stages.errors import ParamsError
from stages.trusted import vouch
from training.tracking import Tracking, Version

WEIGHTS = Path("data/weights")
REFERENCE = re.compile(r"([\w.-]+)@([\w.-]+)")


def parse_reference(text: str) -> tuple[str, str]:
    """Model and alias of `model@alias`. Raises ParamsError for another text."""
    found = REFERENCE.fullmatch(text)
    if found is None:
        raise ParamsError(f"reference: expected <model>@<alias>, such as retrace-detector@champion, got {text!r}")
    return found[1], found[2]


def fetch(reference: str) -> Version:
    """Writes the folder of this reference and returns which version is in it."""
    tracking = Tracking()
    version = tracking.find(*parse_reference(reference))
    with writing_folder(WEIGHTS / reference) as folder:
        tracking.fetch(version, folder)
        vouch(folder, f"version {version.number} of {reference} in the model registry")
        write_json(folder / "version.json", dataclasses.asdict(version))
    return version


def main() -> None:
    options = parser(__doc__)
    options.add_argument("reference", metavar="MODEL@ALIAS")
    args = options.parse_args()
    version = fetch(args.reference)
    log.info("%s: %s, version %d, SHA-256 %s", WEIGHTS / args.reference, version.file, version.number, version.sha256)


if __name__ == "__main__":
    execute(main)
