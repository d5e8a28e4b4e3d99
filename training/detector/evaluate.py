"""A trained detector to figures: how well it finds people in pictures of the test split, which it has never seen.

It is run as `detect` runs it: by the same code and with the section `detect` of the pipeline's params.yaml. People seen less
than `min_visibility` are ignored (training/detector/precision.py says how).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.artifacts import write_json, write_text, writing_folder
from stages.command import execute, stage_options, stage_run
from stages.detecting.detector import Detector, DetectParams
from stages.detecting.yolo import YoloDetector
from stages.devices import prepare_device
from stages.params import Range, load_section
from stages.pins import check_pins
from stages.progress import progress
from stages.weights import weights_file
from training.detector.examples import Boxes, read_boxes, read_pictures, scene_of
from training.detector.precision import RECALLS, Judged, Precision, judge
from training.sections import load_training_section

NOBODY = Boxes(np.zeros((0, 4)), np.zeros(0))
FOUND, MISSED, HIDDEN = (80, 200, 60), (60, 60, 230), (180, 180, 180)  # BGR


@dataclass(frozen=True)
class EvaluateParams:
    """Who is to be found, at which threshold detections count, and how many pictures are drawn."""

    min_visibility: Annotated[float, Range(0, 1)]
    confidence: Annotated[float, Range(0, 1)]
    pictures: Annotated[int, Range(0, 1000)]


def look(
    detector: Detector, pictures: Iterable[tuple[str, NDArray[Any]]], boxes: dict[str, Boxes]
) -> Iterator[tuple[str, Judged]]:
    """Names of the pictures, each with what is true of it and what the detector finds."""
    for name, picture in pictures:
        (found,) = detector([picture])
        truth = boxes.get(name, NOBODY)
        yield (
            name,
            Judged(truth.bboxes, truth.visibilities, found.bboxes.astype(np.float64), found.confidences.astype(np.float64)),
        )


def figures(whole: Precision, by_scene: dict[str, Precision]) -> dict[str, Any]:
    """The figures of all pictures, and mAP50 of each scene, rounded to what they say."""
    return {
        "people": whole.people,
        "mAP50": round(whole.map50, 4),
        "mAP50-95": round(whole.map50_95, 4),
        "precision": round(whole.precision, 4),
        "recall": round(whole.recall, 4),
        "mAP50_by_scene": {name: round(one.map50, 4) for name, one in by_scene.items()},
    }


def format_curve(precisions: NDArray[np.float64]) -> str:
    """The precision at each recall, as CSV."""
    recalls = np.linspace(0, 1, RECALLS)
    rows = (f"{recall:.2f},{precision:.4f}\n" for recall, precision in zip(recalls, precisions, strict=True))
    return "recall,precision\n" + "".join(rows)


def draw(picture: NDArray[Any], judged: Judged, min_visibility: float, confidence: float) -> NDArray[Any]:
    """The picture with the truth (thin: grey who is ignored, red who is to be found) under what was found (green)."""
    drawn = picture.copy()
    for bbox, visibility in zip(judged.truth, judged.visibilities, strict=True):
        _box(drawn, bbox, MISSED if visibility >= min_visibility else HIDDEN)
    for bbox in judged.found[judged.confidences >= confidence]:
        _box(drawn, bbox, FOUND)
    return drawn


def _box(picture: NDArray[Any], bbox: NDArray[np.float64], color: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = np.rint(bbox).astype(int).tolist()
    cv2.rectangle(picture, (x1, y1), (x2, y2), color, 1, cv2.LINE_AA)


def main() -> None:
    args = stage_options(__doc__, "pins", "dataset", "weights", "evaluation", "timings")
    check_pins(args.pins)
    params = load_training_section(EvaluateParams, "detector_evaluate")
    detect = load_section(DetectParams, "detect")
    device = prepare_device("detect", detect.threads, detect.half)
    with stage_run("detector_evaluate", "all", args.timings) as run, writing_folder(args.evaluation) as folder:
        with run.computing():
            detector = YoloDetector(weights_file(args.weights, (".pt",)), detect, device)
            pictures = progress(read_pictures(args.dataset, "test"), "detector_evaluate", unit="picture")
            judged = dict(look(detector, pictures, read_boxes(args.dataset, "test")))
            scenes: dict[str, list[Judged]] = {}
            for name, one in judged.items():
                scenes.setdefault(scene_of(name), []).append(one)
            by_scene = {scene: judge(ones, *_limits(params)) for scene, ones in scenes.items()}
            whole = judge(list(judged.values()), *_limits(params))
        write_json(folder / "metrics.json", figures(whole, by_scene))
        write_text(folder / "precision_recall.csv", format_curve(whole.precisions))
        _write_pictures(folder / "pictures", args.dataset, judged, params)
        run.counts = {"pictures": len(judged), "people": whole.people}


def _limits(params: EvaluateParams) -> tuple[float, float]:
    return params.min_visibility, params.confidence


def _write_pictures(folder: Path, dataset: Path, judged: dict[str, Judged], params: EvaluateParams) -> None:
    """Writes some test pictures, evenly spread, with what was found."""
    folder.mkdir()
    chosen = {list(judged)[i] for i in np.linspace(0, len(judged) - 1, min(params.pictures, len(judged))).round().astype(int)}
    for name, picture in read_pictures(dataset, "test"):
        if name in chosen:
            cv2.imwrite(str(folder / f"{name}.jpg"), draw(picture, judged[name], *_limits(params)))


if __name__ == "__main__":
    execute(main)
