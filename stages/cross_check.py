"""Where tracks change person, as the other cameras of their group see it; and rows of corrections that put it right.

    python -m stages.cross_check corner          # says where, of the cameras of one group
    python -m stages.cross_check corner --write  # and adds the rows to data/corrections; then: dvc repro

Needs two cameras at least with a homography in camera.json and a clock_offset_s. A row of `cut` ends a person's way where
another goes on, and one of `same` joins parts that are one person. After `dvc repro`, asking again may find more.
"""

from pathlib import Path

from stages.camera import read_camera
from stages.clip import ClipParams
from stages.command import execute, log, parser
from stages.contracts.embeddings import Embeddings
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.corrections.busy import check_unread
from stages.corrections.naming import Seen
from stages.corrections.proposing import proposed
from stages.corrections.resolving import constraints, cut_tracklets
from stages.corrections.rows import Correction, append_row, corrections_file, read_corrections
from stages.errors import DataError
from stages.identity.changes import Camera, find_changes
from stages.identity.portraits import ClockOffset, PortrayParams, shared_times
from stages.params import load_section, load_value, sequence_names
from stages.seqinfo import read_seqinfo
from stages.versioning import SEQUENCES

ARTIFACTS = Path("artifacts")  # as dvc.yaml has it


def load_group(group: str) -> list[Camera]:
    """The cameras of a group as they were last tracked. Raises DataError where no two of them place people on one ground."""
    names = [name for name in sequence_names() if load_value(str, f"sequences.{name}.camera_group") == group]
    cameras = [_load(name) for name in names]
    placing = sum(camera.image_to_ground is not None and camera.times_s is not None for camera in cameras)
    if placing < 2:
        raise DataError(
            f"{group}: expected a camera group of two sequences at least with camera.json and clock_offset_s, got {placing}"
        )
    return cameras


def _load(name: str) -> Camera:
    info, clip = read_seqinfo(SEQUENCES / name / "seqinfo.ini"), load_section(ClipParams, f"sequences.{name}.clip")
    return Camera(
        Tracklets.load(ARTIFACTS / name / "tracks.npz", name),
        Embeddings.load(ARTIFACTS / name / "embeddings.npz", name),
        read_camera(SEQUENCES / name / "camera.json"),
        shared_times(info, clip, load_value(ClockOffset, f"sequences.{name}.clock_offset_s")),
    )


def load_seen(camera: Camera) -> Seen:
    name = camera.tracks.sequence
    return Seen(
        camera.tracks,
        Identities.load(ARTIFACTS / "identities" / f"{name}.npz"),
        Tracklets.load(ARTIFACTS / name / "tracklets_split.npz", name),
    )


def add_row(sequence: str, row: Correction, split: Tracklets) -> None:
    """Adds the row to the sequence's corrections. Raises DataError where it contradicts those that are there."""
    path = corrections_file(sequence)
    every = [*read_corrections(path), row]
    constraints(cut_tracklets(split, every), every)
    check_unread(path)
    append_row(path, row)
    log.info("added to %s: %s", path, ",".join(row.cells()))


def main() -> None:
    options = parser(__doc__)
    options.add_argument("group", help="a camera_group of params.yaml")
    options.add_argument("--write", action="store_true", help="add rows to data/corrections")
    args = options.parse_args()
    cameras = load_group(args.group)
    found = find_changes(cameras, load_section(PortrayParams, "portray"))
    for change in found.changes:
        log.info(
            "%s: track %d is somebody else from frame %d on: with %d of %s before and %d after (%.1f nats)",
            change.sequence, change.tracklet_id, change.frame_number, change.before_id, change.other_sequence, change.after_id,
            change.nats,
        )  # fmt: skip
    for reunion in found.reunions:
        log.info(
            "%s: one person: track %d in frame %d and track %d in frame %d", reunion.sequence, *reunion.first, *reunion.second
        )
    if args.write:
        seen = {camera.tracks.sequence: load_seen(camera) for camera in cameras}
        for sequence, row in proposed(found, seen):
            add_row(sequence, row, seen[sequence].split)
    log.info("%s: %d changes of person in %d cameras%s", args.group, len(found.changes), len(cameras),
             "; next: dvc repro" if args.write and found.changes else "")  # fmt: skip


if __name__ == "__main__":
    execute(main)
