"""How many people there were in each frame: detected and tracked."""

import math

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from stages.contracts.detections import Detections
from stages.contracts.tracklets import Tracklets
from stages.reporting.charts import BELOW, Chart, make_figure
from stages.reporting.theme import BLUE, GREY, ORANGE

MAX_BINS = 600


def binned_counts(frame_numbers: NDArray[np.int32], num_frames: int) -> tuple[NDArray[np.float64], int]:
    """(B,) mean number of rows a frame in each bin, and a bin's frames; the last bin may be shorter."""
    width = max(1, math.ceil(num_frames / MAX_BINS))
    counts = np.bincount(frame_numbers, minlength=num_frames).astype(np.float64)
    starts = np.arange(0, num_frames, width)
    return np.add.reduceat(counts, starts) / np.minimum(width, num_frames - starts) if num_frames else counts, width


def crowd_chart(detections: Detections, tracks: Tracklets, high_confidence: float) -> Chart:
    """Detections of any confidence, those at least so confident, and boxes of the final tracks."""
    high = detections.confidences >= np.float32(high_confidence)
    series = {
        "all detections": (detections.frame_numbers, GREY),
        f"confidence {high_confidence:g} or more": (detections.frame_numbers[high], ORANGE),
        "in final tracks": (tracks.frame_numbers, BLUE),
    }
    traces = []
    for name, (frames, color) in series.items():
        means, width = binned_counts(frames, tracks.num_frames)
        seconds = (np.arange(len(means)) * width + (width - 1) / 2) / tracks.fps
        traces.append(go.Scatter(x=np.round(seconds, 3), y=np.round(means, 2), mode="lines", name=name,
                                 line={"color": color, "width": 1.5}))  # fmt: skip
    figure = make_figure(*traces, dragmode="zoom", legend=BELOW, hovermode="x unified",
                         xaxis={"title": {"text": "seconds"}},
                         yaxis={"title": {"text": "boxes a frame"}, "rangemode": "tozero"})  # fmt: skip
    frames_ = max(tracks.num_frames, 1)
    summary = (
        f"On average {len(detections) / frames_:.1f} detections a frame, {high.sum() / frames_:.1f} of them with confidence "
        f"{high_confidence:g} or more, and {len(tracks) / frames_:.1f} boxes in final tracks."
    )
    return Chart("Detections per frame", summary, figure, 280, seeks=True)
