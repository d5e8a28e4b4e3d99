"""Parameters: every wrong key is one line that names it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from stages.errors import ParamsError
from stages.params import Range, load_section, sequence_names
from stages.tracking.bytetrack import ByteTrackParams
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


GOOD = "section:\n  count: 3\n  mode: a\n  switch: false\n  end: null\n  points: [[1, 2.5]]\n  inner: {share: 0}\n"


def load(tmp_path: Path, text: str) -> Outer:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return load_section(Outer, "section", path)


def test_a_good_section_is_a_dataclass(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD) == Outer(3, "a", False, None, ((1.0, 2.5),), Inner(0.0))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("count: 3", "count: 10", "section.count: expected a whole number in [1, 9], got 10"),
        ("count: 3", "count: 2.5", "section.count: expected a whole number in [1, 9], got 2.5"),
        ("count: 3", "count: true", "section.count: expected a whole number in [1, 9], got True"),
        ("count: 3", "conut: 3", "section.conut: expected one of count, mode, switch, end, points, inner, got an unknown key"),
        ("  count: 3\n", "", "section.count: expected a value, found none"),
        ("mode: a", "mode: c", "section.mode: expected one of a, b, got 'c'"),
        ("switch: false", "switch: 0", "section.switch: expected true or false, got 0"),
        ("end: null", "end: x", "section.end: expected a whole number, got 'x'"),
        ("[[1, 2.5]]", "[[1, x]]", "section.points[0][1]: expected a number, got 'x'"),
        ("[[1, 2.5]]", "7", "section.points: expected a list, got 7"),
        ("share: 0", "share: .nan", "section.inner.share: expected a number in [0, 1], got nan"),
        ("share: 0", "share: -.inf", "section.inner.share: expected a number in [0, 1], got -inf"),
        ("section:", "sections:", "section: expected an entry, found none"),
        (GOOD, "section: 3", "section: expected a mapping with count"),
        (GOOD, "- a\n", "expected a mapping of sections, got list"),
        (GOOD, "a: [", "expected YAML, got"),
        (GOOD, "a: !!python/object/apply:os.system ['true']", "expected YAML, got"),
    ],
)
def test_a_wrong_section_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        load(tmp_path, GOOD.replace(old, new))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="found none \\(run stages from the project's root\\)"):
        load_section(Outer, "section", tmp_path / "params.yaml")


def test_the_shipped_file_loads_and_its_sequences_are_named() -> None:
    assert load_section(ByteTrackParams, "track", ROOT / "params.yaml").track_thresh == 0.5
    assert "promenade" in sequence_names(ROOT / "params.yaml")


def test_every_key_of_the_shipped_file_is_explained() -> None:
    """A line that sets a number, a switch or a choice says what it does."""
    section = ""
    for line in (ROOT / "params.yaml").read_text().splitlines():
        key, _, rest = line.strip().partition(":")
        section = key if line and not line.startswith((" ", "#")) else section
        if section != "sequences" and not key.startswith("#") and rest.split("#")[0].strip():
            assert "#" in rest, f"params.yaml: {key} is not explained"
