"""When each person was seen: a lane an identity, shaded by confidence, with tracklets and decisions marked on it.

Lanes come in pages of people who were seen one after the other; time is binned, so that hours weigh no more than minutes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets
from stages.decisions import NOBODY, owners
from stages.reporting.charts import BELOW, Chart, make_figure
from stages.reporting.theme import GREEN, GREY, PURPLE, RED

LANES_PER_CHART, MAX_CHARTS = 40, 6
MAX_BINS = 1200  # columns of a chart
LANE_PX = 22
BLUES = [[0, "rgba(40,135,210,0.15)"], [1, "rgba(40,135,210,1)"]]
AMBER = [[0, "rgba(230,159,0,0.75)"], [1, "rgba(230,159,0,0.75)"]]
SYMBOLS = {
    "join": ("triangle-right", GREEN),
    "cut": ("x", PURPLE),
    "exchange": ("diamond", "#00a3a3"),
    "ID switch": ("circle-x", RED),
}


@dataclass(frozen=True)
class Moment:
    """Something that happened to a track in a frame."""

    kind: str  # a key of SYMBOLS
    track: int
    frame_number: int
    text: str


@dataclass(frozen=True, eq=False)
class Lanes:
    """Shades of T tracks over B bins of `bin_frames` frames from `first_frame` on."""

    first_frame: int
    bin_frames: int
    confidences: NDArray[np.float64]  # (T, B) mean of detected boxes, NaN where there are none
    interpolated: NDArray[np.bool_]  # (T, B) boxes that no detection stands for, and no others


def make_lanes(tracks: Tracklets, ids: Sequence[int]) -> Lanes:
    """The shades of these tracks, over the time in which one of them was seen."""
    rows = np.flatnonzero(np.isin(tracks.tracklet_ids, ids))
    frames = tracks.frame_numbers[rows].astype(np.int64)
    first, last = int(frames.min()), int(frames.max())
    width = math.ceil((last - first + 1) / MAX_BINS)
    shape = (len(ids), (last - first) // width + 1)
    lane = {track: number for number, track in enumerate(ids)}
    cells = np.array([lane[int(track)] for track in tracks.tracklet_ids[rows]]) * shape[1] + (frames - first) // width
    detected = tracks.detection_indices[rows] >= 0
    size = shape[0] * shape[1]
    sums = np.bincount(cells[detected], tracks.confidences[rows][detected].astype(np.float64), size)
    counts = np.bincount(cells[detected], minlength=size)
    means = np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
    filled = (np.bincount(cells[~detected], minlength=size) > 0) & (counts == 0)
    return Lanes(first, width, means.reshape(shape), filled.reshape(shape))


def timeline_charts(
    tracks: Tracklets, split: Tracklets, names: Mapping[int, int], moments: Sequence[Moment]
) -> tuple[list[Chart], int]:
    """The charts, and how many tracks they leave out: those with fewest boxes. `names` are the identities of tracks."""
    offsets, ids = tracks.offsets(), tracks.ids
    keep = np.sort(np.argsort(-np.diff(offsets), kind="stable")[: LANES_PER_CHART * MAX_CHARTS])
    ordered = keep[np.argsort(tracks.frame_numbers[offsets[keep]], kind="stable")]
    pieces = _pieces(tracks, split)
    charts = []
    for start in range(0, len(ordered), LANES_PER_CHART):
        lanes = [int(track) for track in ids[ordered[start : start + LANES_PER_CHART]]]
        charts.append(_chart(tracks, lanes, pieces, names, moments))
    return charts, len(ids) - len(ordered)


def _chart(
    tracks: Tracklets,
    ids: Sequence[int],
    pieces: Mapping[int, list[tuple[int, int, int]]],
    names: Mapping[int, int],
    moments: Sequence[Moment],
) -> Chart:
    shades, fps = make_lanes(tracks, ids), tracks.fps
    grid = {
        "x0": (shades.first_frame + (shades.bin_frames - 1) / 2) / fps,
        "dx": shades.bin_frames / fps,
        "ygap": 5,
        "hoverongaps": False,
    }
    percent = [[None if math.isnan(c) else round(100 * c) for c in row] for row in shades.confidences.tolist()]
    filled = [[1 if cell else None for cell in row] for row in shades.interpolated.tolist()]
    first_s = shades.first_frame / fps
    last_s = first_s + shades.bin_frames * shades.confidences.shape[1] / fps
    who = [f"person {names[track]}" for track in ids]
    traces = [
        go.Heatmap(z=percent, zmin=0, zmax=100, colorscale=BLUES, showscale=False, name="detected",
                   hovertemplate="%{x:.2f} s: confidence %{z} %<extra></extra>", **grid),
        go.Heatmap(z=filled, colorscale=AMBER, showscale=False, name="interpolated",
                   hovertemplate="%{x:.2f} s: interpolated<extra></extra>", **grid),
        _tracklet_lines(ids, pieces, fps),
        *(_marks(kind, ids, names, moments, fps) for kind in SYMBOLS),
    ]  # fmt: skip
    figure = make_figure(
        *[trace for trace in traces if trace is not None],
        dragmode="zoom", legend=BELOW,
        hovermode="closest",
        xaxis={"title": {"text": "seconds"}, "range": [first_s, last_s]},
        yaxis={"tickvals": list(range(len(ids))), "ticktext": who, "range": [len(ids) - 0.4, -0.6], "fixedrange": True,
               "showgrid": False, "zeroline": False},
    )  # fmt: skip
    shown = [moment for moment in moments if moment.track in set(ids)]
    counts = ", ".join(f"{sum(moment.kind == kind for moment in shown)} × {kind}" for kind in SYMBOLS)  # noqa: RUF001
    return Chart(
        "Who was seen when",
        f"{len(ids)} people from {first_s:.1f} to {last_s:.1f} s; {counts}.",
        figure,
        130 + LANE_PX * len(ids),
        seeks=True,
    )


def _pieces(tracks: Tracklets, split: Tracklets) -> dict[int, list[tuple[int, int, int]]]:
    """Final track -> (tracklet, first frame, last frame) of the tracklets that it was joined from."""
    final = np.append(owners(tracks), NOBODY)
    offsets = split.offsets()
    pieces: dict[int, list[tuple[int, int, int]]] = {}
    for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        claimed = np.minimum(split.detection_indices[a:b], len(final) - 1)
        for track in np.unique(final[claimed][final[claimed] != NOBODY]).tolist():
            found = (int(split.tracklet_ids[a]), int(split.frame_numbers[a]), int(split.frame_numbers[b - 1]))
            pieces.setdefault(int(track), []).append(found)
    return pieces


def _tracklet_lines(ids: Sequence[int], pieces: Mapping[int, list[tuple[int, int, int]]], fps: float) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for lane, track in enumerate(ids):
        for tracklet, first, last in pieces.get(track, ()):
            x += [first / fps, last / fps, None]
            y += [lane + 0.43, lane + 0.43, None]
            text += [f"tracklet {tracklet}: {first / fps:.2f} to {last / fps:.2f} s"] * 3
    return go.Scatter(x=x, y=y, text=text, mode="lines+markers", name="tracklets", line={"color": GREY, "width": 2},
                      marker={"symbol": "line-ns", "size": 6, "line": {"color": GREY, "width": 2}},
                      hovertemplate="%{text}<extra></extra>")  # fmt: skip


def _marks(kind: str, ids: Sequence[int], names: Mapping[int, int], moments: Sequence[Moment], fps: float) -> go.Scatter | None:
    lane = {track: number for number, track in enumerate(ids)}
    found = [moment for moment in moments if moment.kind == kind and moment.track in lane]
    if not found:
        return None
    symbol, color = SYMBOLS[kind]
    return go.Scatter(
        x=[moment.frame_number / fps for moment in found],
        y=[lane[moment.track] for moment in found],
        text=[f"{kind} of person {names[moment.track]} in frame {moment.frame_number}: {moment.text}" for moment in found],
        mode="markers",
        name=kind,
        marker={"symbol": symbol, "color": color, "size": 11, "line": {"color": "#ffffff", "width": 1}},
        hovertemplate="%{text}<extra></extra>",
    )
