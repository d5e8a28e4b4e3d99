"""Parameters to a sample sequence: stored detections with exact ground truth, and no pixels.

So a fresh clone has something to track at once, and a test knows the truth.
"""

import json
from pathlib import Path

from stages.artifacts import write_text, writing_folder
from stages.command import execute, stage_options, stage_run
from stages.motchallenge import format_rows
from stages.params import load_section
from stages.pins import check_pins
from stages.scene import Camera, SceneParams, SceneRows, simulate
from stages.seqinfo import SequenceInfo, format_seqinfo
from stages.sequence_folder import write_marker


def write_sequence(folder: Path, name: str, params: SceneParams, truth: SceneRows, detections: SceneRows) -> None:
    """Writes the folder of a sequence: ground truth in MOT17's nine columns, detections, camera."""
    info = SequenceInfo(name, params.width_px, params.height_px, params.fps, params.num_frames, variable_rate=False)
    write_text(folder / "seqinfo.ini", format_seqinfo(info))
    people = [f"1,1,{visibility:.3f}" for visibility in truth.scores.tolist()]
    found = [f"{score:.4f},-1,-1,-1" for score in detections.scores.tolist()]
    write_text(folder / "gt" / "gt.txt", format_rows(truth.frame_numbers, truth.ids, truth.bboxes, people, decimals=2))
    write_text(
        folder / "det" / "det.txt", format_rows(detections.frame_numbers, detections.ids, detections.bboxes, found, decimals=2)
    )
    camera = Camera(params.width_px, params.height_px)
    write_text(folder / "camera.json", json.dumps({"image_to_ground": camera.image_to_ground().tolist()}) + "\n")
    write_marker(folder / "pixels", "A scene of boxes: there are no pixels.")
    write_marker(folder / "motion", "The camera stands still.")


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "folder", "timings")
    check_pins(args.pins)
    params = load_section(SceneParams, f"scenes.{args.sequence}")
    with stage_run("synthesize", args.sequence, args.timings) as run:
        with run.computing():
            truth, detections = simulate(params)
        run.counts = {"frames": params.num_frames, "people": len(set(truth.ids.tolist())), "boxes": len(truth.ids),
                      "detections": len(detections.ids)}  # fmt: skip
        with writing_folder(args.folder) as folder:
            write_sequence(folder, args.sequence, params, truth, detections)


if __name__ == "__main__":
    execute(main)
