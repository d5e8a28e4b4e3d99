"""Lists the weights file of a folder as trusted, after saying what it is: its digest, and what loading it would make.

    python -m stages.trust_weights data/weights/yolov8s --what "assets of the Ultralytics releases, v8.3.0"

Nothing of the file is loaded for that. `git diff` shows the new line; commit it with the pointer of the weights.
"""

from collections.abc import Iterable
from pathlib import Path

from stages.command import execute, log, parser
from stages.errors import DataError
from stages.trusted import LIST, sha256, trust, trusted
from stages.weights import weights_file

USUAL = {"torch", "ultralytics", "numpy", "collections", "pathlib"}  # packages of which an Ultralytics checkpoint names classes


def named_globals(weights: Path) -> list[str]:
    """Classes and functions that loading the file would call for, by dotted name, those of bare weights left out.

    Raises DataError where it is no checkpoint of torch.
    """
    from torch.serialization import get_unsafe_globals_in_checkpoint  # torch takes seconds

    try:
        return sorted(get_unsafe_globals_in_checkpoint(weights))
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"{weights}: expected a checkpoint of torch, got a damaged or foreign file ({error})") from error


def unusual(names: Iterable[str]) -> list[str]:
    """The names that no Ultralytics checkpoint has a reason for; it takes methods of its own classes by `getattr`."""
    return [name for name in names if name.partition(".")[0] not in USUAL and name not in ("builtins.getattr", "builtins.set")]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("folder", type=Path, help="a folder under data/weights with one .pt file")
    options.add_argument("--what", default="", help="a remark: where the file comes from")
    args = options.parse_args()
    weights = weights_file(args.folder, (".pt",))
    names = named_globals(weights)
    log.info("%s: %.1f MB, SHA-256 %s", weights, weights.stat().st_size / 1e6, sha256(weights))
    log.info(
        "  loading it makes objects of %d classes of %s", len(names), ", ".join(sorted({n.partition(".")[0] for n in names}))
    )
    if foreign := unusual(names):
        raise DataError(f"{weights}: expected classes of torch, Ultralytics and NumPy, got {', '.join(foreign)}: not listed")
    if sha256(weights) in trusted(args.folder):
        log.info("  it was listed before in %s", args.folder / LIST)
        return
    trust(weights, args.what or "trusted by hand")
    log.info("  listed in %s; next: git add %s", args.folder / LIST, args.folder / LIST)


if __name__ == "__main__":
    execute(main)
