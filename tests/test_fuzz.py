"""A share of the fuzzing campaign (`python -m tests.campaigns.fuzz`), and the faults that it once found, one by one."""

import io
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.camera import read_camera
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.errors import ContractError, DataError, InputError, ParamsError
from stages.images import read_image
from stages.params import load_section, sequence_names
from stages.reid.encoder import EmbedParams
from stages.report import ReportParams
from stages.seqinfo import MAX_FRAMES, read_seqinfo
from stages.yaml_file import read_yaml
from tests.campaigns.archives import bomb
from tests.campaigns.readers import PARAMS, Reader, readers
from tests.conftest import ROOT
from tests.test_contracts import DETECTIONS


def test_a_share_of_the_campaign_finds_no_fault(tmp_path: Path) -> None:
    """In a process of its own, whose memory is limited and whose deeds are watched; other inputs than the campaign's."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.fuzz", "--inputs", "2000", "--seed", "1"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "inputs, 0 faults" in done.stdout


@pytest.fixture(scope="module")
def all_readers(tmp_path_factory: pytest.TempPathFactory) -> list[Reader]:
    return readers(tmp_path_factory.mktemp("examples"))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)), number=st.integers(0, 17))
def test_arbitrary_bytes_are_refused_or_read(all_readers: list[Reader], tmp_path: Path, data: bytes, number: int) -> None:
    path = tmp_path / "input"
    path.write_bytes(data)
    try:
        all_readers[number].read(path)
    except InputError as error:
        said = str(error)
    else:
        said = ""
    assert said.isprintable()


# Archives


def rewritten(path: Path, name: str, content: bytes | None, packing: int = zipfile.ZIP_STORED) -> None:
    """Writes detections whose member `name` has this content (None: its own), packed so."""
    DETECTIONS.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {other: archive.read(other) for other in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for other, own in members.items():
            archive.writestr(other, own if other != name or content is None else content, packing if other == name else None)


def npy(array: object) -> bytes:
    made = io.BytesIO()
    np.save(made, np.asarray(array))
    return made.getvalue()


def refused(path: Path, message: str) -> None:
    with pytest.raises(ContractError) as raised:
        Detections.load(path)
    assert message in str(raised.value)
    assert str(raised.value).isprintable()


def test_a_bomb_is_refused_by_its_size_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    DETECTIONS.save(path)
    path.write_bytes(bomb(path.read_bytes(), "bboxes.npy", 64))
    assert path.stat().st_size < 10**6
    refused(path, "members: expected stored as np.savez does, got ['schema.npy'] packed")


def test_a_header_that_declares_more_than_is_there_takes_no_memory(tmp_path: Path) -> None:
    header = npy(np.zeros((3, 4), np.float32)).replace(b"(3, 4), }", b"(3, 400000000000), }".ljust(9))[:128]
    rewritten(tmp_path / "a.npz", "bboxes.npy", header + bytes(48))
    refused(tmp_path / "a.npz", "bboxes.npy: expected 4800000000000 bytes")


def test_a_packed_a_doubled_and_an_encrypted_member_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    rewritten(path, "fps.npy", None, zipfile.ZIP_DEFLATED)
    refused(path, "members: expected stored")
    DETECTIONS.save(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("fps.npy", npy(1.0))
    refused(path, "members: expected each once")
    DETECTIONS.save(path)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # of the first entry in the directory: encrypted
    path.write_bytes(data)
    refused(path, "is encrypted")


def test_a_member_outside_the_archive_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    DETECTIONS.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../outside.npy", npy(1.0))
    refused(path, "columns: expected sequence")
    assert not (tmp_path.parent.parent / "outside.npy").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sequence", npy("hall\nroom\x1b[2J"), None),  # a text is a text; what quotes it is one line
        ("schema", npy("x\ny\x1b[2J"), r"schema: expected detections/1, got x y\x1b[2J"),
        ("schema", b"no array", "expected an .npz archive, got: the magic string is not correct"),
        ("num_frames", npy(MAX_FRAMES + 1), "num_frames: expected a number in [0, 10000000], got 10000001"),
        ("num_frames", npy(2**62), "num_frames: expected a number in"),
        ("width_px", npy(10**9), "width_px, height_px: expected pixels in [1, 100000]"),
        ("fps", npy(np.nan), "fps: expected frames per second"),
        ("sequence", npy("hall").replace(b"h\x00\x00\x00", b"h\x00\x00\x7f"), "sequence: expected letters, got the number"),
        ("bboxes", npy(np.zeros((3, 4), ">f4")), "bboxes: expected dtype float32, got >f4"),
    ],
)
def test_a_strange_member_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes, message: str | None) -> None:
    rewritten(tmp_path / "a.npz", f"{name}.npy", content)
    if message is None:
        assert Detections.load(tmp_path / "a.npz").sequence == "hall\nroom\x1b[2J"
        with pytest.raises(ContractError, match=r"expected yard, got hall room\\x1b\[2J"):
            Detections.load(tmp_path / "a.npz", "yard")
    else:
        refused(tmp_path / "a.npz", message)


def test_a_text_without_letters_is_a_text(tmp_path: Path) -> None:
    rewritten(tmp_path / "a.npz", "sequence.npy", npy("hall").replace(b"<U4", b"<U0")[:128])
    assert Detections.load(tmp_path / "a.npz").sequence == ""


def test_equal_tables_are_equal_bytes_whatever_their_order_in_memory(tmp_path: Path) -> None:
    features = np.asarray([[1, 0], [0, 1]], dtype=np.float16)
    for name, array in (("c", features), ("f", np.asfortranarray(features))):
        Embeddings("hall", 2, "made up", np.array([0, 1], np.int32), array).save(tmp_path / name)
    assert (tmp_path / "c").read_bytes() == (tmp_path / "f").read_bytes()


# Images


def test_a_picture_that_unpacks_to_gigabytes_is_refused_by_its_header(tmp_path: Path) -> None:
    """2^30 pixels of one colour, 3 MB as PNG; OpenCV would take 3 GB."""
    with open(tmp_path / "000001.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**15, 2**15, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(bytes(2**20))) + chunk(b"IEND", b""))
    with pytest.raises(DataError, match=r"000001\.png: expected at most 178,956,970 pixels, got: .*1073741824"):
        read_image(tmp_path / "000001.png")


def chunk(name: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


# Texts


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(9 * [f'*{a}'])}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "line 6: expected at most 100,000 values, aliases counted each time"),
        ("a: &a {b: *a}", "line 1: expected a value, got an alias of the value that it stands in"),
        ("a: " + 3000 * "[", "maximum depth"),
        ("a: " + 3000 * "{b: ", "maximum depth"),
        ("a:" + "".join(f"\n{' ' * n}b:" for n in range(1, 200)), "maximum depth"),
        ("a: 0x" + 5000 * "f", "expected at most 1,000 letters in a value, got 5,002"),
        ("a: 1" + 5000 * "0", "expected at most 1,000 letters in a value"),
        ("a: 2001-99-99", "expected YAML, got: month must be in 1..12"),
        ("? [1]\n: 2\n? {b: 1}\n: 3", "expected"),
        ("a: !!int x", "expected YAML, got"),
        ("a: " + 1_000_000 * "x", "expected at most 1,000,000 bytes"),
        ("a: \x1b", "expected YAML"),
    ],
)
def test_yaml_that_grows_or_breaks_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParamsError) as raised:
        load_section(EmbedParams, "a", path) if message == "expected" else read_yaml(path)
    assert message in str(raised.value)
    assert str(raised.value).isprintable()


def test_anchors_and_aliases_as_people_use_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: &still {x: 1, y: [2, 3]}\nb: *still\nc: {<<: *still, x: 4}\n")
    assert read_yaml(path)["c"] == {"x": 4, "y": [2, 3]}


@pytest.mark.parametrize("name", ["../../x", "/etc", "..", "a/b", "", "-x", "x y", "$(id)"])
def test_names_in_params_stay_in_the_project(tmp_path: Path, name: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS.replace("hall:", f"{name!r}:"))
    with pytest.raises(ParamsError, match="sequences: expected names"):
        sequence_names(path)
    path.write_text((ROOT / "params.yaml").read_text().replace("weights: sample_reid", f"weights: {name!r}"))
    with pytest.raises(ParamsError, match=r"embed\.weights: expected the name of a folder in data/weights"):
        load_section(EmbedParams, "embed", path)
    path.write_text(PARAMS.replace("camera_group: hall", f"camera_group: {name!r}"))
    with pytest.raises(ParamsError, match=r"sequences\.hall\.camera_group: expected a letter"):
        sequence_names(path)
    path.write_text(f"report: {{baseline: {name!r}}}")
    with pytest.raises(ParamsError, match=r"report\.baseline: expected the name of a file in data/baselines"):
        load_section(ReportParams, "report", path)
    path.write_text(f"cameras: {{{name!r}: {{scene: square}}}}")
    with pytest.raises(ParamsError, match="expected"):
        load_section(EmbedParams, f"cameras.{name}", path)


@pytest.mark.parametrize(
    "text",
    [
        '{"image_to_ground": ' + 5000 * "[",
        '{"image_to_ground": [["1", 0, 0], [0, 1, 0], [0, 0, 1]]}',
        '{"image_to_ground": [[true, 0, 0], [0, 1, 0], [0, 0, 1]]}',
        '{"image_to_ground": [[1' + 400 * "0" + ", 0, 0], [0, 1, 0], [0, 0, 1]]}",
        '{"image_to_ground": 1' + 5000 * "0" + "}",
    ],
)
def test_a_camera_that_is_no_matrix_of_numbers_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "camera.json").write_text(text)
    with pytest.raises(DataError, match=r"camera\.json: "):
        read_camera(tmp_path / "camera.json")


def test_a_name_in_seqinfo_is_one_line_and_the_file_is_short(tmp_path: Path) -> None:
    path = tmp_path / "seqinfo.ini"
    path.write_text("[Sequence]\nname=a\n b\nframeRate=25\nseqLength=1\nimWidth=1\nimHeight=1\n")
    with pytest.raises(DataError, match="name: expected one line of letters"):
        read_seqinfo(path)
    path.write_text("[Sequence]\na" + 10**6 * " " + "b\n")  # hours, with the square of its length
    with pytest.raises(DataError, match="expected at most 10,000 bytes"):
        read_seqinfo(path)
