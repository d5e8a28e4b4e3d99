"""seqinfo.ini of a sequence: the last word on name, size, frame rate and length (MOTChallenge's format)."""

import configparser
from dataclasses import dataclass
from pathlib import Path

from stages.errors import DataError

MIN_FPS, MAX_FPS = 0.01, 9999.0
MAX_SIZE_PX = 100_000
MAX_BYTES = 10_000  # the time that configparser takes grows with the square of a line
MAX_FRAMES = 10**7  # 92 hours at 30 frames per second


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
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: expected at most {MAX_BYTES:,} bytes, got {path.stat().st_size:,}")
        config.read_string(path.read_text(encoding="utf-8-sig"))
        section = config["Sequence"]
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none") from error
    except KeyError as error:
        raise DataError(f"{path}: expected a section [Sequence], found none") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: expected an INI file with a section [Sequence], got: {' '.join(str(error).split())}"
        ) from error

    def number(key: str, low: float, high: float, whole: bool = True) -> float:
        text = section.get(key, "none")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high or (whole and value % 1 != 0):
            kind = "whole number" if whole else "number"
            raise DataError(f"{path}: {key}: expected a {kind} in [{low:g}, {high:g}], got {text}")
        return value

    timing = section.get("frameTiming", "constant")
    if timing not in ("constant", "variable"):
        raise DataError(f"{path}: frameTiming: expected constant or variable, got {timing}")

    name = section.get("name", path.parent.name)
    if not name.isprintable():
        raise DataError(f"{path}: name: expected one line of letters, got {name!r}")

    return SequenceInfo(
        name,
        int(number("imWidth", 1, MAX_SIZE_PX)),
        int(number("imHeight", 1, MAX_SIZE_PX)),
        number("frameRate", MIN_FPS, MAX_FPS, whole=False),
        int(number("seqLength", 0, MAX_FRAMES)),
        timing == "variable",
    )


def format_seqinfo(info: SequenceInfo) -> str:
    """The text of a seqinfo.ini."""
    timing = "frameTiming=variable\n" if info.variable_rate else ""
    return (
        f"[Sequence]\nname={info.name}\nimDir=pixels\nframeRate={info.fps:.10g}\nseqLength={info.num_frames}\n"
        f"imWidth={info.width_px}\nimHeight={info.height_px}\nimExt=\n{timing}"
    )
