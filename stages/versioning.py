"""DVC and git: a folder's bytes in the cache, its pointer file in the index, a file as it was in a commit."""

import subprocess
import sys
from pathlib import Path

from stages.errors import DataError

SEQUENCES = Path("data/sequences")  # as dvc.yaml has it
LOCK_FILE = Path("dvc.lock")  # every repro rewrites it


def pointer_file(folder: Path) -> Path:
    """The .dvc file of a tracked folder."""
    return folder.with_name(f"{folder.name}.dvc")


def is_dvc_project() -> bool:
    """Whether the current folder is the root of a DVC project."""
    return Path(".dvc").is_dir()


def is_git_work_tree() -> bool:
    """Whether the current folder lies in a git work tree and git is installed."""
    return (git("rev-parse", "--is-inside-work-tree") or "").strip() == "true"


def text_at(sha: str, path: Path) -> str | None:
    """The content of a file in a commit; None where it is not there."""
    return git("show", f"{sha}:./{path}")


def track(folder: Path) -> None:
    """Puts the folder into DVC's cache and, in a git work tree, its pointer file into the index. Raises DataError."""
    run_dvc("add", str(folder))
    stage_file(pointer_file(folder))


def stage_file(path: Path) -> None:
    """Puts a file into git's index, where the current folder lies in a git work tree. Raises DataError."""
    if is_git_work_tree():
        run(["git", "add", str(path)])


def unstage_file(path: Path) -> None:
    """Takes a file out of git's index, where it is there. Raises DataError."""
    if is_git_work_tree():
        run(["git", "rm", "--cached", "--quiet", "--ignore-unmatch", str(path)])


def forget(folder: Path) -> bool:
    """Removes the pointer file and takes it out of git's index; the cache keeps the bytes. Says whether there was one."""
    pointer = pointer_file(folder)
    existed = pointer.exists()
    pointer.unlink(missing_ok=True)
    unstage_file(pointer)
    return existed


def git(*arguments: str) -> str | None:
    """What git prints; None where it fails or is not installed."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=True, encoding="utf-8").stdout
    except (FileNotFoundError, subprocess.CalledProcessError, UnicodeDecodeError):
        return None


def run_dvc(*arguments: str) -> str:
    """What a command of DVC prints. Raises DataError."""
    return run([sys.executable, "-m", "dvc", *arguments])


def run(command: list[str]) -> str:
    """What a command prints. Raises DataError in one line where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        name = " ".join(command[2:] if command[0] == sys.executable else command)
        said = " ".join((done.stderr or done.stdout).split()) or f"exit status {done.returncode}"
        raise DataError(f"{name}: expected success, got: {said}")
    return done.stdout
