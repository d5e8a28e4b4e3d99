"""Values to HTML by the templates in `pages/`; and the assets that all pages share.

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
from stages.reporting.words import capital, clock, figure, plural

PAGES = Path(__file__).parent / "pages"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def render(template: str, root: str, **values: Any) -> str:
    """The page; `root` is the way from it to the folder of `index.html`, with its slash."""
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "figure": figure, "clock": clock, "plural": plural, "capital": capital, "chart_json": chart_json
    }  # fmt: skip
    return environment.get_template(f"{template}.html.j2").render(root=root, **values)


def write_assets(folder: Path) -> None:
    """Style, behaviour, the two themes of the charts, and the charting library itself, into an empty folder."""
    for name in ("report.css", "report.js"):
        (folder / name).write_bytes((PAGES / name).read_bytes())
    write_text(folder / "themes.js", f"window.RETRACE_THEMES = {json.dumps(THEMES)};\n")
    (folder / "plotly.min.js").write_bytes(PLOTLY.read_bytes())


def chart_json(chart: Chart) -> Markup:
    """The chart as JSON that may stand inside a script element: no text in it can end the element."""
    text = chart.figure.to_json()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
