"""How sharp and how honest: HOTA over the localisation threshold, probabilities of joins, distances of embeddings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from stages.calibration.reliability import Array, Bools, calibration_error, reliability, wilson
from stages.reporting.charts import Chart, make_figure
from stages.reporting.theme import BLUE, GREY, LEVEL_COLORS, ORANGE, RED
from stages.reporting.words import plural


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


def reliability_chart(pairs: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Share of pairs that were one person over the probability they were given; None where ground truth can judge none."""
    judged = [pair for pair in pairs if pair["one_person"] is not None]
    if not judged:
        return None
    probabilities, true = np.array([j["probability"] for j in judged]), np.array([j["one_person"] for j in judged], dtype=bool)
    figure = reliability_figure({"pairs": (probabilities, true)})
    error = calibration_error(probabilities, true)
    summary = f"{plural(len(judged), 'pair')} judged by ground truth; probability and share differ by {100 * error:.0f} points."
    return Chart("Reliability of join probabilities", summary, figure, 380)


def reliability_figure(curves: Mapping[str, tuple[Array, Bools]]) -> go.Figure:
    """The share that was one person over the mean probability of each tenth, by name, with what so few decisions leave open."""
    hover = "said %{x:.2f}, was one person in %{y:.0%} of %{customdata[0]} (%{customdata[1]:.0%} to %{customdata[2]:.0%})"
    hover += "<extra></extra>"
    traces = [
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", name="honest", line={"color": GREY, "dash": "dot"}, hoverinfo="skip")
    ]
    for color, (name, (probabilities, true)) in zip((BLUE, ORANGE), curves.items(), strict=False):
        means, shares, counts = zip(*reliability(probabilities, true).values(), strict=True)
        lows, highs = np.transpose([wilson(share, count) for share, count in zip(shares, counts, strict=True)])
        reach = {"symmetric": False, "array": highs - shares, "arrayminus": shares - lows, "thickness": 1, "width": 3}
        traces.append(
            go.Scatter(x=means, y=shares, mode="lines+markers", name=name, line={"color": color}, error_y=reach,
                       marker={"size": [6 + 10 * np.sqrt(count / max(counts)) for count in counts]},
                       customdata=np.transpose([counts, lows, highs]), hovertemplate=hover)
        )  # fmt: skip
    return make_figure(*traces, xaxis={"title": {"text": "probability"}, "range": [0, 1.02]},
                       yaxis={"title": {"text": "share that was one person"}, "range": [-0.04, 1.05]})  # fmt: skip


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
