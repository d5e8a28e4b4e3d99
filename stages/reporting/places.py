"""Where people went: their ways over the picture and over the ground, and where most of the time was spent."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from stages.boxes import foot_points
from stages.camera import Homography, to_ground
from stages.colors import css_color, identity_color
from stages.contracts.tracklets import Tracklets
from stages.reporting.charts import Chart, literal, make_figure
from stages.reporting.theme import DARK_GROUND
from stages.reporting.words import plural

MAX_WAYS = 200  # tracks drawn, those with most boxes
MAX_POINTS = 12_000  # of all ways together
CELLS_ACROSS = 48
PICTURE_WIDTH_PX = 540  # that heights of charts over the picture are made for


def ways(tracks: Tracklets, points: NDArray[np.float64]) -> dict[int, NDArray[np.float64]]:
    """Track -> (K, 2) points of its way, NaN where it was unseen; every few boxes, the first and the last always.

    `points` (M, 2) are the places of the boxes.
    """
    offsets, ids = tracks.offsets(), tracks.ids
    keep = np.sort(np.argsort(-np.diff(offsets), kind="stable")[:MAX_WAYS])
    step = max(1, int(np.ceil(np.diff(offsets)[keep].sum() / MAX_POINTS))) if len(keep) else 1
    found = {}
    for t in keep.tolist():
        rows = np.arange(offsets[t], offsets[t + 1])
        frames = tracks.frame_numbers[rows]
        starts = np.flatnonzero(np.diff(frames, prepend=frames[0] - 1) > 1)  # first boxes after a gap
        taken = np.unique(np.concatenate([np.arange(0, len(rows), step), starts, starts - 1, [len(rows) - 1]]).astype(np.int64))
        way = points[rows[taken]]
        found[int(ids[t])] = np.insert(way, np.searchsorted(taken, starts), np.nan, axis=0)
    return found


def way_chart(tracks: Tracklets, identities: Mapping[int, int], names: Mapping[int, str], picture: str | None) -> Chart:
    """The ways of people's feet over the picture of the empty place, or over a plain ground."""
    found = ways(tracks, foot_points(tracks.bboxes))
    figure = make_figure(*_lines(found, identities, names, 1), **_over_picture(tracks, picture))
    return Chart("Ways in the picture", _summary(found, identities), figure, _picture_height(tracks))


def ground_chart(
    tracks: Tracklets, identities: Mapping[int, int], names: Mapping[int, str], image_to_ground: Homography
) -> Chart:
    """The ways on the ground plane, in metres."""
    ground = to_ground(foot_points(tracks.bboxes), image_to_ground, (tracks.width_px / 2, tracks.height_px))
    found = ways(tracks, ground)
    figure = make_figure(
        *_lines(found, identities, names, 2),
        plot_bgcolor=DARK_GROUND,
        dragmode="pan",
        showlegend=False,
        hovermode="closest",
        xaxis={"title": {"text": "metres"}, "gridcolor": "#39414f", "zeroline": False},
        yaxis={"title": {"text": "metres"}, "scaleanchor": "x", "gridcolor": "#39414f", "zeroline": False},
    )
    known = ground[np.isfinite(ground).all(axis=1)]
    reach = np.ptp(known, axis=0) if len(known) else np.zeros(2)
    summary = f"{_summary(found, identities)} They cover {reach[0]:.0f} by {reach[1]:.0f} metres."
    return Chart("Ways on the ground", summary, figure, 460)


def presence(tracks: Tracklets) -> tuple[NDArray[np.float64], float]:
    """(rows, columns) seconds that feet stood in each cell of the picture, and a cell's size in px."""
    cell = tracks.width_px / CELLS_ACROSS
    rows = int(np.ceil(tracks.height_px / cell))
    feet = foot_points(tracks.bboxes)
    inside = (feet >= 0).all(axis=1) & (feet[:, 0] < tracks.width_px) & (feet[:, 1] < tracks.height_px)
    columns_, rows_ = (feet[inside] // cell).astype(np.int64).T
    counts = np.bincount(rows_ * CELLS_ACROSS + columns_, minlength=rows * CELLS_ACROSS)
    return counts.reshape(rows, CELLS_ACROSS) / tracks.fps, cell


def presence_chart(tracks: Tracklets, picture: str | None) -> Chart:
    """Where most of the time was spent."""
    seconds, cell = presence(tracks)
    shown = [[round(value, 2) if value else None for value in row] for row in seconds.tolist()]
    trace = go.Heatmap(z=shown, x0=cell / 2, dx=cell, y0=cell / 2, dy=cell, colorscale="YlOrRd", opacity=0.75, zmin=0,
                       zmax=float(np.percentile(seconds[seconds > 0], 98)) if seconds.any() else 1.0, hoverongaps=False,
                       hovertemplate="%{z} s<extra></extra>", colorbar={"title": {"text": "s"}, "thickness": 10})  # fmt: skip
    figure = make_figure(trace, **_over_picture(tracks, picture))
    row, column = np.unravel_index(int(seconds.argmax()), seconds.shape)
    summary = (
        f"People were seen for {seconds.sum():,.1f} seconds altogether, longest around pixel "
        f"({(column + 0.5) * cell:.0f}, {(row + 0.5) * cell:.0f}): {seconds.max():,.1f} s."
    )
    return Chart("Presence", summary, figure, _picture_height(tracks))


def _lines(
    found: Mapping[int, NDArray[np.float64]], identities: Mapping[int, int], names: Mapping[int, str], decimals: int
) -> list[go.Scatter]:
    return [
        go.Scatter(x=np.round(way[:, 0], decimals).astype(np.float32), y=np.round(way[:, 1], decimals).astype(np.float32),
                   mode="lines", name=literal(names[track]), hoverinfo="name", hoverlabel={"namelength": -1},
                   line={"width": 2, "color": css_color(identity_color(identities[track]))})
        for track, way in found.items()
    ]  # fmt: skip


def _over_picture(tracks: Tracklets, picture: str | None) -> dict[str, object]:
    """Layout with axes in pixels, the picture below the traces."""
    image = {"source": picture, "xref": "x", "yref": "y", "x": 0, "y": 0, "sizex": tracks.width_px, "sizey": tracks.height_px,
             "sizing": "stretch", "layer": "below", "opacity": 0.8}  # fmt: skip
    return {
        "images": [image] if picture else [],
        "plot_bgcolor": DARK_GROUND,
        "dragmode": "pan",
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": {"range": [0, tracks.width_px], "showgrid": False, "zeroline": False, "visible": False, "constrain": "domain"},
        "yaxis": {"range": [tracks.height_px, 0], "showgrid": False, "zeroline": False, "visible": False, "scaleanchor": "x",
                  "constrain": "domain"},
    }  # fmt: skip


def _picture_height(tracks: Tracklets) -> int:
    return 40 + min(620, round(PICTURE_WIDTH_PX * tracks.height_px / tracks.width_px))


def _summary(found: Mapping[int, NDArray[np.float64]], identities: Mapping[int, int]) -> str:
    total, drawn = len(set(identities.values())), len({identities[track] for track in found})
    if drawn == total:
        return f"The ways of {plural(total, 'person', 'people')}."
    return f"The ways of the {drawn} people of {total} seen longest."
