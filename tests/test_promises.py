"""What the README promises and no single module keeps: servers, pins, errors and the list of promises itself."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from stages import review
from tests.conftest import ROOT

FILES = [ROOT / "constraints.txt", *sorted((ROOT / "constraints").glob("*.txt"))]


def pins(path: Path) -> dict[str, str]:
    """Name -> version of every `name==version` line."""
    found = re.findall(r"^([\w.-]+)==([^\s#]+)", path.read_text(), flags=re.MULTILINE)
    return {_plain(name): version for name, version in found}


def _plain(name: str) -> str:
    """A library's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_library_that_we_name_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = project["dependencies"] + project["optional-dependencies"]["dev"]
    pinned = {name for path in FILES for name in pins(path)}
    assert {_plain(re.split(r"[\[<>=; ]", name)[0]) for name in named} - pinned == set()


def test_no_library_is_pinned_to_two_versions() -> None:
    versions: dict[str, set[str]] = {}
    for path in FILES:
        for name, version in pins(path).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_what_stages_depend_on_is_what_is_installed() -> None:
    """constraints.txt includes each file that stages check, or repeats its pins."""
    text = (ROOT / "constraints.txt").read_text()
    for path in FILES[1:]:
        assert f"-c constraints/{path.name}\n" in text or pins(path).items() <= pins(FILES[0]).items(), path.name


def test_servers_bind_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["review"])
    assert review.is_loopback(review.options().host)
    serving = [line for line in (ROOT / "Makefile").read_text().splitlines() if "mlflow ui" in line]
    assert len(serving) == 1
    assert "--host 127.0.0.1" in serving[0]


def test_errors_that_users_see_are_declared_in_one_file() -> None:
    """An exception class elsewhere never leaves its module: its name begins with an underscore."""
    declared = {
        (path.name, node.name)
        for path in (ROOT / "stages").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith(("Error", "Exception")) for base in node.bases)
    }
    assert {file for file, name in declared if not name.startswith("_")} == {"errors.py"}


def test_every_promise_names_the_tests_that_hold_it() -> None:
    section = (ROOT / "README.md").read_text().partition("## What Retrace promises")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| **")]
    assert len(rows) >= 9
    for row in rows:
        assert re.search(r"`tests/[\w./]+\.py`", row), row
