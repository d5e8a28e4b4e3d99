"""Values to HTML by the templates in `pages/`; the assets that all pages share; figures and times as people read them.

Pages are plain files: they ask for nothing but what lies beside them, so they open without a server and without a network.
"""

import json
from pathlib import Path
from typing import Any

import plotly
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from stages.artifacts import write_text
from stages.reporting.charts import Chart
from stages.reporting.theme import THEMES

PAGES = Path(__file__).parent / "pages"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
NONE = "–"  # noqa: RUF001, an en dash: no figure


def render(template: str, root: str, **values: Any) -> str:
    """The page; `root` is the way from it to the folder of `index.html`, with its slash."""
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"figure": figure, "clock": clock, "plural": plural, "chart_json": chart_json}
    return environment.get_template(f"{template}.html.j2").render(root=root, **values)


def write_assets(folder: Path) -> None:
    """Style, behaviour, the two themes of the charts, and the charting library itself, into an empty folder."""
    for name in ("report.css", "report.js"):
        (folder / name).write_bytes((PAGES / name).read_bytes())
    write_text(folder / "themes.js", f"window.RETRACE_THEMES = {json.dumps(THEMES)};\n")
    (folder / "plotly.min.js").write_bytes(PLOTLY.read_bytes())


def figure(value: Any, signed: bool = False) -> str:
    """A figure as people read it: counts with separators, the rest with two decimals; `signed` shows a plus."""
    if value is None:
        return NONE
    sign = "+" if signed and isinstance(value, int | float) and value > 0 else ""
    if isinstance(value, float):
        return f"{sign}{value:,.2f}"
    return f"{sign}{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def clock(seconds: float) -> str:
    """A moment or duration: 7.4 s, 1:14.4 or 2:03:09."""
    tenths = round(10 * seconds)
    hours, minutes, rest = tenths // 36000, tenths // 600 % 60, tenths % 600 / 10
    if hours:
        return f"{hours}:{minutes:02d}:{int(rest):02d}"
    return f"{minutes}:{rest:04.1f}" if minutes else f"{rest:.1f} s"


def plural(count: int, one: str, many: str = "") -> str:
    """The count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def chart_json(chart: Chart) -> Markup:
    """The chart as JSON that may stand inside a script element: no text in it can end the element."""
    text = chart.figure.to_json()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
