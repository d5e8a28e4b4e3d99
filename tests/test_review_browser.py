"""The review page in a browser, over a real project whose pipeline runs: a wrong join is corrected to the end, and undone."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from stages.contracts.identities import Identities
from stages.corrections.rows import HEADER, Correction, Place, append_row
from tests.browsing import CHROMIUM, MISSING, PATIENCE_MS, Visit, chromium
from tests.checkout import Checkout
from tests.conftest import ROOT
from tests.footage import write_video
from tests.tables import box, tracklets

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
STAGES = ("code", "detect", "register", "track", "embed", "rewire", "split", "merge", "smooth", "portray", "identify", "render")
FRAMES, WIDTH, HEIGHT = 80, 320, 240
BOX = (30, 80)  # px
GONE = range(20, 60)  # frames in which nobody is on the upper way: whoever comes out of it is taken for who went in


def upper(frame: int) -> tuple[int, int]:
    """Left upper corner of whoever walks on the upper way."""
    return 40 + 2 * frame, 10


def detections() -> str:
    """Two on the upper way, one after the other at one speed, and one on the lower way all the time."""
    rows = [(frame, *upper(frame)) for frame in range(FRAMES) if frame not in GONE]
    rows += [(frame, 280 - frame, 140) for frame in range(FRAMES)]
    return "".join(f"{frame + 1},-1,{x},{y},{BOX[0]},{BOX[1]},0.9,-1,-1,-1\n" for frame, x, y in sorted(rows))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The stages that the review page shows the result of, in a copy of this checkout, on one sequence without pixels."""
    made = Checkout(tmp_path_factory.mktemp("review"))
    street = made.home / "street"
    (street / "det").mkdir(parents=True)
    (street / "det/det.txt").write_text(detections())
    (street / "seqinfo.ini").write_text(
        f"[Sequence]\nname=street\nframeRate=20\nseqLength={FRAMES}\nimWidth={WIDTH}\nimHeight={HEIGHT}\n"
    )
    made.run(f"python -m stages.add_sequence {street}")
    sequences = yaml.safe_load((made.folder / "params.yaml").read_text())["sequences"]
    made.set_params(cameras={}, sequences={"street": sequences["street"]}, rewire__enabled=False)
    pipeline = yaml.safe_load((made.folder / "dvc.yaml").read_text())["stages"]
    (made.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {name: pipeline[name] for name in STAGES}}))
    made.repro()
    return made


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    """What the page shows, of a pipeline that seems to have run."""
    folder = tmp_path / "project"
    video = {"sequence": "street", "width_px": WIDTH, "height_px": HEIGHT, "fps": 20.0}
    tracks = tracklets(
        {1: {f: box(*upper(f), *BOX) for f in range(40)}, 2: {f: box(280 - f, 140, *BOX) for f in range(40)}}, 40, **video
    )
    for name in ("tracks", "tracklets_split"):
        tracks.save(folder / f"artifacts/street/{name}.npz")
    Identities(np.array(["street"] * 2), np.array([1, 2], np.int32), np.array([1, 2], np.int32), np.array(["", "Ben"]),
               np.zeros(2, np.float32)).save(folder / "artifacts/identities/street.npz")  # fmt: skip
    write_video(folder / "artifacts/street/annotated.mp4", 40, WIDTH, HEIGHT, 20.0)
    (folder / "params.yaml").write_text("sequences: {street: {}}\n")
    return folder


@contextmanager
def served(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of the review server of a project, which runs meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "stages.review", "--port", str(port)], cwd=folder, env=environment,
                              stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert server.stderr is not None
    said = server.stderr.readline()
    assert f"review: http://127.0.0.1:{port}/" in said
    wait_for_port(port)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)


def wait_for_port(port: int) -> None:
    while True:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


def go_to(page: Page, frame: int) -> None:
    page.get_by_label("Frame", exact=True).fill(str(frame))
    page.keyboard.press("Enter")
    expect(page.locator("#scrub")).to_have_value(str(frame))


def click_walker(page: Page, frame: int) -> str:
    """Clicks whoever is on the upper way in the picture; who the page says is chosen."""
    go_to(page, frame)
    area = page.locator("#overlay").bounding_box()
    assert area is not None
    x, y = upper(frame)
    place = {"x": (x + BOX[0] / 2) * area["width"] / WIDTH, "y": (y + BOX[1] / 2) * area["height"] / HEIGHT}
    page.locator("#overlay").click(position=place)  # type: ignore[arg-type]
    return page.locator("#chosen").inner_text()


def people(page: Page) -> list[str]:
    return page.locator("#people tr").all_inner_texts()


def run_it(page: Page) -> None:
    page.get_by_role("button", name="Run it now").click()
    expect(page.locator("#message")).to_have_text("The pipeline has run: this is its result.", timeout=10 * PATIENCE_MS)


def rows(project: Checkout) -> list[str]:
    return (project.folder / "data/corrections/street.csv").read_text().splitlines()[1:]


@pytest.mark.slow
def test_a_wrong_join_is_corrected_rerun_and_undone_beside_another_browser(browser: Browser, project: Checkout) -> None:
    with served(project.folder, project.environment()) as address:
        correct_and_undo(browser, project, address)


def correct_and_undo(browser: Browser, project: Checkout, address: str) -> None:
    visit, other = Visit(browser, address), Visit(browser, address).page
    page = visit.page
    expect(page.locator("#people tr")).to_have_count(2)
    first = click_walker(page, 5)
    both = click_walker(page, 75)
    assert both == f"{first} and {first.replace('@5', '@75')}", "one person in both frames: the wrong join"
    page.get_by_role("button", name="Different people").click()
    expect(page.locator("#rows li")).to_have_count(1)
    expect(other.locator("#people tr")).to_have_count(2)
    click_walker(other, 10)
    other.get_by_label("Name").fill("Ann")
    other.get_by_role("button", name="Rename").click()
    expect(other.locator("#rows li")).to_have_count(2)
    assert [row.split(",")[0] for row in rows(project)] == ["different", "rename"], "neither browser lost a row"
    run_it(page)
    expect(page.locator("#people tr")).to_have_count(3)
    assert click_walker(page, 5) == "Ann@5"
    assert not click_walker(page, 75).endswith("Ann@75")
    for whose, row in ((page, "different"), (other, "rename")):
        whose.locator("#rows li", has_text=row).get_by_role("button", name="Undo").click()
        expect(whose.locator("#message")).to_contain_text("Undone: ")
    assert rows(project) == []
    run_it(page)
    expect(page.locator("#people tr")).to_have_count(2)
    page.get_by_role("button", name="Choose nobody").click()
    assert click_walker(page, 75) == first.replace("@5", "@75"), "joined again, and Ann no more"
    assert visit.errors == []
    assert [url for url in visit.requests if not url.startswith(address)] == []


def test_the_review_page_keeps_nobody_out(browser: Browser, tracked: Path) -> None:
    """Beside a sequence of the longest name that params.yaml takes."""
    longest = "street" + 94 * "s"
    shutil.copytree(tracked / "artifacts/street", tracked / "artifacts" / longest)
    (tracked / "params.yaml").write_text(f"sequences: {{street: {{}}, {longest}: {{}}}}\n")
    found = list[str]()
    with served(tracked, os.environ | {"PYTHONPATH": str(ROOT)}) as address:
        visit = Visit(browser, address)
        expect(visit.page.locator("#people tr")).to_have_count(2)
        assert click_walker(visit.page, 5) == "1@5"
        for width in (1280, 400):
            visit.page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                visit.page.emulate_media(color_scheme=scheme)
                found += [f"{width} px, {scheme}: {finding}" for finding in visit.findings()]
            if visit.hidden_to_the_right() > 0:
                found.append(f"{width} px: {visit.hidden_to_the_right()} px are hidden to the right")
        assert "\n".join(found) == ""
        assert [url for url in visit.requests if not url.startswith(address)] == []
        visit.page.close()


def test_a_row_can_be_undone_after_a_run_that_stopped_in_between(browser: Browser, tracked: Path) -> None:
    notes = {f"{stage}@street": {kind: [{"path": "artifacts/street/tracks.npz", "md5": stage}]}
             for stage, kind in (("smooth", "outs"), ("render", "deps"))}  # fmt: skip
    (tracked / "dvc.lock").write_text(yaml.safe_dump({"stages": notes}))
    corrections = tracked / "data/corrections/street.csv"
    append_row(corrections, Correction("delete", Place(5, box(*upper(5), *BOX))))
    with served(tracked, os.environ | {"PYTHONPATH": str(ROOT)}) as address:
        page = Visit(browser, address).page
        expect(page.locator("#message")).to_contain_text("expected the annotated video of street's tracks as they are now")
        page.locator("#rows li", has_text="delete: frame 5").get_by_role("button", name="Undo").click()
        expect(page.locator("#message")).to_have_text("Undone: delete: frame 5.")
        expect(page.locator("#rows li")).to_have_count(0)
        assert corrections.read_text() == HEADER
        (tracked / "dvc.lock").unlink()
        page.reload()
        expect(page.locator("#people tr")).to_have_count(2)
        page.close()


def test_the_end_of_a_run_is_told_once(browser: Browser, tracked: Path) -> None:
    with served(tracked, os.environ | {"PYTHONPATH": str(ROOT)}) as address:
        visit = Visit(browser, address)
        visit.page.get_by_role("button", name="Run it now").click()
        message = visit.page.locator("#message")
        expect(message).to_have_text("The pipeline stopped with an error, see its output.")  # no dvc.yaml lies there
        visit.page.reload()
        expect(visit.page.locator("#people tr")).to_have_count(2)
        visit.page.wait_for_load_state("networkidle")
        expect(message).to_be_empty()
        assert visit.errors == []
        visit.page.close()


def test_a_sequence_that_is_opened_again_shows_the_video_that_is_there_now(browser: Browser, tracked: Path) -> None:
    """Tracks, and with them the sequence's version, may stay as they were where the video has new names or more is hidden."""
    with served(tracked, os.environ | {"PYTHONPATH": str(ROOT)}) as address:
        visit = Visit(browser, address)
        expect(visit.page.locator("#people tr")).to_have_count(2)
        first = visit.page.locator("#video").get_attribute("src")
        visit.page.locator("#sequence").dispatch_event("change")
        expect(visit.page.locator("#video")).not_to_have_attribute("src", str(first))
        visit.page.close()
