"""Which views of people are shown, and that a tile shows what it says."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.drawing import CANVAS_GREY
from stages.illustrate import index, plan
from stages.illustrating.moments import best_spread, view_quality
from stages.illustrating.scene import background, background_frames, busiest_frame, where_map
from stages.illustrating.sheets import people_sheets
from stages.illustrating.shots import Album, Mark, Sheet, Shot, tile_of, window_around
from tests.report_project import levels, make_project, run_stage
from tests.tables import box, tracklets

RED = (0, 0, 255)


def checks() -> np.ndarray:
    """A picture of 80 x 60 px whose quarters are of four colours."""
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:30, :40], picture[:30, 40:], picture[30:, :40], picture[30:, 40:] = 50, 100, 150, 200
    return picture


def test_a_tile_is_the_window_scaled_and_grey_beyond_the_picture() -> None:
    tile = tile_of(checks(), Shot(0, (-40, 0, 40, 60)), (40, 30))
    assert np.unique(tile[:, :20]).tolist() == [CANVAS_GREY]
    assert (tile[7, 30, 0], tile[22, 30, 0]) == (50, 150)
    assert np.unique(tile_of(checks(), Shot(0, (500, 500, 580, 560)), (40, 30))).tolist() == [CANVAS_GREY]


def test_marks_are_drawn_where_the_window_shows_them() -> None:
    tile = tile_of(checks(), Shot(0, (40, 30, 80, 60), (Mark((50, 40, 60, 50), RED, "", dashed=False),)), (80, 60))
    assert tuple(tile[20, 30]) == RED, "the box's upper edge: (50 - 40) * 2, (40 - 30) * 2"
    assert np.argwhere((tile == RED).all(axis=2)).min(axis=0).tolist() == [20, 20]


def test_a_window_has_the_tiles_shape_around_the_box() -> None:
    assert window_around((10, 10, 30, 90), 0.5, 1.0) == (0, 10, 40, 90)
    assert window_around((0, 0, 80, 40), 0.5, 1.0) == (0, -60, 80, 100)


def test_an_album_puts_each_frame_into_its_places() -> None:
    window = (0.0, 0.0, 80.0, 60.0)
    album = Album({"a": Sheet((8, 6), ((Shot(3, window), Shot(5, window)), (Shot(5, window),)))})
    assert sorted(album.wanted) == [3, 5]
    album.add(4, np.full((60, 80, 3), 90, np.uint8))
    album.add(5, np.full((60, 80, 3), 200, np.uint8))
    assert album.pictures["a"].shape == (12, 16, 3)
    assert (album.pictures["a"][:6, 8:] == 200).all()
    assert (album.pictures["a"][6:, :8] == 200).all()
    assert (album.pictures["a"][:6, :8] == CANVAS_GREY).all()


def test_views_are_the_best_of_stretches_of_time_and_of_every_tracklet() -> None:
    rows = np.arange(100, 112)
    parts = np.array([1] * 10 + [2] * 2)
    quality = np.array([1, 2, 9, 1, 1, 1, 8, 1, 1, 3, 0.5, 0.7])
    assert best_spread(rows, parts, quality, 3).tolist() == [102, 106, 111], "two of the long tracklet, one of the short"
    assert best_spread(rows, parts, quality, 1).tolist() == [102], "the longest alone where there is room for one"
    assert best_spread(rows, parts, np.where(quality > 1, quality, 0), 8).tolist() == [101, 102, 106, 109]


def test_a_view_is_worse_where_people_overlap_or_leave_the_picture_and_nothing_without_a_detection() -> None:
    table = tracklets({1: {0: box(100), 1: box(100), 2: box(-5), 3: box(100)}, 2: {1: box(120)}})
    indices = table.detection_indices.copy()
    indices[3] = -1
    quality = view_quality(replace(table, detection_indices=indices))
    assert quality[:4].round(3).tolist() == [1, round(2 / 3, 3), 0.5, 0]


def test_the_place_is_what_most_frames_show() -> None:
    pictures = [np.full((4, 4, 3), value, np.uint8) for value in (10, 10, 200)]
    assert np.unique(background(pictures)).tolist() == [10]
    assert background_frames(3) == [0, 1, 2]
    assert background_frames(0) == []
    assert len(background_frames(100_000)) == 25
    assert busiest_frame(levels()["final"]) == 0


def test_a_map_shows_the_way_of_one_person() -> None:
    table = tracklets({1: {f: box(10 * f) for f in range(40)}})
    drawn = where_map(np.full((480, 640, 3), 100, np.uint8), table, slice(0, 40), 1)
    colored = np.argwhere(np.ptp(drawn.astype(int), axis=2) > 60)
    assert drawn.shape == (120, 160, 3)
    assert 45 < colored[:, 0].mean() < 55, "feet at y = 200 of 480"


def test_people_beyond_the_limit_have_no_sheet() -> None:
    made = levels()
    assert sorted(people_sheets(made["final"], made["split"], 2)) == [1, 2], "those with most boxes"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which `diagnose` and `illustrate` have run."""
    folder = make_project(tmp_path_factory.mktemp("illustrate") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("hall", "yard"):
            run_stage("diagnose", name)
            run_stage("illustrate", name)
    return folder


def test_the_index_lists_every_picture_with_its_size_and_its_frames(project: Path) -> None:
    media = project / "reports/media/hall"
    listed = json.loads((media / "index.json").read_text())
    names = {path.stem for path in media.glob("*.jpg")}
    assert names == set(listed["pictures"])
    assert names == {
        "background",
        "poster",
        "join-0",
        "mistake-0",
        "mistake-1",
        *(f"{k}-{n}" for k in ("person", "where") for n in (1, 2, 3)),
    }
    for name, (width, height) in listed["pictures"].items():
        picture = cv2.imread(str(media / f"{name}.jpg"))
        assert picture is not None
        assert picture.shape[:2] == (height, width)
    assert listed["frames"]["mistake-0"] == [[14, 16, 18, 20]], "from the last frame that was right to the first again"
    before, after = listed["frames"]["join-0"][0][:3], listed["frames"]["join-0"][0][3:]
    assert max(before) <= 14 < 20 <= min(after)


def test_without_pixels_mistakes_are_drawn_and_people_are_not(project: Path) -> None:
    listed = json.loads((project / "reports/media/yard/index.json").read_text())
    assert listed["filmed"] is False
    assert [name for name in listed["pictures"] if name.startswith(("person", "join", "mistake"))] == []
    assert plan(levels()["final"], levels()["split"], None, None, [], [], None, filmed=False) == {}  # type: ignore[arg-type]
    assert index(Album({}), {}, filmed=False, fps=5.0) == {"filmed": False, "fps": 5.0, "pictures": {}, "frames": {}}
