"""Stages whose outputs are older than the project are named, as many as a line can hold."""

from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from stages.errors import DataError
from stages.freshness import check_fresh


def refusal(*stages: str) -> str:
    with pytest.raises(DataError) as refused:
        check_fresh(*stages)
    return str(refused.value)


def test_a_few_of_many_stale_stages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / ".dvc/site"))
    check_fresh("merge@a")  # no DVC project: nobody knows
    stage = {"cmd": "true", "outs": ["${item}.csv"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"merge": {"foreach": list("abcdefghij"), "do": stage}}}))
    Repo.init(no_scm=True).close()
    says = "expected results that are up to date, got changes in"
    assert refusal("merge@a") == f"merge@a: {says} merge@a (run `dvc repro`)"
    few = ", ".join(f"merge@{name}" for name in "abcdefgh") + " and 2 more"
    assert refusal(*(f"merge@{name}" for name in "abcdefghij")) == f"{few}: {says} {few} (run `dvc repro`)"
    assert refusal("split@a").startswith("split@a: expected what DVC knows of it, got: ")
