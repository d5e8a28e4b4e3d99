"""Where tracks change person, as the other cameras of their group see it; and rows of corrections that put it right.

    python -m stages.cross_check corner          # says where, of the cameras of one group
    python -m stages.cross_check corner --write  # and adds the rows to data/corrections; then: dvc repro

Needs two cameras at least with a homography in camera.json and a clock_offset_s. A row of `cut` ends a person's way where
another goes on, and one of `same` joins parts that are one person. After `dvc repro`, asking again may find more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from stages.camera import read_camera
from stages.clip import ClipParams
from stages.command import execute, log, parser
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets
from stages.corrections.adding import check_rows
from stages.corrections.busy import check_unread
from stages.corrections.naming import Seen, load_seen
from stages.corrections.proposing import proposed
from stages.corrections.rows import Correction, append_row, corrections_file, read_corrections
from stages.errors import DataError
from stages.freshness import check_fresh
from stages.identity.changes import Camera, Found, find_changes
from stages.identity.portraits import ClockOffset, PortrayParams, shared_times
from stages.outputs import ARTIFACTS
from stages.params import camera_groups, load_section, load_value
from stages.seqinfo import read_seqinfo
from stages.versioning import SEQUENCES


def load_group(group: str) -> list[Camera]:
    """The cameras of a group as they were last tracked.

    Raises DataError where no two of them place people on one ground, or anything has changed since.
    """
    names = [name for name, its_group in camera_groups().items() if its_group == group]
    cameras = [_load(name) for name in names]
    placing = sum(camera.image_to_ground is not None and camera.times_s is not None for camera in cameras)
    if placing < 2:
        raise DataError(
            f"{group}: expected a camera group of two sequences at least with camera.json and clock_offset_s, got {placing}"
        )
    check_fresh(*(f"identify@{name}" for name in names))
    return cameras


def _load(name: str) -> Camera:
    info, clip = read_seqinfo(SEQUENCES / name / "seqinfo.ini"), load_section(ClipParams, f"sequences.{name}.clip")
    return Camera(
        Tracklets.load(ARTIFACTS / name / "tracks.npz", name),
        Embeddings.load(ARTIFACTS / name / "embeddings.npz", name),
        read_camera(SEQUENCES / name / "camera.json"),
        shared_times(info, clip, load_value(ClockOffset, f"sequences.{name}.clock_offset_s")),
    )


def describe(found: Found, seen: Mapping[str, Seen]) -> list[str]:
    """A line for each change and each reunion, with people's numbers as the annotated videos show them."""

    def number(sequence: str, track: int) -> int:
        return int(seen[sequence].identities.identities_of(sequence, np.array([track], np.int32))[0])

    lines = []
    for one in found.changes:
        who = number(one.sequence, one.tracklet_id)
        before, after = number(one.other_sequence, one.before_id), number(one.other_sequence, one.after_id)
        lines.append(
            f"{one.sequence}: {who}@{one.frame_number} is somebody else than {who}@{one.last_frame}: "
            f"with {before} of {one.other_sequence} before, with {after} after ({one.nats:.1f} nats)"
        )
    for pair in found.reunions:
        first, second = (f"{number(pair.sequence, track)}@{frame}" for track, frame in (pair.first, pair.second))
        lines.append(f"{pair.sequence}: {first} and {second} are one person")
    return lines


def add_rows(rows: Sequence[tuple[str, Correction]], seen: Mapping[str, Seen]) -> None:
    """Adds rows to the sequences' corrections: all or, where one contradicts those that are there, none (DataError)."""
    added = {
        name: [
            replace(row, where=f"{corrections_file(name)} with what cross_check would add") for one, row in rows if one == name
        ]
        for name in dict(rows)
    }
    for name, new in added.items():
        check_rows([*read_corrections(corrections_file(name)), *new], seen[name])
        check_unread(corrections_file(name))
    for name, new in added.items():
        for row in new:
            append_row(corrections_file(name), row)
        log.info("added to %s: %d rows", corrections_file(name), len(new))


def main() -> None:
    options = parser(__doc__)
    options.add_argument("group", help="a camera_group of params.yaml")
    options.add_argument("--write", action="store_true", help="add rows to data/corrections")
    args = options.parse_args()
    cameras = load_group(args.group)
    seen = {camera.tracks.sequence: load_seen(camera.tracks.sequence) for camera in cameras}
    found = find_changes(cameras, load_section(PortrayParams, "portray"))
    for line in describe(found, seen):
        log.info("%s", line)
    log.info("%s: %d changes of person in %d cameras", args.group, len(found.changes), len(cameras))
    if args.write and found.changes:
        add_rows(proposed(found, seen), seen)
        log.info("next: dvc repro")


if __name__ == "__main__":
    execute(main)
