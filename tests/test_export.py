"""The exporter and the importer as commands, on a small project without DVC and on one with it."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from pyarrow import parquet  # type: ignore[import-untyped]

from stages import export, import_truth
from stages.command import execute
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets, only
from stages.scoring.truth import read_truth
from tests import sample_project
from tests.sample_project import SEQINFO
from tests.tables import box, tracklets

project, dvc_project = sample_project.project, sample_project.dvc_project  # fixtures
Run = Callable[..., str]
WALK = {1: {0: box(10), 1: box(12), 2: box(14)}, 2: {2: box(200), 4: box(206)}}


@pytest.fixture
def tracked(project: Path) -> Path:
    """The project with tracks of each second of ten frames from frame 4, as if the pipeline had run."""
    params = yaml.safe_load((project / "params.yaml").read_text())
    clip = {"start_frame": 4, "end_frame": None, "frame_stride": 2}
    params["sequences"] = {"street": {"detections": "stored", "clip": clip}}
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    folder = project / "data/sequences/street"
    for part in ("pixels", "gt"):
        (folder / part).mkdir(parents=True)
        (folder / part / "none.txt").write_text("nothing\n")
    (folder / "seqinfo.ini").write_text(SEQINFO.format(fps=10, frames=14).replace("64", "640").replace("48", "480"))
    table().save(project / "artifacts/street/tracks.npz")
    identify([1, 2])
    return project


def identify(identity_ids: list[int]) -> None:
    """As if tracks 1 and 2 were these people of the camera group, the first of them called Ann."""
    Identities(
        np.array(["street"] * 2), np.array([1, 2], np.int32), np.array(identity_ids, np.int32), np.array(["Ann", ""]),
        np.zeros(2, np.float32),
    ).save(Path("artifacts/identities/street.npz"))  # fmt: skip


def table(num_frames: int = 5) -> Tracklets:
    return tracklets(WALK, num_frames, sequence="street", fps=5.0)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Run:
    """Runs a command line as its module does; what it logged, or its one line of error."""

    def run(line: str) -> str:
        name, *arguments = line.split()
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        caplog.clear()
        with caplog.at_level(logging.INFO, "retrace"):
            try:
                execute({"export": export.main, "import_truth": import_truth.main}[name])
            except SystemExit as stopped:
                return str(stopped.code)
        return "\n".join(caplog.messages)

    return run


def test_all_formats_lie_together_and_count_frames_as_the_source(tracked: Path, run: Run) -> None:
    said = run("export street").splitlines()
    assert [line.partition(" as ")[2].split()[0] for line in said] == ["mot", "csv", "parquet", "coco", "cvat"]
    assert all(line.startswith("export street: 2 people, 5 boxes, 5 frames as ") for line in said)
    assert sorted(path.name for path in Path("exports/street").iterdir()) == [
        "final.csv", "final.json", "final.parquet", "final.txt", "final.xml"]  # fmt: skip
    assert Path("exports/street/final.txt").read_text().splitlines()[:2] == [
        "5,1,10.000,100.000,40.000,100.000,1.0000,-1,-1,-1", "7,1,12.000,100.000,40.000,100.000,1.0000,-1,-1,-1"]  # fmt: skip
    images = json.loads(Path("exports/street/final.json").read_text())["images"]
    assert [image["file_name"] for image in images] == [f"{n:06d}.jpg" for n in (5, 7, 9, 11, 13)]


def test_the_images_own_names_are_those_of_the_frames(tracked: Path, run: Run) -> None:
    pixels = tracked / "data/sequences/street/pixels"
    (pixels / "none.txt").unlink()
    for number in range(14):
        (pixels / f"cam_{number:03d}.png").touch()
    run("export street --format coco --out tracks.json")
    images = json.loads(Path("tracks.json").read_text())["images"]
    assert [image["file_name"] for image in images] == [f"cam_{n:03d}.png" for n in (4, 6, 8, 10, 12)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("export road", "road: expected one of the sequences in params.yaml (street), got another name"),
        ("export street --level raw", "artifacts/street/tracklets_raw.npz: expected a file, found none (run `dvc repro`)"),
        ("export street --class-name person", "--class-name: expected a class and its name such as 3=forklift, got 'person'"),
        ("export street --keyframe-px -1", "--keyframe-px: expected pixels from 0, got -1"),
        ("import_truth road a.xml", "road: expected one of the sequences in params.yaml (street), got another name"),
        ("import_truth street a.xml", "a.xml: expected a file, found none"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(tracked: Path, run: Run, line: str, message: str) -> None:
    assert run(line) == f"error: {message}"
    assert not Path("exports").exists()
    assert not Path("data/sequences/street/gt/gt.txt").exists()


def test_tracks_of_another_clip_are_refused(tracked: Path, run: Run) -> None:
    table(9).save(Path("artifacts/street/tracks.npz"))
    message = "error: params.yaml: sequences.street.clip: expected the clip that was tracked, got another one (run `dvc repro`)"
    assert run("export street") == message
    table().save(Path("artifacts/street/tracks.npz"))
    noted = {"params.yaml": {"sequences.street.clip": {"start_frame": 0, "end_frame": 10, "frame_stride": 2}}}
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {"detect@street": {"params": noted}}}))
    assert run("export street --as-is") == message, "as many frames, but others"


def test_identities_of_other_tracks_are_refused_as_they_are(tracked: Path, run: Run) -> None:
    identify([7, 4])
    only(table(), table().tracklet_ids == 1).save(Path("artifacts/street/tracks.npz"))
    line = "error: artifacts/identities/street.npz: expected identities of street's tracks as they are now, found none"
    assert run("export street --as-is").startswith(line)
    assert run("export street --as-is --track-ids --format mot") == (
        "export street: 1 track, 3 boxes, 5 frames as mot in exports/street/tracks.txt (0.0 MB)"
    )


def test_people_have_the_id_that_the_video_shows_in_every_format(tracked: Path, run: Run) -> None:
    identify([7, 4])
    said = run("export street").splitlines()
    assert all(line.startswith("export street: 2 people, 5 boxes, 5 frames as ") for line in said)
    folder = Path("exports/street")
    assert [row.split(",")[1] for row in (folder / "final.txt").read_text().splitlines()] == ["7", "7", "4", "7", "4"]
    header, *rows = (folder / "final.csv").read_text().splitlines()
    assert header.startswith("identity_id,name,track_id,frame,")
    assert [row.split(",")[:3] for row in rows] == [["7", "Ann", "1"]] * 3 + [["4", "", "2"]] * 2
    coco = json.loads((folder / "final.json").read_text())
    assert [track["id"] for track in coco["tracks"]] == [4, 7]
    assert {annotation["track_id"] for annotation in coco["annotations"]} == {4, 7}
    assert parquet.read_table(folder / "final.parquet").column("identity_id").to_pylist() == [7, 7, 7, 4, 4]
    assert '<track id="7" ' in (folder / "final.xml").read_text()


def test_tracks_have_their_own_ids_where_these_are_asked_for_and_before_the_final_ones(tracked: Path, run: Run) -> None:
    identify([7, 4])
    folder = Path("exports/street")
    assert "2 tracks, 5 boxes" in run("export street --track-ids")
    assert [row.split(",")[1] for row in (folder / "tracks.txt").read_text().splitlines()] == ["1", "1", "1", "2", "2"]
    assert (folder / "tracks.csv").read_text().startswith("track_id,frame,")
    table().save(Path("artifacts/street/tracklets_merged.npz"))
    assert "2 tracks, 5 boxes" in run("export street --level merged")
    assert (folder / "merged.txt").read_bytes() == (folder / "tracks.txt").read_bytes()


def test_people_whom_nobody_identified_yet_are_refused(tracked: Path, run: Run) -> None:
    Path("artifacts/identities/street.npz").unlink()
    lacking = "error: artifacts/identities/street.npz: expected a file, found none (run `dvc repro`)"
    assert run("export street") == lacking
    assert "as mot in" in run("export street --format mot --track-ids")


def test_the_tracks_of_one_person_become_one(tracked: Path, run: Run) -> None:
    tracklets({1: {0: box(10)}, 2: {3: box(200)}}, 5, sequence="street", fps=5.0).save(Path("artifacts/street/tracks.npz"))
    identify([7, 7])
    assert "1 person, 2 boxes" in run("export street --format mot --out people.txt")
    assert [row.split(",")[:2] for row in Path("people.txt").read_text().splitlines()] == [["5", "7"], ["11", "7"]]


def test_a_person_twice_in_a_frame_is_refused(tracked: Path, run: Run) -> None:
    """Both are there in frame 2."""
    identify([7, 7])
    refused = run("export street --format mot --out people.txt")
    assert refused == (
        "error: street: expected a person once in a frame, got tracks of person 7 side by side in frame 2 "
        "(--track-ids exports them apart)"
    )
    assert not Path("people.txt").exists()
    assert "2 tracks, 5 boxes" in run("export street --track-ids --format mot --out people.txt")


@pytest.mark.parametrize("form", ["cvat", "mot"])
def test_exported_tracks_come_back_as_ground_truth(tracked: Path, run: Run, form: str) -> None:
    out = {"cvat": "corrected.xml", "mot": "corrected.txt"}[form]
    run(f"export street --format {form} --out {out}")
    said = run(f"import_truth street {out}")
    assert said == (
        "import_truth street: 2 people, 5 boxes in 4 of 14 frames, nobody in the others: data/sequences/street/gt/gt.txt; "
        "next: dvc repro"
    )
    gt = Path("data/sequences/street/gt")
    assert [path.name for path in gt.iterdir()] == ["gt.txt"], "the marker of a sequence without ground truth is gone"
    truth = read_truth(gt / "gt.txt", 14)
    assert truth.rules == "MOT17"
    assert truth.frame_numbers.tolist() == [4, 6, 8, 8, 12]
    assert truth.ids.tolist() == [1, 1, 1, 2, 2]
    assert truth.bboxes[:, 0].tolist() == [10, 12, 14, 200, 206]
    assert truth.considered.all()


def test_frames_of_a_varying_rate_are_said_to_be_resampled(tracked: Path, run: Run) -> None:
    with open("data/sequences/street/seqinfo.ini", "a") as seqinfo:
        seqinfo.write("frameTiming=variable\n")
    said = "the video's rate varies: frames are"
    assert f"export street: {said} those of it at 10 frames/s, as no other tool counts them" in run("export street --out out")
    assert f"import_truth street: {said} taken for those of it at 10 frames/s" in run("import_truth street out/final.xml")


def test_the_truth_may_be_written_elsewhere(tracked: Path, run: Run) -> None:
    run("export street --format cvat --out a.xml")
    assert run("import_truth street a.xml --out here/gt.txt").endswith(
        "5 boxes in 4 of 14 frames, nobody in the others: here/gt.txt"
    )
    assert Path("here/gt.txt").read_text().splitlines()[0] == "5,1,10.000,100.000,40.000,100.000,1,1,1"
    assert Path("data/sequences/street/gt/none.txt").exists()


def test_nine_columns_stay_as_people_wrote_them(tracked: Path, run: Run) -> None:
    Path("gt.txt").write_text("5,1,10,100,40,100,1,1,0.5\n5,9,20,100,40,100,0,8,1\n")
    run("import_truth street gt.txt --out out.txt")
    assert Path("out.txt").read_text() == "5,1,10.000,100.000,40.000,100.000,1,1,0.5\n5,9,20.000,100.000,40.000,100.000,0,8,1\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("<width>640", "<width>641"), "a.xml: expected pictures of 640 x 480 px, got (641, 480)"),
        (('label="person"', 'label="car"'), "a.xml: expected tracks labelled person (--label), got car"),
        (('frame="4"', 'frame="14"'), "a.xml: track 1: expected a box with a frame from 0 to 13 and outside 0 or 1, got 14, 0"),
    ],
)
def test_a_file_of_another_sequence_is_refused(tracked: Path, run: Run, change: tuple[str, str], message: str) -> None:
    run("export street --format cvat --out a.xml")
    Path("a.xml").write_text(Path("a.xml").read_text().replace(*change))
    assert run("import_truth street a.xml") == f"error: {message}"
    assert Path("data/sequences/street/gt/none.txt").exists()


def test_a_sample_camera_s_truth_is_not_replaced(tracked: Path, run: Run) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["cameras"] = {"street": {}}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    run("export street --format mot --out a.txt")
    assert "expected a sequence that was added, got a sample camera" in run("import_truth street a.txt")


def test_a_project_under_dvc_tracks_the_truth_and_refuses_stale_tracks(
    tracked: Path,
    dvc_project: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tracked / ".dvc/site"))
    files = ["data/sequences/street", "artifacts/street/tracks.npz", "artifacts/identities/street.npz"]
    stages = {
        name: {"foreach": ["street"], "do": {"cmd": "true", "deps": [dep], "outs": [out]}}
        for name, dep, out in zip(("smooth", "identify"), files[:-1], files[1:], strict=True)
    }
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    for command in (["add", "-q", files[0]], ["commit", "-q", "-f", "smooth@street", "identify@street"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], check=True)
    pointer = Path("data/sequences/street.dvc").read_text()
    assert "as mot in" in run("export street --format mot --out a.txt")
    assert run("import_truth street a.txt").endswith("next: dvc repro")
    assert Path("data/sequences/street.dvc").read_text() != pointer
    refused = run("export street --format mot --out b.txt")
    assert refused.startswith(
        "error: identify@street: expected results that are up to date, got changes in smooth@street (run "
    )
    assert not Path("b.txt").exists()
    assert "as mot in b.txt" in run("export street --format mot --out b.txt --as-is")
