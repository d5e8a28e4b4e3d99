"""summarize: scores and quality of all sequences to combined figures."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.errors import DataError
from stages.scoring.across_cameras import IdentityMatches
from stages.scoring.levels import LEVELS
from stages.scoring.sequence_scores import SequenceScores
from stages.scoring.table import format_table
from stages.scoring.tally import ALPHAS, PER_ALPHA, SCALARS, Tally
from stages.summarize import main, score_table
from tests.conftest import ROOT


def tally(found: int, missed: int, switches: int) -> Tally:
    """Perfectly placed boxes, `found` of them true positives at every alpha and no false ones; A = 1/2 everywhere."""
    fields = dict.fromkeys(SCALARS, 0.0) | {
        "CLR_TP": found, "CLR_FN": missed, "IDSW": switches, "IDTP": found, "IDFN": missed, "MOTP_sum": found}  # fmt: skip
    arrays = dict.fromkeys(PER_ALPHA, 0.5) | {"HOTA_TP": found, "HOTA_FN": missed, "HOTA_FP": 0}
    return Tally({name: np.asarray(value, dtype=np.float64) for name, value in fields.items()}
                 | {name: np.full(len(ALPHAS), value, dtype=np.float64) for name, value in arrays.items()})  # fmt: skip


class Project:
    """A folder with params.yaml, scores and quality of sequences."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        for name in ("scores", "quality", "galleries/square"):
            (folder / name).mkdir(parents=True)
        self.list("plaza", "street")

    def list(self, *names: str) -> None:
        self.write_params({name: "square" if name == "plaza" else "road" for name in names})

    def write_params(self, groups: dict[str, str]) -> None:
        params = {"sequences": {name: {"camera_group": group} for name, group in groups.items()}}
        (self.folder / "params.yaml").write_text(json.dumps(params))

    def add(self, name: str, scores: SequenceScores, tracklets: int) -> None:
        self.write("scores", name, scores.to_json(name))
        self.write("quality", name, {"levels": {key: {"tracklets": tracklets, **QUALITY} for key in LEVELS}})

    def write(self, kind: str, name: str, value: Any) -> None:
        (self.folder / kind / f"{name}.json").write_text(json.dumps(value))

    def run(self) -> dict[str, Any]:
        self.monkeypatch.chdir(self.folder)
        options = {"pins": str(ROOT / "constraints" / "scoring.txt"), "scores": "scores", "quality": "quality",
                   "galleries": "galleries",
                   "metrics": "metrics.json", "levels": "metrics", "per-sequence": "sequences.json",
                   "groups": "groups.json", "hota": "hota.csv", "score-table": "scores.csv"}  # fmt: skip
        self.monkeypatch.setattr("sys.argv", ["summarize", *(x for k, v in options.items() for x in (f"--{k}", v))])
        main()
        return self.read("metrics.json")

    def read(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.folder / name).read_text())
        return value


NOBODY = IdentityMatches(Counter(), Counter(), Counter())
SCORED = {"plaza": SequenceScores("MOT17", dict.fromkeys(LEVELS, tally(90, 10, 2)), NOBODY),
          "street": SequenceScores("MOT15", dict.fromkeys(LEVELS, tally(10, 290, 1)), NOBODY)}  # fmt: skip
UNSCORED = SequenceScores(None, {}, None)
QUALITY = {"gaps": 1, "detections": 40, "detections_tracked": 30}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def test_counts_are_summed_and_ratios_recomputed(project: Project) -> None:
    """100 of 400 boxes: DetA 1/4, HOTA = sqrt(1/4 * 1/2), MOTA (100 - 3)/400, IDF1 100/(100 + 150)."""
    for name, scores in SCORED.items():
        project.add(name, scores, tracklets=4)
    expected = {"HOTA": 35.36, "DetA": 25.0, "AssA": 50.0, "MOTA": 24.25, "IDF1": 40.0, "IDSW": 3, "Frag": 0, "tracklets": 8,
                "tracked": 75.0}  # fmt: skip
    assert project.run() == dict.fromkeys(LEVELS, expected)
    assert [project.read(f"metrics/{level}.json") for level in LEVELS] == [expected] * len(LEVELS)


def seen(true: dict[int, int], found: dict[int, int], both: dict[tuple[int, int], int]) -> SequenceScores:
    matches = IdentityMatches(Counter(true), Counter(found), Counter(both))
    return SequenceScores("MOT17", dict.fromkeys(LEVELS, tally(90, 10, 2)), matches)


def test_identities_are_matched_once_over_all_cameras_of_a_group(project: Project) -> None:
    """Each camera by itself is perfect; but person 1 is identity 5 in one and 6 in the other, so 10 of 40 boxes are lost.

    IDTP = 10 + 10 + 10, IDFN = IDFP = 40 - 30: IDF1 = 30 / 40.
    """
    project.add("plaza", seen({1: 10, 2: 10}, {5: 10, 7: 10}, {(1, 5): 10, (2, 7): 10}), tracklets=2)
    project.add("street", seen({1: 10, 2: 10}, {6: 10, 7: 10}, {(1, 6): 10, (2, 7): 10}), tracklets=2)
    project.write_params({"plaza": "square", "street": "square"})
    assert project.run()["final"]["IDF1_across_cameras"] == 75.0
    assert project.read("groups.json") == {
        "square": {"cameras": 2, "IDF1": 75.0, "IDP": 75.0, "IDR": 75.0, "IDTP": 30, "IDFN": 10, "IDFP": 10, "people": 2,
                   "identities": 3}
    }  # fmt: skip


def test_cameras_of_other_groups_or_without_ground_truth_are_not_matched(project: Project) -> None:
    scores = seen({1: 10}, {5: 10}, {(1, 5): 10})
    project.write_params({"plaza": "square", "street": "square"})
    project.add("plaza", scores, tracklets=1)
    project.add("street", UNSCORED, tracklets=1)
    assert "IDF1_across_cameras" not in project.run()["final"]
    project.add("street", scores, tracklets=1)
    project.write_params({"plaza": "square", "street": "road"})
    project.run()
    assert project.read("groups.json") == {}


def test_each_sequence_keeps_its_own_figures_and_quality(project: Project) -> None:
    for name, scores in SCORED.items():
        project.add(name, scores, tracklets=4)
    project.run()
    found = project.read("sequences.json")
    assert list(found) == ["plaza", "street"]
    assert (found["plaza"]["raw"]["MOTA"], found["plaza"]["raw"]["tracklets"], found["plaza"]["raw"]["gaps"]) == (88.0, 4, 1)
    assert found["street"]["final"]["MOTA"] == 3.0


def test_a_sequence_without_ground_truth_adds_tracklets_and_no_scores(project: Project) -> None:
    project.add("plaza", SCORED["plaza"], tracklets=4)
    project.add("street", UNSCORED, tracklets=5)
    final = project.run()["final"]
    assert (final["MOTA"], final["tracklets"]) == (88.0, 9)
    assert project.read("sequences.json")["street"]["final"] == {"tracklets": 5, **QUALITY}


def test_without_any_ground_truth_counts_alone_are_left(project: Project) -> None:
    for name in SCORED:
        project.add(name, UNSCORED, tracklets=3)
    assert project.run() == {key: {"tracklets": 6, "tracked": 75.0} for key in LEVELS}
    assert (project.folder / "hota.csv").read_text() == "alpha,raw,rewired,split,merged,final\n"


def test_the_table_for_plots_has_a_line_a_figure() -> None:
    figures = {"raw": {"HOTA": 50.5, "Frag": 3}, "final": {"HOTA": 60.0, "IDSW": 2}}
    alone = (
        "sequence,level,metric,value\nall sequences,raw,HOTA,50.5\nall sequences,final,HOTA,60.0\nall sequences,final,IDSW,2\n"
    )
    assert score_table(figures, {}) == alone
    assert score_table(figures, {"hall": {"final": {"IDSW": 2}}, "yard": {}}) == alone + "hall,final,IDSW,2\n"


def test_hota_over_alpha_has_a_column_a_level(project: Project) -> None:
    for name, scores in SCORED.items():
        project.add(name, scores, tracklets=4)
    project.run()
    lines = (project.folder / "hota.csv").read_text().splitlines()
    assert lines[:2] == ["alpha,raw,rewired,split,merged,final", "0.05,35.355,35.355,35.355,35.355,35.355"]
    assert (len(lines), lines[-1].split(",")[0]) == (20, "0.95")


@pytest.mark.parametrize("kind", ["scores", "quality"])
def test_a_file_of_a_sequence_that_is_not_listed_is_refused(project: Project, kind: str) -> None:
    for name, scores in SCORED.items():
        project.add(name, scores, tracklets=4)
    project.write(kind, "ghost", {})
    with pytest.raises(DataError, match=rf"{kind}/ghost.json: .* got ghost \(run `python -m stages.remove_sequence ghost`, or"):
        project.run()
    assert not (project.folder / "metrics.json").exists()


def test_a_listed_sequence_without_a_file_is_named(project: Project) -> None:
    project.add("plaza", SCORED["plaza"], tracklets=4)
    with pytest.raises(DataError, match=r"street.json: expected a file, found none"):
        project.run()


@pytest.mark.parametrize("value", [{}, [], {"levels": {"raw": {}}, "rules": None}, {"levels": {}, "rules": "MOT17"}])
@pytest.mark.parametrize("kind", ["scores", "quality"])
def test_a_file_that_holds_something_else_is_named(project: Project, kind: str, value: Any) -> None:
    for name, scores in SCORED.items():
        project.add(name, scores, tracklets=4)
    project.write(kind, "street", value)
    with pytest.raises(DataError, match=rf"{kind}/street.json: expected the {kind} of a sequence"):
        project.run()


def test_a_table_is_aligned_and_shows_what_is_missing() -> None:
    rows: dict[str, dict[str, float]] = {"raw": {"HOTA": 5.0, "IDSW": 1234}, "final": {"IDSW": 7}}
    assert format_table("level", rows, ["HOTA", "IDSW"]) == "level  HOTA   IDSW\nraw    5.00  1,234\nfinal     -      7"


def test_a_gallery_of_a_sequence_that_is_not_in_the_group_is_refused(project: Project) -> None:
    for name, scores in SCORED.items():
        project.add(name, scores, tracklets=4)
    (project.folder / "galleries/square/ghost.npz").touch()
    with pytest.raises(DataError, match=r"galleries/square/ghost\.npz: expected files of the sequences in params\.yaml alone"):
        project.run()
