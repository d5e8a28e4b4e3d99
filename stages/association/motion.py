"""Motion between tracklets: could one person have walked from the end of one to the start of another?

Lengths are in body heights (the box heights of both ends): near and far people, large and small pictures share one scale.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from stages.boxes import foot_points
from stages.contracts.tracklets import Tracklets
from stages.params import Range

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MotionParams:
    """What a walking person can and cannot do."""

    max_speed: Annotated[float, Range(0, 100)]  # body heights per second
    slack: Annotated[float, Range(0, 100)]  # body heights at gap 0: jitter of both ends
    max_height_ratio: Annotated[float, Range(1, 100)]
    window_s: Annotated[float, Range(0.01, 60)]  # of an end, for its velocity
    horizon_s: Annotated[float, Range(0, 3600)]  # beyond it a velocity says nothing


@dataclass(frozen=True, eq=False)
class Ends:
    """First and last moments of T tracklets."""

    first_frames: NDArray[np.int64]  # (T,)
    last_frames: NDArray[np.int64]  # (T,)
    first_points: Array  # (T, 2) foot point, px
    last_points: Array  # (T, 2)
    first_velocities: Array  # (T, 2) px per frame
    last_velocities: Array  # (T, 2)
    first_heights: Array  # (T,) px
    last_heights: Array  # (T,)


def ends_of(tracklets: Tracklets, window_s: float) -> Ends:
    """The ends of all tracklets, smoothed by a straight line through the rows within `window_s` of each end."""
    offsets = tracklets.offsets()
    feet = foot_points(tracklets.bboxes)
    heights = (tracklets.bboxes[:, 3] - tracklets.bboxes[:, 1]).astype(np.float64)
    frames = tracklets.frame_numbers.astype(np.int64)
    window = max(round(window_s * tracklets.fps), 1)
    first, last = offsets[:-1], offsets[1:] - 1
    sides = []
    for ends in (first, last):
        points, velocities, sizes = np.zeros((len(ends), 2)), np.zeros((len(ends), 2)), np.zeros(len(ends))
        for t, end in enumerate(ends):
            near = slice(first[t], last[t] + 1)
            rows = np.flatnonzero(np.abs(frames[near] - frames[end]) <= window) + first[t]
            points[t], velocities[t] = _line(frames[rows] - frames[end], feet[rows])
            sizes[t] = max(float(np.median(heights[rows])), 1.0)
        sides.append((points, velocities, sizes))
    (p0, v0, h0), (p1, v1, h1) = sides
    return Ends(frames[first], frames[last], p0, p1, v0, v1, h0, h1)


def _line(times: NDArray[np.int64], points: Array) -> tuple[Array, Array]:
    """Value at time 0 and slope of the least-squares line through points (N, 2)."""
    centred = times - times.mean()
    spread = float((centred**2).sum())
    slope = (centred[:, None] * points).sum(axis=0) / spread if spread > 0 else np.zeros(2)
    return points.mean(axis=0) - slope * times.mean(), slope


@dataclass(frozen=True, eq=False)
class MotionPairs:
    """For pairs of T tracklets, all (T, T) and symmetric."""

    gap_s: Array  # from the end of the earlier to the start of the later; NaN where neither ends before the other starts
    impossible: NDArray[np.bool_]  # too fast, or of another size
    misfit: Array  # body heights between where the two ends point to and where they are, the mean of both ways


def motion_pairs(ends: Ends, fps: float, params: MotionParams) -> MotionPairs:
    """Motion between all pairs of tracklets."""
    gap = (ends.first_frames[None, :] - ends.last_frames[:, None]).astype(np.float64)
    ordered = gap > 0
    height = (ends.last_heights[:, None] + ends.first_heights[None, :]) / 2
    step = ends.first_points[None, :] - ends.last_points[:, None]
    moved = np.linalg.norm(step, axis=2) / height
    ratio = ends.last_heights[:, None] / ends.first_heights[None, :]
    impossible = moved > params.slack + params.max_speed * gap / fps
    impossible |= np.maximum(ratio, 1 / ratio) > params.max_height_ratio
    reach = np.clip(gap, 0, params.horizon_s * fps)[..., None]
    forward = np.linalg.norm(step - ends.last_velocities[:, None] * reach, axis=2)
    backward = np.linalg.norm(step - ends.first_velocities[None, :] * reach, axis=2)
    misfit = (forward + backward) / 2 / height
    return MotionPairs(
        _both_ways(np.where(ordered, gap / fps, np.nan)),
        (impossible & ordered) | (impossible & ordered).T,
        _both_ways(np.where(ordered, misfit, np.nan)),
    )


def _both_ways(upper: Array) -> Array:
    """The table made symmetric: NaN where both entries are; at most one of the two is a number."""
    return np.where(np.isnan(upper), upper.T, upper)


def coexisting(tracklets: Tracklets) -> NDArray[np.bool_]:
    """(T, T) whether two tracklets are seen in one frame: then they are two people. False on the diagonal."""
    position = np.searchsorted(tracklets.ids, tracklets.tracklet_ids)
    together = np.zeros((len(tracklets.ids),) * 2, dtype=bool)
    by_frame = np.argsort(tracklets.frame_numbers, kind="stable")
    cuts = np.flatnonzero(np.diff(tracklets.frame_numbers[by_frame])) + 1
    for rows in np.split(position[by_frame], cuts):
        together[np.ix_(rows, rows)] = True
    np.fill_diagonal(together, False)
    return together
