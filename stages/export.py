"""Tracks of a sequence to the formats of other tools: MOTChallenge, CSV, Parquet, COCO-style JSON, CVAT.

    python -m stages.export street                        # all formats, into exports/street/
    python -m stages.export street --format cvat --out street.xml
    python -m stages.export street --track-ids            # ids of tracks, as in tracks.txt, and not of people

Final tracks carry the number of the person that the video shows, the same in all cameras of the group. Frames are counted as
in the source, whatever clip was tracked. stages.import_truth reads MOTChallenge and CVAT back.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import exclusive, writing
from stages.classes import ClassNames, parse_class_name
from stages.command import execute, log, parser
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets, relabel
from stages.corrections.clipped import tracked_frames
from stages.corrections.shown import check_identified
from stages.errors import DataError
from stages.exchange.coco import format_coco
from stages.exchange.cvat import format_cvat
from stages.exchange.tables import format_csv, parquet_bytes
from stages.freshness import check_fresh
from stages.images import list_images
from stages.motchallenge import format_tracks
from stages.outputs import ARTIFACTS
from stages.params import check_sequence
from stages.reporting.words import plural
from stages.seqinfo import read_seqinfo
from stages.sequence_folder import holds_data
from stages.versioning import SEQUENCES

LEVELS = {  # level -> file, and the stage that writes it
    "raw": ("tracklets_raw.npz", "track"),
    "rewired": ("tracklets_rewired.npz", "rewire"),
    "split": ("tracklets_split.npz", "split"),
    "merged": ("tracklets_merged.npz", "merge"),
    "final": ("tracks.npz", "smooth"),
}


@dataclass(frozen=True, eq=False)
class Exported:
    """What is exported: tracklets, the source's frames that they were found in, and names."""

    tracklets: Tracklets
    identities: Identities | None  # of the tracklets; None: they go by their own ids
    frames: range
    names: ClassNames
    footage: str  # name of the video file or of the folder of images
    file_names: list[str]  # one per frame of the clip
    keyframe_px: float

    def by_id(self) -> Tracklets:
        """The boxes under the one id that a format has: the identity, or the track's own where there is none."""
        if self.identities is None:
            return self.tracklets
        ids = self.identities.identities_of(self.tracklets.sequence, self.tracklets.tracklet_ids)
        check_once_a_frame(self.tracklets, ids)
        return relabel(self.tracklets, ids)

    def people(self) -> dict[str, NDArray[Any]]:
        """Columns of a table: who each box shows."""
        if self.identities is None:
            return {}
        rows = self.identities.rows_of(self.tracklets.sequence, self.tracklets.tracklet_ids)
        return {"identity_id": self.identities.identity_ids[rows], "name": self.identities.names[rows]}


def check_once_a_frame(tracklets: Tracklets, identity_ids: NDArray[np.int32]) -> None:
    """Raises DataError where two boxes (M,) of a frame are one person."""
    pairs = np.stack([tracklets.frame_numbers, identity_ids], axis=1)
    seen, counts = np.unique(pairs, axis=0, return_counts=True)
    if len(seen) < len(pairs):
        frame, person = seen[counts > 1][0].tolist()
        raise DataError(
            f"{tracklets.sequence}: expected a person once in a frame, got tracks of person {person} side by side in "
            f"frame {frame} (--track-ids exports them apart)"
        )


def as_mot(exported: Exported) -> bytes:
    """A result file: frame from 1, id, left, top, width, height, score, -1, -1, -1; classes are lost."""
    tracklets, frames = exported.by_id(), exported.frames
    numbers = np.asarray(frames, dtype=np.int32)[tracklets.frame_numbers]
    return "".join(format_tracks(numbers, tracklets.tracklet_ids, tracklets.bboxes, tracklets.confidences)).encode()


def as_csv(exported: Exported) -> bytes:
    return format_csv(exported.tracklets, exported.frames, exported.names, exported.people()).encode()


def as_parquet(exported: Exported) -> bytes:
    return parquet_bytes(exported.tracklets, exported.frames, exported.names, exported.people())


def as_coco(exported: Exported) -> bytes:
    return format_coco(exported.by_id(), exported.frames, exported.names, exported.file_names).encode()


def as_cvat(exported: Exported) -> bytes:
    frames, names = exported.frames, exported.names
    return format_cvat(exported.by_id(), frames, names, exported.footage, exported.keyframe_px).encode()


FORMATS: dict[str, tuple[str, Callable[[Exported], bytes]]] = {  # name -> suffix of the file, and what is in it
    "mot": (".txt", as_mot),
    "csv": (".csv", as_csv),
    "parquet": (".parquet", as_parquet),
    "coco": (".json", as_coco),
    "cvat": (".xml", as_cvat),
}


def load(sequence: str, level: str, names: ClassNames, keyframe_px: float, by_identity: bool) -> Exported:
    """What the pipeline found in a sequence. Raises DataError where it has not run, or for another clip."""
    check_sequence(sequence)
    folder = SEQUENCES / sequence
    tracklets = Tracklets.load(ARTIFACTS / sequence / LEVELS[level][0], sequence)
    info = read_seqinfo(folder / "seqinfo.ini")
    if info.variable_rate:
        log.info("export %s: the video's rate varies: frames are those of it at %g frames/s, as no other tool counts them",
                 sequence, info.fps)  # fmt: skip
    frames = tracked_frames(tracklets, info)
    footage, file_names = footage_names(folder / "pixels", frames)
    identities = Identities.load(ARTIFACTS / "identities" / f"{sequence}.npz") if by_identity else None
    if identities is not None:
        check_identified(tracklets, identities)
    return Exported(tracklets, identities, frames, names, footage, file_names, keyframe_px)


def footage_names(pixels: Path, frames: range) -> tuple[str, list[str]]:
    """The name of the footage and that of each frame: the image's own, or MOTChallenge's (000001.jpg) of a frame of a video."""
    images = list_images(pixels) if holds_data(pixels) else []
    if images:
        return pixels.name, [images[frame].name for frame in frames]
    files = sorted(path.name for path in pixels.iterdir() if not path.name.startswith(".")) if holds_data(pixels) else []
    return (files[0] if files else ""), [f"{frame + 1:06d}.jpg" for frame in frames]


def write(path: Path, content: bytes) -> None:
    """Writes the file, whole or not at all."""
    with exclusive("export"), writing(path) as temporary:
        temporary.write_bytes(content)


def options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("sequence", help="one of params.yaml's")
    made.add_argument("--format", choices=(*FORMATS, "all"), default="all", help="default: all")
    made.add_argument("--level", choices=LEVELS, default="final", help="default: final")
    made.add_argument("--track-ids", action="store_true", help="ids of tracks.txt, not of people as the video shows them")
    made.add_argument("--out", type=Path, help="file, for all formats a folder; default: exports/<sequence>/<level>.* "
                      "or, with --track-ids, tracks.*")  # fmt: skip
    made.add_argument("--class-name", action="append", default=[], metavar="ID=NAME", help="of a detector not trained on COCO")
    made.add_argument("--keyframe-px", type=float, default=1.0, help="cvat: how far off its interpolation may be; default: 1")
    made.add_argument("--as-is", action="store_true", help="also export results that are not up to date")
    return made.parse_args()


def main() -> None:
    args = options()
    if not 0 <= args.keyframe_px < 1e6:
        raise DataError(f"--keyframe-px: expected pixels from 0, got {args.keyframe_px:g}")
    names = ClassNames(dict(map(parse_class_name, args.class_name)))
    by_identity = args.level == "final" and not args.track_ids  # which final tracks alone have
    exported = load(args.sequence, args.level, names, args.keyframe_px, by_identity)
    if not args.as_is:
        check_fresh(f"{'identify' if by_identity else LEVELS[args.level][1]}@{args.sequence}")
    chosen = FORMATS if args.format == "all" else {args.format: FORMATS[args.format]}
    shown, nouns = exported.by_id(), ("person", "people") if by_identity else ("track",)
    frames = plural(len(exported.frames), "frame")
    counts = f"{plural(len(shown.ids), *nouns)}, {plural(len(shown), 'box', 'boxes')}, {frames}"
    folder = args.out if args.out and args.format == "all" else Path("exports") / args.sequence
    stem = "tracks" if args.level == "final" and args.track_ids else args.level
    for name, (suffix, content) in chosen.items():
        path = args.out if args.out and args.format != "all" else folder / f"{stem}{suffix}"
        written = content(exported)
        write(path, written)
        log.info("export %s: %s as %s in %s (%.1f MB)", args.sequence, counts, name, path, len(written) / 1e6)


if __name__ == "__main__":
    execute(main)
