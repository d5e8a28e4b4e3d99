"""The whole pipeline on a video of 21 drawn frames with the sample networks: every stage runs, each in about a second."""

import csv
import hashlib
import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo
from dvc.stage import PipelineStage

from tests.checkout import Checkout

SEQUENCE = "plaza"
# What tells the time: whole when it parses, and never the same twice.
TIMED = ("artifacts/timings/", "reports/index.html", "reports/plots/timings.csv")


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml as DVC runs it."""

    name: str  # track@plaza
    command: str
    outs: tuple[str, ...]

    @property
    def module(self) -> str:
        return f"stages.{self.name.partition('@')[0]}"


def make_tiny(folder: Path) -> Checkout:
    """A committed checkout with this one sequence; networks see small pictures, in three chunks of detect."""
    made = Checkout(folder)
    made.keep_cameras(SEQUENCE)
    made.set_params(
        scenes__square__seconds=1.4, scenes__square__width_px=640, scenes__square__height_px=360, synthesize__threads=1,
        detect__image_size_px=320, detect__batch_size=1, detect__threads=1, embed__batch_size=8, embed__threads=1,
        render__max_width_px=160, render__threads=1,
    )  # fmt: skip
    made.run("git commit -qam tiny")
    return made


def stages_of(folder: Path) -> list[Stage]:
    """Every stage of the root's dvc.yaml."""
    with Repo(str(folder)) as repo:
        stages = [
            stage for stage in repo.index.stages if isinstance(stage, PipelineStage) and Path(stage.path).parent == folder
        ]
        return [Stage(stage.name, stage.cmd, tuple(out.def_path for out in stage.outs)) for stage in stages]


def contents(folder: Path, stages: list[Stage]) -> dict[str, bytes]:
    """Path -> digest of every file that the stages have written."""
    found: dict[str, bytes] = {}
    for out in sorted(out for stage in stages for out in stage.outs):
        path = folder / out
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                found[file.relative_to(folder).as_posix()] = hashlib.sha256(file.read_bytes()).digest()
    return found


def is_timed(path: str) -> bool:
    return path.startswith(TIMED)


def is_whole(path: Path) -> bool:
    """Whether a file that tells the time is complete: JSON, an HTML page, or a table of equally long rows."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        try:
            json.loads(text)
        except ValueError:
            return False
        return True
    if path.suffix == ".html":
        return text.rstrip().endswith("</html>")
    return len({len(row) for row in csv.reader(io.StringIO(text))}) == 1 and text.endswith("\n")


def broken(folder: Path, stages: list[Stage], expected: dict[str, bytes]) -> list[str]:
    """Files that are there, and neither what an undisturbed run writes nor, where they tell the time, whole."""
    found = contents(folder, stages)
    return [path for path, digest in found.items()
            if (not is_whole(folder / path) if is_timed(path) else expected.get(path) != digest)]  # fmt: skip


def missing(folder: Path, stages: list[Stage], expected: dict[str, bytes]) -> list[str]:
    return sorted(set(expected) - set(contents(folder, stages)))


def subset(expected: dict[str, bytes], stage: Stage) -> dict[str, bytes]:
    """What is expected of one stage."""
    return {path: digest for path, digest in expected.items() if path.startswith(stage.outs)}


def remove_outs(folder: Path, stage: Stage) -> None:
    """As DVC does before it runs a stage."""
    for out in stage.outs:
        path = folder / out
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
