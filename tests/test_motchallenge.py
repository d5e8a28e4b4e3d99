"""MOTChallenge files: 1-based frames and left-top-width-height on disk, 0-based frames and corners inside."""

from pathlib import Path

import pytest

from stages.errors import DataError
from stages.motchallenge import format_tracks, read_rows
from stages.seqinfo import SequenceInfo, format_seqinfo, read_seqinfo
from tests.tables import box, tracklets


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gt.txt"
    path.write_text(text)
    return path


def test_nine_columns_carry_class_and_visibility_and_rows_are_sorted_by_frame(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, "2,5,10,20,30,40,1,7,0.25\n1,4,1,2,3,4,0,1,1\n"))
    assert rows.frame_numbers.tolist() == [0, 1]
    assert rows.ids.tolist() == [4, 5]
    assert rows.bboxes.tolist() == [[1, 2, 4, 6], [10, 20, 40, 60]]
    assert rows.scores.tolist() == [0, 1]
    assert rows.class_ids.tolist() == [1, 7]
    assert rows.visibilities.tolist() == [1, 0.25]


def test_ten_columns_are_worlds_of_2015_and_have_no_class(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, "1,1,88,99,61.08,218.56,1,4.4852,5.5016,0\n"))
    assert rows.class_ids.tolist() == [-1]
    assert rows.num_columns == 10


def test_ids_may_be_as_great_as_whole_numbers_of_32_bits(tmp_path: Path) -> None:
    assert read_rows(write(tmp_path, "1,2147483646,1,1,1,1,1\n")).ids.tolist() == [2147483646]
    for line in ("1,2147483648,1,1,1,1,1\n", "20000000,1,1,1,1,1,1\n"):
        with pytest.raises(DataError, match=r"line 1: expected a whole frame number from 1, a whole id"):
            read_rows(write(tmp_path, line))


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, "\n"))
    assert (len(rows), rows.num_columns) == (0, 9), "as of MOT17"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,1,1,1,1,1\n", "line 1: expected a whole frame number from 1"),
        ("1,1,1,1,1,1,1,1.5,1\n", "a whole id (and class)"),
        ("1,1,1,1,1,1,1\n1.5,1,1,1,1,1,1\n", "line 2: expected a whole frame number"),
        ("1,1,nan,1,1,1,1\n", "line 1: expected a whole frame number from 1, a whole id (and class), a finite box"),
        ("1,1,1,1,inf,1,1\n", "finite box"),
        ("1,1,1,1,-4,1,1\n", "finite box not inverted"),
        ("1,1,1e30,1,4,1,1\n", "finite box"),
        ("\n1,1,1,1,1,1,1\n\n0,1,1,1,1,1,1\n", "line 4: expected a whole frame number"),
        ("1,1,1,1\n", "line 1: expected 7 to 10 numbers between commas, got 4"),
        ("\n1,1,1,1,1,1,1\n1,1,1\n", "line 3: expected 7 numbers between commas as in line 2, got 3"),
        ("1,1,1,1,1,1,1\n1,1,1,1,1,1,1,1\n", "line 2: expected 7 numbers between commas as in line 1, got 8"),
        ("frame,id,left,top,width,height,score\n", "line 1: expected a number in column 1, got 'frame'"),
        (4 * "1,1,1,1,1,1,1\n" + "1,x,1,1,1,1,1\n", "line 5: expected a number in column 2, got 'x'"),
        ("1,1,1,1,1,1,\n", "line 1: expected a number in column 7, got ''"),
        ("1,1,1_0,1,1,1,1\n", "line 1: expected a number in column 3, got '1_0'"),
        ("1,1,\u0661,1,1,1,1\n", "expected lines of numbers between commas, got something else"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        read_rows(write(tmp_path, text))
    assert str(error.value).startswith(f"{tmp_path / 'gt.txt'}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a file, found none"):
        read_rows(tmp_path / "gt.txt")
    (tmp_path / "gt.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="expected UTF-8 text"):
        read_rows(tmp_path / "gt.txt")


def test_results_are_written_by_frame_and_read_back(tmp_path: Path) -> None:
    table = tracklets({2: {0: box(10)}, 7: {0: box(200), 3: box(210.5)}})
    text = "".join(format_tracks(table.frame_numbers, table.tracklet_ids, table.bboxes, table.confidences))
    assert text.splitlines()[0] == "1,2,10.000,100.000,40.000,100.000,1.0000,-1,-1,-1"
    rows = read_rows(write(tmp_path, text))
    assert rows.ids.tolist() == [2, 7, 7]
    assert rows.bboxes[2].tolist() == [210.5, 100, 250.5, 200]


def test_seqinfo_survives_the_disk_and_names_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "seqinfo.ini"
    info = SequenceInfo("hall", 640, 480, 29.97, 12, variable_rate=True)
    path.write_text(format_seqinfo(info))
    assert read_seqinfo(path) == info
    path.write_text(format_seqinfo(info).replace("frameRate=29.97", "frameRate=fast"))
    with pytest.raises(DataError, match=r"seqinfo\.ini: frameRate: expected a number in \[0\.01, 9999\], got fast"):
        read_seqinfo(path)
    path.write_text("[Sequenz]\n")
    with pytest.raises(DataError, match=r"section \[Sequence\]"):
        read_seqinfo(path)
