"""What the pages of a report weigh, and when people see something: in a browser, file by file.

python -m tests.benchmarks.pages              # of reports/, the pages over all sequences and those of promenade
python -m tests.benchmarks.pages street       # those of another sequence
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser

from stages.command import execute, parser
from stages.errors import DataError
from tests.browsing import CHROMIUM, MISSING, PATIENCE_MS, chromium

SHARED = ("index.html", "curves.html", "people.html")
OWN = ("index.html", "identities.html", "audit.html")
KINDS = {"document": "html", "stylesheet": "scripts", "script": "scripts", "image": "media", "media": "media"}
ROUNDS = 5
# When the first chart has its axis, or nothing where the page has no charts. It runs before the page's own scripts.
WATCH = """
const look = () => {
  if (document.querySelector(".plot .xtick")) window.chartStands = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint').length > 0"
STANDS = "!document.querySelector('.plot') || window.chartStands > 0"


@dataclass(frozen=True)
class Load:
    """One visit: bytes by kind that were asked for before anybody scrolled, and milliseconds since it began.

    `cpu_ms` is the time that the page's process computed until then, which other programs on the machine distort least.
    """

    weights: dict[str, int]
    painted_ms: float
    chart_ms: float | None
    cpu_ms: float


def visit(browser: Browser, path: Path) -> Load:
    """Opens the page in a window of 1280 x 900 px with nothing cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.resource_type, request.url)))
    page.add_init_script(WATCH)
    inspector = context.new_cdp_session(page)
    inspector.send("Performance.enable")
    page.goto(path.as_uri(), wait_until="load")
    page.wait_for_function(PAINTED, timeout=PATIENCE_MS)
    page.wait_for_function(STANDS, timeout=PATIENCE_MS)
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    chart = page.evaluate("window.chartStands || null")
    metrics = {metric["name"]: metric["value"] for metric in inspector.send("Performance.getMetrics")["metrics"]}
    context.close()
    weights = dict.fromkeys(("html", "scripts", "media"), 0)
    for kind, url in dict.fromkeys(asked):
        parts = urlsplit(url)
        if parts.scheme == "file":
            weights[KINDS[kind]] += Path(unquote(parts.path)).stat().st_size
    return Load(weights, float(painted), None if chart is None else float(chart), 1000 * metrics["ProcessTime"])


def rows(browser: Browser, pages: list[Path], reports: Path) -> Iterator[str]:
    """Lines of a table: weights in MB, medians of times in ms."""
    yield "| page | html (MB) | style, scripts (MB) | pictures (MB) | first paint (ms) | first chart stands (ms) | CPU (ms) |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for path in pages:
        loads = [visit(browser, path) for _ in range(ROUNDS)]
        weights = (f"{max(load.weights[kind] for load in loads) / 1e6:.2f}" for kind in ("html", "scripts", "media"))
        charts = [load.chart_ms for load in loads if load.chart_ms is not None]
        painted, cpu = (statistics.median(times) for times in zip(*((v.painted_ms, v.cpu_ms) for v in loads), strict=True))
        times = (painted, statistics.median(charts) if charts else None, cpu)
        shown = ("" if time is None else f"{time:.0f}" for time in times)
        yield f"| {path.relative_to(reports)} | {' | '.join(weights)} | {' | '.join(shown)} |"


def main() -> None:
    options = parser(__doc__)
    options.add_argument("sequence", nargs="?", default="promenade")
    options.add_argument("--reports", type=Path, default=Path("reports"))
    args = options.parse_args()
    reports = args.reports.resolve()
    pages = [reports / name for name in SHARED] + [reports / "sequences" / args.sequence / name for name in OWN]
    lacking = [str(path) for path in pages if not path.is_file()]
    if CHROMIUM is None or lacking:
        raise DataError(MISSING if CHROMIUM is None else f"{lacking[0]}: expected a page, found none (dvc repro)")
    with chromium() as browser:
        visit(browser, pages[0])  # its first page is slower
        for row in rows(browser, pages, reports):
            print(row, flush=True)


if __name__ == "__main__":
    execute(main)
