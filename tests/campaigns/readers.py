"""Everything that reads a file which somebody else may have written: whole examples, damage, reading, and writing it back."""

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
from ruamel.yaml import YAML

from stages.association.rewiring import RewireParams
from stages.camera import read_camera
from stages.clip import ClipParams
from stages.corrections.rows import HEADER as CORRECTIONS_HEADER
from stages.corrections.rows import read_corrections
from stages.detecting.detector import DetectParams
from stages.detecting.stored import read_detections
from stages.evaluate import EvaluateParams
from stages.exclusions import HEADER as EXCLUSIONS_HEADER
from stages.exclusions import format_exclusions, read_exclusions
from stages.figures import read_figures
from stages.h264 import H264Params
from stages.identify import IdentifyParams
from stages.identity.portraits import PortrayParams
from stages.images import read_image
from stages.merge import MergeParams
from stages.motchallenge import MotRows, format_rows, read_rows
from stages.params import load_section, make_section, read_params, sequence_names
from stages.privacy.veil import PrivacyParams
from stages.regions import RegionParams
from stages.registration.params import RegisterParams
from stages.registration.stored import read_motion
from stages.reid.encoder import EmbedParams
from stages.render import RenderParams
from stages.report import ReportParams
from stages.scoring.quality import AnalyzeParams
from stages.scoring.truth import make_truth
from stages.seqinfo import SequenceInfo, format_seqinfo, read_seqinfo
from stages.smooth import SmoothParams
from stages.split import SplitParams
from stages.track import TrackParams
from stages.world.scene import CameraParams, SceneParams
from tests.campaigns.archives import mutated_archive
from tests.campaigns.mutations import Mutation, mutated_bytes, mutated_text
from tests.conftest import ROOT
from tests.test_contracts import ALL

INFO = SequenceInfo("hall", 640, 480, 25.0, 3, variable_rate=False)
GT = "1,1,10,10,8,20,1,1,1\n2,1,11,10,8,20,1,1,0.5\n2,2,30,10,8,20,0,7,0.25\n"
GT_2015 = "1,1,88,99,61.08,218.56,1,4.4852,5.5016,0\n3,2,10,10,8,20,1,0,0,0\n"
DET = "1,-1,10,10,8,20,0.9,-1,-1,-1\n1,-1,40,10,8.5,20,0.7,-1,-1,-1\n3,-1,11,10,8,20,0.05,-1,-1,-1\n"
TRACKS_TXT = "1,1,10.000,100.000,40.000,100.000,1.0000,-1,-1,-1\n2,1,11.000,100.000,40.000,100.000,1.0000,-1,-1,-1\n"
MOTION = "".join(f"{frame}\t1.000000\t0.000000\t{2 * bool(frame)}\t0.000000\t1.000000\t0.000000\t\n" for frame in range(3))
CAMERA = '{"image_to_ground": [[0.01, 0.001, -3.2], [0.0005, -0.02, 9.1], [0.0, 0.004, 1.0]]}\n'
PARAMS = """\
sequences:
  hall:
    detections: stored      # network or stored
    clip: {start_frame: 0, end_frame: null, frame_stride: 1}
    regions:
      interest: [[0, 0], [640, 0], [640.5, 480]]
      ignored: []
    camera_group: hall
detect:
  weights: yolov8s
  class_ids: [0]
  image_size_px: 640
  batch_size: 8
  half: false
  compile: false
  min_confidence: 5e-2
  nms_iou: 0.7
  max_detections: 300
  threads: 2
"""


CORRECTIONS = (
    CORRECTIONS_HEADER + "same,120,310,90,362.5,240,480,12,8,60,150,\ndelete,7,1,2,3,4,,,,,,\n"
    'cut,3,1,2,3,4,9,1,2,3,4,\nrename,120,310,90,362.5,240,,,,,,"Ann, B."\n'
)
EXCLUSIONS = EXCLUSIONS_HEADER + "3,5,1.00,2.00,30.25,40.50\n9,20,-4.00,0.00,6.00,20.00\n"
FIGURES = '{"raw": {"HOTA": 50.25, "IDSW": 3}, "final": {"HOTA": 70.5, "IDSW": 0, "by": {"plaza": null}}}\n'
SECTIONS: dict[str, Any] = {
    "synthesize": H264Params, "detect": DetectParams, "register": RegisterParams, "track": TrackParams, "embed": EmbedParams,
    "rewire": RewireParams, "split": SplitParams, "merge": MergeParams, "smooth": SmoothParams, "portray": PortrayParams,
    "identify": IdentifyParams, "analyze": AnalyzeParams, "evaluate": EvaluateParams, "render": RenderParams,
    "privacy": PrivacyParams, "report": ReportParams,
}  # fmt: skip
MAPPINGS: dict[str, Any] = {"scenes": SceneParams, "cameras": CameraParams}


@dataclass(frozen=True)
class Reader:
    """A reader under trial. `write` puts what was read into a file again, and reading that must give an equal value."""

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[Path], Any]
    write: Callable[[Any, Path], object]
    mutate: Mutation
    share: int  # of the inputs, relative to the other readers'


def equal(a: Any, b: Any) -> bool:
    """Whether two values read are the same: tables column by column, texts' numbers as near as their decimals allow."""
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, np.ndarray) and a.dtype.kind == "f":
        return bool(a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-6))
    if isinstance(a, np.ndarray):
        return bool(a.dtype == b.dtype and np.array_equal(a, b))
    return bool(np.isclose(a, b, rtol=1e-9)) if isinstance(a, float) else bool(a == b)


def _table_seeds(table: Any, folder: Path) -> tuple[bytes, ...]:
    path = folder / "seed.npz"
    table.save(path)
    return (path.read_bytes(),)


def _write_rows(rows: MotRows, path: Path) -> None:
    """Nine columns where classes are known, else ten."""
    with_class = rows.num_columns == 9
    tails = [
        f"{score:.9g},{name},{seen:.9g}" if with_class else f"{score:.9g}" + ",-1" * (rows.num_columns - 7)
        for score, name, seen in zip(rows.scores.tolist(), rows.class_ids.tolist(), rows.visibilities.tolist(), strict=True)
    ]
    path.write_text(format_rows(rows.frame_numbers, rows.ids, rows.bboxes, tails, decimals=17))


def _read_truth(path: Path) -> MotRows:
    rows = read_rows(path)
    make_truth(path, rows, INFO.num_frames)
    return rows


def _write_motion(transforms: Any, path: Path) -> None:
    rows = transforms.reshape(-1, 6).tolist()
    path.write_text("".join(f"{frame} {' '.join(map(repr, row))}\n" for frame, row in enumerate(rows)))


def _write_camera(homography: Any, path: Path) -> None:
    path.write_text(json.dumps({"image_to_ground": None if homography is None else homography.tolist()}))


def _read_params(path: Path) -> list[Any]:
    names = sequence_names(path)
    places: list[tuple[Any, str]] = [(ClipParams, "clip"), (RegionParams, "regions")]
    parts: list[Any] = [load_section(kind, f"sequences.{name}.{part}", path) for name in names[:1] for kind, part in places]
    return [names, *parts, load_section(DetectParams, "detect", path)]


def _write_params(values: list[Any], path: Path) -> None:
    names, *parts, detect = values
    sequences = {name: dict(zip(("clip", "regions"), map(_plain, parts), strict=False)) for name in names}
    written = io.StringIO()
    YAML(typ="safe").dump({"sequences": sequences, "detect": _plain(detect)}, written)
    path.write_text(written.getvalue())


def _plain(value: Any) -> Any:
    """A dataclass as mappings and lists."""
    return json.loads(json.dumps(dataclasses.asdict(value)))


def _read_sections(path: Path) -> dict[str, Any]:
    """Every section of params.yaml as its stage reads it, and the first scene and camera."""
    params = read_params(path)
    made = {name: make_section(kind, params.get(name), f"{path}: {name}") for name, kind in SECTIONS.items()}
    for name, kind in MAPPINGS.items():
        entries = params.get(name)
        made[name] = [
            make_section(kind, entry, name) for entry in (list(entries.values()) if isinstance(entries, dict) else [])[:1]
        ]
    return made


def _write_sections(made: dict[str, Any], path: Path) -> None:
    plain = {name: _plain(made[name]) for name in SECTIONS}
    plain |= {name: {str(k): _plain(entry) for k, entry in enumerate(made[name])} for name in MAPPINGS}
    with open(path, "w", encoding="utf-8") as file:
        YAML(typ="safe").dump(plain, file)


def _sections_example() -> bytes:
    """This project's params.yaml without comments, and with one scene and one camera."""
    params = read_params(ROOT / "params.yaml")
    params |= {name: dict(list(params[name].items())[1:2]) for name in MAPPINGS}
    params.pop("sequences")
    written = io.StringIO()
    YAML(typ="safe").dump(params, written)
    return written.getvalue().encode()


def _write_corrections(rows: Any, path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(CORRECTIONS_HEADER)
        csv.writer(file, lineterminator="\n").writerows(row.cells() for row in rows)


def _images() -> tuple[bytes, ...]:
    """A small picture in the formats that folders of images come in."""
    picture = np.random.default_rng(1).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    return tuple(cv2.imencode(suffix, picture)[1].tobytes() for suffix in (".png", ".jpg", ".bmp", ".tif", ".webp"))


def _mutated_image(data: bytes, rng: Random) -> bytes:
    """Damage anywhere, or in the first bytes, where headers declare width and height."""
    if rng.random() < 0.5:
        return mutated_bytes(data, rng)
    damaged = bytearray(data)
    size = rng.choice((1, 2, 4))
    place = rng.randrange(min(len(damaged), 256) - size)
    damaged[place : place + size] = rng.choice((0, 1, 0x7F, 0xFF)).to_bytes(1, "big") * size
    return bytes(damaged)


def readers(folder: Path) -> list[Reader]:
    """All readers; `folder` is for making their examples."""
    made = []
    for table in ALL:
        seeds = _table_seeds(table, folder)
        made.append(Reader(table.SCHEMA, seeds, type(table).load, lambda t, path: t.save(path), mutated_archive, 8))
    text = partial(Reader, mutate=mutated_text)
    return [
        *made,
        text("gt.txt", (GT.encode(), GT_2015.encode()), _read_truth, _write_rows, share=9),
        text("det.txt", (DET.encode(),), lambda path: read_detections(path, INFO), _write_rows, share=9),
        text("tracks.txt", (TRACKS_TXT.encode(),), read_rows, _write_rows, share=9),
        text("motion.txt", (MOTION.encode(),), lambda path: read_motion(path, INFO), _write_motion, share=8),
        text("seqinfo.ini", (format_seqinfo(INFO).encode(),), read_seqinfo,
             lambda info, path: path.write_text(format_seqinfo(info)), share=8),
        text("camera.json", (CAMERA.encode(), b'{"image_to_ground": null}\n'), read_camera, _write_camera, share=8),
        text("corrections.csv", (CORRECTIONS.encode(),), read_corrections, _write_corrections, share=8),
        text("exclusions.csv", (EXCLUSIONS.encode(),), read_exclusions,
             lambda rows, path: path.write_text(EXCLUSIONS_HEADER + format_exclusions(rows)), share=8),
        text("metrics.json", (FIGURES.encode(),), read_figures,
             lambda value, path: path.write_text(json.dumps(value)), share=8),
        Reader("image", _images(), read_image, lambda value, path: path.write_bytes(cv2.imencode(".png", value)[1].tobytes()),
               _mutated_image, 8),
        text("params.yaml", (PARAMS.encode(),), _read_params, _write_params, share=1),
        text("params.yaml, all", (_sections_example(),), _read_sections, _write_sections, share=1),
    ]  # fmt: skip
