"""How much people change their shape: walkers keep theirs, dancers do not, and smoothing would blur what is real motion."""

import numpy as np

from stages.contracts.tracklets import Tracklets

WINDOW_S = 1.0
MIN_HALF_WINDOW = 3  # frames
MIN_CONFIDENCE = 0.6  # of every box in a window: half-hidden people change their boxes, not their shape
MIN_WINDOWS = 20  # fewer say nothing
MAX_WINDOWS = 50_000  # spread over the video; more say nothing new
STEP = 3  # frames from a window to the next: neighbours say the same


def posture_change(tracklets: Tracklets) -> float:
    """Median over windows of a second of the standard deviation of log(width / height); 0 where there is too little to see.

    Within a window the line is taken out, which is walking to or from the camera, and the variance is the covariance of
    neighbouring frames, in which a detector's jitter has no part.
    """
    half = max(round(WINDOW_S * tracklets.fps / 2), MIN_HALF_WINDOW)
    centres = np.arange(half, len(tracklets) - half, STEP)
    first, last = centres - half, centres + half
    whole = (tracklets.tracklet_ids[first] == tracklets.tracklet_ids[last]) & (
        tracklets.frame_numbers[last] - tracklets.frame_numbers[first] == 2 * half
    )
    centres = centres[whole]
    if len(centres) > MAX_WINDOWS:
        centres = centres[np.linspace(0, len(centres) - 1, MAX_WINDOWS).astype(np.int64)]
    lags = np.arange(-half, half + 1)
    rows = centres[:, None] + lags
    sure = (tracklets.confidences[rows] > MIN_CONFIDENCE).all(axis=1)
    boxes = tracklets.bboxes[rows[sure]].astype(np.float64)
    sizes = boxes[..., 2:] - boxes[..., :2]
    sizes = sizes[(sizes > 0).all(axis=(1, 2))]
    if len(sizes) < MIN_WINDOWS:
        return 0.0
    shape = np.log(sizes[..., 0] / sizes[..., 1])
    shape -= shape.mean(axis=1, keepdims=True)
    shape -= lags * (shape @ lags)[:, None] / (lags @ lags)
    covariance = (shape[:, 1:] * shape[:, :-1]).sum(axis=1) / (2 * half)
    return float(np.median(np.sqrt(np.maximum(covariance, 0.0))))
