"""How well boxes fit the truth: average precision by pycocotools, and what one threshold gives.

Who is seen less than `min_visibility` is ignored, as crowds are in COCO's protocol but by plain IoU: finding one is no mistake
and no merit. So each hidden person excuses at most one detection, one that covers that person's box, and only a detection that
fits nobody visible. (pycocotools' own flag for a crowd would excuse every detection that lies anywhere within the box.)
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO  # type: ignore[import-untyped]
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]

MAX_DETECTIONS = 1000  # a picture; the detector's own limit comes before
RECALLS = 101  # at which COCO takes the precision
AREAS = [[0.0, 1e10]]
IGNORED = -1.0  # an area out of that range: COCOeval ignores who has it


@dataclass(frozen=True, eq=False)
class Judged:
    """A picture's truth and what was found in it."""

    truth: NDArray[np.float64]  # (n, 4) x1, y1, x2, y2 px
    visibilities: NDArray[np.float64]  # (n,)
    found: NDArray[np.float64]  # (m, 4)
    confidences: NDArray[np.float64]  # (m,)


@dataclass(frozen=True, eq=False)
class Precision:
    """Figures over all pictures, in [0, 1]; `precisions` (101,) at recalls 0, 0.01, ... 1 and an IoU of 0.5."""

    people: int
    map50: float
    map50_95: float
    precision: float
    recall: float
    precisions: NDArray[np.float64]


def judge(pictures: Sequence[Judged], min_visibility: float, confidence: float) -> Precision:
    """Average precisions, and precision and recall of detections of at least this confidence, at an IoU of 0.5."""
    judging = COCOeval(_truth(pictures, min_visibility), _found(pictures), "bbox")
    judging.params.areaRng, judging.params.areaRngLbl, judging.params.maxDets = AREAS, ["all"], [MAX_DETECTIONS]
    with contextlib.redirect_stdout(io.StringIO()):  # it tells of its progress
        judging.evaluate()
        judging.accumulate()
    precisions = np.clip(judging.eval["precision"][:, :, 0, 0, 0], 0, 1)  # (10, 101); -1 where nobody is to be found
    hits, mistakes, people = _at(judging, confidence)
    return Precision(
        people,
        float(precisions[0].mean()),
        float(precisions.mean()),
        hits / max(hits + mistakes, 1),
        hits / max(people, 1),
        precisions[0],
    )


def _at(judging: Any, confidence: float) -> tuple[int, int, int]:
    """Detections of this confidence that fit somebody visible, those that fit nobody, and how many are visible; IoU 0.5."""
    hits = mistakes = people = 0
    for picture in judging.evalImgs:
        if picture is None:
            continue
        counted = (np.array(picture["dtScores"]) >= confidence) & ~np.asarray(picture["dtIgnore"][0], dtype=bool)
        matched = np.asarray(picture["dtMatches"][0]) > 0
        hits += int((counted & matched).sum())
        mistakes += int((counted & ~matched).sum())
        people += int((~np.asarray(picture["gtIgnore"], dtype=bool)).sum())
    return hits, mistakes, people


def _truth(pictures: Sequence[Judged], min_visibility: float) -> Any:
    rows: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures):
        for (x1, y1, x2, y2), visibility in zip(picture.truth.tolist(), picture.visibilities.tolist(), strict=True):
            area = (x2 - x1) * (y2 - y1) if visibility >= min_visibility else IGNORED
            rows.append({"id": len(rows) + 1, "image_id": number, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1],
                         "area": area, "iscrowd": 0})  # fmt: skip
    return _coco(len(pictures), rows)


def _found(pictures: Sequence[Judged]) -> Any:
    rows: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures):
        for (x1, y1, x2, y2), score in zip(picture.found.tolist(), picture.confidences.tolist(), strict=True):
            rows.append({"id": len(rows) + 1, "image_id": number, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1],
                         "area": (x2 - x1) * (y2 - y1), "iscrowd": 0, "score": score})  # fmt: skip
    return _coco(len(pictures), rows)


def _coco(pictures: int, rows: list[dict[str, Any]]) -> Any:
    made = COCO()
    made.dataset = {"images": [{"id": number} for number in range(pictures)], "categories": [{"id": 1}], "annotations": rows}
    with contextlib.redirect_stdout(io.StringIO()):
        made.createIndex()
    return made
