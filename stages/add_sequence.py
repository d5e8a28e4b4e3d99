"""Footage to a sequence of the pipeline: a checked copy under data/sequences, tracked by DVC and git, listed in params.yaml.

All of it happens or nothing: whatever fails, the project is as it was. What a header says is measured, and a seqinfo.ini
overrules it.
"""

import argparse
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from stages.artifacts import exclusive, write_json, write_text, writing_folder
from stages.camera import read_camera
from stages.command import execute, log, parser
from stages.corrections.rows import HEADER as CORRECTIONS_HEADER
from stages.corrections.rows import corrections_file, read_corrections
from stages.detecting.stored import read_detections
from stages.errors import DataError
from stages.exclusions import HEADER as EXCLUSIONS_HEADER
from stages.exclusions import exclusions_file, read_exclusions
from stages.images import IMAGE_SUFFIXES
from stages.intake import choose_at_border, choose_detections, choose_motion, read_ground_truth, sequence_info
from stages.motchallenge import MotRows
from stages.params import PARAMS, RESERVED_NAMES, SEQUENCE_NAME, read_params, sequence_names
from stages.probe import Footage, Source, probe
from stages.registration.stored import read_motion
from stages.seqinfo import MAX_FPS, MIN_FPS, SequenceInfo, format_seqinfo
from stages.sequence_folder import write_marker
from stages.versioning import SEQUENCES, forget, is_dvc_project, pointer_file, stage_file, track, unstage_file
from stages.yaml_text import with_entry


def check_name(name: str) -> None:
    """Raises DataError where the name cannot be one, or is taken."""
    if not SEQUENCE_NAME.fullmatch(name) or yaml.safe_load(name) != name or name in RESERVED_NAMES:
        raise DataError(
            f"--name: expected a letter and then up to 99 letters, digits, _ or -, and none of "
            f"{', '.join(sorted(RESERVED_NAMES))} or YAML's own words, got {name!r}: give one with --name"
        )
    taken = {*sequence_names(), *(read_params().get("cameras") or {})}  # a camera's folder may not be made yet
    if name in taken or (SEQUENCES / name).exists() or pointer_file(SEQUENCES / name).exists():
        raise DataError(f"--name: expected a new name, got {name}, which is there already (python -m stages.remove_sequence)")


def settings(detections: str, motion: str, group: str, returns: str, at_border: str) -> dict[str, Any]:
    """The entry in params.yaml: the whole footage, everywhere in the picture."""
    return {
        "detections": detections,
        "camera_motion": motion,
        "clip": {"start_frame": 0, "end_frame": None, "frame_stride": 1},
        "regions": {"interest": [], "ignored": []},
        "camera_group": group,
        "clock_offset_s": None,
        "returns": returns,
        "at_border": at_border,
    }


def choose_returns(source: Source) -> str:
    """Who a person is who left the picture and returned: in MOTChallenge's ground truth somebody new."""
    return "new_person" if source.ground_truth else "same_person"


def write_sequence(folder: Path, source: Source, info: SequenceInfo) -> None:
    """Fills the folder of a sequence with copies and, where the source has nothing, markers."""
    for part in ("pixels", "gt", "det", "motion"):
        (folder / part).mkdir()
    if source.footage is None:
        write_marker(folder / "pixels", "no footage")
    else:
        for file in source.footage.files:
            suffix = file.suffix.lower()
            video = "video" if suffix in IMAGE_SUFFIXES else f"video{suffix}"  # an animated .png is none of a folder's images
            shutil.copyfile(file, folder / "pixels" / (video if source.footage.kind == "video" else file.name))
    for part, rows in (("gt", source.ground_truth), ("det", source.detections), ("motion", source.motion)):
        if rows is None:
            write_marker(folder / part, f"no {part}.txt")
        else:
            shutil.copyfile(rows, folder / part / f"{part}.txt")
    write_text(folder / "seqinfo.ini", format_seqinfo(info))
    if source.camera is None:
        write_json(folder / "camera.json", {"image_to_ground": None})
    else:
        shutil.copyfile(source.camera, folder / "camera.json")


def copied_bytes(source: Source) -> int:
    """Size of the files that go into the sequence. Raises DataError where the disk has no room for them."""
    files = [*(source.footage.files if source.footage else ()), source.ground_truth, source.detections, source.motion]
    needed = sum(file.stat().st_size for file in files if file)
    free = shutil.disk_usage(SEQUENCES).free
    if needed > free:
        raise DataError(
            f"{SEQUENCES}: expected {needed / 1e6:,.0f} MB of free disk for a copy of {source.path}, got {free / 1e6:,.0f} MB"
        )
    return needed


def start_by_hand(name: str) -> list[Path]:
    """Makes the sequence's files of corrections and exclusions, with the header alone, where there are none; those made.

    One that a person wrote for footage of this name stays: whether it fits is found out by the stages.
    """
    made = []
    for path, read, header, what in (
        (corrections_file(name), read_corrections, CORRECTIONS_HEADER, "corrections"),
        (exclusions_file(name), read_exclusions, EXCLUSIONS_HEADER, "exclusions"),
    ):
        if path.exists():
            log.info("  %s is there with %d %s, and counts", path, len(read(path)), what)
        else:
            write_text(path, header)
            made.append(path)
    return made


def params_with(name: str, entry: dict[str, Any]) -> str:
    """The text of params.yaml as it is now with the sequence added."""
    return with_entry(PARAMS.read_text(encoding="utf-8"), "sequences", name, entry)


def describe(
    footage: Footage | None, info: SequenceInfo, truth: MotRows | None, boxes: MotRows | None, motion: str
) -> list[str]:
    """What was found, a line each: the pixels, where seqinfo.ini and footage differ, and the rows."""
    kind = f"{footage.kind} ({footage.codec})" if footage else "no pixels"
    turned = f" (turned by {footage.rotation_deg} degrees)" if footage and footage.rotation_deg else ""
    lines = [
        f"{info.name}: {kind}, {info.width_px} x {info.height_px} px{turned}, {info.num_frames:,} frames, "
        f"{info.num_frames / info.fps:,.2f} s at {info.fps:g} frames/s"
    ]
    if footage and footage.variable_rate:
        how = f"resampled to {info.fps:g} frames/s" if info.variable_rate else "counted as they come (seqinfo.ini)"
        lines.append(f"  the frame rate varies: frames are {how}")
    elif footage and footage.fps and abs(footage.fps / info.fps - 1) > 1e-3:
        lines.append(f"  the video says {footage.fps:g} frames/s: overruled, {info.fps:g} counts")
    if footage and footage.stated_s > footage.duration_s + max(1.0, 0.02 * footage.stated_s):
        lines.append(f"  the header says {footage.stated_s:,.2f} s, found were {footage.duration_s:,.2f} s: cut short?")
    if footage and not info.variable_rate and footage.num_frames > info.num_frames:
        lines.append(f"  the first {info.num_frames:,} of {footage.num_frames:,} frames count (seqLength)")
    people = "none" if truth is None else f"{len(truth):,} rows, {len(np.unique(truth.ids)):,} ids"
    stored = "none" if boxes is None else f"{len(boxes):,} rows"
    return [*lines, f"  ground truth: {people}; stored detections: {stored}; camera motion: {motion}"]


def add(args: argparse.Namespace) -> None:
    """Adds the sequence that the command line asks for."""
    place = Path(os.path.abspath(args.source))  # resolve() would name it after the file that a link leads to
    name = args.name or (place.name if place.is_dir() else place.stem)
    check_name(name)
    log.info("reading %s", args.source)
    source = probe(args.source)
    source = replace(source, motion=args.motion or source.motion)
    detections, motion = choose_detections(source, args.detections), choose_motion(source, args.camera_motion)
    info = sequence_info(source, name, args.fps, args.seqinfo or source.seqinfo)
    if source.camera:
        read_camera(source.camera)
    truth = read_ground_truth(source.ground_truth, info) if source.ground_truth else None
    boxes = read_detections(source.detections, info) if source.detections else None
    if source.motion:
        read_motion(source.motion, info)
    for line in describe(source.footage, info, truth, boxes, motion):
        log.info("%s", line)
    returns, at_border = args.returns or choose_returns(source), args.at_border or choose_at_border(truth, info)
    entry = settings(detections, motion, args.group or name, returns, at_border)
    params_with(name, entry)  # refuses before the copy what it would refuse after
    SEQUENCES.mkdir(parents=True, exist_ok=True)
    log.info("  copying %.1f MB", copied_bytes(source) / 1e6)
    folder = SEQUENCES / name
    started: list[Path] = []
    try:
        with writing_folder(folder) as temporary:
            write_sequence(temporary, source, info)
        started = start_by_hand(name)
        if args.track and is_dvc_project():
            track(folder)
            for path in (corrections_file(name), exclusions_file(name)):
                stage_file(path)
        else:
            log.info("  %s is not tracked: %s", folder, "this is no DVC project" if args.track else "--no-track")
        write_text(PARAMS, params_with(name, entry))
    except BaseException:  # an interrupt too: all or nothing
        shutil.rmtree(folder, ignore_errors=True)
        forget(folder)
        for path in started:
            unstage_file(path)
            path.unlink()
        raise
    log.info("  added to %s with detections: %s; next: dvc repro", PARAMS, detections)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("source", type=Path, help="a video, a folder of images or a MOTChallenge folder")
    options.add_argument("--name", help="of the sequence; the file's or folder's where not given")
    options.add_argument("--detections", choices=["network", "stored"], help="network where there are pixels, else stored")
    options.add_argument("--camera-motion", choices=["none", "estimated", "stored"],
                         help="none: the camera stands still; stored where there is motion/motion.txt, else none")  # fmt: skip
    options.add_argument("--motion", type=Path, help="a motion.txt; overrules that of the folder")
    options.add_argument("--fps", type=float, help="frames per second; overrules seqinfo.ini and header")
    options.add_argument("--seqinfo", type=Path, help="a seqinfo.ini; overrules the header")
    options.add_argument("--group", help="camera group: cameras of one group may show the same people")
    options.add_argument("--returns", choices=["same_person", "new_person"],
                         help="who left the picture and returned; new_person where there is gt/gt.txt, as MOTChallenge counts, "
                         "else same_person")  # fmt: skip
    options.add_argument("--at-border", choices=["seen", "whole"],
                         help="boxes of people whom the picture's border cuts: seen (they end there) or whole; as in "
                         "gt/gt.txt, seen without one")  # fmt: skip
    options.add_argument("--no-track", dest="track", action="store_false", help="do not run dvc add and git add")
    args = options.parse_args()
    if args.fps is not None and not MIN_FPS <= args.fps <= MAX_FPS:
        raise DataError(f"--fps: expected frames per second in [{MIN_FPS:g}, {MAX_FPS:g}], got {args.fps:g}")
    if args.group is not None and not SEQUENCE_NAME.fullmatch(args.group):
        raise DataError(f"--group: expected a letter and then up to 99 letters, digits, _ or -, got {args.group!r}")
    with exclusive("sequences"):
        add(args)


if __name__ == "__main__":
    execute(main)
