"""A small project whose stages up to `merge` have run, and the stages from `evaluate` to `report` run in it."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stages import identify
from stages.association.decisions import Decision as Merge
from stages.audit import write_audit
from stages.contracts.embeddings import Embeddings
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets, relabel
from stages.exclusions import HEADER
from stages.rewire import Rewire
from stages.scoring.levels import LEVELS
from stages.split import Split
from tests.conftest import ROOT
from tests.footage import write_video
from tests.tables import box, detections, tracklets

FRAMES, FPS, WIDTH, HEIGHT = 40, 10.0, 128, 96
VIDEO = {"fps": FPS, "width_px": WIDTH, "height_px": HEIGHT}
FILES = {"raw": "tracklets_raw", "rewired": "tracklets_rewired", "split": "tracklets_split", "merged": "tracklets_merged",
         "final": "tracks"}  # fmt: skip
EVERYWHERE = "regions: {interest: [], ignored: []}"
SEQUENCE = (
    "  {name}: {{detections: stored, camera_motion: none, clip: {{start_frame: 0, end_frame: null, frame_stride: 1}}, "
    + EVERYWHERE.replace("{", "{{").replace("}", "}}")
    + ", camera_group: both}}\n"
)
PARAMS = """\
analyze: {min_duration_s: 0.5, min_coverage: 0.7, max_step_heights: 0.5, high_confidence: 0.5, path_step_s: 1.0}
evaluate: {class_id: 0}
privacy: {blur: none}
render: {max_width_px: 128, trail_s: 0.5, crf: 23, preset: veryfast, threads: 1}
report: {baseline: before}
"""


def walker(frames: range, x: float, y: float, step: float) -> dict[int, tuple[float, float, float, float]]:
    """A box 12 x 30 px that moves `step` px a frame."""
    return {frame: box(x + step * frame, y, 12, 30) for frame in frames}


A_BEFORE, A_AFTER = walker(range(15), 5, 10, 1), walker(range(20, FRAMES), 5, 10, 1)
B_BEFORE, B_AFTER = walker(range(30), 90, 50, -1), walker(range(30, FRAMES), 90, 50, -1)


def levels() -> dict[str, Tracklets]:
    """Person A is raw tracklets 1 and 2, unseen in frames 15 to 19 and joined; B is 3 and 4, side by side and not joined."""
    raw = tracklets({1: A_BEFORE, 2: A_AFTER, 3: B_BEFORE, 4: B_AFTER}, FRAMES, **VIDEO)
    merged = relabel(raw, np.array([0, 1, 1, 2, 3])[raw.tracklet_ids])
    return {"raw": raw, "rewired": raw, "split": raw, "merged": merged, "final": merged}


def truth_text() -> str:
    """MOT15 rows: A in all frames but 17, B in all."""
    rows = []
    for name, path in (
        (1, {**walker(range(FRAMES), 5, 10, 1)}),
        (2, {**B_BEFORE, **B_AFTER}),
    ):
        rows += [(frame, name, bbox) for frame, bbox in path.items() if (name, frame) != (1, 17)]
    return "".join(f"{f + 1},{n},{b[0]},{b[1]},{b[2] - b[0]},{b[3] - b[1]},1,-1,-1,-1\n" for f, n, b in sorted(rows))


def make_project(folder: Path) -> Path:
    """The inputs of two sequences: `hall` with pixels, ground truth and a calibrated camera, `yard` with nothing of these."""
    folder.mkdir(parents=True)
    (folder / "params.yaml").write_text("sequences:\n" + "".join(SEQUENCE.format(name=n) for n in ("hall", "yard")) + PARAMS)
    for name in ("hall", "yard"):
        sequence, artifacts = folder / "data/sequences" / name, folder / "artifacts" / name
        for part in ("pixels", "gt", "det", "motion"):
            (sequence / part).mkdir(parents=True)
        artifacts.mkdir(parents=True)
        (sequence / "seqinfo.ini").write_text(
            f"[Sequence]\nname={name}\nframeRate={FPS:g}\nseqLength={FRAMES}\nimWidth={WIDTH}\nimHeight={HEIGHT}\n"
        )
        homography = [[0.1, 0, 0], [0, 0.1, 0], [0, 0, 1]] if name == "hall" else None
        (sequence / "camera.json").write_text(json.dumps({"image_to_ground": homography}))
        _write_tables(name, artifacts)
        Identities(
            np.array([name] * 3),
            np.array([1, 2, 3], np.int32),
            np.array([7, 2, 5], np.int32),
            np.array(["", "", ""]),
            np.zeros(3, np.float32),
        ).save(folder / f"artifacts/identities/{name}.npz")
        alone = [identify.Decision(t, n, "", *[None] * 10) for t, n in ((1, 7), (2, 2), (3, 5))]
        write_audit(artifacts / "identities.csv", identify.Decision, alone)
        (folder / f"artifacts/galleries/both/{name}.npz").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"artifacts/galleries/both/{name}.npz").touch()
    write_video(folder / "data/sequences/hall/pixels/film.mp4", FRAMES, WIDTH, HEIGHT, FPS)
    (folder / "data/sequences/hall/gt/gt.txt").write_text(truth_text())
    for marker in ("hall/det", "hall/motion", "yard/pixels", "yard/gt", "yard/det", "yard/motion"):
        (folder / "data/sequences" / marker / "none.txt").touch()
    (folder / "data/baselines").mkdir()
    (folder / "data/exclusions").mkdir()
    for name in ("hall", "yard"):
        (folder / f"data/exclusions/{name}.csv").write_text(HEADER)
    (folder / "data/baselines/before.json").write_text(json.dumps({"final": {"HOTA": 50.0, "IDSW": 3}}))
    return folder


def _write_tables(name: str, artifacts: Path) -> None:
    made = {level: replace(table, sequence=name) for level, table in levels().items()}
    for level, table in made.items():
        table.save(artifacts / f"{FILES[level]}.npz")
    raw = made["raw"]
    rows = np.argsort(raw.detection_indices)
    seen = detections([(int(raw.frame_numbers[r]), raw.bboxes[r], 0.9) for r in rows], FRAMES, **{**VIDEO, "sequence": name})
    seen.save(artifacts / "detections_raw.npz")
    features = np.where(raw.tracklet_ids[rows][:, None] <= 2, [1.0, 0.0], [0.0, 1.0]).astype(np.float16)
    Embeddings(name, len(seen), "made up", np.arange(len(seen), dtype=np.int32), features).save(artifacts / "embeddings.npz")
    write_audit(artifacts / "rewires.csv", Rewire, [])
    write_audit(artifacts / "splits.csv", Split, [])
    write_audit(
        artifacts / "merges.csv", Merge, [Merge("joined", 1, 2, 1, 1, 0.75, 1.1, 0.6, 0.2, 0.4, 0.5, 0.0, 0.0, None, None)]
    )
    header, row = (artifacts / "merges.csv").read_text().splitlines()  # another version of merge knows more
    (artifacts / "merges.csv").write_text(f"{header},<b>term</b>\n{row},<script>\n")


def options_of(stage: str, sequence: str | None) -> list[str]:
    """The stage's options as dvc.yaml has them."""
    import shlex

    import yaml

    entry = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"][stage]
    command = entry.get("do", entry)["cmd"].partition(f" stages.{stage} ")[2]
    words = shlex.split(command.replace("${key}", sequence or "").replace("${item.camera_group}", "both"))
    return [str(ROOT / word) if word.startswith("constraints") else word for word in words]


def run_stage(stage: str, sequence: str | None = None) -> None:
    """Runs a stage's main in the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [stage, *options_of(stage, sequence)])
        importlib.import_module(f"stages.{stage}").main()


def run_stages_of(sequence: str) -> None:
    """From `evaluate` to `present` in the current folder."""
    for stage in ("evaluate", "analyze", "diagnose", "illustrate", "present"):
        run_stage(stage, sequence)


def run_stages(folder: Path) -> None:
    """Everything from `evaluate` to `report`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("hall", "yard"):
            run_stages_of(name)
        run_stage("summarize")
        run_stage("report")


assert tuple(FILES) == LEVELS
