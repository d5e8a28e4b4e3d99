"""DVC lists the stages that depend on a change, and no other: a share of what tests.campaigns.dependencies changes."""

from pathlib import Path
from random import Random

from tests.campaigns.dependencies import faults
from tests.graph_project import GraphProject, leaf_names

SAMPLE = {"stages/": 3, "constraints/": 1, "data/": 2, "artifacts/": 2}


def test_dvc_lists_the_stages_that_depend_on_a_change_and_no_other(tmp_path: Path) -> None:
    """Templates, pins, inputs, what other stages write, and parameters; another choice of them with each number of stages."""
    project = GraphProject(tmp_path)
    assert project.listed() == set()
    rng = Random(len(project.stages))
    files = list(project.files())
    chosen = [path for top, count in SAMPLE.items() for path in rng.sample([f for f in files if f.startswith(top)], count)]
    assert faults(project, chosen, rng.sample(list(leaf_names(project.params)), 2)) == []
    unknown = {**project.params, "foo": {"bar": 1}}
    assert project.listed_after_param(unknown) == {"publish"}, "a section that no stage knows reaches one that refuses it"
