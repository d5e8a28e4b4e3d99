"""The plots that DVC draws: their templates exist, and name columns that the stages write."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.report import format_timings
from stages.scoring.levels import LEVELS
from stages.summarize import PLOTTED, score_table
from tests.conftest import ROOT

OUTPUT = "dvc_plots"  # unless DVC's plots.out_dir says otherwise
PLOTS: dict[str, Any] = {
    name: plot for entry in yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"] for name, plot in entry.items()
}
HEADERS = {
    "reports/plots/hota.csv": {"alpha", *LEVELS},
    "reports/plots/scores.csv": set(score_table({}, {}).strip().split(",")),
    "reports/plots/timings.csv": set(format_timings([]).strip().split(",")),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_shows_columns_that_are_there(name: str) -> None:
    plot = PLOTS[name]
    for path, columns in plot["y"].items():
        shown = {columns} if isinstance(columns, str) else set(columns)
        assert {plot["x"], *shown} <= HEADERS[path]


def test_the_page_that_dvc_plots_writes_is_nothing_to_commit() -> None:
    assert subprocess.run(["git", "check-ignore", "--quiet", f"{OUTPUT}/index.html"], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("template", [plot["template"] for plot in PLOTS.values() if "template" in plot])
def test_a_template_of_ours_is_one(template: str) -> None:
    text = (ROOT / ".dvc/plots" / f"{template}.json").read_text()
    assert {f"<DVC_METRIC_{anchor}>" for anchor in ("DATA", "TITLE", "X", "Y")} <= set(text.split('"'))
    assert json.loads(text)["$schema"].endswith("vega-lite/v5.json")
    assert '"field": "rev"' in text, "dvc plots diff compares revisions"


def test_templates_know_levels_and_metrics() -> None:
    texts = {path.stem: path.read_text() for path in Path(ROOT / ".dvc/plots").glob("*.json")}
    assert set(texts) == {plot["template"] for plot in PLOTS.values() if "template" in plot}
    for template in ("levels", "switches"):
        assert json.loads(texts[template])["spec"]["encoding"]["x"]["sort"] == list(LEVELS)
    assert json.loads(texts["levels"])["facet"]["sort"] == list(PLOTTED)
