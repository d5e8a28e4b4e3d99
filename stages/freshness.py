"""Whether what a stage wrote still belongs to what the project holds now."""

from stages.errors import DataError
from stages.versioning import is_dvc_project


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
            changed = repo.status(targets=stages, with_deps=True)  # at once: each call reads dvc.yaml and dvc.lock anew
    except DvcException as error:
        raise DataError(f"{', '.join(stages)}: expected what DVC knows of it, got: {' '.join(str(error).split())}") from error
    if changed:
        named = ", ".join(stages), ", ".join(changed)
        raise DataError(f"{named[0]}: expected results that are up to date, got changes in {named[1]} (run `dvc repro`)")
