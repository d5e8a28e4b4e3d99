"""Tracks to a video to look at: boxes in one colour per identity, its number or name, a short trail of where it walked.

Boxes that no detection stands for (interpolated) are dashed and fainter. Without footage, people walk on a plain canvas. A few
frames are kept as pictures beside the video.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.artifacts import writing, writing_folder
from stages.boxes import foot_points
from stages.clip import ClipParams, source_frames
from stages.colors import identity_color
from stages.command import execute, log, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.drawing import (
    CANVAS_GREY,
    Picture,
    Weights,
    draw_box,
    draw_caption,
    draw_dashed_box,
    draw_label,
    draw_trail,
    weights_for,
)
from stages.errors import ContractError
from stages.exclusions import read_exclusions
from stages.h264 import H264Params, write_h264
from stages.params import Range, load_section
from stages.pins import check_pins
from stages.prefetching import prefetched
from stages.privacy.veil import PrivacyParams, make_veil, shown_frames
from stages.progress import progress
from stages.seqinfo import read_seqinfo
from stages.sequence_folder import holds_data

FAINT = 0.65  # opacity of trails and interpolated boxes
DRAWN_AHEAD = 16  # frames
STILLS = 3
JPEG_QUALITY = 85


@dataclass(frozen=True)
class RenderParams(H264Params):
    """What is drawn, and how it is encoded."""

    max_width_px: Annotated[int, Range(64, 7680)]
    trail_s: Annotated[float, Range(0, 60)]


@dataclass(frozen=True, eq=False)
class Marks:
    """M boxes to draw, in the drawn picture's pixels, sorted by tracklet and frame like the tracks they come from."""

    bboxes: NDArray[np.float64]  # (M, 4)
    feet: NDArray[np.float64]  # (M, 2)
    identity_ids: NDArray[np.int32]  # (M,)
    names: NDArray[np.str_]  # (M,) empty: none
    interpolated: NDArray[np.bool_]  # (M,)
    trail_starts: NDArray[np.int64]  # (M,) the row where this row's trail begins
    order: NDArray[np.int64]  # (M,) rows by frame, the nearest person (lowest foot) last
    offsets: NDArray[np.int64]  # (num_frames + 1,) rows of frame f are order[offsets[f]:offsets[f + 1]]


def make_marks(tracks: Tracklets, identities: Identities, scale: float, trail_s: float) -> Marks:
    """What is to be drawn of the tracks. A trail breaks where a track is unseen. Raises ContractError without an identity."""
    rows, frames = np.arange(len(tracks)), tracks.frame_numbers
    follows = (np.diff(tracks.tracklet_ids, prepend=0) == 0) & (np.diff(frames, prepend=0) == 1)
    run_starts = np.maximum.accumulate(np.where(follows, 0, rows))
    bboxes = tracks.bboxes.astype(np.float64) * scale
    order = np.lexsort((bboxes[:, 3], frames))
    identity_rows = identities.rows_of(tracks.sequence, tracks.tracklet_ids)
    return Marks(
        bboxes,
        foot_points(bboxes),
        identities.identity_ids[identity_rows],
        identities.names[identity_rows],
        tracks.detection_indices == -1,
        np.maximum(run_starts, rows - round(trail_s * tracks.fps)),
        order,
        np.searchsorted(frames[order], np.arange(tracks.num_frames + 1)),
    )


def draw_frame(picture: Picture, marks: Marks, frame_number: int, weights: Weights) -> None:
    """Draws the marks of one frame: what is faint, then boxes, then labels above everything."""
    rows = marks.order[marks.offsets[frame_number] : marks.offsets[frame_number + 1]].tolist()
    colors = [identity_color(int(marks.identity_ids[row])) for row in rows]
    faint = picture.copy()
    for row, color in zip(rows, colors, strict=True):
        draw_trail(faint, marks.feet[marks.trail_starts[row] : row + 1], color, weights.line_px + 1)
        if marks.interpolated[row]:
            draw_dashed_box(faint, marks.bboxes[row], color, weights.line_px)
    cv2.addWeighted(faint, FAINT, picture, 1 - FAINT, 0, dst=picture)
    for row, color in zip(rows, colors, strict=True):
        if not marks.interpolated[row]:
            draw_box(picture, marks.bboxes[row], color, weights.line_px)
    for row, color in zip(rows, colors, strict=True):
        draw_label(picture, str(marks.names[row]) or str(marks.identity_ids[row]), marks.bboxes[row], color, weights.text_px)


def render(
    pictures: Iterable[Picture], tracks: Tracklets, identities: Identities, max_width_px: int, trail_s: float
) -> Iterator[Picture]:
    """The clip's pictures (H, W, 3), at most `max_width_px` wide, with the tracks drawn on them.

    A clip of no frames gives one empty canvas, so that the video can be opened.
    """
    size = drawn_size(tracks, max_width_px)
    weights = weights_for(size[1])
    marks = make_marks(tracks, identities, _scale(tracks, max_width_px), trail_s)
    if not tracks.num_frames:
        yield canvas(*size)
    for frame_number, picture in enumerate(pictures):
        drawn = picture.copy() if picture.shape[1::-1] == size else _resized(picture, size)
        draw_frame(drawn, marks, frame_number, weights)
        draw_caption(drawn, f"frame {frame_number}  {frame_number / tracks.fps:.2f} s", weights.text_px)
        yield drawn


def drawn_size(tracks: Tracklets, max_width_px: int) -> tuple[int, int]:
    """Width and height px of the pictures that `render` gives."""
    scale = _scale(tracks, max_width_px)
    return max(1, round(tracks.width_px * scale)), max(1, round(tracks.height_px * scale))


def _scale(tracks: Tracklets, max_width_px: int) -> float:
    return min(1.0, max_width_px / tracks.width_px)


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def still_frames(num_frames: int) -> list[int]:
    """Frame numbers spread evenly over the clip; 0 for a clip of no frames."""
    return sorted({(k + 1) * num_frames // (STILLS + 1) for k in range(STILLS)})


def keeping_stills(pictures: Iterable[Picture], frame_numbers: list[int], folder: Path) -> Iterator[Picture]:
    """The pictures again; those of the given frames are written as JPEG into the folder, too."""
    for frame_number, picture in enumerate(pictures):
        if frame_number in frame_numbers:
            _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            (folder / f"frame_{frame_number:06d}.jpg").write_bytes(encoded.tobytes())
        yield picture


def canvas(width_px: int, height_px: int) -> Picture:
    """A plain dark picture."""
    return np.full((height_px, width_px, 3), CANVAS_GREY, dtype=np.uint8)


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "pixels", "seqinfo", "detections", "exclusions", "tracks", "identities",
                         "video", "stills", "timings")  # fmt: skip
    check_pins(args.pins)
    params = load_section(RenderParams, "render")
    privacy = load_section(PrivacyParams, "privacy")
    clip = load_section(ClipParams, f"sequences.{args.sequence}.clip")
    with stage_run("render", args.sequence, args.timings) as run:
        info, tracks = read_seqinfo(args.seqinfo), Tracklets.load(args.tracks, args.sequence)
        identities = Identities.load(args.identities)
        frames = source_frames(info, clip)
        if len(frames) != tracks.num_frames:
            raise ContractError(f"{args.tracks}: num_frames: expected {len(frames)} of the clip, got {tracks.num_frames}")
        filmed = holds_data(args.pixels)
        log.info("render %s: %s boxes of %s tracks on %s", args.sequence, f"{len(tracks):,}", f"{len(tracks.ids):,}",
                 f"{len(frames):,} frames" if filmed else f"a plain canvas, {len(frames):,} frames")  # fmt: skip
        seen = [Detections.load(args.detections, args.sequence), tracks]
        veil = make_veil(privacy, seen, read_exclusions(args.exclusions), frames, tracks.fps)
        pictures = shown_frames(args.pixels, info, frames, veil) if filmed else repeat(
            canvas(*drawn_size(tracks, params.max_width_px)), len(frames))  # fmt: skip
        drawn = render(pictures, tracks, identities, params.max_width_px, params.trail_s)
        with run.computing(), writing_folder(args.stills) as stills, writing(args.video) as temporary:
            drawn = keeping_stills(drawn, still_frames(len(frames)), stills)
            drawn = prefetched(drawn, DRAWN_AHEAD)  # people are drawn while x264 encodes
            write_h264(temporary, progress(drawn, f"render {args.sequence}", len(frames)), tracks.fps, params)
        run.counts = {"frames": len(frames), "boxes": len(tracks), "tracks": len(tracks.ids)}


if __name__ == "__main__":
    execute(main)
