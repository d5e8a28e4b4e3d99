"""A browser for tests: Debian's Chromium, driven by Playwright, and what pages in it ask for."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
MISSING = "no Chromium here (apt-get install chromium)"
GRAVE = ("serious", "critical")  # of axe's impacts
PATIENCE_MS = 60_000  # for what a busy machine takes long for


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser without a window; Chromium's sandbox does not work for root."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page, what it asked for, and what went wrong in it."""

    def __init__(self, browser: Browser, address: str, width: int = 1280, height: int = 900) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(PATIENCE_MS)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)

    def draw_all(self) -> None:
        """Scrolls through the page, so that everything that waits to come into view is fetched, and charts are drawn."""
        page = self.page
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        for plot in page.locator(".plot").all():
            plot.scroll_into_view_if_needed()
        page.wait_for_function("document.querySelectorAll('.plot:not(.js-plotly-plot)').length === 0")
        page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
        page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth)")

    def findings(self) -> list[str]:
        """What axe finds that keeps people out: rule, impact and the elements."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{finding['id']} ({finding['impact']}): {node['target']}: {node['failureSummary']}"
            for finding in found
            if finding["impact"] in GRAVE
            for node in finding["nodes"][:3]
        ]

    def hidden_to_the_right(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
