"""When each person was seen: a lane an identity, shaded by confidence, with tracklets and decisions marked on it.

An identity may have several tracks, which `identify` knew again. Lanes come in pages of people who were seen one after the
other; time is binned, so that hours weigh no more than minutes.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from stages.contracts.tracklets import Tracklets
from stages.lineage import Piece
from stages.reporting.charts import BELOW, Chart, literal, make_figure
from stages.reporting.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, clear
from stages.reporting.words import plural

LANES_PER_CHART, MAX_CHARTS = 40, 6
MAX_BINS = 1200  # columns of a chart
LANE_PX = 22
LABEL_LETTERS = 20  # of a lane's name beside it: a name of 64 would leave a telephone no room for the lane
AMBER = clear(ORANGE, 0.8)
CLEAR, FAINT, FULL = (clear(BLUE, opacity) for opacity in (0, 0.15, 1))
KEY = {"detected": BLUE, "interpolated": ORANGE, "joined": GREY}  # what a lane shows
SHADES = [[0, CLEAR], [0.009, CLEAR], [0.01, FAINT], [1, FULL]]  # of percent; 0: not seen
SYMBOLS = {
    "join": ("triangle-right", GREEN),
    "cut": ("x", PURPLE),
    "exchange": ("diamond", "#00a3a3"),
    "return": ("star", INK),
    "ID switch": ("circle-x", RED),
}


@dataclass(frozen=True)
class Moment:
    """Something that happened to a track in a frame."""

    name: str  # of what happened: the same on each track that it happened to
    kind: str  # a key of SYMBOLS
    track: int
    frame_number: int
    text: str


@dataclass(frozen=True)
class Lane:
    """One identity: what people call it, and its tracks by time."""

    name: str
    tracks: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Shades:
    """Shades of L lanes over B bins of `bin_frames` frames from `first_frame` on."""

    first_frame: int
    bin_frames: int
    confidences: NDArray[np.float64]  # (L, B) mean of detected boxes, NaN where there are none
    interpolated: NDArray[np.bool_]  # (L, B) boxes that no detection stands for, and no others


def make_lanes(tracks: Tracklets, identities: Mapping[int, int], names: Mapping[int, str]) -> list[Lane]:
    """A lane an identity, by when it was first seen. `identities` and `names` are those of the tracks."""
    first_frames = tracks.frame_numbers[tracks.offsets()[:-1]]
    found: dict[int, list[int]] = {}
    for track in tracks.ids[np.argsort(first_frames, kind="stable")].tolist():
        found.setdefault(identities[track], []).append(track)
    return [Lane(names[mine[0]], tuple(mine)) for mine in found.values()]


def shade(tracks: Tracklets, lanes: Sequence[Lane]) -> Shades:
    """The shades of these lanes, over the time in which one of them was seen."""
    lane = _lane_numbers(lanes)
    rows = np.flatnonzero(np.isin(tracks.tracklet_ids, list(lane)))
    frames = tracks.frame_numbers[rows].astype(np.int64)
    first, last = int(frames.min()), int(frames.max())
    width = math.ceil((last - first + 1) / MAX_BINS)
    shape = (len(lanes), (last - first) // width + 1)
    cells = np.array([lane[int(track)] for track in tracks.tracklet_ids[rows]]) * shape[1] + (frames - first) // width
    detected = tracks.detection_indices[rows] >= 0
    size = shape[0] * shape[1]
    sums = np.bincount(cells[detected], tracks.confidences[rows][detected].astype(np.float64), size)
    counts = np.bincount(cells[detected], minlength=size)
    means = np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
    filled = (np.bincount(cells[~detected], minlength=size) > 0) & (counts == 0)
    return Shades(first, width, means.reshape(shape), filled.reshape(shape))


def timeline_charts(
    tracks: Tracklets, lanes: Sequence[Lane], pieces: Mapping[int, list[Piece]], moments: Sequence[Moment]
) -> tuple[list[Chart], int]:
    """The charts, and how many people they leave out: those with fewest boxes. `pieces` are what tracks were joined from."""
    boxes = dict(zip(tracks.ids.tolist(), np.diff(tracks.offsets()).tolist(), strict=True))
    totals = np.array([sum(boxes[track] for track in lane.tracks) for lane in lanes])
    keep = np.sort(np.argsort(-totals, kind="stable")[: LANES_PER_CHART * MAX_CHARTS]).tolist()
    shown = [lanes[k] for k in keep]
    charts = [
        _chart(tracks, shown[start : start + LANES_PER_CHART], pieces, moments)
        for start in range(0, len(shown), LANES_PER_CHART)
    ]
    return charts, len(lanes) - len(shown)


def _chart(tracks: Tracklets, lanes: Sequence[Lane], pieces: Mapping[int, list[Piece]], moments: Sequence[Moment]) -> Chart:
    shades, fps, lane = shade(tracks, lanes), tracks.fps, _lane_numbers(lanes)
    moments = [moment for moment in moments if moment.track in lane]
    starts, ids = tracks.offsets(), tracks.ids.tolist()
    ends = dict(zip(ids, zip(tracks.frame_numbers[starts[:-1]].tolist(), tracks.frame_numbers[starts[1:] - 1].tolist(),
                             strict=True), strict=True))  # fmt: skip
    first_s = shades.first_frame / fps
    bin_s = shades.bin_frames / fps
    last_s = first_s + bin_s * shades.confidences.shape[1]
    traces = [
        go.Heatmap(z=percent(shades.confidences), x0=first_s + bin_s / 2, dx=bin_s, zmin=0, zmax=100,
                   colorscale=SHADES, showscale=False, ygap=5, name="detected",
                   hovertemplate="%{x:.2f} s: confidence %{z} % (0: not seen)<extra></extra>"),
        _interpolated(shades, fps),
        _tracklet_lines(lane, pieces, fps),
        *(_marks(kind, lanes, moments, fps) for kind in SYMBOLS),
    ]  # fmt: skip
    figure = make_figure(
        *[trace for trace in traces if trace is not None],
        dragmode="zoom",
        legend=BELOW,
        hovermode="closest",
        xaxis={"title": {"text": "seconds"}, "range": [first_s, last_s]},
        yaxis={"tickvals": list(range(len(lanes))), "ticktext": [literal(_short(lane.name)) for lane in lanes],
               "range": [len(lanes) - 0.4, -0.6], "fixedrange": True, "showgrid": False, "zeroline": False},
        meta={"lanes": [{"name": lane.name, "stops": _stops(lane, ends, moments, fps)} for lane in lanes]},
    )  # fmt: skip
    happened = Counter({moment.name: moment.kind for moment in moments}.values())  # once, on however many lanes
    counts = ", ".join(f"{happened[kind]} × {kind}" for kind in SYMBOLS)  # noqa: RUF001
    return Chart(
        "Who was seen when",
        f"{plural(len(lanes), 'person', 'people')} from {first_s:.1f} to {last_s:.1f} s; {counts}.",
        figure,
        130 + LANE_PX * len(lanes),
        seeks=True,
        steered=True,
    )


def _short(name: str) -> str:
    return name if len(name) <= LABEL_LETTERS else f"{name[: LABEL_LETTERS - 1]}…"


def _lane_numbers(lanes: Sequence[Lane]) -> dict[int, int]:
    """Track -> number of its lane."""
    return {track: number for number, lane in enumerate(lanes) for track in lane.tracks}


def _stops(lane: Lane, ends: Mapping[int, tuple[int, int]], moments: Sequence[Moment], fps: float) -> list[tuple[float, str]]:
    """Second and text of what happens in the lane, by time: where keys take the video. `ends`: track -> first, last frame."""
    found = [(moment.frame_number, f"{moment.kind}: {moment.text}") for moment in moments if moment.track in lane.tracks]
    found += [(ends[lane.tracks[0]][0], "first seen"), (ends[lane.tracks[-1]][1], "last seen")]
    found += [(ends[track][1], "lost") for track in lane.tracks[:-1]]
    return [(round(frame / fps, 3), text) for frame, text in sorted(found)]


def percent(confidences: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Whole percent from 1 to 100, and 0 where there is nothing (NaN): a byte a cell."""
    return np.where(np.isnan(confidences), 0, np.clip(np.rint(100 * np.nan_to_num(confidences)), 1, 100)).astype(np.uint8)


def _interpolated(shades: Shades, fps: float) -> go.Scatter:
    """A bar a run of bins."""
    edges = np.diff(shades.interpolated.astype(np.int8), axis=1, prepend=0, append=0)
    (lanes, starts), stops = np.nonzero(edges > 0), np.nonzero(edges < 0)[1]
    x: list[float | None] = []
    y: list[float | None] = []
    for lane, start, stop in zip(lanes.tolist(), starts.tolist(), stops.tolist(), strict=True):
        x += [round((shades.first_frame + k * shades.bin_frames) / fps, 3) for k in (start, stop)] + [None]
        y += [lane, lane, None]
    return go.Scatter(x=x, y=y, mode="lines", name="interpolated", line={"color": AMBER, "width": LANE_PX - 6},
                      showlegend=False, hovertemplate="%{x:.2f} s: interpolated<extra></extra>")  # fmt: skip


def _tracklet_lines(lane: Mapping[int, int], pieces: Mapping[int, list[Piece]], fps: float) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for track, number in lane.items():
        for piece in pieces.get(track, ()):
            first_s, last_s = piece.first_frame / fps, piece.last_frame / fps
            x += [first_s, last_s, None]
            y += [number + 0.43, number + 0.43, None]
            text += [f"tracklet {piece.tracklet_id}: {first_s:.2f} to {last_s:.2f} s"] * 3
    return go.Scatter(x=x, y=y, text=text, mode="lines+markers", name="tracklets", line={"color": GREY, "width": 2},
                      marker={"symbol": "line-ns", "size": 6, "line": {"color": GREY, "width": 2}},
                      hovertemplate="%{text}<extra></extra>")  # fmt: skip


def _marks(kind: str, lanes: Sequence[Lane], moments: Sequence[Moment], fps: float) -> go.Scatter | None:
    lane, found = _lane_numbers(lanes), [moment for moment in moments if moment.kind == kind]
    if not found:
        return None
    symbol, color = SYMBOLS[kind]
    return go.Scatter(
        x=[moment.frame_number / fps for moment in found],
        y=[lane[moment.track] for moment in found],
        text=[
            f"{kind} of {literal(lanes[lane[moment.track]].name)} in frame {moment.frame_number}: {moment.text}"
            for moment in found
        ],
        mode="markers",
        name=kind,
        marker={"symbol": symbol, "color": color, "size": 11, "line": {"color": "#ffffff", "width": 1}},
        hovertemplate="%{text}<extra></extra>",
    )
