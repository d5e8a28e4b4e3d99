"""Weights that can run code when they are loaded, and the list of those that somebody has vouched for.

An Ultralytics checkpoint is a pickle of Python objects, and torch's format for bare weights cannot hold it. Such a file is
loaded only when its SHA-256 stands in `trusted.txt` beside it, which is in git: a line is the digest, the file's name
and, after a #, what it is. Each folder has its own list, on which its stage depends with the folder: vouching for one file
reruns no stage that uses another.
"""

import hashlib
import re
from pathlib import Path

from stages.artifacts import write_text
from stages.errors import DataError

LIST = "trusted.txt"
LINE = re.compile(r"([0-9a-f]{64})  ([^#\s]+)(?:  # (.*))?")


def check_trusted(weights: Path) -> None:
    """Returns when the file is listed. Raises DataError that says how to list it."""
    found = sha256(weights)
    if found not in trusted(weights.parent):
        raise DataError(
            f"{weights}: expected a file listed in {weights.parent / LIST}, because loading it can run code in it, got another "
            f"(SHA-256 {found}): if you trust where it comes from, `python -m stages.trust_weights {weights.parent}`"
        )


def trusted(folder: Path) -> dict[str, str]:
    """Digest -> what the file is, of all that are listed in the folder. Raises DataError naming a line that says neither."""
    path = folder / LIST
    if not path.exists():
        return {}
    listed = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = LINE.fullmatch(line)
        if found is None:
            raise DataError(f"{path}: line {number}: expected a SHA-256, two blanks and a file's name, got {line!r}")
        listed[found[1]] = found[3] or ""
    return listed


def trust(weights: Path, what: str) -> None:
    """Lists the file, once, beside it; `what` is a remark on where it comes from."""
    if sha256(weights) in trusted(weights.parent):
        return
    path = weights.parent / LIST
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    write_text(path, f"{before}{sha256(weights)}  {weights.name}  # {' '.join(what.split())}\n")


def vouch(folder: Path, what: str) -> None:
    """Lists the folder's weights as trusted where loading them can run code; bare weights, `.pth`, cannot."""
    for weights in folder.glob("*.pt"):
        trust(weights, what)


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
