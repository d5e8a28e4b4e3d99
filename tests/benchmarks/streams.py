"""Boxes to measure with: people who walk about, thousands of frames at once.

The sample world makes truer scenes, but it works out who covers whom, and people come and go as they like. Here everybody walks
straight on a torus: who leaves the picture at one side is a new person at the other, so the number of people is what was asked
for while tracks end and begin. Scores dip for some frames, as under occlusion.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.contracts.detections import Detections

FPS = 25.0
PICTURE_PX = (1920, 1080)
ASPECT = 0.42  # width / height of a box
SPEED = (0.01, 0.035)  # box heights per frame: 0.4 to 1.5 m/s at 25 frames per second
MISS_RATE = 0.04
FALSE_RATE = 0.02  # false boxes per person
JITTER = 0.015  # of an edge, standard deviation, in box heights
DIP_FRAMES = (80, 400)  # how often a person's score dips
BLOCK = 1 << 18  # boxes made at once

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Walkers:
    """A stream to be made."""

    name: str
    num_frames: int
    people: int  # a frame; with `visitors` at the height of their visit
    heights_px: tuple[float, float]
    picture_px: tuple[int, int] = PICTURE_PX
    visitors: int = 0  # of the people, who come and go one by one around the middle of the stream
    seed: int = 1


def sparse(num_frames: int = 2025) -> Walkers:
    """A 1080p video of 81 s with 4 people, and 15 while a group passes: about 8,800 detections."""
    return Walkers("sparse", num_frames, 15, (150.0, 400.0), visitors=11)


def dense(num_frames: int = 1000) -> Walkers:
    """150 people a frame."""
    return Walkers("dense", num_frames, 150, (60.0, 130.0))


def crowd(people: int, boxes: int, picture_px: tuple[int, int] = PICTURE_PX) -> Walkers:
    """A number of people of one size, for as many frames as the number of boxes asks for."""
    found = people * (1 - MISS_RATE) * (1 + FALSE_RATE)
    return Walkers(f"crowd-{people}", max(round(boxes / found), 2), people, (90.0, 100.0), picture_px)


def walk(wish: Walkers) -> Detections:
    """The detections of a stream; the same for the same wish."""
    blocks = list(_blocks(wish, np.random.default_rng(wish.seed)))
    frames, bboxes, scores = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    width, height = wish.picture_px
    return Detections(
        wish.name, wish.num_frames, width, height, FPS, frames, bboxes, scores, np.zeros(len(frames), np.int16)
    )  # fmt: skip


def people_present(wish: Walkers) -> NDArray[np.int64]:
    """(F,) people in the picture: the residents, and visitors under a bell curve around the middle of the stream."""
    middle, width = wish.num_frames / 2, 0.023 * wish.num_frames
    share = np.exp(-(((np.arange(wish.num_frames) - middle) / width) ** 2))
    return np.asarray(wish.people - wish.visitors + np.round(wish.visitors * share), dtype=np.int64)


def _blocks(wish: Walkers, rng: np.random.Generator) -> Iterator[tuple[Any, Any, Any]]:
    """Frame numbers (n,) int32, boxes (n, 4) float32 and scores (n,) float32 of some frames after the other."""
    people, size = wish.people, np.array(wish.picture_px, dtype=np.float64)
    heights = rng.uniform(*wish.heights_px, people)
    start = rng.uniform(0, size, (people, 2))
    speed = rng.uniform(*SPEED, people) * heights * rng.choice([-1.0, 1.0], people)
    velocity = np.column_stack([speed, 0.2 * speed * rng.uniform(-1, 1, people)])
    period, phase = rng.uniform(*DIP_FRAMES, people), rng.uniform(0, 2 * np.pi, people)
    present = people_present(wish)
    step = max(BLOCK // people, 1)
    for first in range(0, wish.num_frames, step):
        frames = np.arange(first, min(first + step, wish.num_frames))
        centres = (start + velocity * frames[:, None, None]) % size
        sides = heights[:, None] * np.array([ASPECT, 1.0]) / 2
        boxes = np.concatenate([centres - sides, centres + sides], axis=2)
        boxes += JITTER * heights[:, None] * rng.standard_normal(boxes.shape)
        dip = np.clip(10 * np.sin(2 * np.pi * frames[:, None] / period + phase) - 9, 0, 1)  # 1 for a seventh of the time
        scores = 0.88 - 0.6 * dip + 0.05 * rng.standard_normal(dip.shape)
        seen = (np.arange(people) < present[frames, None]) & (rng.random(dip.shape) > MISS_RATE)
        false = rng.random(dip.shape) < FALSE_RATE * seen
        count = int(false.sum())
        beside = boxes[false] + rng.uniform(-1, 1, (count, 1)) * heights.mean()
        yield _rows(
            np.concatenate([np.nonzero(seen)[0], np.nonzero(false)[0]]) + first,
            np.concatenate([boxes[seen], beside]),
            np.concatenate([scores[seen], rng.uniform(0.05, 0.7, count)]),
            size,
        )


def _rows(frames: NDArray[np.int64], boxes: Array, scores: Array, size: Array) -> tuple[Any, Any, Any]:
    """The rows inside the picture, by frame and falling score as a detector puts them out."""
    boxes = np.clip(boxes, 0, np.tile(size, 2))
    order = np.lexsort((-scores, frames))
    order = order[((boxes[order, 2:] - boxes[order, :2]) > 2).all(axis=1)]
    return (
        frames[order].astype(np.int32),
        boxes[order].astype(np.float32),
        np.clip(scores[order], 0.01, 0.99).astype(np.float32),
    )
