"""How boxes of a video move and shake, learnt from its own tracklets. Compiled code.

For each of centre x, top, bottom and width three standard deviations a frame, in body heights: of the position's own wandering,
of the velocity's, and of a measurement. They are those under which the tracklets' one-step predictions are likeliest, found by
coordinate descent on the mean negative log-likelihood of the innovations (Student's t, so that the identity switches that are
still in the tracklets weigh little).
"""

import numpy as np

from stages.association.thinning import stride
from stages.association.two_filter import (
    INNOVATION_TAILS,
    MEASUREMENT_NOISE,
    QUANTITIES,
    Array,
    Ints,
    Measured,
    carried,
    doubt,
    first_velocity_variance,
)
from stages.compiled import compiled

START = np.array([[0.01, 0.004, 0.02], [0.01, 0.003, 0.02], [0.01, 0.003, 0.02], [0.01, 0.002, 0.03]])  # (4, 3) body heights
LEAST, MOST = 1e-4, 0.5  # body heights, of any of the noises
MIN_MEASUREMENT = 0.0125  # body heights, of a large box: boxes that a network has smoothed shake less than they err
WARM_UP = 4  # boxes of a tracklet before its innovations count: the velocity must be known first
MIN_INNOVATIONS = 50  # fewer teach nothing: the start values stand
ROUNDS = 8  # of descent; the step is halved (in logarithms) whenever no coordinate moves
FIRST_STEP = 2.0  # factor that a noise is multiplied and divided by
LEAST_GAIN = 1e-6  # nats an innovation that a step must gain
MAX_BOXES = 100_000  # learnt from, in whole tracklets spread over the video: more change nothing


def learn_noise(measured: Measured, offsets: Ints) -> Array:
    """(4, 3) noise of boxes sorted by tracklet and frame; rows of tracklet t are offsets[t]:offsets[t + 1]."""
    chosen = np.arange(0, len(offsets) - 1, stride(len(measured.frames), MAX_BOXES))
    noise = START.copy()
    for i in range(QUANTITIES):
        noise[i] = _descend(i, START[i], measured, offsets[chosen], offsets[chosen + 1])
    noise[:, MEASUREMENT_NOISE] = np.maximum(noise[:, MEASUREMENT_NOISE], MIN_MEASUREMENT)
    return noise


@compiled
def _descend(i: int, start: Array, measured: Measured, firsts: Ints, stops: Ints) -> Array:
    """(3,) noise of quantity i, by coordinate descent from `start` (3,)."""
    noise, tried = start.copy(), start.copy()
    best, num = innovation_loss(i, noise, measured, firsts, stops)
    step = FIRST_STEP
    for _ in range(ROUNDS if num >= MIN_INNOVATIONS else 0):
        moved = False
        for kind in range(len(noise)):
            for factor in (step, 1 / step):
                for other in range(len(noise)):
                    tried[other] = noise[other]
                tried[kind] = min(max(noise[kind] * factor, LEAST), MOST)
                loss = innovation_loss(i, tried, measured, firsts, stops)[0]
                if loss < best - LEAST_GAIN:
                    best, noise[kind], moved = loss, tried[kind], True
        if not moved:
            step = np.sqrt(step)
    return noise


@compiled
def innovation_loss(i: int, noise: Array, measured: Measured, firsts: Ints, stops: Ints) -> tuple[float, int]:
    """Mean loss of quantity i's innovations, (n + 1) / 2 ln(1 + e^2 / (n S)) + ln(S) / 2 with S in body heights^2; how many.

    The filter is robust: a measurement far off moves it less.
    """
    total, num = 0.0, 0
    for tracklet in range(len(firsts)):
        first = firsts[tracklet]
        height = measured.heights[first]
        value, velocity = measured.values[first, i], 0.0
        spread = noise[2] * height * measured.blur[first]
        a, b, c = spread * spread, 0.0, first_velocity_variance(noise[1], height)
        for row in range(first + 1, stops[tracklet]):
            frames, height = measured.frames[row] - measured.frames[row - 1], measured.heights[row - 1]
            a, b, c = carried(a, b, c, frames, (noise[0] * height) ** 2, (noise[1] * height) ** 2)
            value += frames * velocity
            innovation, spread = measured.values[row, i] - value, noise[2] * height * measured.blur[row]
            variance = spread * spread
            squared = innovation * innovation / (a + variance)
            if row - first >= WARM_UP:
                total += 0.5 * (INNOVATION_TAILS + 1) * np.log(1 + squared / INNOVATION_TAILS)
                total += 0.5 * np.log((a + variance) / (height * height))
                num += 1
            variance *= doubt(squared)
            gain, velocity_gain = a / (a + variance), b / (a + variance)
            value, velocity = value + gain * innovation, velocity + velocity_gain * innovation
            a, b, c = a - gain * a, b - gain * b, c - velocity_gain * b
    return total / max(num, 1), num
