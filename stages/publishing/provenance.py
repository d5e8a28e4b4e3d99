"""Where a result came from: commit, changes beside it, DVC experiments and the files in them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from stages.errors import DataError

HISTORY_COMMITS = 1000
LOCK_FILE = Path("dvc.lock")  # every repro rewrites it


@dataclass(frozen=True)
class Commit:
    """A git commit, and whether tracked files differ from it."""

    sha: str
    dirty: bool


def current_commit(written: Path) -> Commit | None:
    """The commit of this folder; None without git or before the first commit.

    Changes that the pipeline itself makes, in `written` and dvc.lock, do not count.
    """
    sha = _git("rev-parse", "HEAD")
    if sha is None:
        return None
    exclude = [f":(exclude){path}" for path in (written, LOCK_FILE)]
    return Commit(sha.strip(), bool(_git("status", "--porcelain", "--untracked-files=no", "--", ".", *exclude)))


def history(sha: str) -> list[str]:
    """The commit and those before it, newest first, up to HISTORY_COMMITS."""
    return (_git("rev-list", f"--max-count={HISTORY_COMMITS}", sha) or "").split()


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


def text_at(sha: str, path: Path) -> str | None:
    """The content of a file in a commit; None where it is not there."""
    return _git("show", f"{sha}:./{path}")


def _git(*arguments: str) -> str | None:
    """What git prints; None where it fails or is not installed."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=True, encoding="utf-8").stdout
    except (FileNotFoundError, subprocess.CalledProcessError, UnicodeDecodeError):
        return None
