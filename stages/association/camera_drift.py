"""Boxes in coordinates that stand still while the camera moves.

The camera motion that is known (`register`) comes first: every box is seen as from the first frame. What is left, or all of it
where the camera's motion is not known, is found in the boxes themselves: how far most people jump beside what their own motion
predicts. Without footage that is all there is; with a camera that stands still it comes out as nothing.
"""

from collections.abc import Callable

import numpy as np

from stages.association.motion_noise import START
from stages.association.two_filter import (
    BOTTOM,
    CENTRE_X,
    NONE,
    QUANTITIES,
    STATE_SIZE,
    TOP,
    VALUE,
    VELOCITY,
    Array,
    Chains,
    Ints,
    Measured,
    filter_box,
)
from stages.compiled import compiled

WINDOW_FRAMES = 10_000  # filtered at a time: memory follows the people in a window and not the length of the video
MIN_PEOPLE = 4  # who must be seen in a frame and the one before: the median of fewer says little
MAX_BLUR = 1.5  # of a box that is believed here: a score of at least one half
STANDARD_ERRORS = 3.0  # shifts up to so many are taken for none
MEDIAN_ERROR = 1.4826 * 1.2533  # standard error of a median, in median absolute deviations over sqrt(people): of Gaussians
LEAST_VARIANCE = 1e-6  # px^2 of a median: residuals may all be equal


def residual_drift(measured: Callable[[slice], Measured], frames: Ints, chains: Chains, num_frames: int) -> Array:
    """(F, 2) how far the picture has drifted up to each frame in x and y, px.

    frames (N,) of the boxes, ascending, and their chains; measured gives what the filters see of those in a range of rows, as
    arrays of its own, so that no more than a window of them is in memory.
    """
    offsets = np.searchsorted(frames, np.arange(num_frames + 1))
    drift, oldest, states = np.zeros((num_frames, 2)), 0, np.zeros((0, QUANTITIES, STATE_SIZE))
    needed = _oldest_needed(chains.befores)
    for start in range(0, num_frames, WINDOW_FRAMES):
        stop = min(start + WINDOW_FRAMES, num_frames)
        first, last = int(offsets[start]), int(offsets[stop])
        kept = min(int(needed[first]), first) if first < len(needed) else first
        rows = slice(kept, last)
        known = states[kept - oldest :]
        oldest, states = kept, np.concatenate([known, np.zeros((last - first, QUANTITIES, STATE_SIZE))])
        befores = chains.befores[rows]  # those of kept boxes lead out, and only whether there is one counts
        links = Chains(chains.nexts[rows], np.where(befores == NONE, NONE, np.maximum(befores - kept, 0)))
        _drift(measured(rows), links, offsets[start : stop + 1] - kept, states, drift, start, START)
    return drift


def _oldest_needed(befores: Ints) -> Ints:
    """(N,) the first row that this box or a later one goes on from; N where none does."""
    rows = np.where(befores == NONE, len(befores), befores)
    return np.asarray(np.minimum.accumulate(rows[::-1])[::-1])


@compiled
def _drift(still: Measured, chains: Chains, offsets: Ints, states: Array, drift: Array, start: int, noise: Array) -> None:
    """One robust filter over a window of frames, in coordinates that the drift found so far is taken out of.

    `drift` and `states` are filled from frame `start` on; the states of boxes before it are there.
    """
    for frame in range(start, start + len(offsets) - 1):
        if frame > 0:
            drift[frame, 0], drift[frame, 1] = drift[frame - 1, 0], drift[frame - 1, 1]
        for row in range(offsets[frame - start], offsets[frame - start + 1]):
            _shift(still, row, drift[frame, 0], drift[frame, 1])
        x, y = _jump(frame, offsets[frame - start], offsets[frame - start + 1], still, chains, states)
        drift[frame, 0] += x
        drift[frame, 1] += y
        for row in range(offsets[frame - start], offsets[frame - start + 1]):
            _shift(still, row, x, y)
            filter_box(states, row, chains.befores[row], still, noise, True)


@compiled
def _shift(measured: Measured, row: int, x: float, y: float) -> None:
    measured.values[row, CENTRE_X] -= x
    measured.values[row, TOP] -= y
    measured.values[row, BOTTOM] -= y


@compiled
def _jump(frame: int, first: int, stop: int, measured: Measured, chains: Chains, states: Array) -> tuple[float, float]:
    """Pixels by which the picture jumped in the frame with rows first:stop.

    The median over people of what their motion does not explain, shrunk.

    A median's own error would drift without end. The positive-part James-Stein estimator (Efron and Morris 1973, "Stein's
    estimation rule and its competitors") keeps the share 1 - k^2 / |median / error|^2 of it, and nothing up to k errors.
    """
    x, y, people = np.empty(stop - first), np.empty(stop - first), 0
    for row in range(first, stop):
        before = chains.befores[row]
        if before == NONE or measured.frames[before] != frame - 1 or chains.befores[before] == NONE:
            continue
        if measured.blur[row] < MAX_BLUR:
            x[people] = measured.values[row, CENTRE_X] - _predicted(states, before, CENTRE_X)
            middle = _predicted(states, before, TOP) + _predicted(states, before, BOTTOM)
            y[people] = (measured.values[row, TOP] + measured.values[row, BOTTOM] - middle) / 2
            people += 1
    if people < MIN_PEOPLE:
        return 0.0, 0.0
    x_median, x_variance = _median(x, people)
    y_median, y_variance = _median(y, people)
    evidence = x_median * x_median / x_variance + y_median * y_median / y_variance
    share = max(0.0, 1 - STANDARD_ERRORS * STANDARD_ERRORS / max(evidence, 1e-9))
    return share * x_median, share * y_median


@compiled
def _predicted(states: Array, row: int, i: int) -> float:
    """The value one frame later."""
    return float(states[row, i, VALUE] + states[row, i, VELOCITY])


@compiled
def _median(values: Array, num: int) -> tuple[float, float]:
    """The median of the first `num` values and the variance of its error, from the median absolute deviation; uses them up."""
    median = _middle(values, num)
    for i in range(num):
        values[i] = abs(values[i] - median)
    error = MEDIAN_ERROR * _middle(values, num)
    return median, error * error / num + LEAST_VARIANCE


@compiled
def _middle(values: Array, num: int) -> float:
    """The median of the first `num` values, which it sorts by insertion: there are as many as people in a frame."""
    for i in range(1, num):
        value, place = values[i], i
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value
    return float(values[(num - 1) // 2] + values[num // 2]) / 2
