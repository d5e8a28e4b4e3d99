"""Parameters to a sample sequence: what one camera of a made-up scene films, with exact ground truth.

Cameras of one scene are made apart from each other: the walk of its people is worked out again for each, to the same bytes, and
so each is an output of its own that DVC reruns alone. A scene that is not rendered gives boxes without pixels.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from stages.artifacts import write_text, writing, writing_folder
from stages.command import execute, stage_options, stage_run
from stages.errors import ParamsError
from stages.h264 import H264Params, write_h264
from stages.motchallenge import format_rows
from stages.params import PARAMS, load_section
from stages.pins import check_pins
from stages.progress import progress
from stages.seqinfo import SequenceInfo, format_seqinfo
from stages.sequence_folder import write_marker
from stages.world.observing import observe
from stages.world.raster import Canvas
from stages.world.rows import Rows, ground_truth
from stages.world.scene import CameraParams, SceneParams
from stages.world.seen import Seen
from stages.world.walking import Moment
from stages.world.world import World, film, look_on, make_world


def synthesize(world: World, name: str, pixels: Path, params: H264Params) -> tuple[Rows, Rows]:
    """Ground truth and imitated detections of the world's camera; the video, or a marker, goes into the folder `pixels`.

    Raises ParamsError for a video of an odd size, which H.264 does not have.
    """
    scene, seen = world.scene, list[Seen]()
    if scene.rendered and (scene.width_px % 2 or scene.height_px % 2):
        raise ParamsError(
            f"{PARAMS}: scenes.{world.settings.scene}: expected an even width_px and height_px where rendered is true, got "
            f"{scene.width_px} x {scene.height_px}"
        )
    if scene.rendered:

        def pictures() -> Iterator[Canvas]:
            for picture, who in film(world):
                seen.append(who)
                yield picture

        with writing(pixels / "video.mp4") as temporary:
            write_h264(temporary, progress(pictures(), f"synthesize {name}", scene.num_frames), scene.fps, params)
    else:
        seen += progress(look_on(world), f"synthesize {name}", scene.num_frames)
        write_marker(pixels, "A scene of boxes: there are no pixels.")
    truth = ground_truth(seen)
    return truth, observe(truth, scene, name)


def write_sequence(folder: Path, name: str, world: World, truth: Rows, detections: Rows) -> None:
    """Writes what belongs to a sequence's folder besides pixels: ground truth in MOT17's columns, detections, camera, walk."""
    scene = world.scene
    info = SequenceInfo(name, scene.width_px, scene.height_px, scene.fps, scene.num_frames, variable_rate=False)
    write_text(folder / "seqinfo.ini", format_seqinfo(info))
    people = [f"1,1,{visibility:.3f}" for visibility in truth.scores.tolist()]
    found = [f"{score:.4f},-1,-1,-1" for score in detections.scores.tolist()]
    write_text(folder / "gt" / "gt.txt", format_rows(truth.frame_numbers, truth.ids, truth.bboxes, people, decimals=2))
    write_text(
        folder / "det" / "det.txt", format_rows(detections.frame_numbers, detections.ids, detections.bboxes, found, decimals=2)
    )
    write_marker(folder / "motion", "The camera stands still.")
    write_text(folder / "camera.json", json.dumps({"image_to_ground": world.camera.image_to_ground().tolist()}) + "\n")
    write_text(folder / "world.csv", format_walk(world.moments()))


def format_walk(moments: Iterator[Moment]) -> str:
    """Everybody in the place in each frame (from 0), seen or not: identity, position in metres, speed in m/s."""
    lines = ["frame,identity,x_m,y_m,speed_mps\n"]
    for frame, moment in enumerate(moments):
        for name, (x, y), speed in zip(
            moment.identity_ids.tolist(), moment.points.tolist(), moment.speeds.tolist(), strict=True
        ):
            lines.append(f"{frame},{name},{x:.4f},{y:.4f},{speed:.4f}\n")
    return "".join(lines)


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "folder", "timings")
    check_pins(args.pins)
    params = load_section(H264Params, "synthesize")
    camera = load_section(CameraParams, f"cameras.{args.sequence}")
    scene = load_section(SceneParams, f"scenes.{camera.scene}")
    with stage_run("synthesize", args.sequence, args.timings) as run, writing_folder(args.folder) as folder:
        with run.computing():
            try:
                world = make_world(scene, camera)
            except ParamsError as error:  # which does not know whose occluders they are
                raise ParamsError(f"{PARAMS}: scenes.{camera.scene}.{error}") from error
            truth, detections = synthesize(world, args.sequence, folder / "pixels", params)
        write_sequence(folder, args.sequence, world, truth, detections)
        run.counts = {"frames": scene.num_frames, "people": len(set(truth.ids.tolist())), "boxes": len(truth.ids),
                      "detections": len(detections.ids)}  # fmt: skip


if __name__ == "__main__":
    execute(main)
