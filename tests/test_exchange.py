"""Tracks in other tools' formats: what stands in the files, and that reading them back gives the same tracks."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO  # type: ignore[import-untyped]

from stages.classes import ClassNames, parse_class_name
from stages.contracts.tracklets import Tracklets, make_tracklets
from stages.errors import DataError
from stages.exchange.coco import format_coco
from stages.exchange.cvat import format_cvat
from stages.exchange.cvat_reader import read_cvat
from stages.exchange.keyframes import keyframes
from stages.exchange.tables import format_csv, parquet_bytes
from stages.motchallenge import MotRows
from tests.tables import box, detections, tracklets

NAMES = ClassNames()
WHOLE = range(100)
PX = st.floats(-500, 4000, width=32)


@st.composite
def any_tracklets(draw: st.DrawFn) -> Tracklets:
    """Up to four tracks with gaps in 12 frames, anywhere in and around the picture, detected or not."""
    rows = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 11)), unique=True, max_size=24))
    corners = [(draw(PX), draw(PX), draw(st.floats(0, 900, width=32)), draw(st.floats(0, 900, width=32))) for _ in rows]
    return make_tracklets(
        detections([], 12),
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        np.array([(x, y, x + width, y + height) for x, y, width, height in corners]),
        np.array([draw(st.floats(0, 1, width=32)) for _ in rows]),
        np.zeros(len(rows)),
        np.array([draw(st.integers(-1, 50)) for _ in rows]),
    )


def same_boxes(rows: MotRows, table: Tracklets, frames: range, tolerance_px: float) -> None:
    """Asserts that the rows are the tracklets' boxes under the same ids in the source's frames."""
    order = np.lexsort((table.tracklet_ids, table.frame_numbers))
    back = np.lexsort((rows.ids, rows.frame_numbers))
    assert rows.frame_numbers[back].tolist() == [frames[frame] for frame in table.frame_numbers[order].tolist()]
    assert rows.ids[back].tolist() == table.tracklet_ids[order].tolist()
    assert np.abs(rows.bboxes[back].astype(float) - table.bboxes[order].astype(float)).max(initial=0) <= tolerance_px


@settings(max_examples=60, deadline=None)
@given(any_tracklets(), st.integers(0, 50), st.integers(1, 3), st.sampled_from([0.0, 1.0, 1e5]))
def test_cvat_comes_back_as_it_went(
    tmp_path_factory: pytest.TempPathFactory, table: Tracklets, start: int, step: int, keyframe_px: float
) -> None:
    frames = range(start, start + 12 * step, step)
    path = tmp_path_factory.getbasetemp() / "round.xml"
    path.write_text(format_cvat(table, frames, NAMES, "a & b.mp4", keyframe_px))
    file = read_cvat(path, frames.stop)
    assert file.size_px == (table.width_px, table.height_px)
    assert set(file.labels) == ({"person"} if len(table) else set())
    if len(table):
        same_boxes(file.labels["person"], table, frames, 0.00065)  # three decimals, and float32 up to 4900 px


@settings(max_examples=40, deadline=None)
@given(any_tracklets())
def test_what_cvat_interpolates_between_keyframes_is_within_the_tolerance(table: Tracklets) -> None:
    for person in table.to_dicts():
        numbers, bboxes = person["frame_numbers"], person["bboxes"].astype(float)
        runs = np.split(np.arange(len(numbers)), np.flatnonzero(np.diff(numbers) > 1) + 1)
        for run in runs:
            kept = run[keyframes(numbers[run], person["bboxes"][run], 5.0)]
            shown = [np.interp(numbers[run], numbers[kept], bboxes[kept, edge]) for edge in range(4)]
            assert np.abs(np.stack(shown, axis=1) - bboxes[run]).max() <= 5.0 + 1e-9


def test_a_box_that_moves_evenly_has_two_keyframes_and_one_that_turns_has_three() -> None:
    even = np.array([box(10 * k) for k in range(9)], dtype=np.float32)
    turning = np.array([box(10 * min(k, 8 - k)) for k in range(9)], dtype=np.float32)
    numbers = np.arange(9, dtype=np.int32)
    assert np.flatnonzero(keyframes(numbers, even, 0.5)).tolist() == [0, 8]
    assert np.flatnonzero(keyframes(numbers, turning, 0.5)).tolist() == [0, 4, 8]


def test_cvat_says_where_a_person_is_unseen() -> None:
    """Frames 3 to 6 of a clip that begins at source frame 20 and keeps each second: 26 to 32; 34 is outside."""
    table = tracklets({7: {3: box(0), 4: box(1), 5: box(2), 6: box(3)}}, 10)
    text = format_cvat(table, range(20, 40, 2), NAMES, "video.mp4", 1.0)
    assert [line.split('"')[1] for line in text.splitlines() if line.startswith("<box")] == ["26", "28", "30", "32", "34"]
    assert text.count('outside="1"') == 1
    assert '<track id="7" label="person"' in text
    assert "<start_frame>20</start_frame><stop_frame>38</stop_frame><frame_filter>step=2</frame_filter>" in text


XML = '<annotations><track id="0" label="person">{}</track></annotations>'
BOX = '<box frame="{}" outside="{}" occluded="0" keyframe="1" xtl="{}" ytl="0" xbr="{}" ybr="9"/>'


def read(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "a.xml"
    path.write_text(text)
    return read_cvat(path, num_frames=100)


def test_keyframes_alone_are_filled_up_and_outside_ends_a_stretch(tmp_path: Path) -> None:
    """Two keyframes 10 px and 5 frames apart, outside from frame 5 on, seen again in frame 8."""
    boxes = [BOX.format(0, 0, 0, 5), BOX.format(4, 0, 8, 13), BOX.format(5, 1, 8, 13), BOX.format(8, 0, 3, 4)]
    boxes[1] = boxes[1].replace("<box", '<box rotation="360.00"')  # upright
    rows = read(tmp_path, XML.format("".join(boxes))).labels["person"]
    assert rows.frame_numbers.tolist() == [0, 1, 2, 3, 4, 8]
    assert rows.bboxes[:, 0].tolist() == [0, 2, 4, 6, 8, 3]
    stays = read(tmp_path, XML.format(BOX.format(0, 0, 0, 5) + BOX.format(3, 1, 99, 99))).labels["person"]
    assert stays.bboxes[:, 0].tolist() == [0, 0, 0], "the box that ends a stretch says nothing of where it was before"


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><annotations><track id="0" label="&c;"/></annotations>'
FILE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotations>&b;</annotations>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "expected XML without document types and entities, got: DTDForbidden"),
        (FILE, "expected XML without document types and entities, got: DTDForbidden"),
        ("<annotations><track>", "expected XML of CVAT, got: no element found"),
        ("", "expected XML of CVAT, got: no element found"),
        ('<?xml version="1.0" encoding="klingon"?><annotations/>', "expected XML of CVAT, got: unknown encoding"),
        ("<html></html>", "expected the root element annotations, got html"),
        ('<annotations><image id="0"/></annotations>', "expected tracks (export as CVAT for video 1.1), got images"),
        (XML.format('<polygon points="1,2;3,4"/>'), "track 0: expected boxes, got a polygon"),
        (
            XML.format(BOX.format(-1, 0, 0, 5)),
            "track 0: expected a box with a frame from 0 to 99 and outside 0 or 1, got -1, 0",
        ),
        (
            XML.format(BOX.format(0, 0, 0, 5) + BOX.format(2_000_000_000, 0, 0, 5)),
            "from 0 to 99 and outside 0 or 1, got 2000000000",
        ),
        (XML.format(BOX.format(1, 2, 0, 5)), "expected a box with a frame from 0 to 99 and outside 0 or 1, got 1, 2"),
        (
            XML.format(BOX.format(1, 0, 1, 5).replace("<box", '<box rotation="30.00"')),
            "track 0, frame 1: expected an upright box, got one turned by 30.00 degrees",
        ),
        (XML.format(BOX.format(1, 0, 6, 5)), "track 0, frame 1: expected a finite box not inverted, got 6 0 5 9"),
        (XML.format(BOX.format(1, 0, "nan", 5)), "expected a finite box"),
        (XML.format(BOX.format(1, 0, "1e99", "1e99")), "expected a finite box"),
        (XML.format(2 * BOX.format(1, 0, 0, 5)), "track 0: expected one box in frame 1"),
        (XML.replace('"0"', '"x"'), "track x: expected a whole id from 0"),
        (XML.replace("</annotations>", '<track id="0" label="person"/></annotations>'), "expected each track's id once"),
        ("<annotations><original_size><width/><height/></original_size></annotations>", "expected XML of CVAT, got: invalid"),
    ],
)
def test_a_file_that_is_no_sound_cvat_file_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, text)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / 'a.xml'}: ")
    assert "\n" not in str(error.value)


def test_a_csv_row_is_a_box_in_clip_and_source() -> None:
    table = tracklets({3: {1: box(10.5)}}, 4)
    (row,) = csv.DictReader(io.StringIO(format_csv(table, range(6, 14, 2), ClassNames({0: "diver, male"}), {})))
    assert row == {
        "track_id": "3", "frame": "1", "source_frame": "8", "time_s": "0.400", "x1_px": "10.500", "y1_px": "100.000",
        "x2_px": "50.500", "y2_px": "200.000", "confidence": "1.0000", "class_id": "0", "class_name": "diver, male",
        "interpolated": "0",
    }  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(any_tracklets())
def test_parquet_is_exact(table: Tracklets) -> None:
    read = pyarrow.parquet.read_table(io.BytesIO(parquet_bytes(table, range(12), NAMES, {})))
    columns = {name: read[name].to_numpy(zero_copy_only=False) for name in read.column_names}
    for k, name in enumerate(("x1_px", "y1_px", "x2_px", "y2_px")):
        assert np.array_equal(columns[name], table.bboxes[:, k])
    for name, expected in {"track_id": table.tracklet_ids, "frame": table.frame_numbers, "confidence": table.confidences,
                           "class_id": table.class_ids, "interpolated": table.detection_indices == -1}.items():  # fmt: skip
        assert columns[name].dtype == expected.dtype
        assert np.array_equal(columns[name], expected)
    assert read.schema.metadata[b"retrace.width_px"] == b"640"


def test_pycocotools_finds_videos_frames_and_tracks(tmp_path: Path) -> None:
    table = tracklets({1: {0: box(0), 1: box(5)}, 4: {1: box(300, 50, 20.25, 80)}}, 3)
    path = tmp_path / "tracks.json"
    path.write_text(format_coco(table, range(10, 13), NAMES, ["a.jpg", "b.jpg", "c.jpg"]))
    read = COCO(str(path))
    assert read.getCatIds(catNms=["person"]) == [1]
    assert [image["file_name"] for image in read.loadImgs(read.getImgIds())] == ["a.jpg", "b.jpg", "c.jpg"]
    assert read.imgs[2] | {"frame_id": 1, "frame_index": 11, "video_id": 1, "width": 640, "height": 480} == read.imgs[2]
    second = read.loadAnns(read.getAnnIds(imgIds=[2]))
    assert [(found["track_id"], found["bbox"], found["area"]) for found in second] == [
        (1, [5, 100, 40, 100], 4000), (4, [300, 50, 20.25, 80], 1620)]  # fmt: skip
    data = json.loads(path.read_text())
    assert data["tracks"] == [{"id": 1, "video_id": 1, "category_id": 1}, {"id": 4, "video_id": 1, "category_id": 1}]
    assert read.loadRes(data["annotations"]).getAnnIds() == [1, 2, 3]


def test_every_format_takes_a_sequence_without_people_and_without_frames() -> None:
    for table, frames in ((tracklets({}, 3), range(3)), (tracklets({}, 0), range(0))):
        assert format_csv(table, frames, NAMES, {}).count("\n") == 1
        assert json.loads(format_coco(table, frames, NAMES, ["x.jpg"] * len(frames)))["annotations"] == []
        assert "<track" not in format_cvat(table, frames, NAMES, "", 1.0)
        assert parquet_bytes(table, frames, NAMES, {})[:4] == b"PAR1"


def test_classes_have_coco_s_names_or_those_given() -> None:
    names = ClassNames(dict([parse_class_name("0=forklift"), parse_class_name("99=crane truck")]))
    assert [names[0], names[1], names[79], names[99], names[100]] == [
        "forklift",
        "bicycle",
        "toothbrush",
        "crane truck",
        "class 100",
    ]
    for wrong in ("forklift", "=x", "1=", "-1=x", "1=a\nb"):
        with pytest.raises(DataError, match="--class-name: expected a class and its name"):
            parse_class_name(wrong)
