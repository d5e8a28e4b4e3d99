"""Time per box over boxes per frame: people of one size in a picture that stays the same or grows with their number."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.track import TrackParams
from tests.benchmarks.contenders import Ours
from tests.benchmarks.streams import PICTURE_PX, crowd, walk

PEOPLE = (10, 20, 50, 100, 200, 500)
DENSITY_PEOPLE = 100  # the picture of the curve at one density holds so many in its usual size
REPEATS = 5


@dataclass(frozen=True)
class Point:
    """One crowd."""

    people: int
    picture_px: tuple[int, int]
    frames: int
    boxes: int
    ns_per_box: float  # of CPU time, median

    @property
    def boxes_per_frame(self) -> float:
        return self.boxes / self.frames


def curve(params: TrackParams, boxes: int, people: Sequence[int], same_density: bool) -> list[Point]:
    """A point for each number of people, with about the same number of boxes in all."""
    points = []
    for count in people:
        scale = (count / DENSITY_PEOPLE) ** 0.5 if same_density else 1.0
        picture_px = (round(PICTURE_PX[0] * scale), round(PICTURE_PX[1] * scale))
        detections = walk(crowd(count, boxes, picture_px))
        run = Ours("bytetrack").ready(detections, params)
        seconds = []
        for _ in range(REPEATS):
            started = time.process_time()
            run()
            seconds.append(time.process_time() - started)
        per_box = statistics.median(seconds) / len(detections) * 1e9
        points.append(Point(count, picture_px, detections.num_frames, len(detections), per_box))
    return points


def flatness(points: Sequence[Point]) -> float:
    """The dearest box over the cheapest."""
    return max(point.ns_per_box for point in points) / min(point.ns_per_box for point in points)


def draw(curves: dict[str, list[Point]], path: Path) -> None:
    """The curves as a picture: a flat line is time in proportion to boxes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")
    for name, points in curves.items():
        axes.plot([p.boxes_per_frame for p in points], [p.ns_per_box for p in points], marker="o", label=name)
    axes.set(xscale="log", xlabel="boxes per frame", ylabel="ns per box", title="Time per box")
    axes.set_ylim(bottom=0)
    ticks = [point.people for point in next(iter(curves.values()))]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
