"""Sequences out of the pipeline: their entries in params.yaml, their folders, and all that stages wrote about them.

    python -m stages.remove_sequence street square

Git keeps the history and DVC's cache the bytes: `git checkout` and `dvc checkout` bring back a sequence that was committed,
until a `dvc gc` that is not told to keep what commits need.
"""

from collections.abc import Sequence
from pathlib import Path

from stages.artifacts import delete, exclusive, write_text
from stages.command import execute, log, parser
from stages.corrections.rows import HEADER as CORRECTIONS_HEADER
from stages.corrections.rows import corrections_file
from stages.errors import DataError
from stages.exclusions import HEADER as EXCLUSIONS_HEADER
from stages.exclusions import exclusions_file
from stages.lock_file import locked, unlock
from stages.outputs import outputs
from stages.params import PARAMS, SEQUENCE_NAME, read_params, sequence_names
from stages.versioning import LOCK_FILE, SEQUENCES, forget, pointer_file, unstage_file
from stages.yaml_text import without_entries


def check(names: Sequence[str]) -> None:
    """Raises DataError where there is no sequence and no camera of one of the names, or no sequence would stay."""
    known, cameras = sequence_names(), read_params().get("cameras") or {}
    for name in names:
        if not SEQUENCE_NAME.fullmatch(name) or not (
            name in known
            or name in cameras
            or any(path.exists() for path in (pointer_file(SEQUENCES / name), SEQUENCES / name, *outputs(name)))
        ):
            raise DataError(f"{name}: expected a sequence to remove ({', '.join(known)}), found none of that name")
    if set(known) <= set(names):
        raise DataError(f"{', '.join(names)}: expected a sequence to stay in {PARAMS}, found none: add yours first")


def remove(name: str) -> list[str]:
    """Removes the sequence and returns what went."""
    removed = [f"{PARAMS}: {section}.{name}" for section in _remove_entries(name)]
    removed += [f"{LOCK_FILE}: {stage}" for stage in _remove_locked(name)]
    for path in (SEQUENCES / name, *outputs(name)):
        if path.exists():
            delete(path)
            removed.append(str(path))
    if forget(SEQUENCES / name):
        removed.append(str(pointer_file(SEQUENCES / name)))
    removed += _remove_by_hand(corrections_file(name), CORRECTIONS_HEADER, "it holds corrections by hand")
    return removed + _remove_by_hand(exclusions_file(name), EXCLUSIONS_HEADER, "whoever is forgotten stays so")


def _remove_by_hand(path: Path, header: str, reason: str) -> list[str]:
    """Removes a file of corrections or exclusions, unless somebody wrote something there: that is theirs to delete."""
    if not path.exists():
        return []
    if path.read_text(encoding="utf-8-sig").strip() != header.strip():
        log.info("kept %s: %s", path, reason)
        return []
    unstage_file(path)
    path.unlink()
    return [str(path)]


def _remove_entries(name: str) -> list[str]:
    """Takes the sequence, and the camera that it is filmed by, out of params.yaml; the sections it was in."""
    params = read_params()
    sections = [section for section in ("sequences", "cameras") if name in (params.get(section) or {})]
    text = PARAMS.read_text(encoding="utf-8")
    for section in sections:
        text = without_entries(text, section, [name])
    if sections:
        write_text(PARAMS, text)
    return sections


def _remove_locked(name: str) -> list[str]:
    """Takes the results of the sequence's stages (`detect@NAME` and so on) out of dvc.lock; the stages."""
    stages = [stage for stage in locked() if stage.partition("@")[2] == name]
    unlock(stages)
    return stages


def main() -> None:
    options = parser(__doc__)
    options.add_argument("names", nargs="+", metavar="name", help="a sequence of params.yaml")
    names = options.parse_args().names
    with exclusive("sequences"):
        check(names)
        for name in names:
            for line in remove(name):
                log.info("removed %s", line)
    log.info("next: dvc repro brings all figures up to date")
    log.info("what no commit and no experiment needs: dvc gc --workspace --all-commits --all-experiments frees it")


if __name__ == "__main__":
    execute(main)
