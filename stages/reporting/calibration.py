"""A comparison as a page that stands alone: the reliability diagram, how many decisions there are, and the tables below it."""

import plotly.graph_objects as go
from markupsafe import Markup

from stages.calibration.comparing import Comparison, figures_table, fit_line, reliability_table
from stages.calibration.reliability import BINS, Array, Bools, calibration_error, reliability
from stages.reporting.curves import reliability_figure
from stages.reporting.page import render
from stages.reporting.theme import THEMES

TODAY, OTHERS = "today", "by a fit to the other sequences"
HEIGHT_PX = 640


def page(found: Comparison) -> str:
    """The page; it asks for nothing beside itself."""
    said = curves(found)
    errors = [f"{100 * calibration_error(*curve):.1f} points {name}" for name, curve in said.items()]
    summary = f"{len(found.every):,} decisions judged by ground truth. Probability and truth differ by {', '.join(errors)}."
    drawn = figure(said).to_html(
        full_html=False, include_plotlyjs=True, div_id="reliability", default_height=f"{HEIGHT_PX}px",
        config={"displaylogo": False, "displayModeBar": False, "responsive": True},
    )  # fmt: skip
    return render("calibration", root="", summary=summary, chart=Markup(drawn), figures=figures_table(found),
                  reliability=reliability_table(found), fit=fit_line(found))  # fmt: skip


def curves(found: Comparison) -> dict[str, tuple[Array, Bools]]:
    """Probabilities and what came true, by today's values and, where a fit to other sequences can be judged, by these."""
    own, said = found.held_out
    today = {TODAY: (found.today.probabilities(found.every.gains), found.every.one_person)}
    return today | ({OTHERS: (said, own.one_person)} if len(own) else {})


def figure(said: dict[str, tuple[Array, Bools]]) -> go.Figure:
    """The reliability diagram, and bars of the decisions in each tenth under it."""
    made = reliability_figure(said)
    for trace, curve in zip(made.data[1:], said.values(), strict=True):
        points = reliability(*curve)
        counts = [count for _, _, count in points.values()]
        made.add_trace(
            go.Bar(x=[(tenth + 0.5) / BINS for tenth in points], y=counts, text=counts, textposition="outside",
                   name=trace.name, marker={"color": trace.line.color}, showlegend=False, yaxis="y2", cliponaxis=False,
                   hovertemplate="%{y} decisions<extra></extra>")
        )  # fmt: skip
    return made.update_layout(
        template={"layout": THEMES["light"]["layout"]},
        xaxis={"anchor": "y2", "dtick": 0.1},
        yaxis={"domain": [0.34, 1], "dtick": 0.2},
        yaxis2={"domain": [0, 0.24], "title": {"text": "decisions"}},
    )
