"""A comparison as a page that stands alone: the reliability diagram, how many decisions there are, and the tables below it."""

from html import escape

import plotly.graph_objects as go

from stages.calibration.comparing import Comparison, figures_table, fit_line, reliability_table
from stages.calibration.reliability import BINS, Array, Bools, calibration_error, reliability
from stages.reporting.curves import reliability_figure
from stages.reporting.theme import THEMES
from stages.reporting.words import capital

TODAY, OTHERS = "today", "by a fit to the other sequences"
HEIGHT_PX = 640
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Reliability of merge's probabilities · Retrace</title>
<style>
body {{ max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1b1f26; background: #ffffff; }}
body {{ font: 15px/1.5 system-ui, sans-serif; }}
pre {{ overflow-x: auto; padding: 0.75rem; background: #eef0f4; }}
</style>
</head>
<body>
<main>
<h1>Reliability of merge's probabilities</h1>
<p>{summary}</p>
{chart}
<p>Of pairs that were given a probability of 0.8 of being one person, four of five should be: points on the dotted line are
honest, below it they are overconfident. The upright line through a point is a 95 % interval: where the dotted line crosses it,
the point's decisions, which the bars count, say nothing against the probability.</p>
<pre tabindex="0">{figures}</pre>
<pre tabindex="0">{reliability}</pre>
<p>{fit}.</p>
</main>
</body>
</html>
"""


def page(found: Comparison) -> str:
    """The page; it asks for nothing beside itself."""
    said = curves(found)
    errors = [f"{100 * calibration_error(*curve):.1f} points {name}" for name, curve in said.items()]
    summary = f"{len(found.every):,} decisions judged by ground truth. Probability and truth differ by {', '.join(errors)}."
    drawn = figure(said).to_html(
        full_html=False, include_plotlyjs=True, div_id="reliability", default_height=f"{HEIGHT_PX}px",
        config={"displaylogo": False, "displayModeBar": False, "responsive": True},
    )  # fmt: skip
    return PAGE.format(summary=escape(summary), chart=drawn, figures=escape(figures_table(found)),
                       reliability=escape(reliability_table(found)), fit=escape(capital(fit_line(found))))  # fmt: skip


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
