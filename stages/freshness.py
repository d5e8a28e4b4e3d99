"""Whether what a stage wrote still belongs to what the project holds now."""

from stages.errors import DataError
from stages.versioning import is_dvc_project


def check_fresh(*stages: str) -> None:
    """Returns when the outputs of stages of dvc.yaml (`smooth@plaza`) are up to date, and outside a DVC project.

    Raises DataError naming what would run for the first of which they are not.
    """
    if not is_dvc_project():
        return
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    with Repo() as repo:
        for stage in stages:
            try:
                changed = repo.status(targets=[stage], with_deps=True)
            except DvcException as error:
                raise DataError(f"{stage}: expected what DVC knows of it, got: {' '.join(str(error).split())}") from error
            if changed:
                raise DataError(
                    f"{stage}: expected results that are up to date, got changes in {', '.join(changed)} (run `dvc repro`)"
                )
