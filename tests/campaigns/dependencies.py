"""One byte of each file and each parameter changed: dvc status lists the stages that depend on it, and no other.

    python -m tests.campaigns.dependencies

They are compared with dvc.yaml as tests/graph_project.py works it out. Faults are stages that DVC lists and should not, and
those that it should list and does not. The modules that stages import are the business of tests/test_code.py.
"""

import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.graph_project import GraphProject, declaring, expanded, leaf_names, with_change

STEP = 20  # changes between two lines of progress


def changed_file(project: GraphProject, path: str) -> str:
    """What is wrong when a byte of the file changes; empty when nothing is."""
    return _difference(path, declaring(project.stages, path), project.listed_after_byte(path))


def changed_param(project: GraphProject, name: str) -> str:
    """What is wrong when the parameter changes."""
    params = with_change(project.params, name)
    stages = expanded(params)
    expected = {stage for stage in stages if stages[stage] != project.stages[stage]}
    return _difference(name, expected, project.listed_after_param(params))


def _difference(what: str, expected: set[str], listed: set[str]) -> str:
    if expected == listed:
        return ""
    return f"{what}: expected also {sorted(expected - listed)} and not {sorted(listed - expected)}"


def faults(project: GraphProject, files: Iterable[str], params: Iterable[str]) -> list[str]:
    found = [changed_file(project, path) for path in files] + [changed_param(project, name) for name in params]
    return [fault for fault in found if fault]


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        project = GraphProject(Path(name))
        files, params = list(project.files()), list(leaf_names(project.params))
        found = [f"nothing changed, and DVC lists {sorted(listed)}"] if (listed := project.listed()) else []
        for numbered in range(0, len(files), STEP):
            found += faults(project, files[numbered : numbered + STEP], [])
            print(f"{min(numbered + STEP, len(files))} of {len(files)} files, {len(found)} faults", flush=True)
        for numbered in range(0, len(params), STEP):
            found += faults(project, [], params[numbered : numbered + STEP])
            print(f"{min(numbered + STEP, len(params))} of {len(params)} parameters, {len(found)} faults", flush=True)
    for fault in found:
        print(f"FAULT {fault}")
    print(f"all: {len(files)} files and {len(params)} parameters changed in {len(project.stages)} stages, {len(found)} faults, "
          f"{time.monotonic() - started:.0f} s")  # fmt: skip
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
