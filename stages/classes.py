"""Names of the classes that a detector tells apart: COCO's, as in published YOLO weights, unless told otherwise."""

from collections.abc import Mapping

from stages.errors import DataError

# Lin et al., "Microsoft COCO" (2014): the 80 classes of its detection challenge, in the order of Ultralytics' class numbers.
COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light", "fire hydrant",
    "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra",
    "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
    "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "wine glass", "cup", "fork",
    "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut",
    "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote",
    "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip


class ClassNames:
    """Class id -> name: COCO's, and the `others` of a detector with classes of its own."""

    def __init__(self, others: Mapping[int, str] | None = None) -> None:
        self._others = dict(others or {})

    def __getitem__(self, class_id: int) -> str:
        """The name of a class; `class 123` where nobody named it."""
        known = COCO[class_id] if 0 <= class_id < len(COCO) else f"class {class_id}"
        return self._others.get(class_id, known)


def parse_class_name(text: str) -> tuple[int, str]:
    """`3=forklift` as (3, "forklift"). Raises DataError."""
    number, equals, name = text.partition("=")
    if not (number.isdecimal() and equals and name.strip() and name.isprintable()):
        raise DataError(f"--class-name: expected a class and its name such as 3=forklift, got {text!r}")
    return int(number), name.strip()
