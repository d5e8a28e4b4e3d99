"""Somebody is forgotten: nothing that the pipeline made knows them, and nothing brings them back."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from stages.boxes import iou
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.corrections.rows import HEADER as CORRECTIONS
from stages.corrections.rows import Correction, Place, append_row, read_corrections
from stages.errors import ContractError, DataError
from stages.exclusions import HEADER, read_exclusions
from stages.forget import check_place, forget, whereabouts
from stages.forgetting.cached import shows
from stages.forgetting.person import exclusion_of_box, exclusions_of_tracks, track_at
from stages.sequence_folder import write_marker
from tests.conftest import ROOT
from tests.report_project import EVERYWHERE
from tests.tables import box, detections, tracklets

FRAMES = 60
STAGES = ("detect", "register", "track", "embed", "portray", "identify")


def test_boxes_of_all_tracks_are_widened_and_held_at_both_ends() -> None:
    """Two boxes of 40 x 100 px, then a gap; a clip of each second frame from frame 100, five of its frames a second."""
    table = tracklets({3: {4: box(100, 50), 5: box(102, 50), 20: box(300, 50)}, 5: {4: box(500, 50)}}, 40, fps=5.0)
    seen = detections([(4, box(100, 50), 0.9), (4, box(500, 50), 0.9), (5, box(102, 40), 0.9), (20, box(300, 50), 0.9)], 40)
    found = exclusions_of_tracks(table, np.array([3]), seen, range(100, 180, 2))
    assert found.first_frames.tolist() == [98, 110, 130]
    assert found.last_frames.tolist() == [109, 121, 151]
    assert found.bboxes.tolist() == [[96, 40, 144, 160], [98, 29, 146, 161], [296, 40, 344, 160]]


def test_a_box_names_the_track_under_it_or_nobody() -> None:
    table = tracklets({3: {4: box(100)}, 5: {4: box(120)}})
    assert track_at(table, 4, np.array(box(119))) == 5
    assert track_at(table, 4, np.array(box(300))) is None
    assert track_at(table, 5, np.array(box(119))) is None
    cut_by_border = tracklets({5: {4: (600, 100, 700, 300)}})  # the picture is 640 px wide
    assert track_at(cut_by_border, 4, np.array((600, 100, 640, 300))) == 5
    alone = exclusion_of_box(3, np.array(box(100)), 10.0, range(0, 100))
    assert (alone.first_frames.tolist(), alone.last_frames.tolist()) == ([0], [13])


@pytest.mark.parametrize(
    ("frame", "at", "message"),
    [
        (9, box(100), "--frame: expected a frame from 0 to 8, got 9"),
        (3, (640, 100, 680, 200), "--box: expected a box in the picture of 640 x 480 px, got 640 100 680 200"),
        (3, (-40, 100, 0, 200), "--box: expected a box in the picture of 640 x 480 px, got -40 100 0 200"),
        (3, (0, 0, float("inf"), 10), "--box: expected a box in the picture of 640 x 480 px, got 0 0 inf 10"),
    ],
)
def test_a_place_where_nobody_can_be_is_refused(frame: int, at: tuple[float, ...], message: str) -> None:
    table = tracklets({1: {3: box(100)}}, 9)
    check_place(table, 3, [600, 400, 700, 500])  # as of somebody whom the border cuts
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        check_place(table, frame, list(at))


@pytest.mark.parametrize(
    ("command", "showing"),
    [
        ("exec python -m stages.track --sequence hall --pins x", True),
        ("exec python -m stages.track --sequence hall2 --pins x", False),
        ("exec python -m stages.report --pins x", True),
        ("exec python -m stages.synthesize --sequence hall --pins x", False),
        ("exec python -m training.reid.train --sequence hall", False),
    ],
)
def test_which_stages_show_who_was_in_a_sequence(command: str, showing: bool) -> None:
    assert shows(command, {"hall"}) is showing


def test_a_person_goes_in_every_camera_that_knows_them_and_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Identity 7 is track 1 in the hall and track 2 in the yard; the lobby belongs to another group."""
    monkeypatch.chdir(tmp_path)
    clip = {"start_frame": 0, "end_frame": None, "frame_stride": 1}
    groups = {"hall": "both", "yard": "both", "lobby": "lobby"}
    entries = {name: {"camera_group": group, "clip": clip} for name, group in groups.items()}
    Path("params.yaml").write_text(yaml.safe_dump({"sequences": entries}))
    for name in groups:
        (Path("data/sequences") / name).mkdir(parents=True)
        (Path("data/sequences") / name / "seqinfo.ini").write_text(
            "[Sequence]\nname=x\nframeRate=10\nseqLength=9\nimWidth=640\nimHeight=480\n"
        )
        table = tracklets({1: {3: box(100)}, 2: {3: box(300)}}, 9, sequence=name, fps=10.0)
        Path(f"artifacts/{name}").mkdir(parents=True)
        table.save(Path(f"artifacts/{name}/tracks.npz"))
        detections([(3, box(100), 0.9), (3, box(300), 0.9)], 9, sequence=name).save(
            Path(f"artifacts/{name}/detections_raw.npz")
        )
        ids = np.array([7, 8] if name == "hall" else [9, 7], np.int32)
        names, sequences = np.array(["", ""]), np.array([name, name])
        Path("artifacts/identities").mkdir(exist_ok=True)
        Identities(sequences, table.ids, ids, names, np.zeros(2, np.float32)).save(Path(f"artifacts/identities/{name}.npz"))
        (Path(".chunks/embed") / name).mkdir(parents=True)
        for folder in ("artifacts/stills", "reports/media", "mlartifacts/run/artifacts/stills"):
            (Path(folder) / f".{name}.123.tmp").mkdir(parents=True)
            (Path(folder) / f".{name}.123.tmp/frame_000003.jpg").write_text("picture")
        Path(f"artifacts/identities/.{name}.npz.123.tmp").write_text("half")
    Path("data/corrections").mkdir()
    for at in (box(100), box(300)):
        append_row(Path("data/corrections/hall.csv"), Correction("rename", Place(3, at), None, f"at {at[0]:g}"))

    found = whereabouts("hall", "7@3", 0, [])
    assert {name: rows.bboxes.tolist() for name, rows in found.items()} == {
        "hall": [[96, 90, 144, 210]], "yard": [[296, 90, 344, 210]]
    }  # fmt: skip
    assert whereabouts("hall", None, 3, list(box(305)))["hall"].bboxes.tolist() == [[296, 90, 344, 210]], "by a box"
    assert whereabouts("hall", None, 3, list(box(500)))["hall"].bboxes.tolist() == [[496, 90, 544, 210]], (
        "where nobody is tracked"
    )
    with pytest.raises(DataError, match="7@4: expected somebody in frame 4"):
        whereabouts("hall", "7@4", 0, [])
    entries_of = {"identify": "outs", "render": "deps"}
    notes = {
        f"{stage}@yard": {kind: [{"path": "artifacts/identities/yard.npz", "md5": stage}]} for stage, kind in entries_of.items()
    }
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": notes}))
    with pytest.raises(
        DataError, match=r"^artifacts/yard/annotated.mp4: expected the annotated video of yard's tracks as they"
    ):
        whereabouts("hall", "7@3", 0, [])
    Path("dvc.lock").unlink()
    clip["start_frame"] = 1
    Path("params.yaml").write_text(yaml.safe_dump({"sequences": entries}))
    for who, place in (("7@3", []), (None, list(box(500)))):
        with pytest.raises(
            DataError, match=r"^params.yaml: sequences.hall.clip: expected the clip that was tracked, got another"
        ):
            whereabouts("hall", who, 3, place)
    clip["start_frame"] = 0
    Path("params.yaml").write_text(yaml.safe_dump({"sequences": entries}))
    noted = {"params.yaml": {"sequences.hall.clip": {**clip, "end_frame": 9}}}
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {"detect@hall": {"cmd": "detect", "params": noted}}}))
    with pytest.raises(DataError, match="expected the clip that was tracked"):
        whereabouts("hall", "7@3", 0, [])
    Path("dvc.lock").unlink()
    forget(found)
    assert [row.name for row in read_corrections(Path("data/corrections/hall.csv"))] == ["at 300"]
    assert len(read_exclusions(Path("data/exclusions/yard.csv"))) == 1
    tops = ("artifacts", ".chunks", "reports", "mlartifacts")
    left = sorted(str(path) for top in tops for path in Path(top).rglob("*") if path.name == "lobby" or path.is_file())
    assert left == [".chunks/embed/lobby", "artifacts/identities/.lobby.npz.123.tmp", "artifacts/identities/lobby.npz",
                    "artifacts/lobby", "artifacts/lobby/detections_raw.npz", "artifacts/lobby/tracks.npz",
                    "artifacts/stills/.lobby.123.tmp/frame_000003.jpg",
                    "mlartifacts/run/artifacts/stills/.lobby.123.tmp/frame_000003.jpg",
                    "reports/media/.lobby.123.tmp/frame_000003.jpg"]  # fmt: skip


def person_box(name: str, frame: int) -> tuple[float, float, float, float]:
    """Ann walks along the top, Ben along the bottom."""
    return box(10 + 2 * frame, 10, 20, 50) if name == "ann" else box(200 - 2 * frame, 120, 20, 50)


def make_project(folder: Path) -> None:
    """Stored detections of two people and the pipeline's stages, without those between raw and final tracks."""
    sequence = folder / "data/sequences/hall"
    for part in ("pixels", "gt", "det", "motion"):
        (sequence / part).mkdir(parents=True)
    for part in ("pixels", "gt", "motion"):
        write_marker(sequence / part, "nothing")
    rows = [(f, person_box(name, f)) for f in range(FRAMES) for name in ("ann", "ben")]
    text = "".join(f"{f + 1},-1,{x1:g},{y1:g},{x2 - x1:g},{y2 - y1:g},0.9\n" for f, (x1, y1, x2, y2) in rows)
    (sequence / "det/det.txt").write_text(text)
    (sequence / "seqinfo.ini").write_text(
        f"[Sequence]\nname=hall\nframeRate=10\nseqLength={FRAMES}\nimWidth=320\nimHeight=200\n"
    )
    (sequence / "camera.json").write_text('{"image_to_ground": null}\n')
    for name, header in (("corrections", CORRECTIONS), ("exclusions", HEADER)):
        (folder / "data" / name).mkdir()
        (folder / "data" / name / "hall.csv").write_text(header)
    shutil.copytree(ROOT / "constraints", folder / "constraints")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings = {"detections": "stored", "camera_motion": "none", "camera_group": "hall", "clock_offset_s": None,
                "returns": "same_person", "at_border": "seen", "clip": {"start_frame": 0, "end_frame": None, "frame_stride": 1},
                **yaml.safe_load(EVERYWHERE)}  # fmt: skip
    kept = {name: params[name] for name in (*STAGES, "scenes", "cameras") if name in params}
    (folder / "params.yaml").write_text(yaml.safe_dump(kept | {"sequences": {"hall": settings}}))
    whole = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    stages = {name: whole[name] for name in STAGES}
    for stage in stages.values():  # the code is not in this folder, and neither are weights
        stage["do"]["deps"] = [dep for dep in stage["do"]["deps"] if "artifacts/code" not in dep and "weights" not in dep]
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}).replace("tracklets_raw.npz", "tracks.npz"))
    (folder / ".gitignore").write_text("/artifacts/\n/.locks/\n/.chunks/\n")


def shell(command: str) -> str:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "tester",
        "GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "tester@localhost",
    }  # fmt: skip
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def seen_in(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Frames and boxes of a table of detections or tracklets; none of any other file."""
    for kind in (Detections, Tracklets):
        try:
            table = kind.load(path)
        except ContractError:
            continue
        return table.frame_numbers, table.bboxes
    return np.zeros(0, np.int32), np.zeros((0, 4), np.float32)


def files_with(name: str, *folders: str) -> list[str]:
    """Files below the folders that hold boxes of the person."""
    found = []
    for path in (path for folder in folders for path in sorted(Path(folder).rglob("*")) if path.is_file()):
        frames, bboxes = seen_in(path)
        if any(
            iou(np.array([person_box(name, int(f))]), bbox[None])[0, 0] > 0.2 for f, bbox in zip(frames, bboxes, strict=True)
        ):
            found.append(str(path))
    return found


def test_a_stage_runs_again_that_reads_what_it_read_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where nobody was detected who is forgotten."""
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    stage = {"cmd": "touch seen # -m stages.register --sequence hall", "deps": ["params.yaml"], "outs": ["seen"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"register": stage}}))
    shell("git init -q && dvc init -q && git add -A && git commit -qm start && dvc repro -q")
    assert list(Path(".dvc/cache/runs").glob("*/*/*"))
    forget({"hall": exclusion_of_box(3, np.array(box(100)), 10.0, range(FRAMES))})
    assert not Path("seen").exists()
    assert not list(Path(".dvc/cache/runs").glob("*/*/*"))
    shell("dvc repro -q")
    assert Path("seen").exists()


@pytest.mark.soak
def test_nobody_comes_back_by_repro_cache_or_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    shell(
        "git init -q && dvc init -q && git add -A && git commit -qm start && dvc repro -q && git add -A && git commit -qm run"
    )
    shell("sed -i 's/bboxes: detected/bboxes: filtered/' params.yaml && dvc repro -q && dvc exp save -q -n tried")
    shell("git checkout -q . && dvc checkout -q")
    append_row(Path("data/corrections/hall.csv"), Correction("rename", Place(5, person_box("ann", 5)), None, "Ann"))
    append_row(Path("data/corrections/hall.csv"), Correction("rename", Place(5, person_box("ben", 5)), None, "Ben"))
    assert len(files_with("ann", ".dvc/cache")) > 2, "the control: the cache knows her"
    tracks = Tracklets.load(Path("artifacts/hall/tracks.npz"))
    ann = track_at(tracks, 5, np.array(person_box("ann", 5)))

    command, environment = [sys.executable, "-m", "stages.forget", "hall", f"{ann}@5"], os.environ | {"PYTHONPATH": str(ROOT)}
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert refused.returncode == 1
    assert "nothing was changed" in refused.stderr
    assert Path("data/exclusions/hall.csv").read_text() == HEADER

    said = shell(f"python -m stages.forget hall {ann}@5 --yes")
    assert "left, because it is not the pipeline's to delete" in said
    assert len(read_exclusions(Path("data/exclusions/hall.csv"))) == FRAMES
    assert [row.name for row in read_corrections(Path("data/corrections/hall.csv"))] == ["Ben"]
    assert files_with("ann", ".dvc", "artifacts") == []
    assert not list(Path(".dvc/cache/runs").rglob("*/*/*"))
    assert "tried" not in shell("dvc exp list --all-commits")

    shell("dvc repro -q --force")
    assert files_with("ann", ".dvc", "artifacts") == []
    assert len(files_with("ben", "artifacts")) >= 2, "the control: he is still there"
    shell("git checkout -q . && (dvc checkout -q || true)")
    assert files_with("ann", ".dvc", "artifacts") == [], "nor does an earlier commit"
