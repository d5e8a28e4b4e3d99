"""Stored detections: taken as they are, renumbered for the clip, refused where they do not fit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stages.clip import ClipParams
from stages.contracts.detections import Detections
from stages.detecting.stored import stored_detections
from stages.errors import DataError
from stages.sequence_folder import write_marker
from tests.network_project import ROOT, arguments, info, make_project, set_params

WHOLE = ClipParams(0, None, 1)


def write_stored(folder: Path, *rows: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "none.txt").unlink(missing_ok=True)
    (folder / "det.txt").write_text("".join(f"{row}\n" for row in rows))
    return folder


def test_stored_detections_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = write_stored(tmp_path, "2,-1,10,20,30,40,0.02", "1,-1,-5,0,10,10,0.3", "2,-1,0,0,8,8,1")
    detections = stored_detections(folder, "plaza", info(2), WHOLE)
    assert (detections.sequence, detections.num_frames, detections.fps) == ("plaza", 2, 25.0)
    assert detections.frame_numbers.tolist() == [0, 1, 1]
    assert detections.bboxes.tolist() == [[-5, 0, 5, 10], [10, 20, 40, 60], [0, 0, 8, 8]]  # also beyond the picture's edge
    assert detections.confidences.tolist() == pytest.approx([0.3, 0.02, 1])  # as weak as they come, in the file's order
    assert detections.class_ids.tolist() == [0, 0, 0]


def test_a_clip_renumbers_its_frames_from_0(tmp_path: Path) -> None:
    folder = write_stored(tmp_path, *(f"{frame},-1,{frame},0,8,8,0.5" for frame in range(1, 11)))
    detections = stored_detections(folder, "plaza", info(10), ClipParams(start_frame=3, end_frame=8, frame_stride=2))
    assert (detections.num_frames, detections.fps) == (3, 12.5)  # source frames 3, 5, 7, which the file counts from 1
    assert detections.frame_numbers.tolist() == [0, 1, 2]
    assert detections.bboxes[:, 0].tolist() == [4, 6, 8]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,-1,0,0,8,8,37.5", r"det\.txt: frame 1: expected scores in \[0, 1\], got 37\.5"),
        ("3,-1,0,0,8,8,0.5", r"det\.txt: expected frames 1 to 2, got frame 3"),
    ],
)
def test_stored_detections_that_do_not_fit_are_refused(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        stored_detections(write_stored(tmp_path, row), "plaza", info(2), WHOLE)


def test_stored_detections_that_are_not_there_are_asked_for(tmp_path: Path) -> None:
    write_marker(tmp_path, "no detections")
    with pytest.raises(DataError, match=r"det\.txt: expected a file, found none: set sequences\.clip\.detections to network"):
        stored_detections(tmp_path, "clip", info(6), WHOLE)


def test_stored_detections_need_no_torch(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    set_params(project, sequence={"detections": "stored"})
    write_stored(project / "data/sequences/clip/det", "1,-1,0,0,8,8,0.5")
    code = "import sys; from stages.detect import main; main(); sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *arguments("detect")]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(Detections.load(project / "artifacts/detections_raw.npz")) == 1
