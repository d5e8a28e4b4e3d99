"""A view that does not move: there and back, by known motion and by what boxes show; what joins and filling gain."""

import numpy as np
import pytest

from stages.association.steadying import still_view
from stages.association.still_view import StillView, from_first_frame
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.tracklets import Tracklets
from stages.merge import MergeParams, merge
from stages.smooth import SmoothParams, smooth
from stages.smoothing.filling import fill_gaps
from stages.smoothing.regression import smooth_boxes
from tests.tables import box, embeddings_of, motionless, tracklets
from tests.test_rewire import detected

PANNING = np.clip(12.0 * (np.arange(100) - 20), 0, 480)  # px; the camera turns to the left from frame 20 to 60


def standing(name: int, frames: range, pan: np.ndarray = PANNING) -> dict[int, tuple[float, float, float, float]]:
    """Somebody who stands, as the turning camera sees them, with a detector's jitter of half a pixel."""
    jitter = np.random.default_rng(name).normal(0, 0.5, (100, 2))
    return {f: box(60 * name + pan[f] + jitter[f, 0], 100 + 5 * name + jitter[f, 1]) for f in frames}


def crowd(hidden: range, pan: np.ndarray = PANNING) -> Tracklets:
    """Eight who stand; the first is not seen for a while."""
    seen = {f: where for f, where in standing(1, range(100), pan).items() if f not in hidden}
    return tracklets({1: seen, **{name: standing(name, range(100), pan) for name in range(2, 9)}})


def test_a_known_motion_is_taken_out_and_put_back() -> None:
    """From frame to frame the picture turns by a right angle, doubles and moves by (3, 4)."""
    motion = motionless(tracklets({})).transforms.copy()
    motion[1:3] = [[0, -2, 3], [2, 0, 4]]
    view = still_view(tracklets({}), CameraMotion("hall", 100, motion))
    seen = np.array([[10.0, 20, 14, 30], [-51, 18, -43, 38], *[[-61, -110, -45, -70]] * 2])
    frames = np.array([0, 1, 2, 50])  # from frame 2 on it stands
    np.testing.assert_allclose(view.boxes(seen, frames), np.tile([10.0, 20, 14, 30], (4, 1)), atol=1e-9)
    np.testing.assert_allclose(view.back(view.boxes(seen, frames), frames), seen, atol=1e-9)


@pytest.mark.parametrize("zoom", [20.0, 0.05])
def test_after_too_much_zoom_the_view_begins_anew(zoom: float) -> None:
    """The fourth step would make it more than 10,000-fold; from there boxes are where the camera sees them."""
    zoomed, moved = [[zoom, 0, 0], [0, zoom, 0]], [[zoom, 0, 3], [0, zoom, 4]]
    view = from_first_frame(np.array([np.eye(2, 3), zoomed, zoomed, zoomed, moved, np.eye(2, 3)]))
    boxes = view.boxes(np.tile([100.0, 200, 300, 500], (6, 1)), np.arange(6))
    np.testing.assert_allclose(boxes, np.outer(zoom ** np.array([0, -1, -2, -3, 0, 0]), [100, 200, 300, 500]))


def test_boxes_without_height_get_two_pixels_in_their_own_picture() -> None:
    view = from_first_frame(np.array([np.eye(2, 3), [[4, 0, 0], [0, 4, 0]]]))
    flat = view.boxes(np.tile([40.0, 80, 44, 80], (2, 1)), np.arange(2))
    np.testing.assert_allclose(flat, [[40.0, 79, 44, 81], [10, 19.75, 11, 20.25]])


def test_boxes_are_the_same_however_many_are_moved_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    table = crowd(range(0))
    view = still_view(table, motionless(table))
    with monkeypatch.context() as patched:
        patched.setattr("stages.association.still_view.BLOCK_BOXES", 7)
        in_blocks = view.boxes(table.bboxes, table.frame_numbers)
    assert np.array_equal(in_blocks, view.boxes(table.bboxes, table.frame_numbers))


def test_a_camera_that_stands_still_leaves_boxes_within_a_pixel_of_where_they_are() -> None:
    table = crowd(range(0), np.zeros(100))
    view = still_view(table, motionless(table))
    np.testing.assert_allclose(view.boxes(table.bboxes, table.frame_numbers), table.bboxes, atol=1.0)


def test_a_turn_that_nobody_told_is_seen_in_the_boxes() -> None:
    """All stand, and so they do in the view, but for a little that is lost where the camera begins and stops."""
    table = crowd(range(0))
    still = still_view(table, motionless(table)).tracklets(table)
    travelled = [path["bboxes"][:, 0].max() - path["bboxes"][:, 0].min() for path in still.to_dicts()]
    assert max(travelled) < 0.1 * PANNING[-1]


def test_who_comes_back_after_seconds_says_nothing_of_the_camera() -> None:
    """As if it were somebody else; so memory follows those who are seen and not those who are away."""
    seen = {name: standing(name, range(100)) for name in range(1, 9)}
    before = {name: {f: path[f] for f in range(30)} for name, path in seen.items()}
    after = {name: {f: path[f] for f in range(85, 100)} for name, path in seen.items()}  # 2.2 s later
    one = tracklets({name: before[name] | after[name] for name in seen})
    two = tracklets({**before, **{10 + name: path for name, path in after.items()}})
    assert still_view(one, motionless(one)).shifts.tolist() == still_view(two, motionless(two)).shifts.tolist()


def test_a_gap_is_filled_where_the_person_stood_though_the_camera_stopped_meanwhile() -> None:
    """A straight line in the picture would be up to 120 px off, three widths of a box."""
    table = crowd(range(40, 80))
    filled = fill_gaps(table, 50, still_view(table, motionless(table)))
    rows = np.flatnonzero((filled.tracklet_ids == 1) & (filled.detection_indices == -1))
    truth = np.array([60 + PANNING[f] for f in filled.frame_numbers[rows]])
    assert len(rows) == 40
    assert np.abs(filled.bboxes[rows, 0] - truth).max() < 15


def test_gaps_are_filled_by_all_that_shows_of_the_camera_and_boxes_smoothed_by_what_is_known_of_it() -> None:
    """Half of the turn is known, the other half shows in the boxes."""
    table = crowd(range(40, 80))
    motion = motionless(table).transforms.copy()
    motion[1:, 0, 2] = np.diff(PANNING) / 2
    camera = CameraMotion("hall", 100, motion)
    known, whole = from_first_frame(motion), still_view(table, camera)
    filled = smooth(table, detected(table), camera, SmoothParams(0.0, 5.0, "none", 0.2))
    assert np.array_equal(filled.bboxes, fill_gaps(table, 50, whole).bboxes)
    assert not np.array_equal(filled.bboxes, fill_gaps(table, 50, known).bboxes)
    final = smooth(table, detected(table), camera, SmoothParams(0.0, 5.0, "regression", 0.2))

    def off(view: StillView) -> float:
        """px by which the boxes differ at most from those smoothed in this view, with a sigma of 0.2 s or 2 frames."""
        most = 0.0
        for name in filled.ids:
            rows = filled.tracklet_ids == name
            frames, weights = filled.frame_numbers[rows].astype(np.int64), np.square(filled.confidences[rows].astype(float))
            smoothed = view.back(smooth_boxes(view.boxes(filled.bboxes[rows], frames), weights, frames, 2.0), frames)
            most = max(most, float(np.abs(final.bboxes[rows] - smoothed).max()))
        return most

    assert off(known) < 0.01
    assert min(off(whole), off(from_first_frame(motionless(table).transforms))) > 0.5


def test_who_stood_while_the_camera_turned_is_joined() -> None:
    """In the picture they come back five body heights from where they were."""
    jerk = np.clip(48.0 * (np.arange(100) - 20), 0, 480)
    first = standing(1, range(100), jerk)
    paths = {1: {f: first[f] for f in range(18)}, 9: {f: first[f] for f in range(33, 100)}}
    table = tracklets({**paths, **{name: standing(name, range(100), jerk) for name in range(2, 9)}})
    params = MergeParams(
        enabled=True, max_gap_s=60.0, reach=True, stature=True, company=True, settle=True, min_gain=1.4, temper=0.25, offset=0.0
    )
    merged, _ = merge(table, embeddings_of(table, {}), motionless(table), params)
    assert merged.ids.tolist() == list(range(1, 9))
