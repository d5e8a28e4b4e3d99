"""Data sets for Re-ID: names and layouts, crops that are filmed, cut or copied, and what is refused before training."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from stages.errors import DataError, ParamsError
from stages.images import read_image
from stages.seqinfo import SequenceInfo, format_seqinfo
from stages.world.looks import make_fashion, make_look
from tests.conftest import ROOT
from tests.reid_crops import make_dataset, people, write_crop
from training.reid.attributes import attributes_of, read_attributes
from training.reid.checking import check_test, check_train
from training.reid.crops import Crops
from training.reid.cutting import CuttingParams, cut
from training.reid.existing import copy_market, copy_msmt17
from training.reid.footage import FootageParams, write_footage
from training.reid.market import GALLERY, QUERY, TRAIN, crop_name, read_market
from training.reid.msmt17 import read_msmt17
from training.reid.sampled import SampledParams, film_scene, write_sampled
from training.reid.sampling import SamplingParams
from training.reid.scenes import ScenesParams

CUTTING = CuttingParams(0.5, 0.6, 20, 0.0, 0.0, (90, 90), 1)
SAMPLING = SamplingParams(2, 2, 2)


def test_names_of_market_1501_say_who_where_and_when(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("0002_c1s3_000451_02.jpg", "-1_c6s2_000001_00.jpg", "0000_c2s1_000009_01.png", "12345_c1s1_000001_00.jpg"):
        write_crop(tmp_path / name, 1, rng)
    (tmp_path / "Thumbs.db").write_bytes(b"Market-1501 comes with this one")
    crops = read_market(tmp_path)
    found = sorted(zip(crops.identity_ids.tolist(), crops.camera_ids.tolist(), crops.sequence_ids.tolist(), strict=True))
    assert found == [(-1, 6, 2), (0, 2, 1), (2, 1, 3), (12345, 1, 1)]


def test_a_name_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_crop(tmp_path / "bob.jpg", 1, np.random.default_rng(0))
    with pytest.raises(DataError, match=r"bob\.jpg: expected a name like 0002_c1s3_000451_02\.jpg, got bob\.jpg$"):
        read_market(tmp_path)


def test_msmt17_is_read_by_its_lists(tmp_path: Path) -> None:
    name = "0000/0000_000_01_0303morning_0015_0.jpg"
    write_crop(tmp_path / "train" / name, 1, np.random.default_rng(0))
    (tmp_path / "list_train.txt").write_text(f"{name} 0\n0007/0007_003_15_0113noon_0984_1.jpg 7\n")
    crops = read_msmt17(tmp_path, "train")
    assert crops.paths[0] == tmp_path / "train" / name
    assert crops.identity_ids.tolist() == [1, 8]  # 0 is nobody in the other layout
    assert crops.camera_ids.tolist() == [1, 15]
    (tmp_path / "list_train.txt").write_text(f"{name} zero\n")
    with pytest.raises(DataError, match="line 1: expected a path like"):
        read_msmt17(tmp_path, "train")
    with pytest.raises(DataError, match=r"list_query\.txt: expected the list of MSMT17's query crops, found none$"):
        read_msmt17(tmp_path, "query")


@pytest.mark.parametrize(
    ("crops", "line"),
    [
        (people([]), "data: expected crops to learn from, found none"),
        (people([1, 1, 2]), "data: expected two or more crops of each identity, got identity 2 with 0002_2.jpg alone"),
        (people([1, 1, 0, 0]), "0000_2.jpg: expected an identity from 1 in what is learnt from, got 0"),
        (people([5, 5]), "data: expected 2 or more identities for a batch, got 1"),
        (people([1, 1, 2, 2], [3, 3, 3, 3]), "data: expected crops of two or more cameras, got camera 3 alone"),
        (people([1, 1, 2, 2]), "0001_0.jpg: No such file or directory"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(crops: Crops, line: str) -> None:
    with pytest.raises((DataError, OSError)) as refusal:
        check_train(Path("data"), crops, SAMPLING)
    error = refusal.value
    assert line == (f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error))


@pytest.mark.parametrize(
    ("query", "gallery", "line"),
    [
        (people([]), people([1]), "data: expected queries to test with, found none"),
        (people([1]), people([]), "data: expected a gallery to test with, found none"),
        (people([-1]), people([1]), "-001_0.jpg: expected a person as query, got junk (-1)"),
        (people([1, 2]), people([1, 1]), "0002_1.jpg: expected identity 2 in the gallery, too, found none"),
        (
            people([1, 2], [4, 5]),
            people([1, 2], [4, 5]),
            "data: expected a query whose person another camera saw for the gallery, found none",
        ),
    ],
)
def test_what_cannot_be_tested_with_is_refused(query: Crops, gallery: Crops, line: str) -> None:
    with pytest.raises(DataError) as refusal:
        check_test(Path("data"), query, gallery)
    assert str(refusal.value) == line


def test_a_picture_that_cannot_be_read_is_refused_before_training(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path)
    broken = folder / TRAIN / crop_name(2, 1, 1, 0, 0)
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(DataError, match=rf"{broken.name}: expected a whole image, got a damaged one of 40 bytes$"):
        check_train(folder, read_market(folder / TRAIN), SAMPLING)


def test_a_whole_data_set_is_accepted(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    check_train(dataset, read_market(dataset / TRAIN), SAMPLING)
    check_test(dataset, read_market(dataset / QUERY), read_market(dataset / GALLERY))


def test_data_sets_that_there_are_are_copied(tmp_path: Path) -> None:
    source = make_dataset(tmp_path / "given")
    copy_market(_empty(tmp_path / "market"), source)
    for name in (TRAIN, QUERY, GALLERY):
        expected = {path.name: path.read_bytes() for path in (source / name).iterdir()}
        assert {path.name: path.read_bytes() for path in (tmp_path / "market" / name).iterdir()} == expected

    for split, folder in (("train", "train"), ("query", "test"), ("gallery", "test")):
        write_crop(source / folder / "0003" / f"{split}_000_02_0303noon_0001_0.jpg", 1, np.random.default_rng(0))
        (source / f"list_{split}.txt").write_text(f"0003/{split}_000_02_0303noon_0001_0.jpg 3\n")
    copy_msmt17(_empty(tmp_path / "msmt17"), source)
    for name in (TRAIN, QUERY, GALLERY):
        (crop,) = (tmp_path / "msmt17" / name).iterdir()
        assert crop.name == "0004_c2s1_000000_00.jpg"


SCENES = ScenesParams(
    first_seed=77, count=1, cameras=2, seconds=4.0, every_s=2.0, hidden_every_s=2.0, people=5, arrivals_per_minute=0.0
)


def test_people_of_a_sampled_scene_are_seen_by_two_cameras_or_more(tmp_path: Path) -> None:
    crops = film_scene(77, SCENES, CUTTING)
    assert {crop.frame for crop in crops} == {0, 1}
    assert len({crop.person for crop in crops}) >= 3
    for person in {crop.person for crop in crops}:
        assert {crop.camera for crop in crops if crop.person == person} == {1, 2}
    params = SampledParams(SCENES, replace(SCENES, first_seed=78))
    write_sampled(tmp_path, params, CUTTING)
    learnt = read_market(tmp_path / TRAIN)
    assert sorted(path.read_bytes() for path in learnt.paths) == sorted(crop.content for crop in crops)
    query = read_market(tmp_path / QUERY)
    pairs = list(zip(query.identity_ids.tolist(), query.camera_ids.tolist(), strict=True))
    assert len(pairs) == len(set(pairs)) > 0  # one query of each person in each camera


FILMING = """
import sys
from training.reid.sampled import _film_all
from tests.test_reid_data import CUTTING, SCENES, replace
if __name__ == "__main__":
    for _ in _film_all(replace(SCENES, count=1000), CUTTING):
        print("filmed", flush=True)
        sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one that started it")
def test_workers_end_with_a_stage_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "filming.py").write_text(FILMING)
    stage = subprocess.Popen(
        [sys.executable, tmp_path / "filming.py"], env={**os.environ, "DVC_ROOT": str(tmp_path), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert stage.stdout is not None
    assert stage.stdout.readline() == "filmed\n"
    workers = [one for one in psutil.Process(stage.pid).children() if "spawn_main" in " ".join(one.cmdline())]
    assert workers
    stage.kill()
    stage.wait()
    left = psutil.wait_procs(workers, timeout=10)[1]
    for worker in left:
        worker.kill()
    assert not left


def test_who_was_cut_once_by_each_camera_is_no_query(tmp_path: Path) -> None:
    once = replace(SCENES, every_s=4.0, hidden_every_s=4.0)
    write_sampled(tmp_path, SampledParams(SCENES, replace(once, first_seed=78)), CUTTING)
    gallery = read_market(tmp_path / GALLERY)
    assert len(gallery) == 2 * len(np.unique(gallery.identity_ids)) > 0
    assert not list((tmp_path / QUERY).iterdir())


def test_who_is_mostly_hidden_gives_more_crops() -> None:
    all_of_them = film_scene(77, replace(SCENES, every_s=0.5, hidden_every_s=0.5), replace(CUTTING, min_visibility=0.2))
    some = film_scene(77, replace(SCENES, hidden_every_s=0.5), replace(CUTTING, min_visibility=0.2))
    kept = {(crop.person, crop.camera, crop.frame) for crop in some}
    between = [crop for crop in some if crop.frame % 4]
    assert kept < {(crop.person, crop.camera, crop.frame) for crop in all_of_them}
    assert {crop.frame for crop in some if not crop.frame % 4} == {0, 4}
    assert 0 < len(between) < len([crop for crop in all_of_them if crop.frame % 4])
    with pytest.raises(ParamsError, match=r"every_s: expected a multiple of hidden_every_s, 0\.3, got 0\.5$"):
        replace(SCENES, every_s=0.5, hidden_every_s=0.3)


def test_attributes_of_sampled_people_are_what_can_be_seen_of_them(tmp_path: Path) -> None:
    write_sampled(tmp_path, SampledParams(SCENES, replace(SCENES, first_seed=78)), CUTTING)
    identities = np.unique(read_market(tmp_path / TRAIN).identity_ids)
    codes = read_attributes(tmp_path, identities)
    assert codes.shape == (len(identities), 12)
    assert (codes.min(axis=0) == 0).all()
    assert (codes.max(axis=0) > 0).any()
    look = make_look(1, 1, make_fashion(1))
    assert attributes_of(replace(look, hair="bald", skin=(1, 2, 255)))["head_color"] == "#ff0201"
    assert attributes_of(replace(look, bag="none", pattern="plain", top="dress")).items() >= {
        ("bag_color", "none"), ("pattern_color", "none"), ("bottom", "none"), ("bottom_color", "none")}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a table of attributes, found none; reid_train.loss.attribute_weight 0 needs none"),
        ("", "expected a table of attributes, got: No columns to parse from file"),
        ("who,hair\n1,long\n", "expected columns identity_id and attributes, got who, hair"),
        ("identity_id\n1\n", "expected columns identity_id and attributes, got identity_id"),
        ("identity_id,hair\n1,long\n2,bun\n", "expected a row for each identity, got none for 3"),
    ],
)
def test_a_table_of_attributes_that_does_not_fit_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "attributes.csv").write_text(content)
    with pytest.raises(DataError, match=rf"attributes\.csv: {re.escape(message)}$"):
        read_attributes(tmp_path, np.array([1, 3]))


def test_scenes_that_the_pipeline_is_measured_on_are_refused() -> None:
    params = SampledParams(SCENES, replace(SCENES, first_seed=80))
    params.refuse({3: "crowd"})
    with pytest.raises(ParamsError, match=r"expected seeds of no scene of params\.yaml, got 80, that of corner$"):
        params.refuse({80: "corner"})
    with pytest.raises(ParamsError, match="expected other scenes than those to learn from, got 77"):
        SampledParams(SCENES, SCENES)


def test_footage_gives_crops_of_people_seen_well(tmp_path: Path) -> None:
    # Three people of 40 px; of frames 1 and 3 (stride 2), person 5 has both, person 6 is hidden in one, person 7 is a car.
    for name in ("north", "south"):
        sequence = tmp_path / "footage" / name
        (sequence / "img1").mkdir(parents=True)
        (sequence / "gt").mkdir()
        for frame in range(1, 5):
            cv2.imwrite(str(sequence / "img1" / f"{frame:06d}.png"), np.full((60, 80, 3), 50 * frame, dtype=np.uint8))
        (sequence / "seqinfo.ini").write_text(format_seqinfo(SequenceInfo(name, 80, 60, 25.0, 4, False)))
        rows = [(frame, who, 20 * who - 90, 5, 20, 40, 1, 3 if who == 7 else 1, 0.2 if (who, frame) == (6, 3) else 1)
                for frame in range(1, 5) for who in (5, 6, 7)]  # fmt: skip
        (sequence / "gt" / "gt.txt").write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    made = tmp_path / "made"
    made.mkdir()
    write_footage(made, tmp_path / "footage", FootageParams(("north", "south"), (1,), 2, 2), CUTTING)
    names = sorted(path.name for path in (made / TRAIN).iterdir())
    assert names == ["0001_c1s1_000001_00.jpg", "0001_c1s1_000003_00.jpg", "0002_c2s2_000001_00.jpg", "0002_c2s2_000003_00.jpg"]
    crop = read_image(made / TRAIN / names[1])
    assert crop.shape == (40, 20, 3)
    assert np.abs(crop.astype(int) - 150).max() <= 2  # the third frame's grey
    with pytest.raises(DataError, match=r"gt\.txt: expected people with 9 or more crops, got none$"):
        write_footage(_empty(tmp_path / "other"), tmp_path / "footage", FootageParams(("north",), (1,), 2, 9), CUTTING)
    for row, message in (
        ("3,5,20,5,20,40,1,1,1\n", "row of frame 3, id 5: expected each id once in a frame, got another row of it"),
        ("3,-1,20,5,20,40,1,1,1\n", "row of frame 3, id -1: expected an id of at least 0, got -1"),
        ("5,5,20,5,20,40,1,1,1\n", "row of frame 5, id 5: expected frames up to 4, got 5"),
    ):
        (sequence / "gt" / "gt.txt").write_text("".join(",".join(map(str, one)) + "\n" for one in rows) + row)
        with pytest.raises(DataError, match=rf"gt\.txt: {message}$"):
            write_footage(_empty(tmp_path / row[:4]), tmp_path / "footage", FootageParams(("south",), (1,), 2, 2), CUTTING)


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_crop_lies_in_the_picture_by_half_or_more() -> None:
    picture = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    crop = cut(picture, np.array([-2.0, 1, 4, 5]))  # 4 of 6 columns
    assert crop is not None
    assert crop.shape == (4, 6, 3)
    assert crop[:, 2:].tolist() == picture[1:5, 0:4].tolist()
    assert cut(picture, np.array([-5.0, 1, 4, 5])) is None
    assert cut(picture, np.array([20.0, 1, 24, 5])) is None
