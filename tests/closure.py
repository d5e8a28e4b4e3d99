"""Which files of the project a module imports, read from the source: what DVC must know and cannot find out."""

import ast
from pathlib import Path

from tests.conftest import ROOT

PACKAGES = ("stages", "training")
# Modules that cannot change a result, so that mending them reruns nothing.
NOT_RESULTS = {
    "stages/__init__.py": "a docstring",
    "stages/artifacts.py": "how files are written and locked, not what is in them",
    "stages/command.py": "options, logging, exit status and timings",
    "stages/errors.py": "three names",
    "stages/log_lines.py": "how log lines look",
    "stages/params.py": "refuses, or gives the values that DVC compares itself",
    "stages/per_sequence.py": "refuses or lists",
    "stages/pins.py": "refuses or does nothing",
    "stages/prefetching.py": "hands items on in their order",
    "stages/progress.py": "draws a bar",
    "stages/yaml_file.py": "refuses, or gives the values that DVC compares itself",
    "training/detector/checking.py": "refuses or does nothing",
    "training/reid/checking.py": "refuses or does nothing",
    "training/__init__.py": "a docstring",
    "training/sections.py": "refuses, or gives the values that DVC compares itself",
}
# Modules that are told what happens and give nothing back: what they import cannot change a result either.
TOLD = {"training/tracking.py"}


def closure(module: str) -> set[str]:
    """Paths, relative to the root, of all files of the project that running `module` can import, lazily or not."""
    found: set[str] = set()
    todo = [_path(module)]
    while todo:
        path = todo.pop()
        name = path.relative_to(ROOT).as_posix()
        if name in found | TOLD:
            continue
        found.add(name)
        init = path.parent / "__init__.py"
        todo += [init] if init.exists() else []
        for node in ast.walk(_at_run_time(ast.parse(path.read_text(encoding="utf-8")))):
            if isinstance(node, ast.Import):
                todo += [_path(alias.name) for alias in node.names if alias.name.startswith(PACKAGES)]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGES):
                for alias in node.names:
                    inner = _path(f"{node.module}.{alias.name}")
                    todo.append(inner if inner.exists() else _path(node.module or ""))
    return found


def _at_run_time(tree: ast.Module) -> ast.Module:
    """The module without its `if TYPE_CHECKING:` blocks, which import nothing when it runs."""
    tree.body = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
    return tree


def results(module: str) -> set[str]:
    """The closure without modules that cannot change a result."""
    return closure(module) - set(NOT_RESULTS)


def _path(module: str) -> Path:
    path = ROOT / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
