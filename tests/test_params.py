"""Parameters: every wrong key is one line that names it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import pytest

from stages.association.rewiring import RewireParams
from stages.detecting.detector import DetectParams
from stages.errors import ParamsError
from stages.evaluate import EvaluateParams
from stages.identify import IdentifyParams
from stages.identity.portraits import PortrayParams
from stages.merge import MergeParams
from stages.params import Range, camera_groups, load_section, sequence_names
from stages.registration.params import RegisterParams
from stages.reid.encoder import EmbedParams
from stages.render import RenderParams
from stages.scoring.quality import AnalyzeParams
from stages.smooth import SmoothParams
from stages.split import SplitParams
from stages.track import TrackParams
from tests.conftest import ROOT


@dataclass(frozen=True)
class Inner:
    share: Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Outer:
    count: Annotated[int, Range(1, 9)]
    mode: Literal["a", "b"]
    switch: bool
    end: int | None
    points: tuple[tuple[float, ...], ...]
    inner: Inner


GOOD = "track:\n  count: 3\n  mode: a\n  switch: false\n  end: null\n  points: [[1, 2.5]]\n  inner: {share: 0}\n"


def load(tmp_path: Path, text: str) -> Outer:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return load_section(Outer, "track", path)


def test_a_good_section_is_a_dataclass(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD) == Outer(3, "a", False, None, ((1.0, 2.5),), Inner(0.0))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("count: 3", "count: 10", "track.count: expected a whole number in [1, 9], got 10"),
        ("count: 3", "count: 2.5", "track.count: expected a whole number in [1, 9], got 2.5"),
        ("count: 3", "count: true", "track.count: expected a whole number in [1, 9], got true"),
        ("count: 3", "conut: 3", "track.conut: expected one of count, mode, switch, end, points, inner, got an unknown key"),
        ("  count: 3\n", "", "track.count: expected a value, found none"),
        ("mode: a", "mode: c", 'track.mode: expected one of a, b, got "c"'),
        ("switch: false", "switch: 0", "track.switch: expected true or false, got 0"),
        ("end: null", "end: x", 'track.end: expected a whole number, got "x"'),
        ("[[1, 2.5]]", "[[1, x]]", 'track.points[0][1]: expected a number, got "x"'),
        ("[[1, 2.5]]", "7", "track.points: expected a list, got 7"),
        ("share: 0", "share: .nan", "track.inner.share: expected a number in [0, 1], got NaN"),
        ("share: 0", "share: -.inf", "track.inner.share: expected a number in [0, 1], got -Infinity"),
        ("track:", "merge:", "track: expected an entry, found none"),
        ("track:", "tracks:", "tracks: expected one of scenes, cameras, synthesize, sequences, detect, register, track,"),
        (GOOD, "track: 3", "track: expected a mapping with count"),
        (GOOD, "- a\n", "expected a mapping of sections, got list"),
        (GOOD, "a: [", "expected YAML, got"),
        (
            "count: 3",
            "count: 3\n  count: 4",
            'expected YAML, got: found duplicate key "count" with value "4" (original value: "3")',
        ),
        ("count: 3", "count: 1" + 400 * "0", "track.count: expected a whole number in [1, 9]"),
        (GOOD, "track: !!python/object/apply:os.system ['true']", "expected YAML, got"),
    ],
)
def test_a_wrong_section_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        load(tmp_path, GOOD.replace(old, new))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="found none \\(run stages from the project's root\\)"):
        load_section(Outer, "track", tmp_path / "params.yaml")


def test_the_shipped_file_loads_and_its_sequences_are_named() -> None:
    params = load_section(TrackParams, "track", ROOT / "params.yaml")
    assert (params.algorithm, params.track_thresh, params.ocsort.det_thresh) == ("retrace", 0.5, 0.6)
    assert "promenade" in sequence_names(ROOT / "params.yaml")


def test_every_key_of_the_shipped_file_is_explained() -> None:
    """A line that sets a number, a switch or a choice says what it does, of several scenes in the first, or a list above."""
    section, explained, listed = "", set(), set()
    for line in (ROOT / "params.yaml").read_text().splitlines():
        key, _, rest = line.strip().partition(":")
        if found := re.match(r"#   +(\w+)  +\S", line):
            listed.add(found[1])
        if line and not line.startswith((" ", "#")):
            section = key
            explained |= {(section, name) for name in listed}
            listed = set()
        if not key.startswith("#") and rest.split("#")[0].strip():
            assert "#" in rest or (section, key) in explained, f"params.yaml: {key} is not explained"
        if "#" in rest:
            explained.add((section, key))


def test_values_are_those_that_dvc_sees(tmp_path: Path) -> None:
    """YAML 1.2: `-S inner.share=0.00001` becomes 1e-05, which YAML 1.1 takes for a text; 010 is ten; yes is a text."""
    assert load(tmp_path, GOOD.replace("share: 0", "share: 1e-05")).inner.share == 1e-5
    assert load(tmp_path, GOOD.replace("end: null", "end: 010")).end == 10
    with pytest.raises(ParamsError, match='switch: expected true or false, got "yes"'):
        load(tmp_path, GOOD.replace("switch: false", "switch: yes"))


def test_a_setting_that_no_sequence_has_and_a_name_that_no_folder_can_have_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("sequences: {hall: {camera_group: hall, end_frame: 3}}")
    with pytest.raises(
        ParamsError, match=r"sequences\.hall\.end_frame: expected one of detections, camera_motion, clip, regions"
    ):
        sequence_names(path)
    for name in ("all", "a/b", "..", "1st", "a" * 101):
        path.write_text(f"sequences: {{{name}: {{camera_group: x}}}}")
        with pytest.raises(ParamsError, match="sequences: expected names of a letter and then up to 99 letters"):
            sequence_names(path)


def test_every_sequence_has_a_camera_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("sequences: {west: {camera_group: corner}, yard: {camera_group: yard}}")
    assert list(camera_groups().items()) == [("west", "corner"), ("yard", "yard")]
    Path("params.yaml").write_text("sequences: {west: {camera_group: corner}, yard: {}}")
    with pytest.raises(ParamsError, match=r"^params\.yaml: sequences\.yard\.camera_group: expected an entry, found none$"):
        camera_groups()
    for group in ("..", "a" * 101):
        Path("params.yaml").write_text(f"sequences: {{yard: {{camera_group: {group}}}}}")
        with pytest.raises(
            ParamsError, match=r"^params\.yaml: sequences\.yard\.camera_group: expected a letter and then up to"
        ):
            camera_groups()


SECTIONS = {
    "detect": DetectParams, "register": RegisterParams, "track": TrackParams, "embed": EmbedParams, "rewire": RewireParams,
    "split": SplitParams, "merge": MergeParams, "smooth": SmoothParams, "portray": PortrayParams, "identify": IdentifyParams,
    "analyze": AnalyzeParams, "evaluate": EvaluateParams, "render": RenderParams,
}  # fmt: skip


def ranges(kind: type[Any]) -> Iterator[tuple[str, Range]]:
    """Names and ranges of the numbers in a section, those of the sections inside it among them."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if is_dataclass(hint) and isinstance(hint, type):
            yield from ranges(hint)
        yield from ((name, each) for each in getattr(hint, "__metadata__", ()) if isinstance(each, Range))


@pytest.mark.parametrize("section", SECTIONS)
def test_each_number_says_its_range_beside_it(section: str) -> None:
    lines = re.search(rf"^{section}:\n((?:(?: .*)?\n)*)", (ROOT / "params.yaml").read_text(), re.MULTILINE)
    assert lines
    said = dict(re.findall(r"^ +(\w+): [-\d.]+ +# (-?[\d,.]+ to -?[\d,.]*\d)", lines[1], re.MULTILINE))
    for name, numbers in ranges(SECTIONS[section]):
        low, high = (f"{number:,f}".rstrip("0").rstrip(".") for number in map(float, (numbers.low, numbers.high)))
        assert said.get(name) == f"{low} to {high}", name
