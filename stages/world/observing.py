"""What a detector would make of a scene: misses and low scores under occlusion, boxes a little off, things taken for people."""

import numpy as np
from numpy.typing import NDArray

from stages.world.rows import Rows
from stages.world.scene import SceneParams

Array = NDArray[np.float64]

HALF_SEEN = (0.1, 0.4)  # visibilities from which somebody can be found, and is found like anybody
CLEAR_SCORE, HIDDEN_LOSS = 0.95, 0.6  # score of who is wholly seen, and what full occlusion takes from it
FALSE_ASPECT = 0.42  # width / height of a false box
MIN_SIDE_PX = 1.0


def observe(truth: Rows, params: SceneParams, camera: str) -> Rows:
    """Detections of the camera of this name, whose people are `truth`; boxes are clipped to the picture."""
    rng = np.random.default_rng([params.seed, 6, *camera.encode()])
    visibility, heights = truth.scores, truth.bboxes[:, 3] - truth.bboxes[:, 1]
    low, high = HALF_SEEN
    found = rng.random(len(visibility)) < (1 - params.detector.miss_rate) * np.clip((visibility - low) / (high - low), 0, 1)
    scores = np.clip(CLEAR_SCORE - HIDDEN_LOSS * (1 - visibility) - rng.gamma(1.5, 0.04, len(visibility)), 0.05, 0.99)
    bboxes = truth.bboxes + params.detector.jitter * heights[:, None] * rng.standard_normal((len(visibility), 4))
    false_frames, false_boxes, false_scores = _false_positives(params, rng)
    frames = np.concatenate([truth.frame_numbers[found], false_frames])
    bboxes = np.concatenate([bboxes[found], false_boxes])
    scores = np.concatenate([scores[found], false_scores])
    bboxes = np.clip(bboxes, 0, np.array([params.width_px, params.height_px] * 2, dtype=np.float64))
    order = np.lexsort((-scores, frames))
    order = order[((bboxes[order, 2:] - bboxes[order, :2]) > MIN_SIDE_PX).all(axis=1)]
    return Rows(frames[order], np.full(len(order), -1), bboxes[order], scores[order])


def _false_positives(params: SceneParams, rng: np.random.Generator) -> tuple[NDArray[np.int64], Array, Array]:
    """Frames (k,), boxes (k, 4) and scores (k,) of boxes with nobody in them, mostly with low scores."""
    frames = np.repeat(np.arange(params.num_frames), rng.poisson(params.detector.false_positives, params.num_frames))
    count = len(frames)
    feet = rng.uniform([0, params.height_px * 0.3], [params.width_px, params.height_px], (count, 2))
    heights = rng.uniform(0.1, 0.4, count) * params.height_px
    half_widths = FALSE_ASPECT * heights / 2
    boxes = np.column_stack([feet[:, 0] - half_widths, feet[:, 1] - heights, feet[:, 0] + half_widths, feet[:, 1]])
    return frames, boxes, np.clip(rng.exponential(0.15, count) + 0.05, 0.05, 0.9)
