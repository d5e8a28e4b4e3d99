"""Where a result came from: commit, changes beside it, and DVC experiments."""

from dataclasses import dataclass
from pathlib import Path

from stages.errors import DataError
from stages.versioning import LOCK_FILE, git

HISTORY_COMMITS = 1000


@dataclass(frozen=True)
class Commit:
    """A git commit, and whether tracked files differ from it."""

    sha: str
    dirty: bool


def current_commit(written: Path) -> Commit | None:
    """The commit of this folder; None without git or before the first commit.

    Changes that the pipeline itself makes, in `written` and dvc.lock, do not count.
    """
    sha = git("rev-parse", "HEAD")
    if sha is None:
        return None
    exclude = [f":(exclude){path}" for path in (written, LOCK_FILE)]
    look = ("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")  # the index may be DVC's at that moment
    return Commit(sha.strip(), bool(git(*look, "--", ".", *exclude)))


def history(sha: str) -> list[str]:
    """The commit and those before it, newest first, up to HISTORY_COMMITS."""
    return (git("rev-list", f"--max-count={HISTORY_COMMITS}", sha) or "").split()


def dvc_experiments() -> list[tuple[str, str]]:
    """Name and commit of every DVC experiment of this repository, sorted. Raises DataError where there is no repository."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            baselines = repo.experiments.ls(all_commits=True)
    except DvcException as error:
        raise DataError(f"experiments: expected a git and DVC repository, got: {error}") from error
    return sorted((name, sha) for experiments in baselines.values() for name, sha in experiments)
