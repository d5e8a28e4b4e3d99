"""The code of a stage: what it imports, at once or later, and what else must not count."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stages.code import NO_RESULT, modules, sums
from stages.errors import DataError
from tests.conftest import ROOT

PROJECT = {
    "stages/__init__.py": "",
    "stages/pins.py": "import stages.pinned",
    "stages/pinned.py": "",
    "stages/merge.py": "import numpy, stages.pins\nfrom stages import boxes\nfrom stages.looks.colours import RED",
    "stages/boxes.py": "def area():\n    from stages.camera import Camera",
    "stages/camera.py": "from stages import boxes",
    "stages/looks/__init__.py": "",
    "stages/looks/colours.py": "RED = 1",
    "stages/looks/unused.py": "import stages.split",
    "stages/split.py": "",
}
SHA256SUM = ["sha256sum", "--check", "artifacts/code/merge.txt"]
MERGE = ["stages/boxes.py", "stages/camera.py", "stages/looks/__init__.py", "stages/looks/colours.py", "stages/merge.py"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Modules in the current folder."""
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*stages: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "stages.code", *stages, "--code", "artifacts/code"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}, capture_output=True, text=True, check=False
    )
    return f"{done.returncode} {done.stdout}{done.stderr}"


@pytest.mark.usefixtures("project")
def test_modules_are_those_imported_at_once_or_later_with_their_packages() -> None:
    without = ["stages/__init__.py", "stages/pins.py"]
    assert modules(Path("stages/merge.py"), without) == MERGE
    assert modules(Path("stages/merge.py"), ()) == sorted([*MERGE, *without, "stages/pinned.py"])


def test_a_change_reaches_the_stages_that_import_the_module_and_no_other(project: Path) -> None:
    assert run("merge", "split").startswith("0 code all: 2 stages")
    before = {path.name: path.read_text() for path in Path("artifacts/code").iterdir()}
    assert before == {"merge.txt": sums(MERGE), "split.txt": sums(["stages/split.py"])}
    assert subprocess.run(SHA256SUM, capture_output=True, check=False).returncode == 0
    (project / "stages/camera.py").write_text("from stages import boxes  # another")
    assert subprocess.run(SHA256SUM, capture_output=True, check=False).returncode == 1
    run("merge", "split")
    after = {path.name: path.read_text() for path in Path("artifacts/code").iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"merge.txt"}


def test_a_module_that_is_no_python_is_named_and_the_files_before_stay(project: Path) -> None:
    run("split")
    (project / "stages/boxes.py").write_text("def area(:\n")
    with pytest.raises(DataError, match=r"stages/boxes\.py: expected Python, got: invalid syntax"):
        modules(Path("stages/merge.py"))
    assert "1 error: stages/boxes.py: expected Python, got: invalid syntax" in run("split", "merge")
    assert Path("artifacts/code/split.txt").read_text() == sums(["stages/split.py"])
    assert not Path("artifacts/code/merge.txt").exists()


@pytest.mark.parametrize("name", yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"])
def test_what_python_loads_for_a_stage_is_among_its_modules(name: str) -> None:
    """Python's own account of an import; what functions import later is not in it."""
    code = f"import sys, stages.{name}; print(*(m.__file__ for m in sys.modules.values() if m.__name__.startswith('stages')))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    relative = {Path(path).relative_to(ROOT).as_posix() for path in loaded}
    assert relative - set(NO_RESULT) <= set(modules(Path("stages", f"{name}.py")))
