"""How sharp and how honest: HOTA over the localisation threshold, probabilities of joins, distances of embeddings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from stages.reporting.charts import Chart, make_figure
from stages.reporting.theme import BLUE, GREEN, GREY, LEVEL_COLORS, RED

RELIABILITY_BINS = 10


def hota_chart(alphas: Sequence[float], levels: Mapping[str, Sequence[float]]) -> Chart:
    """HOTA of every level at each alpha, the overlap from which a box counts as found."""
    traces = [go.Scatter(x=list(alphas), y=list(values), mode="lines+markers", name=level, marker={"size": 5},
                         line={"color": LEVEL_COLORS.get(level), "width": 2.5 if level == "final" else 1.5})
              for level, values in levels.items()]  # fmt: skip
    figure = make_figure(*traces, hovermode="x unified", xaxis={"title": {"text": "alpha (IoU)"}},
                         yaxis={"title": {"text": "HOTA (%)"}, "rangemode": "tozero"})  # fmt: skip
    ends = ", ".join(f"{level} {values[0]:.1f} to {values[-1]:.1f}" for level, values in levels.items())
    summary = f"HOTA at alpha {alphas[0]:g} and at {alphas[-1]:g}: {ends}."
    return Chart("HOTA over alpha", summary, figure, 380)


def reliability(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """(mean probability, share that was right, number) of each tenth of [0, 1] with something in it."""
    bins = np.minimum((probabilities * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)
    return [
        (float(probabilities[bins == k].mean()), float(right[bins == k].mean()), int((bins == k).sum()))
        for k in np.unique(bins).tolist()
    ]


def reliability_chart(joins: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Share of joins that were right over the probability they were given; None where none has both."""
    judged = [join for join in joins if join.get("right") is not None and "probability" in join]
    if not judged:
        return None
    points = reliability(np.array([j["probability"] for j in judged]), np.array([j["right"] for j in judged], dtype=bool))
    means, shares, counts = zip(*points, strict=True)
    traces = [
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", name="honest", line={"color": GREY, "dash": "dot"}, hoverinfo="skip"),
        go.Scatter(x=means, y=shares, mode="lines+markers", name="joins", line={"color": BLUE}, customdata=counts,
                   marker={"size": [6 + 10 * np.sqrt(count / max(counts)) for count in counts]},
                   hovertemplate="said %{x:.2f}, was right in %{y:.0%} of %{customdata}<extra></extra>"),
    ]  # fmt: skip
    figure = make_figure(*traces, xaxis={"title": {"text": "probability"}, "range": [0, 1.02]},
                         yaxis={"title": {"text": "share that was right"}, "range": [0, 1.05]})  # fmt: skip
    error = sum(abs(mean - share) * count for mean, share, count in points) / sum(counts)
    summary = (
        f"{len(judged)} joins judged by ground truth; probability and share differ by {100 * error:.0f} points on average."
    )
    return Chart("Reliability of join probabilities", summary, figure, 380)


def cost_chart(joins: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Costs of joins that were right and that were wrong; None where none was judged."""
    judged = [join for join in joins if join.get("right") is not None and "cost" in join]
    if not judged:
        return None
    costs = {name: [join["cost"] for join in judged if join["right"] is verdict] for name, verdict in
             (("right", True), ("wrong", False))}  # fmt: skip
    edges = {"start": 0, "end": max(join["cost"] for join in judged) * 1.001, "size": max(j["cost"] for j in judged) / 25 or 1}
    traces = [go.Histogram(x=values, name=name, xbins=edges, marker={"color": color})
              for (name, values), color in zip(costs.items(), (GREEN, RED), strict=True)]  # fmt: skip
    figure = make_figure(*traces, barmode="stack", xaxis={"title": {"text": "cost"}}, yaxis={"title": {"text": "joins"}})
    summary = f"{len(costs['right'])} joins were right and {len(costs['wrong'])} wrong, of those that ground truth can judge."
    return Chart("Costs of joins", summary, figure, 320)


def distance_chart(histograms: Sequence[Mapping[str, Any]], people: str) -> Chart | None:
    """Distributions of cosine distances between views of one person and of two, summed over sequences; None without views."""
    same, different = (
        np.sum([h[name] for h in histograms], axis=0) if histograms else np.zeros(0) for name in ("same", "different")
    )
    if not same.sum() or not different.sum():
        return None
    edges = np.array(histograms[0]["edges"])
    centres = np.round((edges[:-1] + edges[1:]) / 2, 4)
    traces = [go.Bar(x=centres, y=np.round(100 * counts / counts.sum(), 3), name=name, opacity=0.65, marker={"color": color},
                     hovertemplate="%{x:.2f}: %{y:.1f} %<extra></extra>")
              for name, counts, color in (("one person", same, BLUE), ("two people", different, RED))]  # fmt: skip
    figure = make_figure(*traces, barmode="overlay", bargap=0, xaxis={"title": {"text": "cosine distance"}},
                         yaxis={"title": {"text": "pairs (%)"}})  # fmt: skip
    gate, error = best_gate(same, different, edges)
    summary = (
        f"Pairs of views of one person and of two, by {people}. The best single limit, {gate:.2f}, mistakes "
        f"{100 * error:.0f} % of pairs when both kinds are equally frequent."
    )
    return Chart(f"Distances of embeddings, by {people}", summary, figure, 380)


def best_gate(same: NDArray[Any], different: NDArray[Any], edges: NDArray[np.float64]) -> tuple[float, float]:
    """The distance that tells pairs of one person from those of two best, and the mean share of both that it mistakes."""
    missed = 1 - np.concatenate([[0.0], np.cumsum(same) / same.sum()])
    mistaken = np.concatenate([[0.0], np.cumsum(different) / different.sum()])
    errors = (missed + mistaken) / 2
    return float(edges[errors.argmin()]), float(errors.min())
