"""The report as people use it: in a browser, with a mouse, by keyboard, on a telephone, with assistive technology."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from stages.association.decisions import Sureness
from stages.calibration.comparing import compare
from stages.calibration.judging import Judged
from stages.reporting.calibration import page as calibration_page
from tests.browsing import CHROMIUM, MISSING, Visit, chromium
from tests.report_project import FPS, make_project, run_stage, run_stages

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
SEQUENCE = "sequences/hall/index.html"
PAGES = [
    "index.html",
    "curves.html",
    "people.html",
    "calibration.html",
    SEQUENCE,
    "sequences/hall/identities.html",
    "sequences/hall/audit.html",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report over two sequences, with their videos, and of the page of `calibrate`."""
    project = make_project(tmp_path_factory.mktemp("report") / "project")
    run_stages(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        for name in ("hall", "yard"):
            run_stage("render", name)
    judged = Judged(np.repeat([4.0, -2.0], 20), np.arange(40) % 7 < 4)
    found = compare({"hall": judged, "yard": judged}, Sureness(temper=0.5, offset=0.0))
    (project / "reports/calibration.html").write_text(calibration_page(found), encoding="utf-8")
    return project / "reports"


def timeline(page: Page) -> dict[str, float]:
    """Where the drawn timeline lies in the window, px, and which seconds and lanes it shows."""
    plot = page.locator(".plot[data-steered].js-plotly-plot")
    plot.wait_for()
    plot.scroll_into_view_if_needed()
    place = plot.locator(".nsewdrag").first.bounding_box()
    assert place is not None
    ranges = plot.evaluate("(plot) => [plot.layout.xaxis.range, plot.layout.yaxis.range]")
    return {**place, "first_s": ranges[0][0], "last_s": ranges[0][1], "top": ranges[1][1], "bottom": ranges[1][0]}


def has_jumped(page: Page, frame: int) -> None:
    """Waits until the video shows the frame."""
    page.wait_for_function(f"Math.floor(document.querySelector('video').currentTime * {FPS} + 1e-3) === {frame}")


def test_a_click_on_a_lane_jumps_the_video_there_and_both_stay_in_view(browser: Browser, reports: Path) -> None:
    visit = Visit(browser, (reports / SEQUENCE).as_uri())
    page, shown = visit.page, timeline(visit.page)
    x = shown["x"] + shown["width"] * (2.55 - shown["first_s"]) / (shown["last_s"] - shown["first_s"])
    y = shown["y"] + shown["height"] * (0 - shown["top"]) / (shown["bottom"] - shown["top"])  # the lane of who came first
    page.mouse.move(x, y)
    page.locator(".hovertext").first.wait_for()
    page.mouse.click(x, y)
    has_jumped(page, 25)
    expect(page.locator("[data-readout]")).to_have_text("frame 25, 2.50 s")
    video = page.locator("video").bounding_box()
    assert video is not None
    assert 0 <= video["y"] < video["y"] + video["height"] <= shown["y"] + 1, "above the timeline, none of it covered"
    assert visit.errors == []
    page.close()


def test_lanes_are_reached_and_act_by_keyboard(browser: Browser, reports: Path) -> None:
    """The first lane is that of person 7, joined in frame 20."""
    visit = Visit(browser, (reports / SEQUENCE).as_uri())
    page = visit.page
    timeline(page)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.hasAttribute('data-steered')"):
            break
    else:
        pytest.fail("Tab does not reach the timeline")
    page.keyboard.press("ArrowDown")
    has_jumped(page, 0)
    expect(page.locator(".chosen")).to_have_text("person 7, 1 of 3: first seen at 0.00 s")
    page.keyboard.press("ArrowRight")
    has_jumped(page, 20)
    expect(page.locator(".chosen")).to_have_text("person 7, 2 of 3: join: 1 and 2 at 2.00 s")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    has_jumped(page, 29)
    expect(page.locator(".chosen")).to_have_text("person 2, 2 of 2: last seen at 2.90 s")
    page.close()


def test_a_link_to_a_frame_opens_the_video_there(browser: Browser, reports: Path) -> None:
    page = Visit(browser, f"{(reports / SEQUENCE).as_uri()}#frame=17").page
    has_jumped(page, 17)
    page.locator("[data-step='-1']").click()
    has_jumped(page, 16)
    page.locator("[data-seek]").last.click()
    has_jumped(page, 39)
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_files_alone_and_keeps_nobody_out(browser: Browser, reports: Path, name: str) -> None:
    """No request leaves the folder, nothing fails, and axe has no serious finding, light or dark, wide or narrow."""
    visit = Visit(browser, (reports / name).as_uri())
    visit.draw_all()
    page, found = visit.page, list[str]()
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [f"{width} px, {scheme}: {finding}" for finding in visit.findings()]
        if visit.hidden_to_the_right() > 0:
            found.append(f"{width} px: {visit.hidden_to_the_right()} px are hidden to the right")
    assert "\n".join(found) == ""
    assert visit.errors == []
    folder = reports.parent.as_uri()
    assert [url for url in visit.requests if not re.match(rf"{re.escape(folder)}/|data:|blob:", url)] == []
    page.close()


@pytest.mark.parametrize("name", ["index.html", SEQUENCE, "sequences/hall/audit.html"])
def test_the_longest_name_takes_several_lines_and_hides_nothing(browser: Browser, reports: Path, name: str) -> None:
    """The page with the sequence's name made as long as params.yaml takes it: 100 characters without a space."""
    text = (reports / name).read_text(encoding="utf-8")
    long = (reports / name).with_name("long.html")
    long.write_text(text.replace("hall<", f"{'hall_' * 20}<"), encoding="utf-8")
    for width in (1280, 400):
        visit = Visit(browser, long.as_uri(), width)
        assert visit.hidden_to_the_right() == 0
        assert visit.page.locator("nav").evaluate("(tabs) => tabs.scrollWidth - tabs.clientWidth") == 0
        visit.page.close()
    long.unlink()


def test_the_theme_button_turns_colours_of_page_and_charts(browser: Browser, reports: Path) -> None:
    visit = Visit(browser, (reports / "curves.html").as_uri())
    visit.draw_all()
    ink = "getComputedStyle(document.querySelector('.plot text')).fill"
    light = visit.page.evaluate(ink)
    visit.page.get_by_role("button", name="Use dark colours").click()
    visit.page.wait_for_function(f"{ink} !== '{light}'")
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 21, 27)"
    visit.page.close()
