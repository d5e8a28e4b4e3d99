"""What DVC keeps of stages that show somebody: entries of dvc.lock, here and in all commits, run cache, and their objects.

An object is taken out when only such stages ever put it out. What another sequence needs, or somebody added by hand, stays.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stages.lock_file import ever_locked, locked
from stages.versioning import run_dvc
from stages.yaml_text import LOADER

INPUTS = ("synthesize",)  # stages whose outputs are footage: that is not forgotten here
STAGE = re.compile(r"-m stages\.(\w+)")
SEQUENCE = re.compile(r"--sequence (\S+)")


@dataclass
class Kept:
    """What DVC holds: objects by hash that show somebody, objects that others need, and run cache entries to be deleted."""

    cache: Path
    showing: set[str] = field(default_factory=set)
    needed: set[str] = field(default_factory=set)
    runs: list[Path] = field(default_factory=list)

    def objects(self) -> list[Path]:
        """The files of the objects to be deleted, those inside folders among them."""
        gone = self._with_members(self.showing) - self._with_members(self.needed)
        return [path for name in sorted(gone) for path in self._places(name) if path.exists()]

    def _places(self, name: str) -> tuple[Path, Path]:
        """Where an object is, in DVC 3's layout and in that before."""
        return self.cache / "files" / "md5" / name[:2] / name[2:], self.cache / name[:2] / name[2:]

    def _with_members(self, names: Collection[str]) -> set[str]:
        found = set(names)
        for name in names:
            for path in self._places(name) if name.endswith(".dir") else ():
                if path.exists():
                    found |= {member["md5"] for member in json.loads(path.read_text(encoding="utf-8"))}
        return found


def shows(command: str, sequences: Collection[str]) -> bool:
    """Whether a stage, by its command, puts out what was seen in one of the sequences, by itself or among others."""
    stage, sequence = STAGE.search(command), SEQUENCE.search(command)
    if stage is None or stage[1] in INPUTS:
        return False
    return sequence is None or sequence[1] in sequences


def kept_by_dvc(sequences: Collection[str]) -> Kept:
    """What DVC keeps of the sequences, and of everything else."""
    kept = Kept(Path(run_dvc("cache", "dir").strip()))
    for entries in ever_locked():
        for entry in entries.values():
            _sort(entry, sequences, kept)
    for path in sorted((kept.cache / "runs").glob("*/*/*")):
        if _sort(yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER) or {}, sequences, kept):
            kept.runs.append(path)
    for pointer in Path("data").rglob("*.dvc"):
        kept.needed |= set(_hashes(yaml.load(pointer.read_text(encoding="utf-8"), Loader=LOADER)))
    return kept


def showing_stages(sequences: Collection[str]) -> dict[str, list[Path]]:
    """Stages of dvc.lock that show somebody, with the paths that they put out."""
    return {
        name: [Path(out["path"]) for out in entry.get("outs", [])]
        for name, entry in locked().items()
        if shows(str(entry["cmd"]), sequences)
    }


def _sort(entry: dict[str, Any], sequences: Collection[str], kept: Kept) -> bool:
    """Notes the entry's outputs as showing somebody or as needed; whether they show somebody."""
    showing = shows(str(entry.get("cmd", "")), sequences)
    (kept.showing if showing else kept.needed).update(_hashes(entry))
    return showing


def _hashes(entry: dict[str, Any]) -> Iterator[str]:
    yield from (str(out["md5"]) for out in entry.get("outs", []) if "md5" in out)
