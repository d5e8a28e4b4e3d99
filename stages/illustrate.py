"""Pixels and everything that was decided to pictures beside the report, in one pass over the video.

Contact sheets of people, both sides of decisions, frames around mistakes, the empty place. Without pixels, mistakes are drawn
on a plain canvas and people have no pictures. What is shown is limited, so that hours of video make no more files than minutes.
"""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stages.artifacts import write_json, writing_folder
from stages.clip import ClipParams, source_frames
from stages.command import execute, log, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.decisions import Decision, read_decisions, shown
from stages.drawing import CANVAS_GREY, Picture
from stages.exclusions import read_exclusions
from stages.illustrating.scene import (
    MAX_WIDTH_PX,
    annotated,
    background,
    background_frames,
    busiest_frame,
    scaled,
    where_map,
)
from stages.illustrating.sheets import decision_sheet, mistake_sheet, people_sheets
from stages.illustrating.shots import Album, Sheet
from stages.params import load_section
from stages.pins import check_pins
from stages.privacy.veil import PrivacyParams, make_veil, shown_frames
from stages.progress import progress
from stages.regions import RegionParams
from stages.scoring.levels import load_levels
from stages.scoring.mistakes import Mistake, read_mistakes, worst_first
from stages.scoring.truth import GroundTruth, load_truth
from stages.seqinfo import read_seqinfo
from stages.sequence_folder import holds_data

MAX_PEOPLE, MAX_DECISIONS, MAX_MISTAKES = 200, 120, 60
JPEG_QUALITY = 82


def plan(
    tracks: Tracklets,
    split: Tracklets,
    detections: Detections,
    identities: Identities,
    decisions: list[Decision],
    mistakes: list[Mistake],
    truth: GroundTruth | None,
    filmed: bool,
) -> dict[str, Sheet]:
    """Every sheet to be made, by the name of its file without suffix."""
    sheets: dict[str, Sheet] = {}
    if filmed:
        sheets |= {f"person-{track}": sheet for track, sheet in people_sheets(tracks, split, MAX_PEOPLE).items()}
        sheets |= {decision.name: decision_sheet(decision, detections) for decision in shown(decisions, MAX_DECISIONS)}
    if truth is not None:
        for number in worst_first(mistakes)[:MAX_MISTAKES]:
            sheets[f"mistake-{number}"] = mistake_sheet(mistakes[number], truth, tracks, identities)
    return sheets


def illustrate(
    pictures: Iterator[Picture], canvas: Picture, tracks: Tracklets, identities: Identities, album: Album
) -> dict[str, Picture]:
    """All pictures by name: the album's sheets, `background`, `poster`, and `where-<track>` for each person.

    A clip of no frames has the canvas for a poster.
    """
    spread, busiest = background_frames(tracks.num_frames), busiest_frame(tracks)
    seen, made = [], {"poster": scaled(canvas, MAX_WIDTH_PX)}
    for frame_number, picture in enumerate(pictures):
        album.add(frame_number, picture)
        if frame_number in spread:
            seen.append(scaled(picture, MAX_WIDTH_PX))
        if frame_number == busiest:
            made["poster"] = annotated(scaled(picture, MAX_WIDTH_PX), tracks, identities, frame_number)
    if seen:
        made["background"] = background(seen)
        offsets = tracks.offsets()
        names = identities.identities_of(tracks.sequence, tracks.ids).tolist()
        longest = np.sort(np.argsort(-np.diff(offsets), kind="stable")[:MAX_PEOPLE])
        for t in longest.tolist():
            rows = slice(int(offsets[t]), int(offsets[t + 1]))
            made[f"where-{tracks.ids[t]}"] = where_map(made["background"], tracks, rows, names[t])
    return made | album.pictures


def index(album: Album, made: dict[str, Picture], filmed: bool, fps: float) -> dict[str, Any]:
    """What the pages must know of the pictures: size, and for sheets the frames that their tiles show, row by row."""
    return {
        "filmed": filmed,
        "fps": fps,
        "pictures": {name: [picture.shape[1], picture.shape[0]] for name, picture in sorted(made.items())},
        "frames": {
            name: [[shot.frame_number for shot in row] for row in sheet.rows] for name, sheet in sorted(album.sheets.items())
        },
    }


def write_pictures(folder: Path, made: dict[str, Picture]) -> None:
    """Writes each picture as a JPEG under its name."""
    for name, picture in made.items():
        encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        (folder / f"{name}.jpg").write_bytes(encoded.tobytes())


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "pixels", "truth", "seqinfo", "detections", "exclusions", "raw",
                         "rewired", "split", "merged", "final", "identities", "rewires", "splits", "merges", "mistakes",
                         "media", "timings")  # fmt: skip
    check_pins(args.pins)
    clip = load_section(ClipParams, f"sequences.{args.sequence}.clip")
    privacy = load_section(PrivacyParams, "privacy")
    regions = load_section(RegionParams, f"sequences.{args.sequence}.regions")
    with stage_run("illustrate", args.sequence, args.timings) as run:
        info, levels = read_seqinfo(args.seqinfo), load_levels(args)
        frames, tracks = source_frames(info, clip), levels["final"]
        identities = Identities.load(args.identities)
        mistakes = read_mistakes(args.mistakes)
        filmed = holds_data(args.pixels)
        with run.computing():
            detections = Detections.load(args.detections, args.sequence)
            truth = load_truth(args.truth, info.num_frames, frames, regions)
            album = Album(plan(
                tracks, levels["split"], detections, identities,
                read_decisions(args.rewires, args.splits, args.merges, levels), mistakes, truth, filmed,
            ))  # fmt: skip
            log.info("illustrate %s: %d sheets from %s", args.sequence, len(album.sheets),
                     f"{len(frames):,} frames" if filmed else "a plain canvas")  # fmt: skip
            canvas = np.full((tracks.height_px, tracks.width_px, 3), CANVAS_GREY, dtype=np.uint8)
            seen = [detections, tracks] if truth is None else [detections, tracks, truth]
            veil = make_veil(privacy, seen, read_exclusions(args.exclusions), frames, tracks.fps)
            pictures = shown_frames(args.pixels, info, frames, veil) if filmed else repeat(canvas, len(frames))
            made = illustrate(progress(pictures, f"illustrate {args.sequence}", len(frames)), canvas, tracks, identities, album)
        run.counts = {"frames": len(frames), "pictures": len(made)}
        with writing_folder(args.media) as folder:
            write_pictures(folder, made)
            write_json(folder / "index.json", index(album, made, filmed, tracks.fps))


if __name__ == "__main__":
    execute(main)
