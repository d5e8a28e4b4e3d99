"""The review server: what it shows, what it writes, and whom it refuses."""

import dataclasses
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from fastapi.testclient import TestClient

from stages.contracts.identities import Identities
from stages.contracts.tracklets import only
from stages.corrections.rows import HEADER, Correction, Place, append_row, read_corrections, remove_row
from stages.errors import DataError
from stages.review import host_headers, in_url, is_loopback, listening
from stages.reviewing.app import make_app
from stages.reviewing.rerun import Rerun
from tests.tables import box, tracklets

HOST = "127.0.0.1:8765"
FILE = Path("data/corrections/plaza.csv")
# Tracks 1 (number 5) and 2 (number 7, Ben) stand side by side; 3 (number 8) comes when they are gone. Filled in: 1 in frame 6.
SEEN = tracklets(
    {
        1: {f: box(100 + f) for f in range(3, 10)},
        2: {f: box(400) for f in range(3, 10)},
        3: {f: box(300) for f in range(12, 15)},
    },
    20,
    sequence="plaza",
)
FILLED = (SEEN.tracklet_ids == 1) & (SEEN.frame_numbers == 6)
VIDEO = bytes(range(256))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose pipeline has run, the current folder; beside it a file that is nobody's business."""
    folder = tmp_path / "project"
    (folder / "artifacts/plaza").mkdir(parents=True)
    monkeypatch.chdir(folder)
    (tmp_path / "secret.txt").write_text("secret")
    Path("params.yaml").write_text(yaml.safe_dump({"sequences": {"plaza": {}, "yard": {}}}))
    Path("reports").mkdir()
    Path("reports/index.html").write_text("<p>report</p>")
    detected = np.where(FILLED, -1, SEEN.detection_indices)
    dataclasses.replace(SEEN, detection_indices=detected).save(Path("artifacts/plaza/tracks.npz"))
    only(SEEN, ~FILLED).save(Path("artifacts/plaza/tracklets_split.npz"))
    Identities(np.array(["plaza"] * 3), np.array([1, 2, 3], np.int32), np.array([5, 7, 8], np.int32),
               np.array(["", "Ben", ""]), np.zeros(3, np.float32)).save(Path("artifacts/identities/plaza.npz"))  # fmt: skip
    Path("artifacts/plaza/annotated.mp4").write_bytes(VIDEO)
    return folder


def client(token: str | None = None, rerun: Rerun | None = None, **headers: str) -> TestClient:
    app = make_app([HOST, "cam.lan:8765"], token, rerun or Rerun())
    return TestClient(app, base_url=f"http://{HOST}", headers=headers, follow_redirects=False)


def wish(action: str, *people: tuple[int, int], name: str | None = None, **other: Any) -> dict[str, Any]:
    shown = client().get("/api/sequences/plaza").json()["version"]
    asked = [{"track": track, "frame": frame} for track, frame in people]
    return {"version": shown, "action": action, "people": asked, "name": name} | other


def correct(action: str, *people: tuple[int, int], name: str | None = None) -> Any:
    return client().post("/api/sequences/plaza/corrections", json=wish(action, *people, name=name))


def test_the_page_knows_who_is_where_and_who_was_filled_in() -> None:
    assert client().get("/api/sequences").json() == {"sequences": ["plaza"], "report": True, "command": "dvc repro"}
    shown = client().get("/api/sequences/plaza").json()
    assert (shown["num_frames"], shown["width_px"], shown["height_px"], shown["fps"]) == (20, 640, 480, 10.0)
    first, second, _ = shown["people"]
    assert (first["track"], first["number"], first["name"], second["name"]) == (1, 5, "", "Ben")
    assert first["frames"] == list(range(3, 10))
    assert first["boxes"][0] == [103, 100, 143, 200]
    assert first["tracked"] == [1, 1, 1, 0, 1, 1, 1]


def test_the_page_its_parts_the_report_and_parts_of_the_video_are_served() -> None:
    page = client().get("/")
    assert "<title>Retrace: review</title>" in page.text
    assert "script-src" not in page.headers["content-security-policy"], "default-src 'self' holds for scripts: none inline"
    assert "<script>" not in page.text
    assert client().get("/page/review.js").status_code == client().get("/page/review.css").status_code == 200
    assert client().get("/reports/index.html").text == "<p>report</p>"
    assert client().get("/artifacts/plaza/annotated.mp4").content == VIDEO
    part = client(Range="bytes=10-19").get("/api/sequences/plaza/video")
    assert (part.status_code, part.content) == (206, VIDEO[10:20])


def test_a_correction_is_appended_and_undone() -> None:
    added = correct("same", (1, 3), (3, 14))
    assert added.status_code == 201
    assert added.json()["command"] == "dvc repro"
    assert read_corrections(FILE) == [Correction("same", Place(3, box(103)), Place(14, box(300)))]
    assert correct("rename", (2, 4), name="Bob").status_code == 201
    listed = client().get("/api/sequences/plaza/corrections").json()
    assert (listed["file"], [cells[0] for cells in listed["rows"]]) == (str(FILE), ["same", "rename"])
    left = client().post("/api/sequences/plaza/corrections/undo", json={"cells": added.json()["cells"]})
    assert [cells[0] for cells in left.json()["rows"]] == ["rename"]
    again = client().post("/api/sequences/plaza/corrections/undo", json={"cells": added.json()["cells"]})
    assert again.status_code == 409
    assert "expected the row same,3," in again.json()["detail"]


@pytest.mark.parametrize(
    ("action", "people", "name", "message"),
    [
        ("same", [(1, 3)], None, "same: expected 2 of number@frame, got 1"),
        ("same", [(1, 3), (2, 4)], None, "expected same to name one person, got two who are both seen in frame 3"),
        ("different", [(1, 3), (1, 9)], None, "expected different to name two tracklets, got one"),
        ("cut", [(1, 6)], None, "5@6: expected a frame in which the person was detected"),
        ("cut", [(1, 3)], None, "5@3: expected somebody who was there before that frame, got their first frame"),
        ("delete", [(9, 3)], None, "track 9: expected it to be seen in frame 3, found no box"),
        ("rename", [(1, 3)], None, "expected a name for rename, got None"),
        ("rename", [(1, 3)], "a\nb", "expected a name of 1 to 64 printable characters"),
    ],
)
def test_what_cannot_be_is_said_at_once_and_writes_nothing(
    action: str, people: list[tuple[int, int]], name: str | None, message: str
) -> None:
    refused = correct(action, *people, name=name)
    assert refused.status_code == 409
    assert message in refused.json()["detail"]
    assert not FILE.exists()


def test_a_row_that_contradicts_those_before_is_refused() -> None:
    assert correct("same", (1, 3), (3, 14)).status_code == 201
    refused = correct("different", (1, 4), (3, 12))
    assert (refused.status_code, len(read_corrections(FILE))) == (409, 1)
    assert "expected different to agree with other rows" in refused.json()["detail"]


def test_who_looks_at_older_tracks_is_told_to_reload() -> None:
    old = wish("delete", (1, 3))
    SEEN.save(Path("artifacts/plaza/tracks.npz"))
    refused = client().post("/api/sequences/plaza/corrections", json=old)
    assert refused.status_code == 409
    assert "got one of older ones: reload" in refused.json()["detail"]


def test_new_names_are_shown_to_whoever_looks_again() -> None:
    before = client().get("/api/sequences/plaza/corrections").json()["version"]
    path = Path("artifacts/identities/plaza.npz")
    dataclasses.replace(Identities.load(path), names=np.array(["Ann", "Ben", ""])).save(path)
    assert client().get("/api/sequences/plaza/corrections").json()["version"] != before


def test_while_the_pipeline_runs_the_tracks_may_be_gone() -> None:
    Path("artifacts/plaza/tracks.npz").unlink()
    refused = client().get("/api/sequences/plaza")
    assert (refused.status_code, refused.json()["detail"]) == (
        409, "artifacts/plaza/tracks.npz: expected a file, found none (run `dvc repro`)")  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {}, {"version": "x", "action": "burn", "people": []}, {"version": "x", "action": "same", "people": [{"track": 1}] * 3},
        {"version": "x", "action": "cut", "people": [{"track": "1", "frame": 0}]},
        {"version": "x", "action": "cut", "people": [{"track": 1, "frame": -1}]},
        {"version": "x", "action": "cut", "people": [{"track": 1, "frame": 1, "box": [0, 0, 1, 1]}]},
        {"version": "x", "action": "rename", "people": [], "name": "x" * 1000},
    ],
)  # fmt: skip
def test_what_is_no_wish_is_refused_before_anything_is_read(body: dict[str, Any]) -> None:
    assert client().post("/api/sequences/plaza/corrections", json=body).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/reports/../params.yaml", "/reports/%2e%2e/params.yaml", "/reports/..%2f..%2fsecret.txt", "/reports/link.txt",
        "/artifacts/%2e%2e/%2e%2e/secret.txt", "/artifacts//etc/passwd", "/page/..%2fapp.py", "/page/%2e%2e/app.py",
        "/params.yaml", "/data/corrections/x", "/docs", "/openapi.json", "/api/sequences/..%2f..%2fsecret",
        "/api/sequences/%2e%2e/video", "/api/sequences/yard2", "/api/sequences/yard/video",
    ],
)  # fmt: skip
def test_nothing_else_of_the_machine_can_be_read(project: Path, path: str) -> None:
    (project / "reports/link.txt").symlink_to(project.parent / "secret.txt")
    answer = client().get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace(path, "").replace("secret: expected", "")


def test_other_names_for_this_machine_are_refused() -> None:
    """DNS rebinding: a page of evil.test asks evil.test:8765, which resolves to 127.0.0.1."""
    for host in ("evil.test:8765", "127.0.0.1", "127.0.0.1:80", ""):
        assert client(Host=host).get("/api/sequences").status_code == 421
    assert client(Host="cam.lan:8765").get("/api/sequences").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.test"}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415), ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}, 201), ({}, 201),
    ],
)  # fmt: skip
def test_another_site_s_page_cannot_write(headers: dict[str, str], status: int) -> None:
    body = wish("delete", (3, 12))
    answer = client().post("/api/sequences/plaza/corrections", json=body, headers=headers)
    assert answer.status_code == status
    assert FILE.exists() == (status == 201)


def test_a_long_body_is_refused_unread() -> None:
    assert client().post("/api/rerun", json={"x": "y" * 70_000}).status_code == 413
    chunks = client().post("/api/rerun", content=iter([b"{}"]), headers={"Content-Type": "application/json"})
    assert chunks.status_code == 413, "of unknown length"


def test_a_token_is_taken_from_the_address_into_a_cookie() -> None:
    guarded = client(token="T0ken")
    assert guarded.get("/").status_code == 401
    assert guarded.get("/reports/index.html").status_code == 401
    assert guarded.post("/api/rerun", json={}).status_code == 401
    assert guarded.get("/?token=wrong").status_code == 401
    assert guarded.get("/?token=é").status_code == 401
    answer = guarded.get(f"http://{HOST}//evil.test/?token=T0ken&frame=7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/evil.test/?frame=7")
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    assert guarded.get("/api/sequences").status_code == 200, "the cookie is kept"
    assert client(token="T0ken", Cookie="retrace_review=wrong").get("/").status_code == 401


def test_two_browsers_do_not_lose_each_other_s_rows() -> None:
    def click(frame: int) -> None:
        correct("delete", (1, frame))

    threads = [threading.Thread(target=click, args=(frame,)) for frame in (3, 4, 5, 7, 8, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row.place.frame for row in read_corrections(FILE)) == [3, 4, 5, 7, 8, 9]


def test_the_last_of_equal_rows_goes_and_what_others_wrote_stays() -> None:
    rows = [Correction("delete", Place(frame, box(100))) for frame in (1, 2, 1)]
    for row in rows:
        append_row(FILE, row)
    remove_row(FILE, rows[0])
    assert read_corrections(FILE) == rows[:2]
    remove_row(FILE, rows[0])
    remove_row(FILE, rows[1])
    assert FILE.read_text() == HEADER
    with pytest.raises(DataError, match="expected the row delete,2,100,100,140,200"):
        remove_row(FILE, rows[1])


@pytest.mark.parametrize(
    ("lock", "status"),
    [
        ({"read": {"{file}": [{"pid": "{me}", "cmd": "dvc repro"}]}}, 409),
        (
            {
                "read": {"{file}": [{"pid": 2**22 + 1, "cmd": "killed"}], "{file}x": [{"pid": "{me}", "cmd": "dvc"}]},
                "write": {},
            },
            201,
        ),
        ({"read": {}}, 201),
        ("{", 409),
    ],
)
def test_a_row_waits_while_a_stage_reads_the_file(lock: Any, status: int) -> None:
    """DVC would note the row as honoured when the stage has run."""
    Path(".dvc/tmp").mkdir(parents=True)
    text = lock if isinstance(lock, str) else json.dumps(lock)
    Path(".dvc/tmp/rwlock").write_text(text.replace('"{me}"', str(os.getpid())).replace("{file}", str(FILE.resolve())))
    assert correct("delete", (1, 3)).status_code == status
    assert FILE.exists() == (status == 201)


def finished(rerun: Rerun) -> dict[str, Any]:
    while rerun.status()["running"] or len(rerun.status()["lines"]) < 1:  # type: ignore[arg-type]
        time.sleep(0.02)
    return rerun.status()


def test_the_pipeline_runs_once_at_a_time_and_says_how_it_went() -> None:
    rerun = Rerun(("bash", "-c", "pwd; read -n 1 < go; exit 3"))
    os.mkfifo("go")
    asked = client(rerun=rerun)
    assert asked.get("/api/rerun").json() == {"running": False, "status": None, "lines": []}
    assert asked.post("/api/rerun", json={}).status_code == 202
    second = asked.post("/api/rerun", json={})
    assert second.status_code == 409
    assert "got one that is going on" in second.json()["detail"]
    Path("go").write_text("x")
    assert finished(rerun) == {"running": False, "status": 3, "lines": [str(Path.cwd())]}


def test_a_run_ends_with_the_server() -> None:
    rerun = Rerun(("sleep", "600"))
    rerun.start()
    rerun.stop()
    assert rerun.status()["running"] is False


def test_only_loopback_needs_no_token() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.4", "cam.lan", "localhost.evil.test")] == [False] * 5
    assert host_headers("127.0.0.1", 8765, []) == ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"]
    assert host_headers("::1", 80, [])[:2] == ["127.0.0.1", "127.0.0.1:80"]
    assert host_headers("0.0.0.0", 8765, ["cam.lan"])[-1] == "cam.lan:8765"
    with pytest.raises(DataError, match=r"--host 0.0.0.0: expected --name"):
        host_headers("0.0.0.0", 8765, [])


def test_a_port_that_is_taken_is_one_line() -> None:
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(DataError, match=rf"^127.0.0.1:{port}: expected a free port at an address of this machine, got: "):
            listening("127.0.0.1", port)
    assert (in_url("::1"), in_url("cam.lan")) == ("[::1]", "cam.lan")
