"""A chart: a Plotly figure with a title, and a sentence that says what it shows to whoever cannot see it."""

from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

MARGIN = {"l": 8, "r": 8, "t": 30, "b": 8}
BELOW = {"yref": "container", "y": 0, "yanchor": "bottom"}  # a legend out of the way of the buttons to zoom


@dataclass(frozen=True, eq=False)
class Chart:
    """What a page shows of some data. `seeks`: a click jumps the video to its x, in seconds; `steered`: keys do, to the stops
    of the lanes in the figure's `meta`."""

    title: str
    summary: str
    figure: go.Figure
    height_px: int
    seeks: bool = False
    steered: bool = False


def literal(text: str) -> str:
    """A name that people gave, as Plotly shows it letter by letter: it takes tags and entities in texts for its own."""
    return escape(text, quote=False)


def make_figure(*traces: Any, **layout: Any) -> go.Figure:
    """A figure without colours of its own for text and ground: the page's theme has them."""
    return go.Figure(list(traces), {"template": go.layout.Template(), "margin": MARGIN, "dragmode": False, **layout})
