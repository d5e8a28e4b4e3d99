"""What each stage gained, what each took, and why people are lost: charts of the overview."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from stages.reporting.charts import Chart, make_figure
from stages.reporting.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY
from stages.reporting.words import plural
from stages.scoring.causes import CAUSES
from stages.timings import Timing

HEADLINES = ("HOTA", "IDF1", "IDSW")
NAMES = {"HOTA": "HOTA (%)", "IDF1": "IDF1 (%)", "IDSW": "ID switches"}
PIPELINE = ("synthesize", "detect", "register", "track", "embed", "rewire", "split", "merge", "smooth", "portray", "identify",
            "analyze", "evaluate", "diagnose", "render", "illustrate", "present")  # fmt: skip


def gain_charts(metrics: Mapping[str, Mapping[str, Any]]) -> list[Chart]:
    """A waterfall a headline metric from the first level to the last; none without ground truth."""
    return [gain_chart(name, {level: v[name] for level, v in metrics.items()}) for name in HEADLINES
            if metrics and all(name in values for values in metrics.values())]  # fmt: skip


def gain_chart(name: str, values: Mapping[str, float]) -> Chart:
    """From the first level's value, what every level adds or takes."""
    levels, numbers = list(values), list(values.values())
    steps = [numbers[0], *(round(after - before, 6) for before, after in zip(numbers, numbers[1:], strict=False))]
    better, worse = (RED, GREEN) if name == "IDSW" else (GREEN, RED)  # of an increase
    trace = go.Waterfall(
        x=levels,
        y=steps,
        measure=["absolute"] + ["relative"] * (len(levels) - 1),
        text=[_text(numbers[0])] + [f"{step:+g}" if step else "0" for step in steps[1:]],
        customdata=numbers,
        hovertemplate=f"%{{x}}: {NAMES[name]} %{{customdata}}<extra></extra>",
        textposition="outside",
        increasing={"marker": {"color": better}},
        decreasing={"marker": {"color": worse}},
        totals={"marker": {"color": GREY}},
        connector={"line": {"color": GREY, "width": 1}},
        cliponaxis=False,
    )
    reach = max(numbers) - min(0 if name == "IDSW" else min(numbers) - 10, *numbers)
    low = 0 if name == "IDSW" else max(0.0, min(numbers) - 10)
    figure = make_figure(trace, yaxis={"range": [low, max(numbers) + 0.18 * max(reach, 1)]}, showlegend=False)
    summary = f"{NAMES[name]} from {_text(numbers[0])} ({levels[0]}) to {_text(numbers[-1])} ({levels[-1]}): " + ", ".join(
        f"{level} {step:+g}" for level, step in zip(levels[1:], steps[1:], strict=True)
    )
    return Chart(NAMES[name], summary, figure, 260)


def cause_chart(causes: Mapping[str, Mapping[str, int]]) -> Chart | None:
    """Mistakes of each sequence by cause; None where there are none. `causes`: sequence -> cause -> number."""
    total = {cause: sum(counts.get(cause, 0) for counts in causes.values()) for cause in CAUSES}
    if not any(total.values()):
        return None
    traces = [
        go.Bar(y=list(causes), x=[counts.get(cause, 0) for counts in causes.values()], name=cause, orientation="h",
               marker={"color": color}, hovertemplate=f"%{{y}}: %{{x}} × {cause}<extra></extra>")  # noqa: RUF001
        for cause, color in zip(CAUSES, (GREY, SKY, ORANGE, RED, PURPLE), strict=True)
    ]  # fmt: skip
    figure = make_figure(*traces, barmode="stack", yaxis={"autorange": "reversed"}, xaxis={"title": {"text": "mistakes"}},
                         legend={"traceorder": "normal"})  # fmt: skip
    parts = ", ".join(f"{count} × {cause}" for cause, count in total.items() if count)  # noqa: RUF001
    summary = f"{plural(sum(total.values()), 'time')} a track loses its person: {parts}."
    return Chart("Why people are lost", summary, figure, 120 + 30 * len(causes))


def timing_chart(by_stage: Sequence[Timing]) -> Chart:
    """Seconds of the stages one after the other, in the order of the pipeline."""
    place = {name: number for number, name in enumerate(PIPELINE)}
    ordered = sorted(by_stage, key=lambda timing: (place.get(timing.stage, len(place)), timing.stage))
    seconds = [timing.wall_s for timing in ordered]
    trace = go.Waterfall(
        orientation="h",
        y=[timing.stage for timing in ordered] + ["together"],
        x=[round(value, 3) for value in seconds] + [round(sum(seconds), 3)],
        measure=["relative"] * len(ordered) + ["total"],
        text=[f"{value:.1f} s" for value in [*seconds, sum(seconds)]],
        textposition="outside",
        increasing={"marker": {"color": BLUE}},
        totals={"marker": {"color": GREY}},
        connector={"line": {"color": GREY, "width": 1}},
        hovertemplate="%{y}: %{text}<extra></extra>",
        cliponaxis=False,
    )
    figure = make_figure(
        trace,
        yaxis={"autorange": "reversed"},
        xaxis={"title": {"text": "seconds"}, "range": [0, 1.15 * max(sum(seconds), 1e-3)]},
        showlegend=False,
    )
    longest = sorted(ordered, key=lambda timing: -timing.wall_s)[:3]
    summary = f"{sum(seconds):.1f} seconds in {len(ordered)} stages; longest: " + ", ".join(
        f"{timing.stage} {timing.wall_s:.1f} s" for timing in longest
    )
    return Chart("Where the time went", summary, figure, 70 + 26 * (len(ordered) + 1))


def _text(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"
