"""training/dvc.yaml tells the truth, as the pipeline's dvc.yaml does, and the pipeline never starts it."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.code import NO_RESULT, modules
from tests.conftest import ROOT

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "training/dvc.yaml").read_text())["stages"]
PIPELINE: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "training/params.yaml").read_text())
WITHOUT = {
    **NO_RESULT,
    "training/__init__.py": "a docstring",
    "training/detector/checking.py": "refuses or does nothing",
    "training/reid/checking.py": "refuses or does nothing",
    "training/sections.py": "refuses, or gives the values that DVC compares itself",
    "training/tracking.py": "is told what happens and gives nothing back",
}


def module(name: str) -> str:
    """The script of a stage: detector_train is training.detector.train."""
    return f"training.{name.replace('_', '.', 1)}"


def sections(stage: dict[str, Any]) -> set[str]:
    return {section for item in stage.get("params", []) if isinstance(item, dict) for section in item["training/params.yaml"]}


@pytest.mark.parametrize("name", STAGES)
def test_deps_name_the_modules_that_the_stage_imports_and_no_other(name: str) -> None:
    script = Path(*module(name).split(".")).with_suffix(".py")
    assert sorted(path for path in STAGES[name]["deps"] if path.endswith(".py")) == modules(script, WITHOUT)


def test_modules_excused_from_deps_exist() -> None:
    assert all((ROOT / path).is_file() for path in WITHOUT)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_the_script_of_its_name_from_the_root(name: str) -> None:
    assert STAGES[name]["cmd"].startswith(f"exec python -m {module(name)} ")
    assert STAGES[name]["wdir"] == ".."


@pytest.mark.parametrize("name", STAGES)
def test_every_path_of_a_command_is_declared_and_the_other_way_round(name: str) -> None:
    stage = STAGES[name]
    outs = [path for entry in stage["outs"] for path in entry]
    declared = {path for path in [*stage["deps"], *outs] if not path.endswith(".py")}
    assert set(re.findall(r"--[\w-]+ (\S+/\S+)", stage["cmd"])) == declared


@pytest.mark.parametrize("name", STAGES)
def test_nothing_is_missing_from_the_cache_where_nothing_was_trained(name: str) -> None:
    """`dvc checkout` takes in every dvc.yaml of the repository."""
    assert all(settings == {"cache": False} for entry in STAGES[name]["outs"] for settings in entry.values())


@pytest.mark.parametrize("name", STAGES)
def test_sections_read_are_the_sections_declared(name: str) -> None:
    tree = ast.parse((ROOT / Path(*module(name).split("."))).with_suffix(".py").read_text())
    calls = [call for call in ast.walk(tree) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)]
    read = {ast.literal_eval(call.args[1]) for call in calls if ast.unparse(call.func) == "load_training_section"}
    assert read == sections(STAGES[name])


def test_every_section_belongs_to_a_stage() -> None:
    assert set().union(*map(sections, STAGES.values())) == set(PARAMS)


def test_no_stage_of_the_pipeline_reads_what_training_writes() -> None:
    for stage in PIPELINE.values():
        assert "artifacts/training" not in str(stage)
