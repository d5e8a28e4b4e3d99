"""A project with this dvc.yaml and params.yaml in which nothing was ever computed: every data file is made up and committed.

DVC compares what files hold, whatever that is, so that a changed byte shows which stages depend on it.
"""

import copy
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from dvc.repo import Repo
from dvc.utils.serialize import LOADERS, parse_yaml

from tests.conftest import ROOT

KEPT = ("corner_west", "corner_east", "promenade")  # two cameras of one group, and one alone
WHOLE_FILE = {"params.yaml": None}  # among a stage's parameters
Params = dict[str, Any]


@dataclass(frozen=True)
class Expanded:
    """A stage of dvc.yaml for one sequence, with what it would read."""

    command: str
    deps: frozenset[str]
    outs: frozenset[str]
    params: str  # names and values


def expanded(params: Params) -> dict[str, Expanded]:
    """Every stage of dvc.yaml by its full name, worked out here and not by DVC."""
    stages: dict[str, Expanded] = {}
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items():
        if "foreach" in stage:
            for key, item in value_at(params, stage["foreach"][2:-1]).items():
                stages[f"{name}@{key}"] = _expanded(stage["do"], params | {"key": key, "item": item})
        else:
            stages[name] = _expanded(stage, params)
    return stages


def _expanded(stage: dict[str, Any], values: Params) -> Expanded:
    def text(template: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(value_at(values, found[1])), template)

    def paths(*headings: str) -> frozenset[str]:
        named = [item if isinstance(item, str) else next(iter(item)) for kind in headings for item in stage.get(kind, [])]
        return frozenset(map(text, named))

    declared = stage.get("params", [])
    names = sorted(values if WHOLE_FILE in declared else map(text, declared))
    read = json.dumps([[name, value_at(values, name)] for name in names])
    return Expanded(text(stage["cmd"]), paths("deps"), paths("outs", "metrics", "plots"), read)


def value_at(values: Params, name: str) -> Any:
    """The value of a dotted name; None where there is none, as of the scene that a camera names and nobody describes."""
    node: Any = values
    for part in name.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def covers(declared: str, path: str) -> bool:
    """Whether a declared file or folder is or holds the path."""
    return path == declared or path.startswith(f"{declared}/")


class GraphProject:
    """The project at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.params: Params = yaml.safe_load((ROOT / "params.yaml").read_text())
        for section in ("cameras", "sequences"):
            self.params[section] = {name: self.params[section][name] for name in KEPT}
        self.stages = expanded(self.params)
        self._write_params(self.params)
        shutil.copy(ROOT / "dvc.yaml", folder)
        declared = sorted({path for stage in self.stages.values() for path in stage.deps | stage.outs})
        for path in declared:
            self._make(path, is_folder=any(covers(path, other) and path != other for other in declared))
        subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=folder, check=True)
        LOADERS[".yaml"] = _loaded_once
        with chdir(folder):
            self.repo = Repo()
            self.index = self.repo.index
            self._commit()

    def _commit(self) -> None:
        """What `dvc commit --force` does, but for the run cache."""
        with self.repo.lock:
            for stage in self.index.stages:
                stage.save(run_cache=False)
                stage.commit()
            self.index.stages[0].dvcfile.dump_stages(self.index.stages, update_pipeline=False)

    def _make(self, path: str, *, is_folder: bool) -> None:
        made, original = self.folder / path, ROOT / path
        if is_folder or not made.suffix:
            made, original = made / "content", ROOT
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(original.read_bytes() if original.is_file() else f"{path}\n".encode())

    def files(self) -> Iterator[str]:
        """Every file that a stage depends on or writes."""
        named = (
            path for top in ("stages", "constraints", "data", "artifacts", "reports") for path in (self.folder / top).rglob("*")
        )
        yield from sorted(path.relative_to(self.folder).as_posix() for path in named if path.is_file())

    def listed(self) -> set[str]:
        """Names of the stages that `dvc status` lists."""
        with chdir(self.folder):
            return set(self.repo.status())

    def listed_after_byte(self, path: str) -> set[str]:
        """The same with one byte of the file changed; what DVC has read of dvc.yaml and dvc.lock stays."""
        file = self.folder / path
        before = file.read_bytes()
        middle = len(before) // 2
        file.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
        try:
            with chdir(self.folder), self.repo.lock:
                return {stage.addressing for stage in self.index.stages if any(stage.changed_entries())}
        finally:
            file.write_bytes(before)

    def listed_after_param(self, params: Params) -> set[str]:
        """The same with these parameters."""
        self._write_params(params)
        try:
            return self.listed()
        finally:
            self._write_params(self.params)

    def _write_params(self, params: Params) -> None:
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


@cache
def _parsed(text: str, path: str) -> Any:
    return parse_yaml(text, path)


def _loaded_once(path: str, fs: Any = None) -> Any:
    """DVC parses params.yaml anew for each stage, which takes most of the time of `dvc status`; here once a content."""
    return _parsed(Path(path).read_text(), path)


def declaring(stages: dict[str, Expanded], path: str) -> set[str]:
    """Stages that name the file, or a folder around it, among their deps or outs."""
    return {name for name, stage in stages.items() if any(covers(declared, path) for declared in stage.deps | stage.outs)}


def leaf_names(node: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of all values; a list is one value."""
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from leaf_names(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def with_change(params: Params, name: str) -> Params:
    """The parameters with another value of the same kind under the name."""
    changed = copy.deepcopy(params)
    *above, key = name.split(".")
    node = value_at(changed, ".".join(above)) if above else changed
    node[key] = other(node[key])
    return changed


def other(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}x"
    return value + 1 if isinstance(value, int | float) else [*value, "x"]
