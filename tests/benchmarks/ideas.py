"""The ideas of the pipeline that can be turned off one at a time, as changes of params.yaml."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.contracts.tracklets import Tracklets
from stages.errors import DataError, ParamsError
from stages.params import PARAMS
from tests.benchmarks.in_memory import SEEING, Footage, Memory

ALL_ON = "everything"


@dataclass(frozen=True)
class Idea:
    """What params.yaml would say without it: dotted name -> value; stages in `blind` get no embeddings."""

    name: str
    changes: Mapping[str, Any]
    blind: tuple[str, ...] = ()


IDEAS = (
    Idea("track: all beyond ByteTrack", {"track.algorithm": "bytetrack"}),
    Idea("track: vertical overlap", {"track.retrace.vertical_power": 0.0, "track.retrace.vertical_power_low": 0.0}),
    Idea("track: following the camera", {"track.retrace.follow_camera": False}),
    Idea("rewire", {"rewire.enabled": False}),
    Idea("rewire: looks", {}, blind=("rewire",)),
    Idea("rewire: shared boxes", {"rewire.min_shared_gain": 1000.0}),
    Idea("split", {"split.enabled": False}),
    Idea("merge", {"merge.enabled": False}),
    Idea("merge: reach", {"merge.reach": False}),
    Idea("merge: stature", {"merge.stature": False}),
    Idea("merge: company", {"merge.company": False}),
    Idea("merge: settling", {"merge.settle": False}),
    Idea("merge: parting who may be two", {"merge.min_gain": -1000.0}),
    Idea("appearance (all by motion alone)", {}, blind=SEEING),
    Idea("smooth: leaving out the doubtful", {"smooth.doubtful_s": 0.0}),
    Idea("smooth: filling", {"smooth.max_gap_s": 0.0}),
    Idea("smooth: regression", {"smooth.method": "none"}),
    Idea("smooth: regression following the video", {"smooth.method": "regression"}),
)


def without(params: Mapping[str, Any], idea: Idea) -> dict[str, Any]:
    """The parameters with the idea off. Raises ParamsError for a name that they do not have."""
    changed = copy.deepcopy(dict(params))
    for name, value in idea.changes.items():
        *sections, key = name.split(".")
        node: Any = changed
        for section in sections:
            node = node.get(section) if isinstance(node, dict) else None
        if not isinstance(node, dict) or key not in node:
            raise ParamsError(f"{idea.name}: {name}: expected an entry of {PARAMS}, found none")
        node[key] = value
    return changed


def named(beginnings: Sequence[str]) -> list[Idea]:
    """Those whose names begin with one of these. Raises DataError where none does."""
    found = [idea for idea in IDEAS if idea.name.startswith(tuple(beginnings))]
    if not found:
        names = ", ".join(idea.name for idea in IDEAS)
        raise DataError(f"{' '.join(beginnings)}: expected the beginning of an idea's name ({names}), found none")
    return found


def with_and_without(
    footage: Footage, params: Mapping[str, Any], ideas: Sequence[Idea]
) -> Iterator[tuple[str, dict[str, Tracklets]]]:
    """ALL_ON with the tracklets of every level as everything is on, then the name of each idea with those that lack it."""
    memories = {blind: Memory(footage, blind) for blind in {(), *(idea.blind for idea in ideas)}}
    yield ALL_ON, memories[()].run(params)
    for idea in ideas:
        yield idea.name, memories[idea.blind].run(without(params, idea))
