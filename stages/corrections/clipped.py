"""Whether params.yaml still has the clip that was tracked: with another one, frames of what is shown name other moments."""

from dataclasses import asdict

from stages.clip import ClipParams
from stages.errors import DataError
from stages.lock_file import locked
from stages.params import PARAMS, load_section

STAGES = ("detect", "portray")  # the first and the last before a person sees tracks that depend on the clip itself


def check_clip(sequence: str) -> None:
    """Returns when DVC has noted no other clip than that of params.yaml. Raises DataError where it has."""
    name, entries = f"sequences.{sequence}.clip", locked()
    for stage in STAGES:
        noted = entries.get(f"{stage}@{sequence}", {}).get("params", {}).get(str(PARAMS), {})
        if name in noted and noted[name] != asdict(load_section(ClipParams, name)):
            raise another_clip(sequence)


def another_clip(sequence: str) -> DataError:
    """The error that says so."""
    name = f"sequences.{sequence}.clip"
    return DataError(f"{PARAMS}: {name}: expected the clip that was tracked, got another one (run `dvc repro`)")
