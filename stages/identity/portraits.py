"""Galleries of tracks: what is known of each person beyond their own camera, small enough to compare with all others.

Looks are views spread evenly over the track; whereabouts are the foot points on the ground at the moments of the clock that the
cameras of a group share, where the camera is calibrated and its clock known; names are those given by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import spread, views_of
from stages.association.pairs import seen_together
from stages.boxes import foot_points
from stages.camera import Homography, to_ground
from stages.clip import ClipParams, source_frames
from stages.contracts.embeddings import Embeddings
from stages.contracts.gallery import MOMENTS_PER_S, Gallery
from stages.contracts.tracklets import Tracklets
from stages.params import Range
from stages.seqinfo import SequenceInfo

ClockOffset = Annotated[float | None, Range(-1e10, 1e10)]  # seconds; null: the clock is not known
MAX_STEP_S = 0.5  # between two boxes of a track, for a place between them
ROUNDING = 1e-6  # of a moment
TOES = 0.03  # of the body height that toes are seen below where a person stands, from above and in front
BORDER_PX = 2.0  # feet so near the lower edge of the picture may be below it


@dataclass(frozen=True)
class PortrayParams:
    """How much is kept of each person."""

    views: Annotated[int, Range(1, 1000)]


def portray(
    tracks: Tracklets,
    embeddings: Embeddings,
    names: Mapping[int, str],
    apart: Sequence[tuple[int, int]],
    image_to_ground: Homography | None,
    times_s: NDArray[np.float64] | None,
    params: PortrayParams,
) -> Gallery:
    """The gallery of the tracks; `names` by track id, `apart` pairs of ids told to be two people, times_s (num_frames,) on the
    group's clock."""
    views = spread(views_of(tracks, embeddings), params.views)
    together = tracks.ids[seen_together(tracks)]
    told = np.array(apart, dtype=np.int32).reshape(-1, 2)
    owners, moments, places = _whereabouts(tracks, image_to_ground, times_s)
    return Gallery(
        tracks.sequence,
        embeddings.model,
        tracks.ids,
        tracks.class_ids[tracks.offsets()[:-1]],
        np.array([names.get(name, "") for name in tracks.ids.tolist()], dtype=str),
        tracks.ids[views.tracklets],
        views.table[views.places],
        np.unique(np.concatenate([together, told]), axis=0),
        owners,
        moments,
        places,
    )


def shared_times(info: SequenceInfo, clip: ClipParams, clock_offset_s: float | None) -> NDArray[np.float64] | None:
    """(num_frames,) seconds of a clip's frames on its group's clock; None where that is not known."""
    return None if clock_offset_s is None else clock_offset_s + np.asarray(source_frames(info, clip), np.float64) / info.fps


def _whereabouts(
    tracks: Tracklets, image_to_ground: Homography | None, times_s: NDArray[np.float64] | None
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    """(P,) track, (P,) moment and (P, 2) place: each track's way on the ground at whole moments, on lines between its boxes."""
    nowhere = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros((0, 2), np.float32)
    if image_to_ground is None or times_s is None or len(tracks) == 0:
        return nowhere
    ground = to_ground(_stances(tracks.bboxes), image_to_ground, (tracks.width_px / 2, tracks.height_px))
    seen = np.isfinite(ground).all(axis=1) & (tracks.bboxes[:, 3] < tracks.height_px - BORDER_PX)
    parts = []
    for start, stop in zip(tracks.offsets()[:-1], tracks.offsets()[1:], strict=True):
        rows = start + np.flatnonzero(seen[start:stop])
        if len(rows):
            moments, places = _at_moments(times_s[tracks.frame_numbers[rows]], ground[rows])
            parts.append((np.full(len(moments), tracks.tracklet_ids[start]), moments, places.astype(np.float32)))
    return tuple(map(np.concatenate, zip(nowhere, *parts, strict=True)))  # type: ignore[return-value]


def _stances(bboxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, 2) px where people stand: two cameras see the toes of one person on two sides of it."""
    stances = foot_points(bboxes)
    stances[:, 1] -= TOES * (bboxes[:, 3] - bboxes[:, 1])
    return stances


def _at_moments(times_s: NDArray[np.float64], ground: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Whole moments (K,) between the first and last of times_s (N,), and places (K, 2) on straight lines between ground (N, 2).

    Moments in a gap longer than MAX_STEP_S are left out.
    """
    first, last = np.ceil(times_s[0] * MOMENTS_PER_S - ROUNDING), np.floor(times_s[-1] * MOMENTS_PER_S + ROUNDING)
    moments = np.arange(first, last + 1).astype(np.int64)
    at = np.clip(moments / MOMENTS_PER_S, times_s[0], times_s[-1])
    before, after = np.searchsorted(times_s, at, side="right") - 1, np.searchsorted(times_s, at)
    near = times_s[after] - times_s[before] <= MAX_STEP_S
    places = np.stack([np.interp(at[near], times_s, ground[:, axis]) for axis in (0, 1)], axis=1)
    return moments[near], places
