"""What the annotated video shows, and that browsers can play it."""

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stages.colors import identity_color, text_color
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.drawing import draw_caption, draw_label
from stages.errors import ContractError, DataError
from stages.exclusions import HEADER
from stages.h264 import H264Params, write_h264
from stages.render import canvas, main, render
from stages.seqinfo import SequenceInfo, format_seqinfo
from stages.sequence_folder import write_marker
from tests.conftest import ROOT
from tests.footage import write_video
from tests.tables import box, detections, tracklets

FAST = H264Params(crf=23, preset="ultrafast", threads=2)
PARAMS = """
sequences: {hall: {clip: {start_frame: 0, end_frame: null, frame_stride: %d}}}
privacy: {blur: none}
render: {max_width_px: 1280, trail_s: 1.0, crf: 23, preset: ultrafast, threads: 2}
"""


def identities(tracks: Tracklets, identity_ids: list[int] | None = None, name: str = "") -> Identities:
    """One identity per track: these, or the track's own id."""
    ids = tracks.ids
    chosen = np.array(identity_ids, dtype=np.int32) if identity_ids else ids
    sequences, names = np.array([tracks.sequence] * len(ids), dtype=np.str_), np.full(len(ids), name)
    return Identities(sequences, ids, chosen, names, np.zeros(len(ids), dtype=np.float32))


def frames(tracks: Tracklets, max_width_px: int = 640, trail_s: float = 1.0, **other: list[int]) -> list[NDArray[np.uint8]]:
    """The rendered frames on a plain canvas."""
    plain = [canvas(tracks.width_px, tracks.height_px)] * tracks.num_frames
    return list(render(plain, tracks, identities(tracks, **other), max_width_px, trail_s))  # type: ignore[arg-type]


def test_a_name_takes_the_place_of_the_number() -> None:
    table = tracklets({1: {0: box(200)}}, 1)
    plain = canvas(table.width_px, table.height_px)
    numbered, named, same = (next(render([plain], table, identities(table, name=name), 640, 0.0)) for name in ("", "Ann", "1"))
    assert (numbered == same).all()
    assert (numbered != named).any()


def decoded(path: Path) -> tuple[list[NDArray[np.uint8]], av.VideoStream]:
    with av.open(str(path)) as container:
        pictures = [np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8) for frame in container.decode(video=0)]
        return pictures, container.streams.video[0]


def changed(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W) where something is drawn."""
    return np.asarray((picture != canvas(picture.shape[1], picture.shape[0])).any(axis=2))


def test_a_detected_box_has_the_color_of_its_identity_on_all_four_edges() -> None:
    picture = frames(tracklets({5: {0: box(100, 200, 40, 100)}}, 1), identity_ids=[9])[0]
    for y, x in [(250, 100), (250, 140), (200, 135), (300, 105)]:
        assert tuple(picture[y, x].tolist()) == identity_color(9)
    assert not changed(picture)[210:290, 110:130].any(), "a box is not filled"


def test_two_tracks_of_one_identity_look_alike() -> None:
    picture = frames(tracklets({1: {0: box(100, 200)}, 2: {0: box(300, 200)}}, 1), identity_ids=[4, 4])[0]
    assert (picture[190:310, 95:150] == picture[190:310, 295:350]).all()


def test_an_interpolated_box_is_fainter_and_dashed() -> None:
    table = tracklets({1: {0: box(100, 200)}}, 1)
    picture = frames(replace(table, detection_indices=np.array([-1], dtype=np.int32)))[0]
    edge = picture[200:300, 100].astype(int)
    background = canvas(1, 1)[0, 0].astype(int)
    drawn = (edge != background).any(axis=1)
    assert 0.2 < drawn.mean() < 0.8
    solid = np.abs(np.array(identity_color(1)) - background).sum()
    assert np.abs(edge[drawn] - background).sum(axis=1).max() < 0.8 * solid


def test_a_trail_shows_the_last_second_and_no_more() -> None:
    walk = {frame: box(100 + 10 * frame, 200, 40, 100) for frame in range(30)}  # 10 fps: the foot is at 120 + 10 * frame
    drawn = changed(frames(tracklets({1: walk}, 30))[29])[300]
    assert drawn[315:380].all(), "the foot points of the last ten frames"
    assert not drawn[:300].any(), "older foot points"
    still = changed(frames(tracklets({1: walk}, 30), trail_s=0.0)[29])[300]
    assert not still[:385].any(), "no trail is asked for"


def test_a_trail_does_not_bridge_frames_in_which_nobody_was_seen() -> None:
    walk = {0: box(100, 200), 1: box(105, 200), 5: box(300, 200), 6: box(305, 200)}
    drawn = changed(frames(tracklets({1: walk}, 7))[6])[300]
    assert not drawn[130:290].any()


def test_people_are_drawn_only_in_their_frames() -> None:
    shown = frames(tracklets({1: {1: box(100, 200)}}, 3))
    assert [bool(changed(picture)[:400].any()) for picture in shown] == [False, True, False]


def test_frames_wider_than_allowed_are_scaled_with_their_boxes() -> None:
    picture = frames(tracklets({1: {0: box(100, 200)}}, 1), max_width_px=320)[0]
    assert picture.shape == (240, 320, 3)
    assert tuple(picture[120, 50].tolist()) == identity_color(1)


def test_boxes_far_outside_change_nothing() -> None:
    table = tracklets({1: {0: box(9e6, 9e6)}, 2: {0: box(-9e6, 100)}, 3: {0: box(100, -9e6)}}, 1)
    interpolated = replace(table, detection_indices=np.full(3, -1, dtype=np.int32))
    assert (frames(table)[0] == frames(tracklets({}, 1))[0]).all()
    assert (frames(interpolated)[0] == frames(tracklets({}, 1))[0]).all()


def test_labels_stay_inside_the_picture_and_readable() -> None:
    for corner in (box(-10, -10), box(630, 470), box(630, -10)):
        picture = canvas(640, 480)
        draw_label(picture, "128", np.array(corner), identity_color(128), 20)
        plate = np.argwhere((picture == identity_color(128)).all(axis=2))
        assert len(plate) > 200
        assert np.ptp(plate, axis=0)[1] >= 20, "three digits wide"
    assert all(contrast(identity_color(n), text_color(identity_color(n))) > 4.5 for n in range(1, 1000))  # WCAG 2.2, AA


def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """WCAG 2.2 contrast ratio of two BGR colours."""

    def luminance(color: tuple[int, int, int]) -> float:
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
        return float(np.dot(linear, [0.0722, 0.7152, 0.2126]))

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_identities_that_follow_each_other_have_distant_colors() -> None:
    colors = np.array([identity_color(n) for n in range(1, 200)], dtype=float)
    for step in (1, 2):
        assert np.linalg.norm(colors[step:] - colors[:-step], axis=1).min() > 60
    assert len({identity_color(n) for n in range(1, 65)}) == 64


def test_a_caption_keeps_to_the_lower_left_corner() -> None:
    picture = canvas(640, 480)
    draw_caption(picture, "frame 12  1.20 s", 12)
    assert changed(picture)[470:, :60].any()
    assert not changed(picture)[:460].any()


def test_a_track_without_identity_is_an_error() -> None:
    table = tracklets({1: {0: box(0)}, 2: {0: box(100)}}, 1)
    with pytest.raises(ContractError, match=r"identities of hall: expected one for each track, got none for \[2\]"):
        list(render([], table, identities(tracklets({1: {0: box(0)}}, 1)), 640, 1.0))


def test_the_video_is_h264_with_its_index_in_front_and_the_clip_s_rate(tmp_path: Path) -> None:
    for fps, rate in [(25.0, Fraction(25)), (7.0, Fraction(7)), (30000 / 1001, Fraction(30000, 1001)), (12.5, Fraction(25, 2))]:
        write_h264(tmp_path / "made.mp4", [canvas(64, 48)] * 5, fps, FAST)
        pictures, stream = decoded(tmp_path / "made.mp4")
        assert (len(pictures), stream.average_rate) == (5, rate)
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    content = (tmp_path / "made.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_colors_survive_encoding_and_odd_sizes_grow_by_a_pixel(tmp_path: Path) -> None:
    picture = np.full((49, 65, 3), (40, 60, 200), dtype=np.uint8)
    write_h264(tmp_path / "odd.mp4", [picture] * 3, 25.0, FAST)
    pictures, stream = decoded(tmp_path / "odd.mp4")
    assert pictures[0].shape == (50, 66, 3)
    assert stream.codec_context.colorspace == 1, "BT.709, which players assume"
    assert np.abs(pictures[0].astype(int) - (40, 60, 200)).max() <= 25, "decoded with another matrix than encoded"


def test_equal_pictures_give_equal_bytes(tmp_path: Path) -> None:
    table = tracklets({1: {frame: box(10 * frame, 200) for frame in range(20)}}, 20)
    for name in ("a.mp4", "b.mp4"):
        write_h264(tmp_path / name, frames(table), 10.0, FAST)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_clip_without_frames_gives_a_video_that_opens(tmp_path: Path) -> None:
    write_h264(tmp_path / "empty.mp4", frames(tracklets({}, 0)), 10.0, FAST)
    assert len(decoded(tmp_path / "empty.mp4")[0]) == 1


def run_stage(folder: Path, monkeypatch: pytest.MonkeyPatch, tracks: Tracklets, *, filmed: bool, stride: int = 1) -> Path:
    """Runs the stage on ten source frames of 64 x 48, filmed or not; returns the path of the video."""
    monkeypatch.chdir(folder)
    Path("params.yaml").write_text(PARAMS % stride)
    Path("seqinfo.ini").write_text(format_seqinfo(SequenceInfo("hall", 64, 48, 10.0, 10, variable_rate=False)))
    Path("pixels").mkdir()
    if filmed:
        write_video(Path("pixels/video.mp4"), 10, 64, 48, 10.0)
    else:
        write_marker(Path("pixels"), "no footage")
    detections([], tracks.num_frames, **SMALL | {"fps": tracks.fps}).save(Path("detections.npz"))
    Path("exclusions.csv").write_text(HEADER)
    tracks.save(Path("tracks.npz"))
    identities(tracks).save(Path("identities.npz"))
    options = {"sequence": "hall", "pins": ROOT / "constraints/footage.txt", "pixels": "pixels", "seqinfo": "seqinfo.ini",
               "detections": "detections.npz", "exclusions": "exclusions.csv", "tracks": "tracks.npz",
               "identities": "identities.npz", "video": "out/annotated.mp4", "stills": "out/stills",
               "timings": "timings.json"}  # fmt: skip
    monkeypatch.setattr(
        sys, "argv", ["render", *(text for name, value in options.items() for text in (f"--{name}", str(value)))]
    )
    main()
    return Path("out/annotated.mp4")


SMALL = {"width_px": 64, "height_px": 48, "fps": 10.0}


def test_the_stage_draws_on_the_footage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tracklets({1: dict.fromkeys(range(5), (20, 20, 30, 40))}, 5, **SMALL | {"fps": 5.0})
    pictures, stream = decoded(run_stage(tmp_path, monkeypatch, table, filmed=True, stride=2))
    assert (len(pictures), stream.average_rate) == (5, Fraction(5))
    assert sorted(path.name for path in Path("out").iterdir()) == ["annotated.mp4", "stills"]
    stills = sorted(Path("out/stills").iterdir())
    assert [path.name for path in stills] == [f"frame_{n:06d}.jpg" for n in (1, 2, 3)]
    still = cv2.imread(str(stills[2]))
    assert still is not None
    assert np.abs(still.astype(int) - pictures[3]).mean() < 6, "the picture of the video"
    assert pictures[3][12:20, 26:38].mean() > 150, "the bright square of source frame 6 is at column 24"


def test_the_stage_draws_on_a_canvas_where_nothing_was_filmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tracklets({1: dict.fromkeys(range(10), (20, 10, 30, 40))}, 10, **SMALL)
    pictures, _ = decoded(run_stage(tmp_path, monkeypatch, table, filmed=False))
    assert len(pictures) == 10
    assert np.abs(pictures[0][5:35, 45:60].astype(int) - 40).max() < 6


def test_tracks_of_another_clip_and_damaged_footage_leave_no_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContractError, match=r"tracks.npz: num_frames: expected 10 of the clip, got 9"):
        run_stage(tmp_path, monkeypatch, tracklets({}, 9, **SMALL), filmed=True)
    tracklets({}, 10, **SMALL).save(Path("tracks.npz"))
    whole = Path("pixels/video.mp4").read_bytes()
    Path("pixels/video.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"video.mp4: expected"):
        main()
    assert not list(Path().glob("out/*"))
