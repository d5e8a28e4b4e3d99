"""Which files of stages/ a module imports, read from the source: what DVC must know and cannot find out."""

import ast
from pathlib import Path

from tests.conftest import ROOT

# Modules that cannot change a result, so that mending them reruns nothing.
NOT_RESULTS = {
    "stages/__init__.py": "a docstring",
    "stages/artifacts.py": "how files are written and locked, not what is in them",
    "stages/command.py": "options, logging, exit status and timings",
    "stages/errors.py": "three names",
    "stages/params.py": "refuses, or gives the values that DVC compares itself",
    "stages/per_sequence.py": "refuses or lists",
    "stages/pins.py": "refuses or does nothing",
    "stages/progress.py": "draws a bar",
}


def closure(module: str) -> set[str]:
    """Paths, relative to the root, of all files of stages/ that running `module` can import, lazily or not."""
    found: set[str] = set()
    todo = [_path(module)]
    while todo:
        path = todo.pop()
        name = path.relative_to(ROOT).as_posix()
        if name in found:
            continue
        found.add(name)
        init = path.parent / "__init__.py"
        todo += [init] if init.exists() else []
        for node in ast.walk(_at_run_time(ast.parse(path.read_text(encoding="utf-8")))):
            if isinstance(node, ast.Import):
                todo += [_path(alias.name) for alias in node.names if alias.name.startswith("stages")]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stages"):
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
