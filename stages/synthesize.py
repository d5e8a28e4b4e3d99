"""Parameters to a sample sequence: stored detections with exact ground truth, and no pixels.

So a fresh clone has something to track at once, and a test knows the truth.
"""

import json
from pathlib import Path

from stages.artifacts import write_text, writing_folder
from stages.command import execute, stage_options, stage_run
from stages.params import load_section
from stages.pins import check_pins
from stages.scene import Camera, SceneParams, SceneRows, simulate
from stages.seqinfo import SequenceInfo, format_seqinfo
from stages.sequence_folder import write_marker


def write_sequence(folder: Path, name: str, params: SceneParams, truth: SceneRows, detections: SceneRows) -> None:
    """Writes the folder of a sequence: ground truth in MOT17's nine columns, detections, camera."""
    info = SequenceInfo(name, params.width_px, params.height_px, params.fps, params.num_frames, variable_rate=False)
    write_text(folder / "seqinfo.ini", format_seqinfo(info))
    write_text(folder / "gt" / "gt.txt", _rows(truth, "{score:.0f},1,{visibility:.3f}"))
    write_text(folder / "det" / "det.txt", _rows(detections, "{visibility:.4f},-1,-1,-1"))
    camera = Camera(params.width_px, params.height_px)
    write_text(folder / "camera.json", json.dumps({"image_to_ground": camera.image_to_ground().tolist()}) + "\n")
    write_marker(folder / "pixels", "A scene of boxes: there are no pixels.")


def _rows(rows: SceneRows, tail: str) -> str:
    """MOTChallenge lines; `tail` formats what follows the box."""
    lines = []
    for frame, identity, (x1, y1, x2, y2), score in zip(
        rows.frame_numbers.tolist(), rows.ids.tolist(), rows.bboxes.tolist(), rows.scores.tolist(), strict=True
    ):
        end = tail.format(score=1, visibility=score)
        lines.append(f"{frame + 1},{identity},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{end}\n")
    return "".join(lines)


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
