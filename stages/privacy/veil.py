"""What of each frame nobody may recognise: people or their faces as params.yaml asks, and whoever is forgotten in any case.

Everybody who was detected counts, with whatever confidence, tracked or not, of every class, and all boxes that were filled in.
Boxes also hold for a moment before and after their own frame: a detector that blinks must not show whom it missed. Whoever is
never detected is not hidden.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stages.exclusions import Exclusions
from stages.frames import read_frames
from stages.prefetching import prefetched
from stages.privacy.hiding import hide
from stages.seqinfo import SequenceInfo

HOLD_S = 0.4  # a box hides its place so long before and after its frame
MARGIN = 0.1  # share of its size by which a box is widened on each side: hands, hair, a detector's error
HEAD_HEIGHT = 0.25  # share of a box's height: a head is an eighth of who stands, a quarter of who bends or sits
HEAD_WIDTHS = 0.5  # share of a box's width that the region is high at least: boxes of people seen from the waist up
DECODED_AHEAD = 16  # frames
Picture = NDArray[np.uint8]  # (H, W, 3) BGR


@dataclass(frozen=True)
class PrivacyParams:
    """Whose pixels are blurred in all that is shown."""

    blur: Literal["none", "faces", "people"]


@dataclass(frozen=True, eq=False)
class Layer:
    """Regions sorted by frame; each hides its place in its frame and in those `steps` frames away."""

    regions: NDArray[np.float64]  # (N, 4) x1, y1, x2, y2 px
    offsets: NDArray[np.int64]  # (num_frames + 1,)
    steps: tuple[int, ...]

    def at(self, frame_number: int) -> Iterator[NDArray[np.float64]]:
        """The regions of the frame, its own first."""
        for step in self.steps:
            if 0 <= frame_number + step < len(self.offsets) - 1:
                first, last = self.offsets[frame_number + step : frame_number + step + 2]
                yield from self.regions[first:last]


Veil = tuple[Layer, ...]


def make_veil(params: PrivacyParams, tables: Sequence[Any], exclusions: Exclusions, frames: range, fps: float) -> Veil:
    """What is hidden in a clip of these source frames: people in the tables (frame_numbers, bboxes), and the excluded."""
    veil = forgotten(exclusions, frames)
    if params.blur == "none":
        return veil
    bboxes = np.concatenate([table.bboxes for table in tables]).astype(np.float64)
    regions = person_regions(bboxes) if params.blur == "people" else face_regions(bboxes)
    hold = max(1, round(HOLD_S * fps))
    steps = tuple(dict.fromkeys((0, -hold // 2, hold // 2, -hold, hold)))
    return (*veil, _layer(np.concatenate([table.frame_numbers for table in tables]), regions, len(frames), steps))


def forgotten(exclusions: Exclusions, frames: range) -> Veil:
    """The excluded boxes of a clip of these source frames."""
    numbers, bboxes = exclusions.within(frames)
    return (_layer(numbers, bboxes, len(frames), (0,)),)


def person_regions(bboxes: NDArray[Any]) -> NDArray[np.float64]:
    """(N, 4) the boxes, widened."""
    margins = MARGIN * (bboxes[:, 2:] - bboxes[:, :2])
    return np.concatenate([bboxes[:, :2] - margins, bboxes[:, 2:] + margins], axis=1)


def face_regions(bboxes: NDArray[Any]) -> NDArray[np.float64]:
    """(N, 4) where the head of somebody is who stands, walks, sits or bends: the upper part of the box, over its whole width.

    A part of the box, not a face that was found: of who lies or does a handstand it is the wrong one.
    """
    sizes = bboxes[:, 2:] - bboxes[:, :2]
    regions = person_regions(bboxes)
    heights = np.maximum(HEAD_HEIGHT * sizes[:, 1], HEAD_WIDTHS * sizes[:, 0])
    regions[:, 3] = np.minimum(bboxes[:, 1] + heights, regions[:, 3])
    return regions


def shown_frames(pixels: Path, info: SequenceInfo, frames: range, veil: Veil) -> Iterator[Picture]:
    """The clip's pictures as they may be shown: the only way in which stages that write pictures read pixels."""
    return prefetched(veiled(read_frames(pixels, info, frames), range(len(frames)), veil), DECODED_AHEAD)


def veiled(pictures: Iterable[Picture], frame_numbers: range, veil: Veil) -> Iterator[Picture]:
    """The pictures (H, W, 3) of these frames of the clip with all that is hidden overwritten, in place."""
    for frame_number, picture in zip(frame_numbers, pictures, strict=False):
        covered = np.zeros(picture.shape[:2], dtype=np.bool_)
        for layer in veil:
            for region in layer.at(frame_number):
                _hide_once(picture, region, covered)
        yield picture


def _hide_once(picture: Picture, region: NDArray[np.float64], covered: NDArray[np.bool_]) -> None:
    """Hides a region that is not covered (H, W) yet, and notes it."""
    x1, y1 = np.maximum(np.floor(region[:2]), 0).astype(int)
    x2, y2 = np.maximum(np.ceil(region[2:]), 0).astype(int)
    place = covered[y1:y2, x1:x2]
    if not place.all():
        hide(picture, region)
        place[:] = True


def _layer(frame_numbers: NDArray[Any], regions: NDArray[np.float64], num_frames: int, steps: tuple[int, ...]) -> Layer:
    order = np.argsort(frame_numbers, kind="stable")
    return Layer(regions[order], np.searchsorted(frame_numbers[order], np.arange(num_frames + 1)), steps)
