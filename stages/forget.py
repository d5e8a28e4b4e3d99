"""A person out of everything that the pipeline made, for good: `detect` and `embed` leave them out from now on.

    python -m stages.forget street 7@120                             # number or name, and frame, as the annotated video shows
    python -m stages.forget street --frame 120 --box 310 90 362 240  # or a box of that frame, px of the source

Where the person is, in all cameras of the group that know them, goes to data/exclusions/<sequence>.csv. What stages made of
these sequences is deleted, in this folder, in DVC's cache and run cache of all commits, in MLflow's copies, and all experiments
with it; `dvc repro` makes it anew, without them. What is left is said at the end. --yes asks nothing.
"""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

import numpy as np

from stages.artifacts import delete, exclusive, leftovers
from stages.clip import ClipParams, source_frames
from stages.command import execute, log, parser
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.corrections.busy import check_idle
from stages.corrections.clipped import tracked_frames
from stages.corrections.naming import Seen
from stages.corrections.rows import corrections_file, read_corrections, remove_row
from stages.corrections.shown import check_shown
from stages.errors import DataError
from stages.exclusions import Exclusions, append_exclusions, excluded_rows, exclusions_file
from stages.forgetting.cached import kept_by_dvc, showing_stages
from stages.forgetting.person import exclusion_of_box, exclusions_of_tracks, track_at
from stages.lock_file import unlock
from stages.outputs import ARTIFACTS, outputs
from stages.params import camera_groups, check_sequence, load_section
from stages.reporting.words import plural
from stages.seqinfo import SequenceInfo, read_seqinfo
from stages.versioning import SEQUENCES, is_dvc_project, is_git_work_tree, run_dvc, stage_file

EXPERIMENTS = Path(".dvc/tmp/exps")
ACROSS_CAMERAS = "reports/people.html"  # which names people of all sequences
LEFT = (
    "data/exclusions: where and when they were, which keeps them out; their boxes stay blurred in everything that is shown",
    "data/sequences/{names}: the footage, and ground truth and stored detections where there are any, here and in DVC's cache",
    "git: figures, corrections and removed experiments in its history (`git gc --prune=now` drops what no commit needs)",
    "DVC remotes and backups (`dvc gc --cloud` cleans a remote), clones of colleagues, and what was exported or sent",
    "objects in DVC's cache that no commit and no run names (`dvc gc --workspace` drops them, and all else that is not in use)",
    "MLflow: figures and parameters of runs, which are over everybody; data/baselines: the same",
    "networks and pictures of training, if they were made of this footage",
    "moments in which they were not tracked: look at the annotated video again, and name a frame and a box",
)


def whereabouts(sequence: str, who: str | None, frame: int, box: list[float]) -> dict[str, Exclusions]:
    """Sequence -> the person's boxes, in all sequences of the camera group that know them.

    Raises DataError where a number or name is nobody's, or the pipeline has not run, or not with this clip.
    """
    tracks, identities = _tracked(sequence)
    if who is None:
        check_place(tracks, frame, box)
        track = track_at(tracks, frame, np.array(box))
        if track is None:
            only_box = exclusion_of_box(frame, np.array(box), tracks.fps, tracked_frames(tracks, _info(tracks.sequence)))
            return {sequence: only_box}
    else:
        track = int(tracks.tracklet_ids[Seen(tracks, identities, tracks).row(who)])
    identity = int(identities.identities_of(sequence, np.array([track], np.int32))[0])
    groups = camera_groups()
    found = {}
    for name in groups:
        if groups[name] == groups[sequence] and (ARTIFACTS / name / "tracks.npz").exists():
            tracks, identities = _tracked(name)
            mine = identities.of(name)
            track_ids = mine.tracklet_ids[mine.identity_ids == identity]
            detections = Detections.load(ARTIFACTS / name / "detections_raw.npz", name)
            exclusions = exclusions_of_tracks(tracks, track_ids, detections, tracked_frames(tracks, _info(tracks.sequence)))
            if len(exclusions):
                found[name] = exclusions
    return found


def check_place(tracks: Tracklets, frame: int, box: list[float]) -> None:
    """Raises DataError where nobody can be: after the last frame of the clip, or where a box shows nothing of the picture."""
    if frame >= tracks.num_frames:
        raise DataError(f"--frame: expected a frame from 0 to {tracks.num_frames - 1}, got {frame}")
    (x1, y1, x2, y2), width, height = box, tracks.width_px, tracks.height_px
    if not (-width <= x1 < width and -height <= y1 < height and 0 < x2 <= 2 * width and 0 < y2 <= 2 * height):
        raise DataError(f"--box: expected a box in the picture of {width} x {height} px, got {x1:g} {y1:g} {x2:g} {y2:g}")


def _tracked(sequence: str) -> tuple[Tracklets, Identities]:
    folder = ARTIFACTS / sequence
    identities = Identities.load(ARTIFACTS / "identities" / f"{sequence}.npz")
    tracks = Tracklets.load(folder / "tracks.npz", sequence)
    check_shown(tracks, identities)
    return tracks, identities


def _frames(sequence: str) -> range:
    """Source frames of the sequence's clip."""
    clip = load_section(ClipParams, f"sequences.{sequence}.clip")
    return source_frames(_info(sequence), clip)


def _info(sequence: str) -> SequenceInfo:
    return read_seqinfo(SEQUENCES / sequence / "seqinfo.ini")


def forget(found: dict[str, Exclusions]) -> list[str]:
    """Notes the exclusions and removes all that shows the person; what went, a line each.

    Exclusions come first: whatever is interrupted, they are honoured from then on. The results in this folder, in which the
    person is found, go last: until then the command can be given again.
    """
    said = []
    for name, exclusions in found.items():
        append_exclusions(exclusions_file(name), exclusions)
        stage_file(exclusions_file(name))
        said.append(f"{exclusions_file(name)}: {len(exclusions):,} boxes added")
        said += _remove_corrections(name, exclusions)
    if is_dvc_project():
        said += _remove_from_dvc(found)
    return said + _remove_from_mlflow(found) + _remove_results(found)


def _remove_corrections(name: str, exclusions: Exclusions) -> list[str]:
    """Takes out rows that name the person, who is nobody from now on."""
    path, frames = corrections_file(name), _frames(name)
    rows = read_corrections(path) if path.exists() else []
    gone = [
        row
        for row in rows
        for place in (row.place, row.other)
        if place is not None
        and excluded_rows(np.array([place.frame], np.int32), np.array([place.bbox], np.float32), exclusions, frames).any()
    ]
    for row in {id(row): row for row in gone}.values():
        remove_row(path, row)
    return [f"{path}: {plural(len({id(row) for row in gone}), 'correction')} removed"] if gone else []


def _remove_from_dvc(sequences: Collection[str]) -> list[str]:
    kept = kept_by_dvc(sequences)
    objects = kept.objects()
    for path in [*{run.parent for run in kept.runs}, *objects]:  # runs that read the same: DVC stops at an empty folder
        delete(path)
    said = [f"DVC's cache: {len(objects):,} objects; run cache: {len(kept.runs):,} runs"]
    if is_git_work_tree():
        for options in (["--all-commits"], ["--queue"]):
            run_dvc("exp", "remove", *options)
        delete(EXPERIMENTS)
        said.append("experiments: all, run and queued, and their folders")
    return said


def _remove_results(sequences: Collection[str]) -> list[str]:
    """What lies in this folder, and that DVC knows it."""
    stages = showing_stages(sequences)
    unlock(stages)
    places = {path for paths in stages.values() for path in paths} | {path for name in sequences for path in outputs(name)}
    places |= {leftover for path in places for leftover in leftovers(path)}
    there = sorted(path for path in places if path.exists())
    for path in there:
        delete(path)
    return [f"dvc.lock: {len(stages):,} stages", *(f"{path}: removed" for path in there)]


def _remove_from_mlflow(sequences: Collection[str]) -> list[str]:
    from stages.publishing.store import Store, has_store  # MLflow takes seconds to import

    if not has_store():
        return []
    store = Store()
    return [f"{store.place}: pages and pictures of {store.remove_artifacts(published(sequences)):,} runs"]


def published(sequences: Collection[str]) -> list[str]:
    """What of a run's artifacts shows or names people of the sequences."""
    of_each = ("reports/media", "reports/sequences", "stills")
    return [ACROSS_CAMERAS, *(f"{folder}/{name}" for name in sequences for folder in of_each)]


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("sequence", help="a sequence of params.yaml")
    made.add_argument(
        "who", nargs="?", metavar="WHO@FRAME", help="number or name, and frame, as the annotated video shows them"
    )
    made.add_argument("--frame", type=int, help="frame of the annotated video, with --box")
    made.add_argument("--box", type=float, nargs=4, metavar=("X1", "Y1", "X2", "Y2"), help="px of the source")
    made.add_argument("--yes", action="store_true", help="ask nothing")
    args = made.parse_args()
    boxed = args.frame is not None and args.box is not None
    if boxed == (args.who is not None) or (args.frame is None) != (args.box is None):
        made.error("expected either WHO@FRAME or --frame with --box")
    if boxed and not (args.frame >= 0 and args.box[0] < args.box[2] and args.box[1] < args.box[3]):
        made.error("expected a frame from 0 and a box with x1 < x2 and y1 < y2")
    return args


def _confirm(found: dict[str, Exclusions]) -> None:
    """Returns when a person at the keyboard agrees. Raises DataError otherwise."""
    for name, exclusions in found.items():
        log.info("%s: %s boxes, from source frame %d to %d", name, f"{len(exclusions):,}", exclusions.first_frames.min(),
                 exclusions.last_frames.max())  # fmt: skip
    log.info("all results of %s, all experiments, and their copies in DVC and MLflow will be deleted", ", ".join(found))
    if not sys.stdin.isatty() or input("forget them? yes or no: ").strip() != "yes":
        raise DataError("forget: expected yes, or --yes on the command line, got something else: nothing was changed")


def main() -> None:
    args = _options()
    check_sequence(args.sequence)
    check_idle()
    found = whereabouts(args.sequence, args.who, args.frame, args.box)
    if not args.yes:
        _confirm(found)
    with exclusive("sequences"):
        for line in forget(found):
            log.info("%s", line)
    log.info("left, because it is not the pipeline's to delete:")
    for line in LEFT:
        log.info("  %s", line.format(names=" and ".join(found)))
    log.info("next: dvc repro makes the results anew; git commit %s keeps them forgotten", exclusions_file("*").parent)


if __name__ == "__main__":
    execute(main)
