"""What the pages say, and that they are plain files whose links lead somewhere."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stages.association.decisions import Decision as Merge
from stages.audit import write_audit
from stages.errors import DataError
from stages.identify import Decision as Identified
from stages.report import curves, format_timings
from stages.reporting.audit_cards import found_text
from stages.reporting.words import clock, figure
from stages.timings import Timing, by_stage, read_timings
from tests.html_check import Page, unresolved
from tests.report_project import FILES, FRAMES, VIDEO, make_project, run_stage, run_stages, run_stages_of
from tests.tables import tracklets

TIMINGS = [
    Timing("detect", "hall", 10.0, 8.0, 900.0, 400),
    Timing("detect", "plaza", 30.0, 24.0, 800.0, 1200),
    Timing("merge", "hall", 0.5, 0.01, 100.0, 0),
    Timing("identify", "hall", 1.0, 0.1, 110.0, 0),
]
PAGES = ["index.html", "curves.html", "people.html"]
PAGES += [f"sequences/{name}/{page}.html" for name in ("hall", "yard") for page in ("index", "identities", "audit")]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report over two sequences."""
    project = make_project(tmp_path_factory.mktemp("report") / "project")
    run_stages(project)
    for name in ("hall", "yard"):
        (project / "artifacts" / name / "annotated.mp4").touch()  # render's
    return project / "reports"


def charts(page: Page) -> dict[str, Any]:
    """Title -> figure of each chart of a page."""
    titles = [label["aria-label"].split(".")[0] for tag, label in page.elements if label.get("class") == "plot"]
    return dict(zip(titles, map(json.loads, filter(str.strip, page.data)), strict=True))


def test_the_report_has_these_pages_and_no_others(reports: Path) -> None:
    assert sorted(path.relative_to(reports).as_posix() for path in reports.rglob("*.html")) == sorted(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_and_small_and_all_its_links_lead_somewhere_beside_it(reports: Path, name: str) -> None:
    page = Page(reports / name)
    assert page.problems == []
    assert unresolved(page) == []
    assert re.findall(r"https?:|//[a-z]|@import|url\(", page.source) == []
    assert len(page.source) < 300_000


def test_assets_are_small_but_for_the_charting_library_and_ask_for_nothing(reports: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in (reports / "assets").iterdir()}
    assert set(sizes) == {"plotly.min.js", "report.css", "report.js", "themes.js"}
    assert sum(size for name, size in sizes.items() if name != "plotly.min.js") < 40_000
    for name in ("report.css", "report.js", "themes.js"):
        assert re.findall(r"https?:|@import|url\(", (reports / "assets" / name).read_text()) == []


def test_the_same_inputs_give_the_same_bytes(reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = tmp_path / "again"
    shutil.copytree(reports.parent, again, ignore=shutil.ignore_patterns("reports"))
    shutil.copytree(reports / "plots", again / "reports/plots")
    for file in ("metrics.json", "sequences.json", "groups.json"):
        shutil.copy(reports / file, again / "reports" / file)
    monkeypatch.chdir(again)
    timings = {path: path.read_bytes() for path in (again / "artifacts/timings").rglob("*.json")}
    for name in ("hall", "yard"):
        run_stage("illustrate", name)
        run_stage("present", name)
    for path, content in timings.items():
        path.write_bytes(content)
    run_stage("report")
    made = {path.relative_to(reports): path for path in reports.rglob("*") if path.is_file() and "metrics" not in path.parts}
    assert len(made) > 30
    assert [name for name, path in made.items() if path.read_bytes() != (again / "reports" / name).read_bytes()] == []


def test_the_overview_compares_levels_and_the_baseline(reports: Path) -> None:
    page = Page(reports / "index.html")
    final = json.loads((reports / "metrics.json").read_text())["final"]
    assert "2 sequences; 1 has ground truth to be scored by." in page.text
    assert f"HOTA {final['HOTA']:.2f}" in page.text
    assert f"{final['HOTA'] - 50:+.2f}" in page.text, "the difference to the baseline's HOTA of 50"
    assert "-2" in page.text, "one switch now, three in the baseline"
    assert "evaluate.class_id" in page.text
    assert "plotly 7." in page.text


def test_the_waterfalls_add_up(reports: Path) -> None:
    metrics = json.loads((reports / "metrics.json").read_text())
    bars = charts(Page(reports / "index.html"))["HOTA (%)"]["data"][0]
    assert bars["x"] == ["raw", "rewired", "split", "merged", "final"]
    assert sum(bars["y"]) == pytest.approx(metrics["final"]["HOTA"])
    seconds = charts(Page(reports / "index.html"))["Where the time went"]["data"][0]["x"]
    assert sum(seconds[:-1]) == pytest.approx(seconds[-1], abs=0.02)


def test_mistakes_and_their_causes_are_counted_and_shown(reports: Path) -> None:
    """A is unseen in frames 15 to 19, once of them absent; B goes on as another track in frame 30."""
    page = Page(reports / "sequences/hall/audit.html")
    assert "1 join, 0 refusals, 0 cuts, 0 exchanges, 0 returns. By the ground truth 0 decisions were wrong" in page.text
    assert "1 ID switch and 1 fragmentation, and 0 people of 2 are never found." in page.text
    assert "2 people in the ground truth: 1 followed in every frame, 1 in some, 0 never found." in page.text
    assert "Person 2 goes on as person 5" in page.text, "identities, as in the video, and not tracks"
    assert "Person 7 is lost for a while" in page.text
    assert "lost for 5 frames (0.5 s)" in page.text
    assert "lost for no frame" in page.text
    causes = charts(Page(reports / "index.html"))["Why people are lost"]["data"]
    assert {bar["name"]: bar["x"] for bar in causes if bar["x"] != [0]} == {"missed detection": [1], "missed join": [1]}


def test_two_people_in_a_row_of_pictures_may_be_a_wrong_join_or_the_tracker(reports: Path) -> None:
    text = Page(reports / "sequences/hall/identities.html").text
    assert "if a row shows two people, a join was wrong, or the tracker itself went from one to the other" in text


def test_evidence_of_any_name_is_shown_as_text(reports: Path) -> None:
    page = Page(reports / "sequences/hall/audit.html")
    assert "<b>term</b> <script>" in page.text
    assert "doubt 25 %" in page.text, "1 minus the probability that the table has"
    assert "right" in page.text


def test_curves_that_are_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "hota.csv").write_text("alpha,raw,rewired,split,merged,final\n")
    known = {"edges": [0.0, 0.1, 0.2], "same": [1, 0], "different": [0, 1], "people": "final tracks"}
    for distances, missing in ((known, 2), (known | {"same": [0, 0]}, 3)):
        text = curves(tmp_path / "hota.csv", [{"pairs": [], "distances": distances}], [])
        assert text.count('<p class="note">') == missing
        assert ("There are no embeddings of one person and of two" in text) is (missing == 3)


def test_reliability_and_distances_are_on_the_page_of_curves(reports: Path) -> None:
    found = charts(Page(reports / "curves.html"))
    honest = found["Reliability of join probabilities"]["data"][1]
    assert (honest["x"], honest["y"]) == ([0.75], [1.0])
    assert set(found) >= {"HOTA over alpha", "Distances of embeddings, by ground truth",
                          "Distances of embeddings, by final tracks"}  # fmt: skip


def test_without_pixels_and_truth_pages_say_so(reports: Path) -> None:
    assert "There are no pixels of this sequence" in Page(reports / "sequences/yard/index.html").text
    assert "There is no ground truth" in Page(reports / "sequences/yard/audit.html").text
    assert [
        image["src"] for image in Page(reports / "sequences/yard/identities.html").of("img") if "person" in image["src"]
    ] == []


def page_without_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sequence: str, page: str) -> Page:
    """A page of a sequence of the project, as if no track had been found in it."""
    monkeypatch.chdir(make_project(tmp_path / "project"))
    made = Path("artifacts") / sequence
    for name in FILES.values():
        replace(tracklets({}, FRAMES, **VIDEO), sequence=sequence).save(made / f"{name}.npz")
    write_audit(made / "merges.csv", Merge, [])
    write_audit(made / "identities.csv", Identified, [])
    run_stages_of(sequence)
    return Page(Path.cwd() / f"reports/sequences/{sequence}/{page}.html")


def test_where_nobody_was_tracked_the_page_says_so_and_shows_no_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_without_tracks(tmp_path, monkeypatch, "yard", "index")
    assert "Nobody was tracked" in page.text
    assert "Where people went" not in page.text


def test_the_audit_says_how_many_cards_have_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_project(tmp_path / "project"))
    run_stages_of("hall")
    audit, path = Path("reports/sequences/hall/audit.html"), Path("reports/media/hall/index.json")
    assert "no picture" not in Page(Path.cwd() / audit).text
    index = json.loads(path.read_text())
    del index["pictures"]["join-0"]
    path.write_text(json.dumps(index))
    run_stage("present", "hall")
    assert "1 card has no picture: pictures are made of the most doubtful decisions" in Page(Path.cwd() / audit).text


def test_who_is_never_found_is_said_where_there_is_no_id_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people in the ground truth, and no tracks."""
    page = page_without_tracks(tmp_path, monkeypatch, "hall", "audit")
    assert "0 ID switches and 0 fragmentations, and 2 people of 2 are never found." in page.text
    assert "There is no ID switch and no fragmentation. 2 people in the ground truth: 0 followed in every frame" in page.text
    assert "from first to last" not in page.text


def test_people_are_followed_from_first_to_last_only_where_nobody_is_missed_for_a_frame() -> None:
    assert found_text({"throughout": 3, "partly": 0, "never": 0}, []) == (
        "3 people in the ground truth, each followed by one track from first to last.")  # fmt: skip
    assert found_text({"throughout": 2, "partly": 1, "never": 0}, []) == (
        "There is no ID switch and no fragmentation. 3 people in the ground truth: 2 followed in every frame, 1 in some, "
        "0 never found.")  # fmt: skip
    assert found_text({"throughout": 0, "partly": 0, "never": 0}, []) == "0 people in the ground truth."


def test_people_recognised_in_two_cameras_stand_side_by_side(reports: Path) -> None:
    page = Page(reports / "people.html")
    assert "3 people were recognised in more than one camera" in page.text
    assert "media/hall/person-1.jpg" in page.requests()


def test_sums_by_stage_are_those_of_its_sequences() -> None:
    detect, identify, merge = by_stage(TIMINGS)
    assert detect == Timing("detect", "all", 40.0, 32.0, 900.0, 1600), "seconds and frames add up, the peak is the highest"
    assert (detect.frames_per_s, detect.frames_per_s_overall) == (50.0, 40.0)
    assert (identify.stage, merge.stage) == ("identify", "merge"), "the longest first"
    assert (merge.frames_per_s, merge.frames_per_s_overall) == (None, None)


def write_timing(folder: Path, stage: str, sequence: str, **fields: Any) -> Path:
    """A file as stages write it."""
    path = folder / sequence / f"{stage}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {"stage": stage, "sequence": sequence, "wall_s": 2.0, "compute_s": 1.0, "peak_memory_mb": 100.0,
             "counts": {"frames": 50}}  # fmt: skip
    path.write_text(json.dumps(known | fields))
    return path


def test_timings_of_removed_sequences_are_no_part_of_the_result(tmp_path: Path) -> None:
    for stage, sequence in [("track", "hall"), ("detect", "hall"), ("track", "gone"), ("identify", "hall")]:
        write_timing(tmp_path, stage, sequence)
    found = [(timing.stage, timing.sequence) for timing in read_timings(tmp_path, ["hall"])]
    assert found == [("detect", "hall"), ("identify", "hall"), ("track", "hall")]


@pytest.mark.parametrize("fields", [{"wall_s": "soon"}, {"counts": None}, {"peak_memory_mb": [1]}])
def test_a_file_that_is_no_timing_is_named(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = write_timing(tmp_path, "track", "hall", **fields)
    with pytest.raises(DataError, match=rf"{re.escape(str(path))}: expected the timings of a stage, got"):
        read_timings(tmp_path, ["hall"])


def test_the_table_of_seconds_is_csv() -> None:
    assert format_timings(TIMINGS[1:3]) == (
        "stage,sequence,wall_s,compute_s,frames_per_s,peak_memory_mb\n"
        "detect,plaza,30.000,24.000000,50.000,800.0\n"
        "merge,hall,0.500,0.010000,,100.0\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0 s"), (59.96, "1:00.0"), (74.43, "1:14.4"), (3600, "1:00:00"), (7389.04, "2:03:09")]
)
def test_a_clock_reads_like_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(1234, "1,234"), (62.126, "62.13"), (None, "–"), ("MOT15", "MOT15")])  # noqa: RUF001
def test_figures_are_read_by_people(value: Any, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(("file", "content", "message"), [
    ("reports/metrics.json", "[1]", "reports/metrics.json: expected a mapping of mappings, got list"),
    ("artifacts/diagnoses/hall.json", "{}", "artifacts/diagnoses/hall.json: expected the diagnosis of a sequence"),
    ("reports/media/hall/index.json", "{}", "reports/media/hall/index.json: expected the index of a sequence's pictures"),
    ("reports/plots/hota.csv", "alpha,raw\n0.5,high\n", "reports/plots/hota.csv: expected HOTA by alpha and level"),
    ("artifacts/diagnoses/ghost.json", "{}", "artifacts/diagnoses/ghost.json: expected files of the sequences in params.yaml"),
])  # fmt: skip
def test_files_of_another_shape_are_named_and_nothing_is_written(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str, message: str
) -> None:
    project = tmp_path / "project"
    shutil.copytree(reports.parent, project, ignore=shutil.ignore_patterns("assets", "*.html", "*.jpg", "*.mp4"))
    (project / file).write_text(content)
    monkeypatch.chdir(project)
    with pytest.raises(DataError, match=re.escape(message)):
        run_stage("report")
    assert list(Path("reports").glob("*.html")) == []
