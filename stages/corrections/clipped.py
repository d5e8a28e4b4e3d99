"""Whether params.yaml still has the clip that was tracked: with another one, frames of what is shown name other moments."""

from dataclasses import asdict

from stages.clip import ClipParams, source_frames
from stages.contracts.tracklets import Tracklets
from stages.errors import DataError
from stages.lock_file import locked
from stages.params import PARAMS, load_section
from stages.seqinfo import SequenceInfo

STAGES = ("detect", "portray")  # the first and the last before a person sees tracks that depend on the clip itself


def check_clip(sequence: str) -> None:
    """Returns when DVC has noted no other clip than that of params.yaml. Raises DataError where it has."""
    name, entries = f"sequences.{sequence}.clip", locked()
    for stage in STAGES:
        noted = entries.get(f"{stage}@{sequence}", {}).get("params", {}).get(str(PARAMS), {})
        if name in noted and noted[name] != asdict(load_section(ClipParams, name)):
            raise _another_clip(sequence)


def tracked_frames(tracks: Tracklets, info: SequenceInfo) -> range:
    """Source frames in which the tracks were found. Raises DataError where params.yaml has another clip by now."""
    check_clip(tracks.sequence)
    frames = source_frames(info, load_section(ClipParams, f"sequences.{tracks.sequence}.clip"))
    if len(frames) != tracks.num_frames:
        raise _another_clip(tracks.sequence)
    return frames


def _another_clip(sequence: str) -> DataError:
    """The error that says so."""
    name = f"sequences.{sequence}.clip"
    return DataError(f"{PARAMS}: {name}: expected the clip that was tracked, got another one (run `dvc repro`)")
