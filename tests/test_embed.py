"""embed: which detections get an embedding, and that it is torchreid's of the right pixels."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stages import embed as stage
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.embed import embed
from stages.errors import DataError
from stages.frames import read_frames
from stages.params import make_section
from stages.reid.crops import chosen_rows, covered_shares, crop_windows, cut
from stages.reid.encoder import FEATURE_DIMS, EmbedParams, Model
from stages.reid.torchreid_encoder import TorchreidEncoder, build_network
from stages.weights import weights_file
from tests.network_project import EMBED, HEIGHT, WIDTH, arguments, info, make_project, set_params, unfinished_chunks

CPU = torch.device("cpu")
State = dict[str, torch.Tensor]


def params(**changes: Any) -> EmbedParams:
    return make_section(EmbedParams, EMBED | changes, "embed")


def detections_of(rows: Sequence[tuple[int, Sequence[float], float]], num_frames: int = 6) -> Detections:
    """Detections from (frame, box, confidence)."""
    return Detections(
        "clip",
        num_frames,
        WIDTH,
        HEIGHT,
        25.0,
        np.asarray([frame for frame, _, _ in rows], dtype=np.int32),
        np.asarray([box for _, box, _ in rows], dtype=np.float32).reshape(-1, 4),
        np.asarray([confidence for _, _, confidence in rows], dtype=np.float32),
        np.zeros(len(rows), dtype=np.int16),
    )


# Which detections


def test_the_share_of_a_box_that_a_nearer_one_covers() -> None:
    boxes = np.asarray([
        [0, 0, 10, 20],   # 5 of 10 columns behind the second
        [5, 0, 15, 30],   # its lower edge is lower: nearer; 4 of 30 rows, whole width behind the third
        [5, 26, 15, 36],  # in front of all
        [50, 0, 60, 20],  # beside all others
    ])  # fmt: skip
    assert covered_shares(boxes).tolist() == pytest.approx([100 / 200, 40 / 300, 0, 0])
    assert covered_shares(np.zeros((0, 4))).tolist() == []


def test_of_two_people_at_one_depth_neither_covers_the_other() -> None:
    assert covered_shares(np.asarray([[0, 0, 10, 20], [5, 5, 15, 20]])).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({}, [0, 1, 3, 4]),                   # 2 is below the confidence, 5 lies outside of the picture
        ({"max_overlap": 0.5}, [0, 1, 3, 4]),  # 0 is covered to exactly one half
        ({"max_overlap": 0.49}, [1, 3, 4]),
        ({"min_height_px": 21}, [1, 3]),      # 4 is 50 px high, of which 10 are in the picture
        ({"min_confidence": 0.6}, [0, 3, 4]),  # 1 is not likely enough to be there, or to cover 0
        ({"min_confidence": 0.6, "max_overlap": 0}, [0, 3, 4]),
        ({"stride": 2}, [3]),
    ],
)  # fmt: skip
def test_chosen_rows(change: dict[str, Any], rows: list[int]) -> None:
    detections = detections_of([
        (1, (0, 0, 10, 20), 0.9),
        (1, (5, 0, 15, 30), 0.5),
        (1, (40, 0, 50, 40), 0.2),
        (2, (40, 0, 50, 40), 0.9),
        (3, (40, -40, 50, 10), 0.9),
        (3, (200, 0, 210, 40), 0.9),
    ])  # fmt: skip
    assert chosen_rows(detections, params(**change)).tolist() == rows


def test_crops_are_rounded_clipped_and_cut_from_their_own_frame() -> None:
    detections = detections_of([(0, (-5, -5, 3.4, 4.6), 0.9), (2, (90, 60, 120, 80), 0.9), (2, (1, 1, 3, 2), 0.9)])
    windows = crop_windows(detections)
    assert windows.tolist() == [[0, 0, 3, 5], [90, 60, WIDTH, HEIGHT], [1, 1, 3, 2]]
    frames = iter([np.full((HEIGHT, WIDTH, 3), number, dtype=np.uint8) for number in (0, 1, 2, 3)])
    crops = list(cut(frames, range(3), windows, detections.frame_numbers))
    assert [crop.shape for crop in crops] == [(5, 3, 3), (4, 6, 3), (1, 2, 3)]
    assert [int(crop.max()) for crop in crops] == [0, 2, 2]
    assert next(frames).max() == 3  # the next chunk begins where this one ended


def test_features_are_encoded_in_batches_and_have_unit_length() -> None:
    batches: list[int] = []

    def means(crops: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        batches.append(len(crops))
        return np.asarray([crop.mean(axis=(0, 1)) for crop in crops], dtype=np.float32)

    crops = [np.full((4, 2, 3), colour, dtype=np.uint8) for colour in ((3, 4, 0), (0, 0, 9), (6, 8, 0))]
    features = embed(iter(crops), means, batch_size=2, dim=3)
    assert batches == [2, 1]
    np.testing.assert_allclose(features.astype(np.float64), [[0.6, 0.8, 0.0], [0.0, 0.0, 1.0], [0.6, 0.8, 0.0]], atol=1e-3)
    assert embed(iter([]), means, batch_size=2, dim=3).shape == (0, 3)


# The network


@pytest.fixture(scope="session")
def state() -> State:
    """Random weights of osnet_x0_25."""
    torch.manual_seed(0)
    return build_network("osnet_x0_25").state_dict()


@pytest.fixture
def weights(tmp_path: Path, state: State) -> Path:
    path = tmp_path / "data/weights/tiny/tiny.pth"
    path.parent.mkdir(parents=True)
    torch.save(state, path)
    return path


@pytest.fixture(scope="session")
def crops() -> list[NDArray[Any]]:
    random = np.random.default_rng(0)
    noise = [random.integers(0, 255, (size, size // 3, 3), dtype=np.uint8) for size in (30, 90, 400)]
    return [cv2.GaussianBlur(picture, (0, 0), 3) for picture in noise]


def test_features_are_those_of_torchreid(weights: Path, crops: list[NDArray[Any]]) -> None:
    from torchreid.reid.utils import FeatureExtractor

    extractor = FeatureExtractor("osnet_x0_25", str(weights), device="cpu", verbose=False)
    expected = extractor([np.ascontiguousarray(crop[..., ::-1]) for crop in crops]).numpy()  # it takes RGB
    np.testing.assert_allclose(TorchreidEncoder(weights, params(), CPU)(crops), expected, rtol=1e-3, atol=1e-5)


def test_a_training_checkpoint_of_any_number_of_identities_fits(weights: Path, state: State, crops: list[NDArray[Any]]) -> None:
    expected = TorchreidEncoder(weights, params(), CPU)(crops)
    trained = {f"module.{name}": value for name, value in state.items()}
    trained |= {"module.classifier.weight": torch.zeros(1041, 512), "module.classifier.bias": torch.zeros(1041)}
    torch.save({"state_dict": trained, "epoch": 60}, weights)
    np.testing.assert_array_equal(TorchreidEncoder(weights, params(), CPU)(crops), expected)


def test_weights_that_do_not_fit_name_the_key(weights: Path, state: State) -> None:
    name = next(iter(state))
    cases: list[tuple[Any, str]] = [
        ({key: value for key, value in state.items() if key != name}, rf"of osnet_x0_25, got none for {name}"),
        (state | {"extra.weight": torch.zeros(1)}, r"of osnet_x0_25, got extra\.weight, which it does not have"),
        (state | {name: torch.zeros(64, 3, 7, 7)}, rf"got shape \(64, 3, 7, 7\) for {name} instead of \(16, 3, 7, 7\)"),
        ([1, 2], r"expected a state dict of torch, got list"),
    ]
    for content, message in cases:
        torch.save(content, weights)
        with pytest.raises(DataError, match=message):
            TorchreidEncoder(weights, params(), CPU)


def test_damaged_weights_are_refused_in_one_line(weights: Path) -> None:
    for content in (weights.read_bytes()[:50_000], b"", b"<html>not found</html>"):
        weights.write_bytes(content)
        with pytest.raises(DataError, match=r"tiny\.pth: expected a state dict .*put it into .*tiny") as raised:
            TorchreidEncoder(weights, params(), CPU)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("model", get_args(Model))
def test_the_length_of_features_is_the_architectures(model: Any) -> None:
    assert build_network(model).feature_dim == FEATURE_DIMS[model]


@pytest.mark.parametrize("model", get_args(Model))
def test_the_architecture_is_known_by_its_weights(model: Any, tmp_path: Path) -> None:
    torch.save(build_network(model, num_classes=7).state_dict(), tmp_path / "w.pth")
    assert TorchreidEncoder(tmp_path / "w.pth", params(model="auto"), CPU).model == model


def test_weights_of_no_architecture_are_refused(weights: Path, state: State) -> None:
    torch.save(state | {"extra.weight": torch.zeros(1)}, weights)
    with pytest.raises(DataError, match=r"tiny\.pth: expected the weights of resnet50, .*, osnet_ain_x1_0, got those of none"):
        TorchreidEncoder(weights, params(model="auto"), CPU)


# The stage


@pytest.fixture
def project(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_DEVICE", "cpu")
    monkeypatch.setenv("DVC_ROOT", ".")
    return tmp_path


def run_embed(detections: Detections, monkeypatch: pytest.MonkeyPatch) -> Embeddings:
    detections.save(Path("artifacts/detections_raw.npz"))
    monkeypatch.setattr(sys, "argv", ["embed", *arguments("embed")])
    stage.main()
    return Embeddings.load(Path("artifacts/embeddings.npz"))


def test_a_clips_embeddings_are_of_its_own_frames(project: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_params(project, embed={"stride": 2}, sequence={"clip": {"start_frame": 1, "end_frame": 6, "frame_stride": 2}})
    box = (8.0, 8.0, 60.0, 56.0)
    embeddings = run_embed(detections_of([(0, box, 0.9), (1, box, 0.9), (2, box, 0.9)], num_frames=3), monkeypatch)
    assert (embeddings.model, embeddings.num_detections) == ("osnet_x0_25", 3)
    assert embeddings.detection_indices.tolist() == [0, 2]  # clip frames 0 and 2 are frames 1 and 5 of the video
    frames = list(read_frames(project / "data/sequences/clip/pixels", info(6), range(6)))
    features = TorchreidEncoder(weights, params(), CPU)([frames[number][8:56, 8:60] for number in (1, 5)])
    expected = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(embeddings.features, expected, atol=1e-3)
    assert np.abs(features[0] - features[1]).max() > 1e-3  # the frames differ, so the test can tell them apart


def test_without_pixels_or_people_there_is_no_embedding_and_no_need_of_weights(
    project: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights.unlink()
    assert run_embed(detections_of([]), monkeypatch).features.shape == (0, 1)
    (project / "data/sequences/clip/pixels/none.txt").write_text("no footage\n")
    assert run_embed(detections_of([(0, (8, 8, 60, 56), 0.9)]), monkeypatch).features.shape == (0, 1)


def test_without_a_network_nobody_is_looked_at(project: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.parent.rename(weights.parent.with_name("none"))
    given = ["data/weights/none" if text == "data/weights/tiny" else text for text in arguments("embed")]
    detections_of([(0, (8, 8, 60, 56), 0.9)]).save(Path("artifacts/detections_raw.npz"))
    monkeypatch.setattr(sys, "argv", ["embed", *given])
    stage.main()
    assert Embeddings.load(Path("artifacts/embeddings.npz")).features.shape == (0, 1)


def test_weights_of_another_kind_are_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A network\n")
    (tmp_path / "osnet.pth").write_bytes(b"")
    with pytest.raises(DataError, match=r"expected one \.pt file, found osnet\.pth: .*README\.md says where to get it"):
        weights_file(tmp_path, (".pt",))


def test_chunks_of_other_parameters_weights_pixels_or_detections_are_not_taken(
    project: Path, weights: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = (8.0, 8.0, 60.0, 56.0)

    def chunks(confidence: float = 0.9) -> str:
        return unfinished_chunks(project, "embed", lambda: run_embed(detections_of([(0, box, confidence)]), monkeypatch))

    found = [chunks(), chunks(confidence=0.8)]
    set_params(project, embed={"batch_size": 3})
    found.append(chunks())
    set_params(project)
    torch.save(state | {"classifier.bias": torch.zeros(9)}, weights)  # a part that it does not use
    found.append(chunks())
    torch.save(state, weights)
    with open(project / "data/sequences/clip/pixels/clip.mp4", "ab") as video:
        video.write(b"\0")
    found.append(chunks())
    assert len(set(found)) == len(found)


def test_people_without_weights_ask_for_them(project: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.unlink()
    with pytest.raises(DataError, match=r"tiny: expected one \.pth or \.pth\.tar file, found none: .*put it into"):
        run_embed(detections_of([(0, (8, 8, 60, 56), 0.9)]), monkeypatch)
    assert not Path("artifacts/embeddings.npz").exists()


@pytest.mark.real
def test_views_of_one_person_are_nearer_than_views_of_two(shared_data: Path) -> None:
    files = sorted((shared_data / "reid_crops").glob("*.jpg"))[:48]
    ids = np.asarray([file.name.split("_")[0] for file in files])
    weights = shared_data / "weights/osnet_x0_25_msmt17.pth"
    pictures = [np.asarray(cv2.imread(str(file))) for file in files]
    features = embed(iter(pictures), TorchreidEncoder(weights, params(), CPU), batch_size=16, dim=512).astype(np.float32)
    distances, same = 1 - features @ features.T, ids[:, None] == ids[None]
    np.fill_diagonal(same, False)
    others = ~same & ~np.eye(len(ids), dtype=bool)
    assert len(set(ids)) > 3
    assert distances[same].mean() + 0.15 < distances[others].mean()
