"""Stored camera motion: taken as it is, composed over the frames that a clip leaves out, refused where it does not fit."""

from pathlib import Path

import numpy as np
import pytest

from stages.clip import ClipParams
from stages.errors import DataError
from stages.registration.stored import composed, read_motion, stored_motion
from stages.seqinfo import SequenceInfo
from stages.sequence_folder import write_marker

STILL = "1.000000\t0.000000\t0.000000\t0.000000\t1.000000\t0.000000\t"  # as BoT-SORT writes it, a tab at the end too
QUARTER_TURN = "0 -1 0 1 0 0"  # x' = -y, y' = x
ROWS = [STILL, "1 0 10 0 1 20", QUARTER_TURN, "2 0 0 0 2 0", "1 0 -3 0 1 5"]


def write(folder: Path, *rows: str) -> Path:
    """The folder with a motion.txt of these rows, numbered from 0."""
    folder.mkdir(exist_ok=True)
    (folder / "motion.txt").write_text("".join(f"{number}\t{row}\n" for number, row in enumerate(rows)))
    return folder


def info(num_frames: int = len(ROWS)) -> SequenceInfo:
    return SequenceInfo("hall", 640, 480, 10.0, num_frames, variable_rate=False)


def test_every_frame_has_the_transform_of_its_line(tmp_path: Path) -> None:
    motion = stored_motion(write(tmp_path, *ROWS), "yard", info(), ClipParams(0, None, 1))
    assert (motion.sequence, motion.num_frames) == ("yard", 5)
    assert motion.transforms[1].tolist() == [[1, 0, 10], [0, 1, 20]]
    assert motion.transforms[2].tolist() == [[0, -1, 0], [1, 0, 0]]
    assert motion.transforms[4].tolist() == [[1, 0, -3], [0, 1, 5]]


def test_a_stride_composes_what_it_leaves_out_and_the_clip_begins_with_the_identity(tmp_path: Path) -> None:
    """From frame 0 to 2: first 10 to the right and 20 down, then turned, so (x, y) goes to (-(y + 20), x + 10).

    From frame 2 to 4: first twice as large, then 3 to the left and 5 down.
    """
    folder = write(tmp_path, *ROWS)
    each_second = stored_motion(folder, "hall", info(), ClipParams(0, None, 2)).transforms
    assert each_second.tolist() == [[[1, 0, 0], [0, 1, 0]], [[0, -1, -20], [1, 0, 10]], [[2, 0, -3], [0, 2, 5]]]
    later = stored_motion(folder, "hall", info(), ClipParams(1, 4, 2)).transforms  # frames 1 and 3: turned, then larger
    assert later.tolist() == [[[1, 0, 0], [0, 1, 0]], [[0, -2, 0], [2, 0, 0]]]
    assert stored_motion(folder, "hall", info(), ClipParams(3, 4, 7)).transforms.tolist() == [[[1, 0, 0], [0, 1, 0]]]


def test_composing_sends_points_the_way_of_each_step_in_turn() -> None:
    rng = np.random.default_rng(0)
    angles, scales = rng.uniform(-0.3, 0.3, 40), rng.uniform(0.9, 1.1, 40)
    a, b = scales * np.cos(angles), scales * np.sin(angles)
    transforms = np.stack([a, -b, rng.normal(0, 9, 40), b, a, rng.normal(0, 9, 40)], axis=1).reshape(-1, 2, 3)
    frames = range(4, 40, 7)
    made = composed(transforms, frames)
    assert len(made) == len(frames)
    for row in range(1, len(frames)):
        point = np.array([100.0, 50.0])
        for frame in range(frames[row - 1] + 1, frames[row] + 1):
            point = transforms[frame, :, :2] @ point + transforms[frame, :, 2]
        np.testing.assert_allclose(made[row, :, :2] @ [100, 50] + made[row, :, 2], point)


def test_a_rotation_rounded_to_six_decimals_is_made_a_similarity_again(tmp_path: Path) -> None:
    (row,) = read_motion(write(tmp_path, STILL, "0.999951 -0.010000 1.5 0.010001 0.999950 2.5") / "motion.txt", info(2))[1:]
    np.testing.assert_allclose(row, [[0.9999505, -0.0100005, 1.5], [0.0100005, 0.9999505, 2.5]])
    assert row[0, 0] == row[1, 1]
    assert row[0, 1] == -row[1, 0]


def test_no_frames_have_no_motion(tmp_path: Path) -> None:
    assert stored_motion(write(tmp_path), "hall", info(0), ClipParams(0, None, 1)).num_frames == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected frames 0 to 1, a line each in this order, got none"),
        ("0 1 0 0 0 1 0\n", "expected frames 0 to 1, a line each in this order, got 0 to 0 in 1 lines"),
        ("1 1 0 0 0 1 0\n2 1 0 0 0 1 0\n", "expected frames 0 to 1, a line each in this order, got 1 to 2 in 2 lines"),
        ("0 1 0 0 0 1 0\n0 1 0 0 0 1 0\n", "got 0 to 0 in 2 lines"),
        ("0 1 0 0 0 1 0\n1 1 0 0 0 1 0\n2 1 0 0 0 1 0\n", "got 0 to 2 in 3 lines"),
        ("0 1 0 0 0 1\n1 1 0 0 0 1\n", "line 1: expected 7 numbers between white space, got 6"),
        ("0,1,0,0,0,1,0\n", "line 1: expected 7 numbers between white space, got 1"),
        ("0 1 0 0 0 1 0\n1 1 0 0 1\n", "line 2: expected 7 numbers between white space as in line 1, got 5"),
        ("0 1 0 0 0 1 0\n1 1 0 x 0 1 0\n", "line 2: expected a number in column 4, got 'x'"),
        ("0 1 0 0 0 1 0\n1 1 0 nan 0 1 0\n", "transforms: expected finite values, got NaN or infinity in row 1"),
        ("0 1 0 5 0 1 0\n1 1 0 0 0 1 0\n", "transforms: expected the identity in row 0"),
        ("0 1 0 0 0 1 0\n1 1 0.1 0 0 1 0\n", "transforms: expected similarities"),
        ("0 1 0 0 0 1 0\n1 1 0 0 0 1.001 0\n", "transforms: expected similarities"),
        ("0 1 0 0 0 1 0\n1 0 0 0 0 0 0\n", "transforms: expected scales in [0.1, 10], got 0 in row 1"),
    ],
)
def test_a_file_that_is_not_the_motion_of_the_sequence_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "motion.txt").write_text(text)
    with pytest.raises(DataError) as error:
        stored_motion(tmp_path, "hall", info(2), ClipParams(0, None, 1))
    assert str(error.value).startswith(f"{tmp_path}/motion.txt: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_zoom_too_far_between_kept_frames_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, STILL, "4 0 0 0 4 0", "4 0 0 0 4 0")
    with pytest.raises(DataError, match=r"between frames of the clip: transforms: expected scales in \[0.1, 10\], got 16 in"):
        stored_motion(folder, "hall", info(3), ClipParams(0, None, 2))


def test_motion_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    write_marker(tmp_path, "no motion.txt")
    with pytest.raises(
        DataError, match=r"expected a file, found none: set sequences\.hall\.camera_motion to none or estimated"
    ):
        stored_motion(tmp_path, "hall", info(), ClipParams(0, None, 1))
