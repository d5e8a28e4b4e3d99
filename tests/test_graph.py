"""dvc.yaml tells the truth: its paths and parameters are what stages read, and each depends on its own code."""

import ast
import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml

from stages.code import NO_RESULT, modules
from tests.conftest import ROOT
from tests.graph_project import WHOLE_FILE

STAGES: dict[str, dict[str, Any]] = {
    name: stage.get("do", stage) for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items()
}
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())


def paths(stage: dict[str, Any], *kinds: str) -> set[str]:
    """Paths under these headings; an out may carry options."""
    return {next(iter(item)) if isinstance(item, dict) else item for kind in kinds for item in stage.get(kind, [])}


def test_the_code_of_every_stage_is_written_from_all_modules() -> None:
    code, *others = STAGES
    assert STAGES[code]["cmd"] == f"exec python -m stages.code {' '.join(others)} --code artifacts/code"
    assert (STAGES[code]["deps"], STAGES[code]["outs"]) == (["stages"], ["artifacts/code"])


@pytest.mark.parametrize("name", list(STAGES)[1:])
def test_a_stage_depends_on_its_own_code(name: str) -> None:
    code = {path for path in paths(STAGES[name], "deps") if path.endswith(".py") or path.startswith("artifacts/code")}
    assert code == {f"artifacts/code/{name}.txt"}


def test_modules_that_cannot_change_a_result_exist() -> None:
    assert all((ROOT / path).is_file() for path in NO_RESULT)


@pytest.mark.parametrize("name", STAGES)
def test_every_path_of_a_command_is_declared(name: str) -> None:
    stage = STAGES[name]
    command = re.findall(r"--([\w-]+) (\S+)", stage["cmd"])
    declared = paths(stage, "deps", "outs", "metrics", "plots")
    for option, value in command:
        if "/" in value:
            around = {value, *map(str, Path(value).parents)} - {"."}
            known = bool(around & declared) or any(item.startswith(f"{value}/") for item in declared)
            assert known, f"{name}: --{option} {value} is neither a dep nor an out"


@pytest.mark.parametrize("name", STAGES)
def test_every_data_dep_and_out_is_in_the_command(name: str) -> None:
    stage = STAGES[name]
    for path in paths(stage, "deps", "outs", "metrics"):
        if not path.endswith((".j2", ".css", ".js")) and not path.startswith("artifacts/code/"):
            folders = [path, *map(str, Path(path).parents)]
            assert any(f" {folder}" in f" {stage['cmd']} " and folder != "." for folder in folders), f"{name}: {path}"


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_the_script_of_its_name(name: str) -> None:
    assert STAGES[name]["cmd"].startswith(f"exec python -m stages.{name} ")
    assert (ROOT / "stages" / f"{name}.py").is_file()


@pytest.mark.parametrize("name", STAGES)
def test_sections_read_are_the_sections_declared(name: str) -> None:
    """A section is read by load_section("track") or load_section(f"sequences.{name}.clip"), a value by load_value."""
    read = set()
    tree = ast.parse((ROOT / "stages" / f"{name}.py").read_text())
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        if call.func.id in ("load_section", "load_value"):
            section = ast.literal_eval(ast.unparse(call.args[1]).replace("f'", "'", 1))
            read.add(re.sub(r"\{[^}]*\}", "${key}", section).replace("scenes.${key}", "scenes.${item.scene}"))
        elif call.func.id in ("sequence_names", "camera_groups", "check_sequence"):
            read.add("sequences")
        elif call.func.id == "read_params":
            read.update(PARAMS)
    named = STAGES[name].get("params", [])
    declared = set(PARAMS if WHOLE_FILE in named else named)
    if "sequences" in declared:
        read = {section for section in read if not section.startswith("sequences.")} | {"sequences"}
    assert read == declared


def all_modules(name: str) -> list[str]:
    """Those of this project that a stage can import, whatever they are for."""
    return modules(Path("stages", f"{name}.py"), without=())


def leaves(kind: Any, prefix: str = "") -> list[str]:
    """Names of the fields of a params dataclass and of those inside it."""
    names = []
    for name, hint in get_type_hints(kind).items():
        names += leaves(hint, f"{name}.") if dataclasses.is_dataclass(hint) else [f"{prefix}{name}"]
    return names


@pytest.mark.parametrize("name", STAGES)
def test_every_key_of_a_section_is_used_by_the_stage_that_reads_it(name: str) -> None:
    """An option that nothing looks at is a promise that nothing keeps."""
    module = importlib.import_module(f"stages.{name}")
    sources = "\n".join((ROOT / path).read_text() for path in all_modules(name) if path != "stages/params.py")
    for kind in re.findall(r"load_section\((\w+),", (ROOT / "stages" / f"{name}.py").read_text()):
        for key in leaves(getattr(module, kind)):
            used = rf"\.{key.split('.')[-1]}\b"
            assert re.search(used, sources), f"{kind}.{key} is read and never used by {name}"


def test_every_section_of_params_belongs_to_a_stage() -> None:
    named = [section for stage in STAGES.values() for section in stage.get("params", []) if section != WHOLE_FILE]
    declared = {section.split(".")[0] for section in named}
    assert declared == set(PARAMS)


LIGHT = ["track", "rewire", "split", "merge", "smooth", "identify", "summarize", "diagnose", "present", "report"]
HEAVY = {"torch", "torchvision", "ultralytics", "torchreid", "mlflow", "cv2", "av"}


@pytest.mark.parametrize("name", LIGHT)
def test_light_stages_import_nothing_heavy(name: str) -> None:
    for path in all_modules(name):
        tree = ast.parse((ROOT / path).read_text())
        imported = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not imported & HEAVY, f"{path} imports {imported & HEAVY}"
