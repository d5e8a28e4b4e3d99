"""How well people are recognised across two cameras, on squares that nothing was trained on: python -m tests.benchmarks.cameras

The cameras are the sample world's two corners around other squares (the scene's seed), made as `squares` says. The stages after
`embed` are called as functions, with today's code and params.yaml.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from stages.camera import read_camera
from stages.command import execute, parser
from stages.contracts.gallery import Gallery
from stages.corrections.naming import Seen
from stages.corrections.proposing import proposed
from stages.identify import NOBODY, IdentifyParams, identify
from stages.identity.changes import Camera, find_changes
from stages.identity.portraits import PortrayParams
from stages.params import PARAMS, make_section, read_params
from stages.regions import EVERYWHERE
from stages.scoring.across_cameras import IdentityMatches, across_cameras
from stages.scoring.challenge import count_identities, track_boxes
from tests.benchmarks.in_memory import Memory, Params, read_footage
from tests.benchmarks.markdown import table
from tests.benchmarks.squares import make_square
from tests.conftest import ROOT

CAMERAS = ("corner_west", "corner_east")
DEVELOPMENT = (11, 31, 32, 102, 201, 202, 203, 204)  # 11 is the scene of params.yaml
HELD_OUT = (101, 103, 104)  # to judge, not to tune
PERSON = 0  # class
COLUMNS = (
    "seed", "IDF1 across", "at most", "IDF1 west", "IDF1 east", "people", "identities", "pairs across", "missed", "wrong",
    "pairs in a camera", "missed", "wrong",
)  # fmt: skip


@dataclass(frozen=True)
class Joins:
    """Pairs of tracks: of one person, those of them under two identities, and pairs of two people under one identity."""

    pairs: int
    missed: int
    wrong: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one camera's people: counts of boxes under the tracks' own ids, and the tracks' identities."""

    matches: IdentityMatches
    identities: Mapping[int, int]

    def people(self) -> dict[int, int]:
        """Track -> the person whom it shows most."""
        shown: dict[int, tuple[int, int]] = {}
        for (person, track), boxes in sorted(self.matches.both.items()):
            shown[track] = max(shown.get(track, (0, 0)), (boxes, person))
        return {track: person for track, (_, person) in shown.items()}


def judged(outcomes: Sequence[Outcome]) -> list[object]:
    """The cells of a row but for its name."""
    whole = across_cameras([renamed(one.matches, one.identities) for one in outcomes])
    best = across_cameras([renamed(one.matches, one.people()) for one in outcomes])
    own = [across_cameras([one.matches])["IDF1"] for one in outcomes]
    cells = [whole["IDF1"], best["IDF1"], *own, whole["people"], whole["identities"]]
    for across in (True, False):
        found = joins(outcomes, across)
        cells += [found.pairs, found.missed, found.wrong]
    return list(cells)


def renamed(matches: IdentityMatches, names: Mapping[int, int]) -> IdentityMatches:
    """The counts with tracks under other names; one without any keeps its own, as a negative number."""
    found, both = Counter[int](), Counter[tuple[int, int]]()
    for track, boxes in matches.found.items():
        found[names.get(track, -track)] += boxes
    for (person, track), boxes in matches.both.items():
        both[person, names.get(track, -track)] += boxes
    return IdentityMatches(matches.true, found, both)


def joins(outcomes: Sequence[Outcome], across: bool) -> Joins:
    """Over pairs of tracks that show people, of different cameras or of one."""
    tracks = [
        (camera, person, one.identities[track]) for camera, one in enumerate(outcomes) for track, person in one.people().items()
    ]
    pairs = [(a, b) for a, b in combinations(tracks, 2) if (a[0] != b[0]) == across]
    same, joined = [a[1] == b[1] for a, b in pairs], [a[2] == b[2] for a, b in pairs]
    missed = sum(s and not j for s, j in zip(same, joined, strict=True))
    return Joins(sum(same), missed, sum(joined) - sum(same) + missed)


def outcomes_of(seed: int, params: Params, scratch: Path, checked: bool = False) -> list[Outcome]:
    """Both cameras of a seed, by the stages of today; with the rows that `cross_check` proposes if `checked`."""
    footages, cameras, seen = [], [], {}
    section = make_section(PortrayParams, params["portray"], "portray")
    for name in CAMERAS:
        sequence, made = make_square(seed, params, scratch, name)
        footage = read_footage(sequence, made, at_border=params["sequences"][name]["at_border"])
        levels = Memory(footage).run(params)
        times_s = params["cameras"][name]["clock_offset_s"] + np.arange(levels["final"].num_frames) / levels["final"].fps
        footages.append(footage)
        cameras.append(Camera(levels["final"], footage.embeddings, read_camera(sequence / "camera.json"), times_s))
        seen[footage.name] = Seen(levels["final"], NOBODY, levels["split"])
    if checked:
        rows = proposed(find_changes(cameras, section), seen)
        footages = [replace(one, corrections=tuple(row for name, row in rows if name == one.name)) for one in footages]
        again = [Memory(footage).run(params)["final"] for footage in footages]
        cameras = [replace(camera, tracks=tracks) for camera, tracks in zip(cameras, again, strict=True)]
    counts = [
        count_identities(footage.truth, track_boxes(camera.tracks, PERSON, EVERYWHERE))
        for footage, camera in zip(footages, cameras, strict=True)
    ]
    found = identities([camera.gallery(section) for camera in cameras], params)
    return [Outcome(*both) for both in zip(counts, found, strict=True)]


def identities(galleries: list[Gallery], params: Params) -> list[dict[int, int]]:
    """Track -> identity, for each gallery."""
    found, _ = identify(galleries, make_section(IdentifyParams, params["identify"], "identify"))
    parts = [found.of(gallery.sequence) for gallery in galleries]
    return [dict(zip(part.tracklet_ids.tolist(), part.identity_ids.tolist(), strict=True)) for part in parts]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("seeds", nargs="*", type=int, default=DEVELOPMENT, help="of the scene; 11 is that of params.yaml")
    options.add_argument("--held-out", action="store_true", help="the seeds that judge, not those that one may tune on")
    options.add_argument("--scratch", type=Path, default=Path(__file__).parent / "out" / "squares", help="where they are made")
    options.add_argument("--cross-checked", action="store_true", help="after `cross_check --write` and another `dvc repro`")
    args = options.parse_args()
    seeds, params = HELD_OUT if args.held_out else args.seeds, read_params(ROOT / PARAMS)
    rows = [[seed, *judged(outcomes_of(seed, params, args.scratch, args.cross_checked))] for seed in seeds]
    sys.stdout.write(table(COLUMNS, rows) + "\n")


if __name__ == "__main__":
    execute(main)
