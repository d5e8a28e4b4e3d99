"""Parameters: one section of params.yaml becomes one frozen dataclass, checked key by key, with no defaults in code.

A dataclass states its ranges where it declares its fields (`Annotated[float, Range(0, 1)]`, `Literal`); everything else is an
error that names the key, the value and what is allowed.
"""

import dataclasses
import json
import math
import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from stages.errors import DataError, ParamsError
from stages.yaml_file import read_yaml

PARAMS = Path("params.yaml")
SEQUENCE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")  # a folder's name takes 255, an MLflow key with it 250
WEIGHTS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")  # @: a registered model and its alias
RESERVED_NAMES = {
    "all",
    "code",
    "diagnoses",
    "galleries",
    "identities",
    "quality",
    "scores",
    "stills",
    "timings",
    "training",
}  # folders of artifacts/ that belong to no one sequence
SECTIONS = ("scenes", "cameras", "synthesize", "sequences", "detect", "register", "track", "embed", "rewire", "split", "merge",
            "smooth", "portray", "identify", "analyze", "evaluate", "render", "privacy", "report")  # fmt: skip
SEQUENCE_KEYS = ("detections", "camera_motion", "clip", "regions", "camera_group", "returns", "at_border",
                 "clock_offset_s")  # fmt: skip
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Range:
    """Annotation of a number in [low, high], both included."""

    low: float
    high: float


def load_section(kind: type[T], section: str, path: Path = PARAMS) -> T:
    """The dataclass `kind` made from the section with this dotted name.

    Raises ParamsError naming file, key, expectation and finding.
    """
    return make_section(kind, _node(read_params(path), section, path), f"{path}: {section}")


def load_value(hint: Any, name: str) -> Any:
    """The single value with this dotted name, of the hinted type. Raises ParamsError like `load_section`."""
    return _value(hint, read_params(), name)


def camera_groups() -> dict[str, str]:
    """Sequence -> its camera group, in the file's order, which is read once. Raises ParamsError like `load_section`."""
    params = read_params()
    return {name: str(_value(str, params, f"sequences.{name}.camera_group")) for name in _names(params, PARAMS)}


def _value(hint: Any, params: dict[str, Any], name: str) -> Any:
    return _checked(_node(params, name, PARAMS), hint, f"{PARAMS}: {name}")


def _node(params: dict[str, Any], name: str, path: Path) -> Any:
    """What the file holds under this dotted name."""
    node: Any = params
    for depth, key in enumerate(parts := name.split(".")):
        if not isinstance(node, dict) or key not in node:
            raise ParamsError(f"{path}: {'.'.join(parts[: depth + 1])}: expected an entry, found none")
        node = node[key]
        if depth == 1 and parts[0] in ("sequences", "cameras"):
            _check_name(parts[0], key, path)
        if depth == 1 and parts[0] == "sequences":
            _check_settings(key, node, path)
    return node


def _check_name(section: str, name: str, path: Path) -> None:
    """Raises ParamsError where a sequence or a camera has a name that cannot be a folder of its own."""
    if not SEQUENCE_NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise ParamsError(
            f"{path}: {section}: expected names of a letter and then up to 99 letters, digits, _ or -, and none of "
            f"{', '.join(sorted(RESERVED_NAMES))}, got {name!r}"
        )


def check_weights_name(name: str) -> None:
    """Raises ParamsError where `weights` names something else than a folder in data/weights."""
    if not WEIGHTS_NAME.fullmatch(name):
        raise ParamsError(f"weights: expected the name of a folder in data/weights: letters, digits, ., _ or -, got {name!r}")


def _check_settings(name: str, settings: Any, path: Path) -> None:
    """Raises ParamsError where a setting is not one of a sequence, or its camera group cannot be a folder."""
    for key in settings if isinstance(settings, dict) else [settings]:
        if key not in SEQUENCE_KEYS:
            raise ParamsError(f"{path}: sequences.{name}.{key}: expected one of {', '.join(SEQUENCE_KEYS)}, got an unknown key")
    group = settings.get("camera_group", name) if isinstance(settings, dict) else name
    if not isinstance(group, str) or not SEQUENCE_NAME.fullmatch(group):  # a folder of artifacts/galleries
        raise ParamsError(
            f"{path}: sequences.{name}.camera_group: expected a letter and then up to 99 letters, digits, _ or -, "
            f"got {_text(group)}"
        )


def read_params(path: Path = PARAMS) -> dict[str, Any]:
    """All sections. Raises ParamsError like `read_yaml`, and for a section that is none."""
    sections = read_yaml(path)
    for section in sections:
        if section not in SECTIONS:
            raise ParamsError(f"{path}: {section}: expected one of {', '.join(SECTIONS)}, got an unknown section")
    return sections


def sequence_names(path: Path = PARAMS) -> list[str]:
    """Names of all sequences, in the file's order. Raises ParamsError."""
    return _names(read_params(path), path)


def _names(params: dict[str, Any], path: Path) -> list[str]:
    sequences = params.get("sequences")
    if not isinstance(sequences, dict):
        raise ParamsError(f"{path}: sequences: expected a mapping from name to settings, got {_text(sequences)}")
    for name, settings in sequences.items():
        _check_name("sequences", str(name), path)
        _check_settings(str(name), settings, path)
    return [str(name) for name in sequences]


def check_sequence(*names: str) -> None:
    """Returns when params.yaml lists a sequence of each name. Raises DataError where it does not."""
    known = sequence_names()
    for name in names:
        if name not in known:
            raise DataError(f"{name}: expected one of the sequences in {PARAMS} ({', '.join(known)}), got another name")


def make_section(kind: type[T], values: Any, place: str) -> T:
    """The dataclass `kind` made from a mapping with exactly its keys."""
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    names = [field.name for field in fields]
    if not isinstance(values, dict):
        raise ParamsError(f"{place}: expected a mapping with {', '.join(names)}, got {_text(values)}")
    for key in values:
        if key not in names:
            raise ParamsError(f"{place}.{key}: expected one of {', '.join(names)}, got an unknown key")
    hints = get_type_hints(kind, include_extras=True)
    made = {}
    for field in fields:
        if field.name not in values:
            raise ParamsError(f"{place}.{field.name}: expected a value, found none")
        made[field.name] = _checked(values[field.name], hints[field.name], f"{place}.{field.name}")
    try:
        return kind(**made)
    except ParamsError as error:
        raise ParamsError(f"{place}.{error}") from error


def _checked(value: Any, hint: Any, place: str, bounds: Range | None = None) -> Any:
    """The value as the hinted type: bool, int, float, str, Literal, None, a dataclass or a list (tuple) of these."""
    if get_origin(hint) is Annotated:
        return _checked(value, get_args(hint)[0], place, get_args(hint)[1])
    if dataclasses.is_dataclass(hint):
        return make_section(hint, value, place)  # type: ignore[arg-type]
    if get_origin(hint) in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None
        return _checked(value, next(arg for arg in get_args(hint) if arg is not type(None)), place, bounds)
    if get_origin(hint) is Literal:
        if value not in get_args(hint) or isinstance(value, bool):
            raise ParamsError(f"{place}: expected one of {', '.join(map(str, get_args(hint)))}, got {_text(value)}")
        return value
    if get_origin(hint) is tuple:
        element = get_args(hint)[0]
        if not isinstance(value, list):
            raise ParamsError(f"{place}: expected a list, got {_text(value)}")
        return tuple(_checked(item, element, f"{place}[{i}]") for i, item in enumerate(value))
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300  # a float can hold it
    good = {bool: isinstance(value, bool), str: isinstance(value, str), float: number,
            int: number and isinstance(value, int)}[hint]  # fmt: skip
    name = {bool: "true or false", str: "a text", float: "a number", int: "a whole number"}[hint]
    if bounds is not None:
        name += f" in [{bounds.low:.10g}, {bounds.high:.10g}]"
        good = good and bounds.low <= value <= bounds.high
    if not good or (number and not math.isfinite(value)):
        raise ParamsError(f"{place}: expected {name}, got {_text(value)}")
    return float(value) if hint is float else value


def _text(value: Any) -> str:
    """The value as a person would write it in YAML; what JSON cannot write (a date as a key) as Python would."""
    try:
        return json.dumps(value, default=str)
    except TypeError:
        return repr(value)
