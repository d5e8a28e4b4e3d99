"""Average precision of detections, with people who are hardly seen ignored: tables computed by hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.detecting.detector import FrameDetections
from tests.detector_data import write_dataset
from training.detector.evaluate import figures, format_curve, look
from training.detector.examples import read_boxes, read_pictures
from training.detector.precision import Judged, Precision, judge

Scored = tuple[Sequence[float], float]  # a box with its visibility or its confidence
ANNA, BEN, HIDDEN, NOWHERE = [0, 0, 10, 20], [30, 0, 40, 20], [60, 0, 70, 20], [90, 0, 100, 20]


def picture(people: list[Scored], found: list[Scored]) -> Judged:
    """Boxes with visibilities, and boxes with confidences."""
    truth, detections = np.array([box for box, _ in people]), np.array([box for box, _ in found])
    return Judged(
        truth.reshape(-1, 4).astype(np.float64), np.array([share for _, share in people]),
        detections.reshape(-1, 4).astype(np.float64), np.array([score for _, score in found]),
    )  # fmt: skip


def judged(*pictures: Judged) -> Precision:
    return judge(pictures, min_visibility=0.4, confidence=0.5)


def test_everybody_found_exactly_is_perfect() -> None:
    whole = judged(picture([(ANNA, 1.0), (BEN, 0.4)], [(ANNA, 0.9), (BEN, 0.6)]))
    assert (whole.people, whole.map50, whole.map50_95, whole.precision, whole.recall) == pytest.approx((2, 1, 1, 1, 1))


def test_one_of_two_found_and_one_mistake() -> None:
    """By score: Anna (right), nobody (wrong). Recall 0.5 at precision 1: 51 of COCO's 101 recalls, 0.00 to 0.50."""
    whole = judged(picture([(ANNA, 1.0), (BEN, 1.0)], [(ANNA, 0.9), (NOWHERE, 0.7)]))
    assert whole.map50 == pytest.approx(51 / 101)
    assert (whole.precision, whole.recall) == (0.5, 0.5)
    assert format_curve(whole.precisions).splitlines()[50:54] == ["0.49,1.0000", "0.50,1.0000", "0.51,0.0000", "0.52,0.0000"]


def test_a_mistake_before_a_hit_costs_precision() -> None:
    """By score: nobody (wrong), Anna (right). Precision 1/2 at recall 1, and therefore at every recall."""
    assert judged(picture([(ANNA, 1.0)], [(NOWHERE, 0.9), (ANNA, 0.8)])).map50 == pytest.approx(0.5)


@pytest.mark.parametrize("found", [[], [(HIDDEN, 0.95)]], ids=["missed", "found"])
def test_who_is_hardly_seen_is_neither_missed_nor_a_mistake(found: list[Scored]) -> None:
    whole = judged(picture([(ANNA, 1.0), (HIDDEN, 0.39)], [(ANNA, 0.9), *found]))
    assert (whole.people, whole.map50, whole.precision, whole.recall) == pytest.approx((1, 1, 1, 1))


def test_a_hidden_person_excuses_one_detection_and_only_one_that_fits() -> None:
    twice = judged(picture([(ANNA, 1.0), (HIDDEN, 0.1)], [(ANNA, 0.9), (HIDDEN, 0.8), (HIDDEN, 0.7)]))
    assert twice.precision == 0.5
    inside = judged(picture([(ANNA, 1.0), (HIDDEN, 0.1)], [(ANNA, 0.9), ([60, 0, 65, 9], 0.8)]))
    assert inside.precision == 0.5  # a crowd of COCO's would have excused it


def test_the_second_detection_of_somebody_is_a_mistake() -> None:
    assert judged(picture([(ANNA, 1.0)], [(ANNA, 0.9), (ANNA, 0.8)])).precision == 0.5


def test_a_loose_box_counts_up_to_its_overlap() -> None:
    """IoU 16/20 = 0.8: right at thresholds 0.5 to 0.8, which are 7 of COCO's 10."""
    whole = judged(picture([(ANNA, 1.0)], [([0, 0, 10, 16], 0.9)]))
    assert (whole.map50, whole.map50_95) == pytest.approx((1, 0.7))


def test_pictures_are_judged_apart() -> None:
    whole = judged(picture([(ANNA, 1.0)], []), picture([], [(ANNA, 0.9)]))
    assert (whole.map50, whole.precision, whole.recall) == (0, 0, 0)


def test_nobody_anywhere_is_zero_and_no_error() -> None:
    assert judged(picture([], [])).people == 0


class Perfect:
    """A detector that was told the truth."""

    def __init__(self, boxes: list[NDArray[np.float64]]) -> None:
        self.boxes = iter(boxes)

    def __call__(self, frames: Sequence[NDArray[Any]]) -> list[FrameDetections]:
        boxes = next(self.boxes).astype(np.float32)
        return [FrameDetections(boxes, np.full(len(boxes), 0.9, dtype=np.float32), np.zeros(len(boxes), dtype=np.int16))]


def test_figures_of_a_data_set_are_json(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data")
    boxes = read_boxes(folder, "test")
    detector = Perfect([boxes[name].bboxes for name in sorted(boxes)])
    seen = dict(look(detector, read_pictures(folder, "test"), boxes))
    whole = judged(*seen.values())
    shown = json.loads(json.dumps(figures(whole, {"test": whole})))
    assert shown == {
        "people": 6, "mAP50": 1.0, "mAP50-95": 1.0, "precision": 1.0, "recall": 1.0, "mAP50_by_scene": {"test": 1.0}
    }  # fmt: skip
