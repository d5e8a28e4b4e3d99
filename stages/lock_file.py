"""dvc.lock, in which DVC keeps what each stage last read and put out: its entries, here and in commits, and those taken out."""

from collections.abc import Collection, Iterator
from typing import Any

import yaml

from stages.artifacts import write_text
from stages.versioning import LOCK_FILE, is_git_work_tree, run, text_at
from stages.yaml_text import LOADER, without_entries

Entries = dict[str, dict[str, Any]]  # by stage, `track@plaza`


def locked() -> Entries:
    """The entries of dvc.lock; none where there is no such file."""
    return _entries(LOCK_FILE.read_text(encoding="utf-8")) if LOCK_FILE.exists() else {}


def ever_locked() -> Iterator[Entries]:
    """The entries of the dvc.lock here and of that of every commit which changed it, experiments among them."""
    yield locked()
    if is_git_work_tree():
        for commit in run(["git", "log", "--all", "--format=%H", "--", str(LOCK_FILE)]).split():
            yield _entries(text_at(commit, LOCK_FILE) or "")  # none: it was deleted there


def read_otherwise(entries: Entries, reader: str, *writers: str) -> bool:
    """Whether a stage last read anything that other stages have put out differently since; not where nobody noted it."""
    made, read = (
        {entry["path"]: entry.get("md5") for stage in stages for entry in entries.get(stage, {}).get(kind, [])}
        for stages, kind in ((writers, "outs"), ((reader,), "deps"))
    )
    return any(read[path] != made[path] for path in made.keys() & read.keys())


def unlock(stages: Collection[str]) -> None:
    """Takes the stages' results out of dvc.lock, so that they run again."""
    if stages:
        write_text(LOCK_FILE, without_entries(LOCK_FILE.read_text(encoding="utf-8"), "stages", stages))


def _entries(text: str) -> Entries:
    return (yaml.load(text, Loader=LOADER) or {}).get("stages") or {}
