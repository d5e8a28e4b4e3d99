"""A made-up place with people: who walks where, and what a perfect and an imperfect detector would see of it.

One pinhole camera looks along a ground plane. People cross the picture on slightly curved ways at their own speed; some come
back after an absence, as the same person. Boxes are amodal; visibility is the share of a box inside the picture and not
covered by somebody nearer.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from stages.params import Range

Array = NDArray[np.float64]

CAMERA_HEIGHT_M = 5.0
CAMERA_PITCH_RAD = 0.28  # below the horizon
FOCAL_SHARE = 0.9  # of the picture's width
DEPTHS_M = (9.0, 26.0)  # of people's ways
SPEEDS_MPS = (0.8, 1.7)
HEIGHTS_M = (1.55, 1.95)
BOX_ASPECT = 0.42  # width / height
ABSENCE_S = (2.0, 6.0)
SWAY_M = 0.6  # how far a way bends
MIN_VISIBILITY = 0.05  # below it a person is not in the ground truth
COVER_GRID = (6, 12)  # points of a box that are tested for cover


@dataclass(frozen=True)
class SceneParams:
    """A scene without pixels."""

    seed: Annotated[int, Range(0, 2**32 - 1)]
    width_px: Annotated[int, Range(64, 16_384)]
    height_px: Annotated[int, Range(64, 16_384)]
    fps: Annotated[float, Range(1, 1000)]
    num_frames: Annotated[int, Range(1, 1_000_000)]
    num_people: Annotated[int, Range(0, 1000)]
    return_share: Annotated[float, Range(0, 1)]
    miss_rate: Annotated[float, Range(0, 1)]
    false_positives: Annotated[float, Range(0, 100)]
    jitter: Annotated[float, Range(0, 1)]


@dataclass(frozen=True, eq=False)
class SceneRows:
    """N boxes sorted by frame; `ids` from 1 in the ground truth, -1 in detections."""

    frame_numbers: NDArray[np.int64]  # (N,)
    ids: NDArray[np.int64]  # (N,)
    bboxes: Array  # (N, 4) x1, y1, x2, y2 px
    scores: Array  # (N,) visibility in the ground truth, confidence in detections


@dataclass(frozen=True)
class Camera:
    """A pinhole camera above the origin of the ground plane (X right, Y ahead, Z up; metres)."""

    width_px: int
    height_px: int

    def projection(self) -> Array:
        """(3, 4) world metres to pixels, homogeneous: K [R | -R c]."""
        focal = FOCAL_SHARE * self.width_px
        intrinsics = np.array([[focal, 0, self.width_px / 2], [0, focal, self.height_px / 2], [0, 0, 1]])
        sin, cos = np.sin(CAMERA_PITCH_RAD), np.cos(CAMERA_PITCH_RAD)
        rotation = np.array([[1, 0, 0], [0, -sin, -cos], [0, cos, -sin]])
        centre = np.array([[0.0], [0.0], [CAMERA_HEIGHT_M]])
        return np.asarray(intrinsics @ np.hstack([rotation, -rotation @ centre]))

    def image_to_ground(self) -> Array:
        """(3, 3) homography from pixels to metres on the ground plane."""
        return np.asarray(np.linalg.inv(self.projection()[:, [0, 1, 3]]))

    def boxes(self, ground_m: Array, heights_m: Array) -> Array:
        """(N, 4) boxes of people standing at ground points (N, 2) with body heights (N,)."""
        feet = self._project(np.column_stack([ground_m, np.zeros(len(ground_m))]))
        heads = self._project(np.column_stack([ground_m, heights_m]))
        half_width = BOX_ASPECT * (feet[:, 1] - heads[:, 1]) / 2
        return np.column_stack([feet[:, 0] - half_width, heads[:, 1], feet[:, 0] + half_width, feet[:, 1]])

    def _project(self, points_m: Array) -> Array:
        homogeneous = np.column_stack([points_m, np.ones(len(points_m))]) @ self.projection().T
        return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:])


def simulate(params: SceneParams) -> tuple[SceneRows, SceneRows]:
    """Ground truth and detections of a scene; the same for the same parameters."""
    rng = np.random.default_rng(params.seed)
    truth = _ground_truth(params, rng)
    return truth, _detections(truth, params, rng)


def _ground_truth(params: SceneParams, rng: np.random.Generator) -> SceneRows:
    """Everybody's boxes and visibilities."""
    camera = Camera(params.width_px, params.height_px)
    ids, frames, boxes = [], [], []
    next_id = 1
    for _ in range(params.num_people):  # a place that is taken by one person after the other
        start_s = -rng.uniform(0, 20.0)
        height_m, come_back = rng.uniform(*HEIGHTS_M), False
        side = rng.choice([-1.0, 1.0])
        while start_s < params.num_frames / params.fps:
            times_s, ground_m = _walk(start_s, side, params.fps, rng)
            ids.append(np.full(len(times_s), next_id))
            frames.append(np.round(times_s * params.fps).astype(np.int64))
            boxes.append(camera.boxes(ground_m, np.full(len(times_s), height_m)))
            start_s = times_s[-1] + rng.uniform(*ABSENCE_S)
            come_back = not come_back and rng.random() < params.return_share
            if come_back:
                side = -side  # back from where the person left
            else:
                next_id += 1
                height_m, side = rng.uniform(*HEIGHTS_M), rng.choice([-1.0, 1.0])
        next_id += 1
    return _visible(params, _joined(ids), _joined(frames), boxes)


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _walk(start_s: float, side: float, fps: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Times (F,) on the frame grid and ground points (F, 2) of one way across the picture, from `side` to the other."""
    depths = rng.uniform(*DEPTHS_M, 2)
    reach = 0.5 / FOCAL_SHARE * 1.15  # half the picture's width per metre of depth, and a little more
    start, end = np.array([side * reach * depths[0], depths[0]]), np.array([-side * reach * depths[1], depths[1]])
    seconds = np.linalg.norm(end - start) / rng.uniform(*SPEEDS_MPS)
    first = int(np.ceil(start_s * fps))
    times_s = np.arange(first, first + max(int(seconds * fps), 2)) / fps
    share = (times_s - start_s) / seconds
    bend = SWAY_M * np.sin(2 * np.pi * (share * rng.uniform(0.5, 2.0) + rng.random()))
    return times_s, start + share[:, None] * (end - start) + np.column_stack([np.zeros_like(bend), bend])


def _visible(params: SceneParams, ids: NDArray[np.int64], frames: NDArray[np.int64], boxes: list[Array]) -> SceneRows:
    """The rows inside the video and the picture, sorted by frame, with their visibility."""
    bboxes = np.concatenate(boxes) if boxes else np.zeros((0, 4))
    keep = (frames >= 0) & (frames < params.num_frames)
    ids, frames, bboxes = ids[keep], frames[keep], bboxes[keep]
    order = np.lexsort((ids, frames))
    ids, frames, bboxes = ids[order], frames[order], bboxes[order]
    visibility = np.zeros(len(ids))
    offsets = np.searchsorted(frames, np.arange(params.num_frames + 1))
    for start, stop in zip(offsets[:-1], offsets[1:], strict=True):
        visibility[start:stop] = _visibility(bboxes[start:stop], params.width_px, params.height_px)
    seen = visibility >= MIN_VISIBILITY
    return SceneRows(frames[seen], ids[seen], bboxes[seen], visibility[seen])


def _visibility(bboxes: Array, width_px: int, height_px: int) -> Array:
    """(N,) share of each box (N, 4) of one frame inside the picture and not covered by a nearer one (lower edge below)."""
    across, down = (np.arange(n) + 0.5 for n in COVER_GRID)
    grid = np.stack(np.meshgrid(across / COVER_GRID[0], down / COVER_GRID[1]), axis=-1).reshape(-1, 2)
    points = bboxes[:, None, :2] + grid * (bboxes[:, None, 2:] - bboxes[:, None, :2])
    inside = ((points >= 0) & (points < [width_px, height_px])).all(axis=2)
    covers = ((points[:, None] >= bboxes[None, :, None, :2]) & (points[:, None] < bboxes[None, :, None, 2:])).all(axis=3)
    nearer = bboxes[None, :, 3] > bboxes[:, None, 3]
    return np.asarray((inside & ~(covers & nearer[:, :, None]).any(axis=1)).mean(axis=1))


def _detections(truth: SceneRows, params: SceneParams, rng: np.random.Generator) -> SceneRows:
    """What a detector would make of it: misses and low scores under occlusion, jitter, false positives."""
    visibility, heights = truth.scores, truth.bboxes[:, 3] - truth.bboxes[:, 1]
    found = rng.random(len(visibility)) < (1 - params.miss_rate) * np.clip((visibility - 0.1) / 0.3, 0, 1)
    scores = np.clip(0.95 - 0.6 * (1 - visibility) - rng.gamma(1.5, 0.04, len(visibility)), 0.05, 0.99)
    bboxes = truth.bboxes + params.jitter * heights[:, None] * rng.standard_normal((len(visibility), 4))
    false_frames = np.repeat(np.arange(params.num_frames), rng.poisson(params.false_positives, params.num_frames))
    count = len(false_frames)
    feet = rng.uniform([0, params.height_px * 0.3], [params.width_px, params.height_px], (count, 2))
    height = rng.uniform(0.1, 0.4, count) * params.height_px
    half_width = BOX_ASPECT * height / 2
    false_boxes = np.column_stack([feet[:, 0] - half_width, feet[:, 1] - height, feet[:, 0] + half_width, feet[:, 1]])
    frames = np.concatenate([truth.frame_numbers[found], false_frames])
    bboxes = np.concatenate([bboxes[found], false_boxes])
    scores = np.concatenate([scores[found], np.clip(rng.exponential(0.15, count) + 0.05, 0.05, 0.9)])
    limits = np.array([params.width_px, params.height_px] * 2, dtype=np.float64)
    bboxes = np.clip(bboxes, 0, limits)
    order = np.lexsort((-scores, frames))
    order = order[((bboxes[order, 2:] - bboxes[order, :2]) > 1).all(axis=1)]
    return SceneRows(frames[order], np.full(len(order), -1), bboxes[order], scores[order])
