"""detect by a network: what Ultralytics finds, and of which computation it takes finished chunks."""

import io
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages import detect as stage
from stages.contracts.detections import Detections
from stages.detecting.yolo import isolate_ultralytics
from stages.errors import DataError, ParamsError
from stages.frames import read_frames
from stages.trusted import trust
from stages.weights import weights_file
from tests.network_project import HEIGHT, WIDTH, arguments, info, make_project, set_params, start, unfinished_chunks


@pytest.fixture(scope="session")
def tiny_yolo(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An Ultralytics checkpoint of YOLOv8n with random weights."""
    folder = tmp_path_factory.mktemp("yolo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        isolate_ultralytics()
        from ultralytics.models import YOLO

        torch.manual_seed(0)
        YOLO("yolov8n.yaml").save("tiny.pt")
    return (folder / "tiny.pt").read_bytes()


@pytest.fixture
def project(tmp_path: Path, tiny_yolo: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    put_weights(make_project(tmp_path), tiny_yolo)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_DEVICE", "cpu")
    monkeypatch.setenv("DVC_ROOT", ".")
    return tmp_path


def put_weights(folder: Path, content: bytes) -> None:
    """Makes the content the project's weights, and trusts it."""
    weights = folder / "data/weights/tiny/tiny.pt"
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_bytes(content)
    trust(weights, "made for a test")


def run_detect(monkeypatch: pytest.MonkeyPatch) -> Detections:
    monkeypatch.setattr(sys, "argv", ["detect", *arguments("detect")])
    stage.main()
    return Detections.load(Path("artifacts/detections_raw.npz"))


# The network


def test_the_network_finds_what_ultralytics_predictor_finds(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detections = run_detect(monkeypatch)
    from ultralytics.models import YOLO

    frames = list(read_frames(project / "data/sequences/clip/pixels", info(6), range(6)))
    options: dict[str, Any] = {"conf": 0.0, "iou": 0.7, "imgsz": 64, "classes": [0, 1], "max_det": 4, "device": "cpu"}
    predict: Any = YOLO("data/weights/tiny/tiny.pt").predict
    expected = predict(frames, verbose=False, **options)
    offsets = detections.frame_offsets()
    for frame, result in enumerate(expected):
        rows = slice(offsets[frame], offsets[frame + 1])
        assert len(result.boxes) == 4
        np.testing.assert_allclose(detections.bboxes[rows], result.boxes.xyxy.numpy(), atol=1e-2)
        np.testing.assert_allclose(detections.confidences[rows], result.boxes.conf.numpy(), atol=1e-6)
        np.testing.assert_array_equal(detections.class_ids[rows], result.boxes.cls.numpy())


def test_boxes_lie_in_the_picture_and_come_by_falling_confidence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detections = run_detect(monkeypatch)
    assert (detections.bboxes >= 0).all()
    assert (detections.bboxes <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()
    for frame in range(6):
        assert (np.diff(detections.confidences[detections.frame_numbers == frame]) <= 0).all()


def test_a_clip_is_detected_on_its_own_frames(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_params(project, detect={"batch_size": 1})
    whole = run_detect(monkeypatch)
    set_params(project, detect={"batch_size": 1}, sequence={"clip": {"start_frame": 1, "end_frame": 6, "frame_stride": 2}})
    clip = run_detect(monkeypatch)
    assert (clip.num_frames, clip.fps) == (3, 12.5)
    for ours, source in ((0, 1), (1, 3), (2, 5)):
        np.testing.assert_array_equal(clip.bboxes[clip.frame_numbers == ours], whole.bboxes[whole.frame_numbers == source])


def test_chunks_of_other_parameters_weights_or_pixels_are_not_taken(
    project: Path, tiny_yolo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those of the same are: the fingerprint is that of the first again when all is as it was."""

    def chunks() -> str:
        return unfinished_chunks(project, "detect", lambda: run_detect(monkeypatch))

    video = project / "data/sequences/clip/pixels/clip.mp4"
    frames = video.read_bytes()
    found = [chunks()]
    for change in ({"nms_iou": 0.6}, {"batch_size": 3}):
        set_params(project, detect=change)
        found.append(chunks())
    set_params(project, sequence={"clip": {"start_frame": 1, "end_frame": None, "frame_stride": 1}})
    found.append(chunks())
    set_params(project)
    put_weights(project, tiny_yolo + b"\0")
    found.append(chunks())
    put_weights(project, tiny_yolo)
    video.write_bytes(frames + b"\0")
    found.append(chunks())
    video.write_bytes(frames)
    assert len(set(found)) == len(found)
    assert chunks() == found[0]


# What can be wrong


def test_a_network_needs_pixels(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "data/sequences/clip/pixels/none.txt").write_text("no footage\n")
    with pytest.raises(DataError, match=r"pixels: expected a video or images, found none: set .* to stored"):
        run_detect(monkeypatch)


def test_missing_weights_are_asked_for_and_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"yolov8s: expected one \.pt file, found none: get it from .*; put it into .*yolov8s"):
        weights_file(tmp_path / "yolov8s", (".pt",))
    (tmp_path / "README.md").write_text("the card")
    (tmp_path / "model.pt.dvc").write_text("")  # says that DVC tracks a file, and is none
    with pytest.raises(DataError, match=r"found none: .*README\.md says where to get it; put it into"):
        weights_file(tmp_path, (".pt",))
    (tmp_path / "model.pt").write_text("")
    assert weights_file(tmp_path, (".pt",)) == tmp_path / "model.pt"
    (tmp_path / "other.pt").write_text("")
    with pytest.raises(DataError, match=r"expected one \.pt file, got model\.pt, other\.pt"):
        weights_file(tmp_path, (".pt",))


def test_weights_that_hold_no_detector_are_refused_in_one_line(
    project: Path, tiny_yolo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = io.BytesIO()
    torch.save({"conv1.weight": torch.zeros(1)}, state)
    for content in (tiny_yolo[:100_000], b"", b"<html>not found</html>", state.getvalue(), pickle.dumps(print)):
        put_weights(project, content)
        with pytest.raises(
            DataError, match=r"tiny\.pt: expected an Ultralytics network, .*put it into data/weights/tiny"
        ) as raised:
            run_detect(monkeypatch)
        assert "\n" not in str(raised.value)
    assert not (project / "artifacts").exists()


class Touch:
    """Unpickled, it makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("touched"),)


def test_weights_that_nobody_vouched_for_are_not_loaded(
    project: Path, tiny_yolo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("data/weights/tiny/tiny.pt").write_bytes(tiny_yolo + b"\0")  # one byte more than the listed file
    with pytest.raises(
        DataError, match=r"expected a file listed in data/weights/tiny/trusted\.txt, .* `python -m stages\.trust_w"
    ):
        run_detect(monkeypatch)


def test_code_in_weights_is_not_run_even_when_they_are_trusted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"model": Touch()}, "data/weights/tiny/tiny.pt")
    trust(Path("data/weights/tiny/tiny.pt"), "by mistake")
    with pytest.raises(DataError, match="expected an Ultralytics network"):
        run_detect(monkeypatch)
    assert not Path("touched").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_ids": [0, 80]}, r"detect\.class_ids: expected classes of the network, 0 to 79, got 80"),
        ({"class_ids": []}, r"detect\.class_ids: expected at least one class"),
        ({"image_size_px": 650}, r"detect\.image_size_px: expected a multiple of 32, got 650"),
        ({"half": True}, r"detect\.half: expected false, got true on a CPU"),
        ({"nms_iou": 1.5}, r"detect\.nms_iou: expected a number in \[0, 1\], got 1\.5"),
    ],
)
def test_impossible_parameters_are_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], message: str
) -> None:
    set_params(project, detect=change)
    with pytest.raises(ParamsError, match=message):
        run_detect(monkeypatch)


def test_the_origin_of_detections_is_network_or_stored(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_params(project, sequence={"detections": "guessed"})
    with pytest.raises(ParamsError, match=r"sequences\.clip\.detections: expected one of network, stored, got \"guessed\""):
        run_detect(monkeypatch)


def test_a_network_that_cannot_be_compiled_is_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_params(project, detect={"compile": True})
    monkeypatch.setenv("CXX", "/nonexistent")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(project / "compiled"))  # an earlier success must not be found
    process = start("detect", project)
    _, said = process.communicate()
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("error: detect.compile: expected a network that torch compiles here, got: Invalid")
    assert not (project / "artifacts/detections_raw.npz").exists()
