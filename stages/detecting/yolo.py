"""Ultralytics YOLO on batches of frames.

The network is called directly. Ultralytics' predictor stops its non-maximum suppression by the clock, leaving frames of a busy
machine without boxes, and resets the number of threads; letterbox, suppression and scaling back are its own functions.
"""

import logging
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision  # type: ignore[import-untyped]  # noqa: F401 - loaded, it does Ultralytics' suppression; else other code does
from numpy.typing import NDArray

from stages.detecting.detector import DetectParams, FrameDetections
from stages.errors import DataError, ParamsError
from stages.weights import where_to_get

CANDIDATES = 300  # boxes that a network without suppression puts out before classes are filtered, as in Ultralytics' predictor


class YoloDetector:
    """A detector with the weights in an Ultralytics `.pt` file."""

    def __init__(self, weights: Path, params: DetectParams, device: torch.device) -> None:
        isolate_ultralytics()
        from ultralytics.data.augment import LetterBox
        from ultralytics.utils import nms, ops

        self._params = params
        self._device = device
        self._dtype = torch.float16 if params.half else torch.float32
        network = _load(weights)
        _check_classes(params.class_ids, network.names)
        if network.end2end:
            network.set_head_attr(max_det=max(CANDIDATES, params.max_detections))
        self._end2end = bool(network.end2end)
        self._letterbox: Any = LetterBox(params.image_size_px, auto=True, stride=int(network.stride.max()))
        self._suppress: Any = nms.non_max_suppression
        self._scale_boxes: Any = ops.scale_boxes
        network = network.fuse(verbose=False).eval().to(device=device, dtype=self._dtype)
        if params.half:
            _keep_head_precise(network)
        self._network = torch.compile(network) if params.compile else network

    def __call__(self, frames: Sequence[NDArray[Any]]) -> list[FrameDetections]:
        """Detections of each frame (H, W, 3) uint8 BGR; all frames of one size."""
        with torch.inference_mode():
            images = self._images(frames)
            found = self._suppress(
                self._outputs(images),
                self._params.min_confidence,
                self._params.nms_iou,
                classes=list(self._params.class_ids),
                max_det=self._params.max_detections,
                max_time_img=float("inf"),
                end2end=self._end2end,
            )
            shape = images.shape[2:]
            return [self._detections(rows, shape, frame.shape) for rows, frame in zip(found, frames, strict=True)]

    def _outputs(self, images: torch.Tensor) -> Any:
        """What the network says of the images. Raises ParamsError where it cannot be compiled."""
        try:
            return self._network(images)
        except RuntimeError as error:
            from torch._dynamo.exc import TorchDynamoException  # a second to import

            if not isinstance(error, TorchDynamoException):
                raise
            cause = str(error).strip().splitlines()[0]
            raise ParamsError(f"detect.compile: expected a network that torch compiles here, got: {cause}") from error

    def _images(self, frames: Sequence[NDArray[Any]]) -> torch.Tensor:
        """(B, 3, h, w) RGB in [0, 1], letterboxed: each side a multiple of the network's stride."""
        batch = torch.from_numpy(np.stack([self._letterbox(image=frame) for frame in frames])).to(self._device)
        return batch.permute(0, 3, 1, 2).flip(1).to(self._dtype).div_(255)

    def _detections(self, rows: torch.Tensor, shape: Sequence[int], frame_shape: Sequence[int]) -> FrameDetections:
        """Rows (N, 6) of x1, y1, x2, y2, confidence, class in the network's image, as detections in the frame."""
        rows = rows.float()
        self._scale_boxes(shape, rows[:, :4], frame_shape)
        values = rows.cpu().numpy()
        values = values[np.argsort(-values[:, 4], kind="stable")]
        return FrameDetections(values[:, :4], values[:, 4].clip(0, 1), values[:, 5].astype(np.int16))


def isolate_ultralytics() -> None:
    """Keeps Ultralytics from downloading, installing, chatting, reading settings at home and unpickling foreign code.

    It reads these variables when it is first imported.
    """
    os.environ.update(
        YOLO_OFFLINE="true",
        YOLO_AUTOINSTALL="false",
        YOLO_VERBOSE="false",
        YOLO_CONFIG_DIR=".yolo",
        ULTRALYTICS_SAFE_LOAD="1",
    )
    logging.getLogger("ultralytics").setLevel(logging.ERROR)


def _load(weights: Path) -> Any:
    """The network in the file, float32 on the CPU. Raises DataError when it holds no detection network."""
    from ultralytics.nn import tasks

    vars(tasks)["SAFE_LOAD"] = True  # also where somebody imported Ultralytics before `isolate_ultralytics`
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is said below
            network, _ = tasks.load_checkpoint(weights)  # type: ignore[no-untyped-call]
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(
            f"{weights}: expected an Ultralytics network, got a damaged or foreign file ({type(error).__name__}): "
            f"{where_to_get(weights.parent)}"
        ) from error
    if not all(torch.isfinite(values.float()).all() for values in network.state_dict().values()):
        raise DataError(f"{weights}: expected finite weights, got NaN or infinity: {where_to_get(weights.parent)}")
    if network.task != "detect":
        raise DataError(f"{weights}: expected a network that detects, got one for {network.task!r}")
    return network


def _keep_head_precise(network: Any) -> None:
    """Lets the last layer, which makes the boxes, compute in float32: float16 tells positions beyond 512 px apart by 0.5 px."""
    head = network.model[-1].float()
    head.register_forward_pre_hook(lambda _, inputs: ([features.float() for features in inputs[0]],))


def _check_classes(class_ids: Sequence[int], names: dict[int, str]) -> None:
    for class_id in class_ids:
        if class_id not in names:
            raise ParamsError(
                f"detect.class_ids: expected classes of the network, {min(names)} to {max(names)}, got {class_id}"
            )
