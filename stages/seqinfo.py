"""seqinfo.ini of a sequence: the last word on name, size, frame rate and length (MOTChallenge's format)."""

import configparser
from dataclasses import dataclass
from pathlib import Path

from stages.errors import DataError


@dataclass(frozen=True)
class SequenceInfo:
    """What a sequence says of itself. `variable_rate` asks the reader to resample by time stamp to `fps`."""

    name: str
    width_px: int
    height_px: int
    fps: float
    num_frames: int
    variable_rate: bool


def read_seqinfo(path: Path) -> SequenceInfo:
    """The content of a seqinfo.ini. Raises DataError naming the key that is missing or wrong."""
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read_string(path.read_text(encoding="utf-8"))
        section = config["Sequence"]
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none") from error
    except (configparser.Error, KeyError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: expected an INI file with a section [Sequence], got: {' '.join(str(error).split())}"
        ) from error

    def number(key: str, low: float) -> float:
        text = section.get(key, "none")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value < 1e9:
            raise DataError(f"{path}: {key}: expected a number of at least {low}, got {text}")
        return value

    return SequenceInfo(
        section.get("name", path.parent.name),
        int(number("imWidth", 1)),
        int(number("imHeight", 1)),
        number("frameRate", 0.001),
        int(number("seqLength", 0)),
        section.get("frameTiming", "constant") == "variable",
    )


def format_seqinfo(info: SequenceInfo) -> str:
    """The text of a seqinfo.ini."""
    timing = "frameTiming=variable\n" if info.variable_rate else ""
    return (
        f"[Sequence]\nname={info.name}\nimDir=pixels\nframeRate={info.fps:.10g}\nseqLength={info.num_frames}\n"
        f"imWidth={info.width_px}\nimHeight={info.height_px}\nimExt=\n{timing}"
    )
