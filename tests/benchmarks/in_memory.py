"""The stages from detections to final tracks as functions, in one process: what measurements that try many parameters need."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from stages.association.rewiring import RewireParams
from stages.clip import ClipParams
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets
from stages.corrections.constraining import apart_at_cuts, constraints, cut_tracklets
from stages.corrections.rows import Correction
from stages.detecting.stored import stored_detections
from stages.embed import no_embeddings
from stages.errors import DataError
from stages.merge import MergeParams, Returns, merge
from stages.params import make_section
from stages.regions import EVERYWHERE
from stages.rewire import rewire
from stages.scoring.challenge import count, track_boxes
from stages.scoring.tally import Tally
from stages.scoring.truth import GroundTruth, read_truth
from stages.seqinfo import read_seqinfo
from stages.sequence_folder import holds_data
from stages.smooth import SmoothParams, smooth
from stages.smoothing.border import AtBorder
from stages.split import SplitParams, split
from stages.track import TrackParams, track

WHOLE = ClipParams(start_frame=0, end_frame=None, frame_stride=1)
Params = Mapping[str, Any]  # of params.yaml, by section
SECTIONS = ("track", "rewire", "split", "merge", "smooth")  # in the order of the stages
SEEING = ("rewire", "split", "merge")  # those that are given embeddings
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Footage:
    """What the stages need of one sequence, and the truth they are scored by."""

    name: str
    detections: Detections
    camera_motion: CameraMotion
    embeddings: Embeddings
    truth: GroundTruth
    returns: Returns  # who leaves the picture and comes back, as the truth counts
    at_border: AtBorder  # how large those are whom the border cuts, as in the truth
    corrections: tuple[Correction, ...] = ()  # rows of `cut`, `same` and `different`


def read_footage(
    folder: Path, artifacts: Path | None, returns: Returns = "same_person", at_border: AtBorder = "seen"
) -> Footage:
    """A MOTChallenge folder with stored detections and no looks; with `artifacts`, what detect, register and embed left there.

    Raises DataError where the folder has no ground truth or no detections.
    """
    info = read_seqinfo(folder / "seqinfo.ini")
    if not holds_data(folder / "gt"):
        raise DataError(f"{folder / 'gt'}: expected ground truth, found none")
    truth = read_truth(folder / "gt" / "gt.txt", info.num_frames)
    if artifacts is None:
        detections = stored_detections(folder / "det", folder.name, info, WHOLE)
        still = CameraMotion.still(folder.name, detections.num_frames)
        return Footage(folder.name, detections, still, no_embeddings(detections), truth, returns, at_border)
    return Footage(
        folder.name,
        Detections.load(artifacts / "detections_raw.npz"),
        CameraMotion.load(artifacts / "camera_motion.npz"),
        Embeddings.load(artifacts / "embeddings.npz"),
        truth,
        returns,
        at_border,
    )


class Memory:
    """The stages on one sequence; what an earlier run worked out with the same parameters is not worked out again.

    Stages named in `blind` are given no embeddings.
    """

    def __init__(self, footage: Footage, blind: Collection[str] = ()) -> None:
        self.footage = footage
        self.known: dict[str, Tracklets] = {}
        self.looks = {stage: no_embeddings(footage.detections) if stage in blind else footage.embeddings for stage in SEEING}

    def run(self, params: Params) -> dict[str, Tracklets]:
        """Level -> tracklets, as the stages would write them."""
        one, levels, made = self.footage, self.until_split(params), self._made
        cut = levels["split"]
        known = constraints(cut, one.corrections)
        merged = made(
            params, "merge", MergeParams,
            lambda p: merge(cut, self.looks["merge"], one.camera_motion, p, one.returns, known.must, known.cannot)[0],
        )  # fmt: skip
        final = made(
            params, "smooth", SmoothParams, lambda p: smooth(merged, one.detections, one.camera_motion, p, one.at_border)
        )
        return levels | {"merged": merged, "final": final}

    def until_split(self, params: Params) -> dict[str, Tracklets]:
        """The levels before `merge`."""
        one, looks, made = self.footage, self.looks, self._made
        raw = made(params, "track", TrackParams, lambda p: track(one.detections, one.camera_motion, p, EVERYWHERE))
        rows = one.corrections
        trusted = cut_tracklets(raw, rows)
        apart = apart_at_cuts(trusted, rows)
        rewired = made(
            params, "rewire", RewireParams,
            lambda p: rewire(trusted, one.detections, looks["rewire"], one.camera_motion, p, apart)[0],
        )  # fmt: skip
        cut = made(params, "split", SplitParams, lambda p: split(cut_tracklets(rewired, rows), looks["split"], p)[0])
        return {"raw": raw, "rewired": rewired, "split": cut}

    def _made(self, params: Params, stage: str, kind: type[T], make: Callable[[T], Tracklets]) -> Tracklets:
        key = json.dumps([params[section] for section in SECTIONS[: SECTIONS.index(stage) + 1]])
        if key not in self.known:
            self.known[key] = make(make_section(kind, params[stage], stage))
        return self.known[key]


def tally(footage: Footage, tracklets: Tracklets) -> Tally:
    """What TrackEval counts for people."""
    return count(footage.truth, track_boxes(tracklets, 0, EVERYWHERE))
