"""Tracks out of "CVAT for video 1.1": what people corrected there, read back as rows of a ground truth.

The file comes from outside: document types and entities, by which XML grows without bound or reads other files, are refused.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]
from numpy.typing import NDArray

from stages.errors import DataError
from stages.motchallenge import MAX_COORDINATE, MAX_WHOLE, MotRows

EDGES = ("xtl", "ytl", "xbr", "ybr")
OTHER_SHAPES = {"polygon", "polyline", "points", "cuboid", "mask", "ellipse", "skeleton"}
GT_COLUMNS = 9
Box = tuple[int, bool, tuple[float, ...]]  # frame, outside, x1 y1 x2 y2 px


@dataclass(frozen=True, eq=False)
class CvatFile:
    """What the file says: tracks by their label, and the size of the picture where it is stated."""

    labels: Mapping[str, MotRows]
    size_px: tuple[int, int] | None


def read_cvat(path: Path, num_frames: int) -> CvatFile:
    """The tracks of a file about footage of so many frames.

    Boxes missing between two boxes of a visible stretch are interpolated, as CVAT shows them. Raises DataError naming the file,
    and the track and frame, where it is no such file or no sound XML, or a box is turned.
    """
    try:
        return _read(path, num_frames)
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none") from error
    except DefusedXmlException as error:
        raise DataError(f"{path}: expected XML without document types and entities, got: {type(error).__name__}") from error
    except (ParseError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: expected XML of CVAT, got: {' '.join(str(error).split())}") from error


def _read(path: Path, num_frames: int) -> CvatFile:
    """Element by element, forgetting each track once it is read."""
    tracks: dict[str, list[tuple[int, list[Box]]]] = defaultdict(list)
    step, size = 1, dict[str, str | None]()
    root: Element | None = None
    inside: Element | None = None
    for event, element in iterparse(str(path), events=("start", "end"), forbid_dtd=True):
        if root is None:
            root = _checked_root(path, element)
        if event == "start":
            inside = element if element.tag == "track" else inside
        elif element.tag == "frame_filter":
            step = int(found[1]) if (found := re.fullmatch(r"\s*step\s*=\s*([1-9][0-9]{0,6})\s*", element.text or "")) else 1
        elif element.tag == "original_size":
            size = {child.tag: child.text for child in element}
        elif element.tag == "image":
            raise DataError(f"{path}: expected tracks (export as CVAT for video 1.1), got images")
        elif element.tag in OTHER_SHAPES and inside is not None:
            raise DataError(f"{path}: track {inside.get('id')}: expected boxes, got a {element.tag}")
        elif element.tag == "track":
            tracks[element.get("label", "")].append(_track(path, element, num_frames))
            inside = None
            root.clear()
    labels = {label: _rows(path, found, step) for label, found in tracks.items()}
    return CvatFile(labels, (int(size["width"] or ""), int(size["height"] or "")) if {"width", "height"} <= set(size) else None)


def _checked_root(path: Path, root: Element) -> Element:
    if root.tag != "annotations":
        raise DataError(f"{path}: expected the root element annotations, got {root.tag}")
    return root


def _track(path: Path, track: Element, num_frames: int) -> tuple[int, list[Box]]:
    """Id and boxes of a track, sorted by frame."""
    name = track.get("id", "none")
    if not (name.isdecimal() and int(name) <= MAX_WHOLE):
        raise DataError(f"{path}: track {name}: expected a whole id from 0")
    boxes = sorted(_box(path, name, box, num_frames) for box in track.iter("box"))
    for before, after in pairwise(boxes):
        if before[0] == after[0]:
            raise DataError(f"{path}: track {name}: expected one box in frame {after[0]}, got another one")
    return int(name), boxes


def _box(path: Path, track: str, box: Element, num_frames: int) -> Box:
    frame, outside = box.get("frame", "none"), box.get("outside", "0")
    if not (frame.isdecimal() and int(frame) < num_frames) or outside not in ("0", "1"):
        raise DataError(
            f"{path}: track {track}: expected a box with a frame from 0 to {num_frames - 1} and outside 0 or 1, got {frame}, "
            f"{outside}"
        )
    try:
        edges = tuple(float(box.get(edge, "none")) for edge in EDGES)
    except ValueError:
        edges = (float("nan"),) * 4
    x1, y1, x2, y2 = edges
    if not (x1 <= x2 and y1 <= y2 and max(map(abs, edges)) <= MAX_COORDINATE):
        found = " ".join(str(box.get(edge)) for edge in EDGES)
        raise DataError(f"{path}: track {track}, frame {frame}: expected a finite box not inverted, got {found}")
    if float(turned := box.get("rotation", "0")) % 360:
        raise DataError(f"{path}: track {track}, frame {frame}: expected an upright box, got one turned by {turned} degrees")
    return int(frame), outside == "1", edges


def _rows(path: Path, tracks: list[tuple[int, list[Box]]], step: int) -> MotRows:
    """The tracks of one label as rows sorted by frame; each counts, as class 1 (pedestrian)."""
    if len({name for name, _ in tracks}) < len(tracks):
        raise DataError(f"{path}: expected each track's id once, got one twice")
    rows = [(frame, name, *edges) for name, boxes in tracks for frame, edges in _shown(boxes, step)]
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    table = table[np.argsort(table[:, 0], kind="stable")]
    ones: NDArray[Any] = np.ones(len(table))
    return MotRows(
        table[:, 0].astype(np.int32),
        table[:, 1].astype(np.int32),
        table[:, 2:].astype(np.float32),
        ones.astype(np.float32),
        ones.astype(np.int32),
        ones.astype(np.float32),
        GT_COLUMNS,
    )


def _shown(boxes: list[Box], step: int) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Frame and edges of every box that is not outside, and of those between it and the next box that are not listed."""
    for (frame, outside, edges), (next_frame, next_outside, next_edges) in pairwise([*boxes, (-1, True, ())]):
        if outside:
            continue
        yield frame, edges
        for between in range(frame + step, next_frame, step):
            share = 0.0 if next_outside else (between - frame) / (next_frame - frame)
            yield between, tuple(a + share * (b - a) for a, b in zip(edges, next_edges, strict=True))
