"""What stages open in the project beyond what dvc.yaml declares, from the notes of tests/listening/sitecustomize.py."""

import re
from collections import defaultdict
from collections.abc import Set
from pathlib import Path

from stages.code import NO_RESULT
from stages.params import read_params
from tests.graph_project import covers, expanded

# Read by every stage and compared by DVC section by section; or written, and no result that another stage reads.
OWN = ("params.yaml", ".locks", ".chunks", ".yolo", "mlartifacts", "mlflow.db")
TEMPORARY = re.compile(r"(^|/)\.([^/]+)\.\d+\.tmp(?=/|$)")  # as stages/artifacts.py names them


def undeclared(notes: Path, folder: Path) -> dict[str, set[str]]:
    """Stage -> files and folders of the project that it opened and that are none of its deps, outs and modules."""
    stages = expanded(read_params(folder / "params.yaml"))
    code = {
        stage.stem: {line.split()[1] for line in stage.read_text().splitlines()} for stage in folder.glob("artifacts/code/*")
    }
    found: dict[str, set[str]] = defaultdict(set)
    for line in set(notes.read_text().splitlines()):
        name, _, absolute = line.partition("\t")
        path = _meant(absolute.removeprefix(f"{folder}/"))
        there = absolute.startswith(f"{folder}/") and (folder / path).exists()
        declared = stages[name].deps | stages[name].outs | code.get(name.partition("@")[0], set())
        if there and not _is_declared(declared, path, is_folder=(folder / path).is_dir()):
            found[name].add(path)
    return dict(found)


def _is_declared(declared: Set[str], path: str, *, is_folder: bool) -> bool:
    if any(covers(known, path) for known in (*declared, *OWN)) or path in NO_RESULT:
        return True
    if is_folder:  # it is looked through for what is declared in it, or for leftovers beside it
        return any(known.startswith(f"{path}/") for known in declared)
    folder = str(Path(path).parent)  # compiled code is kept under a name made from all modules of its folder in stages/
    return "stages/compiled.py" in declared and folder != "stages" and any(covers(folder, known) for known in declared)


def _meant(path: str) -> str:
    """The module that compiled code belongs to, and what a temporary file or folder becomes."""
    name = Path(path)
    if name.parent.name == "__pycache__":
        return str(name.parent.parent / f"{name.name.partition('.')[0]}.py")
    return TEMPORARY.sub(r"\1\2", path)
