"""Whether what a stage wrote still belongs to what the project holds now."""

from collections.abc import Sequence

from stages.errors import DataError
from stages.versioning import is_dvc_project

MOST_NAMED = 8  # stages in a message


def check_fresh(*stages: str) -> None:
    """Returns when the outputs of stages of dvc.yaml (`smooth@plaza`) are up to date, and outside a DVC project.

    Raises DataError naming the stages that would run.
    """
    if not is_dvc_project():
        return
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            changed = list(repo.status(targets=stages, with_deps=True))  # at once: each call reads dvc.lock anew
    except DvcException as error:
        raise DataError(f"{_named(stages)}: expected what DVC knows of it, got: {' '.join(str(error).split())}") from error
    if changed:
        raise DataError(
            f"{_named(stages)}: expected results that are up to date, got changes in {_named(changed)} (run `dvc repro`)"
        )


def _named(stages: Sequence[str]) -> str:
    more = len(stages) - MOST_NAMED
    return ", ".join(stages[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
