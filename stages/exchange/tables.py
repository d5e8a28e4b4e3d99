"""Tracks as a table with one row a box: CSV for spreadsheets, Parquet for data frames and databases."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.classes import ClassNames
from stages.contracts.tracklets import Tracklets

DECIMALS = {"time_s": 3, "x1_px": 3, "y1_px": 3, "x2_px": 3, "y2_px": 3, "confidence": 4}  # of the CSV; Parquet is exact
METADATA = ("sequence", "num_frames", "width_px", "height_px", "fps")  # of Parquet's schema, as text under `retrace.<name>`


Columns = Mapping[str, NDArray[Any]]


def columns(tracklets: Tracklets, frames: range, names: ClassNames, people: Columns) -> Columns:
    """The M boxes by column, sorted by track and frame; columns (M,) of `people` stand first.

    `frame` counts the clip from 0, `source_frame` the footage, as `time_s` does; without a detection a box is `interpolated`.
    """
    source = np.asarray(frames, dtype=np.int32)[tracklets.frame_numbers]
    known = {int(class_id): names[int(class_id)] for class_id in np.unique(tracklets.class_ids)}
    return {
        **people,
        "track_id": tracklets.tracklet_ids,
        "frame": tracklets.frame_numbers,
        "source_frame": source,
        "time_s": source / (tracklets.fps * frames.step),
        **{f"{edge}_px": tracklets.bboxes[:, k] for k, edge in enumerate(("x1", "y1", "x2", "y2"))},
        "confidence": tracklets.confidences,
        "class_id": tracklets.class_ids,
        "class_name": np.array([known[class_id] for class_id in tracklets.class_ids.tolist()], dtype=np.str_),
        "interpolated": tracklets.detection_indices == -1,
    }


def format_csv(tracklets: Tracklets, frames: range, names: ClassNames, people: Columns) -> str:
    """The table under a line of column names; pixels and seconds with three decimals, `interpolated` as 0 or 1."""
    table = columns(tracklets, frames, names, people)
    cells = [_cells(name, values) for name, values in table.items()]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue()


def _cells(name: str, values: NDArray[Any]) -> list[Any]:
    """A column as CSV shows it."""
    if name in DECIMALS:
        return [f"{value:.{DECIMALS[name]}f}" for value in values.tolist()]
    return list(map(int, values)) if values.dtype == np.bool_ else values.tolist()


def parquet_bytes(tracklets: Tracklets, frames: range, names: ClassNames, people: Columns) -> bytes:
    """The table as a Parquet file, exact to the last bit; size and rate of the video stand in the schema's metadata."""
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import parquet

    table = pyarrow.table(columns(tracklets, frames, names, people))
    table = table.replace_schema_metadata({f"retrace.{name}": str(getattr(tracklets, name)) for name in METADATA})
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table, sink)
    return bytes(sink.getvalue())
