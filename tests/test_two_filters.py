"""The filters and link costs that rewiring stands on, against dense matrices, and the noise that it learns."""

from typing import Any

import numpy as np
import pytest

from stages.association.camera_drift import residual_drift
from stages.association.chains import chains_of, measure
from stages.association.link_costs import FORBIDDEN, Prices, link_cost, misfit
from stages.association.motion_noise import START, innovation_loss, learn_noise
from stages.association.still_view import from_first_frame
from stages.association.two_filter import Chains, Measured, States, both_filters, carried, filter_box

STEP = np.array([[1.0, 1.0], [0.0, 1.0]])


def a_walk(seed: int, frames: Any) -> Measured:
    """One person with gaps, 100 px high and growing, of varying scores."""
    rng = np.random.default_rng(seed)
    num = len(frames)
    values = np.cumsum(rng.normal([3, 0, 0.5, 0], 2, (num, 4)), axis=0) + np.array([100, 100, 200, 40])
    return Measured(values, values[:, 2] - values[:, 1], rng.uniform(1, 1.5, num), np.asarray(frames, np.int64))


def dense_filter(measured: Measured, rows: Any, i: int, noise: Any) -> list[tuple[Any, Any]]:
    """Mean (2,) and covariance (2, 2) after each of `rows`, frame by frame with matrices."""
    position, velocity, shake = noise[i]
    states: list[tuple[Any, Any]] = []
    for n, row in enumerate(rows):
        if n == 0:
            height = measured.heights[row]
            mean = np.array([measured.values[row, i], 0.0])
            cov = np.diag([(shake * height * measured.blur[row]) ** 2, ((10 * velocity + 0.005) * height) ** 2])
        else:
            source = rows[n - 1]
            height = measured.heights[source]
            for _ in range(abs(measured.frames[row] - measured.frames[source])):
                mean, cov = STEP @ mean, STEP @ cov @ STEP.T + np.diag([position * height, velocity * height]) ** 2
            gain = cov[:, 0] / (cov[0, 0] + (shake * height * measured.blur[row]) ** 2)
            mean, cov = mean + gain * (measured.values[row, i] - mean[0]), cov - np.outer(gain, cov[0])
        states.append((mean, cov))
    return states


def test_both_filters_are_those_of_dense_matrices() -> None:
    measured = a_walk(1, [0, 1, 2, 5, 6, 7, 15, 16])
    states = both_filters(measured, chains_of(np.ones(8, np.int64)), START)
    for i in range(4):
        backward = dense_filter(measured, range(7, -1, -1), i, START)[::-1]
        for found, expected in ((states.forward, dense_filter(measured, range(8), i, START)), (states.backward, backward)):
            for row, (mean, cov) in enumerate(expected):
                entries = [*mean, cov[0, 0], cov[0, 1], cov[1, 1]]
                np.testing.assert_allclose(found[row, i], entries, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("off", "doubted"), [(0.0, False), (30.0, True)])
def test_a_robust_filter_takes_an_outlier_for_a_doubtful_measurement(off: float, doubted: bool) -> None:
    measured, chains = a_walk(4, range(4)), chains_of(np.ones(4, np.int64))
    measured.values[3] = 2 * measured.values[2] - measured.values[1] + off
    plain = both_filters(measured, chains, START).forward
    robust = plain.copy()
    filter_box(robust, 3, 2, measured, START, True)
    for i in range(4):
        mean, cov = dense_filter(measured, range(3), i, START)[-1]
        height = measured.heights[2]
        mean, cov = STEP @ mean, STEP @ cov @ STEP.T + np.diag(START[i, :2] * height) ** 2
        shake = (START[i, 2] * height * measured.blur[3]) ** 2
        squared = (measured.values[3, i] - mean[0]) ** 2 / (cov[0, 0] + shake)
        more = max((3 + squared) / 4, 1)
        assert (more > 1) == doubted
        doubtful = measured._replace(blur=measured.blur * np.where(np.arange(4) < 3, 1, more**0.5))
        expected = both_filters(doubtful, chains, START).forward[3, i]
        np.testing.assert_allclose(robust[3, i], expected, rtol=1e-9)
        assert np.array_equal(robust[3, i], plain[3, i]) == (not doubted)


def test_a_prediction_over_many_frames_is_that_of_each_in_turn() -> None:
    cov = np.array([[3.0, 0.5], [0.5, 2.0]])
    for frames in range(6):
        assert carried(3.0, 0.5, 2.0, frames, 0.7, 0.2) == pytest.approx((cov[0, 0], cov[0, 1], cov[1, 1]))
        cov = STEP @ cov @ STEP.T + np.diag([0.7, 0.2])


def test_misfit_is_the_student_density_of_the_two_states_apart() -> None:
    measured = a_walk(2, [0, 1, 2, 3, 7, 8, 9])
    chains = chains_of(np.array([1, 1, 1, 1, 2, 2, 2]))
    states, prices = both_filters(measured, chains, START), Prices(12.0, 0.2, 10)
    total = 0.2 * 3  # three frames missing
    for i in range(4):
        (mean, cov), height = dense_filter(measured, range(4), i, START)[-1], measured.heights[3]
        for _ in range(4):
            mean, cov = STEP @ mean, STEP @ cov @ STEP.T + np.diag(START[i, :2] * height) ** 2
        turned = np.diag([1.0, -1.0])
        future, future_cov = dense_filter(measured, range(6, 3, -1), i, START)[-1]
        apart, spread = turned @ future - mean, cov + turned @ future_cov @ turned
        squared = apart @ np.linalg.solve(spread, apart)
        expected = 3 * np.log(1 + squared / 4) + 0.5 * np.log(np.linalg.det(spread) / height**4) + 10
        assert misfit(3, 4, i, 4, height, states, START) == pytest.approx(expected)
        total += expected
    assert link_cost(3, 4, measured, states, START, prices) == pytest.approx(total)
    assert link_cost(3, -1, measured, states, START, prices) == link_cost(-1, 4, measured, states, START, prices) == 12
    assert link_cost(-1, -1, measured, states, START, prices) == 0
    assert link_cost(4, 3, measured, states, START, prices) == link_cost(4, 4, measured, states, START, prices) == FORBIDDEN


def test_two_states_that_know_everything_have_a_finite_misfit() -> None:
    """Of a body of 100 px, whose unit the least determinant is."""
    states, sure = States(np.zeros((2, 4, 5)), np.zeros((2, 4, 5))), np.zeros((4, 3))
    assert misfit(0, 1, 0, 1, 100.0, states, sure) == pytest.approx(0.5 * np.log(1e-18) + 10)


def shaking(true: Any, num: int, tracklets: int) -> Measured:
    """People 100 px high who move and shake by this noise (4, 3), each for so many frames."""
    rng, values = np.random.default_rng(0), []
    for _ in range(tracklets):
        velocity = np.cumsum(rng.normal(0, 100 * true[:, 1], (num, 4)), axis=0)
        values.append(np.cumsum(velocity + rng.normal(0, 100 * true[:, 0], (num, 4)), axis=0))
        values[-1] += rng.normal(0, 100 * true[:, 2], (num, 4))
    total = num * tracklets
    return Measured(np.concatenate(values), np.full(total, 100.0), np.ones(total), np.tile(np.arange(num), tracklets))


def test_noise_is_learnt_from_what_boxes_do() -> None:
    """Simulated with known noise: each is found within a factor of 1.5 where it shows at all."""
    true = np.array([[0.004, 0.004, 0.03], [0.004, 0.002, 0.06], [0.004, 0.004, 0.1], [0.004, 0.002, 0.03]])
    found = learn_noise(shaking(true, 400, 20), np.arange(0, 8001, 400))
    assert (np.abs(np.log(found[:, 1:] / true[:, 1:])) < np.log(1.5)).all()


def test_no_noise_a_quarter_more_or_less_than_what_is_learnt_is_likelier() -> None:
    measured = shaking(np.tile([0.02, 0.004, 0.04], (4, 1)), 300, 3)
    found = learn_noise(measured, np.arange(0, 901, 300))
    beside = [np.where(np.arange(3) == kind, factor, 1.0) for kind in range(3) for factor in (0.8, 1.25)]
    for i in range(4):
        learnt, *others = (
            innovation_loss(i, found[i] * factors, measured, np.arange(0, 900, 300), np.arange(300, 901, 300))[0]
            for factors in [np.ones(3), *beside]
        )
        assert min(others) > learnt


def test_too_few_boxes_teach_nothing() -> None:
    assert learn_noise(a_walk(3, range(8)), np.array([0, 8])).tolist() == START.tolist()


def dense_losses(measured: Measured, rows: Any, i: int, noise: Any) -> list[float]:
    """Nats of the fifth box's innovation and of all later ones; outliers move the filter less."""
    position, velocity, shake = noise
    height, losses = measured.heights[rows[0]], []
    mean, cov = np.array([measured.values[rows[0], i], 0.0]), np.zeros((2, 2))
    cov[0, 0], cov[1, 1] = (shake * height * measured.blur[rows[0]]) ** 2, ((10 * velocity + 0.005) * height) ** 2
    for n, (source, row) in enumerate(zip(rows[:-1], rows[1:], strict=True)):
        height = measured.heights[source]
        for _ in range(measured.frames[row] - measured.frames[source]):
            mean, cov = STEP @ mean, STEP @ cov @ STEP.T + np.diag([position * height, velocity * height]) ** 2
        off, variance = measured.values[row, i] - mean[0], (shake * height * measured.blur[row]) ** 2
        squared = off**2 / (cov[0, 0] + variance)
        if n >= 3:
            losses.append(2 * np.log(1 + squared / 3) + 0.5 * np.log((cov[0, 0] + variance) / height**2))
        gain = cov[:, 0] / (cov[0, 0] + variance * max((3 + squared) / 4, 1))
        mean, cov = mean + gain * off, cov - np.outer(gain, cov[0])
    return losses


def test_the_loss_of_a_noise_is_that_of_dense_matrices() -> None:
    """Of two tracklets, one of them with gaps and an outlier."""
    measured = a_walk(5, [0, 1, 2, 4, 5, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6])
    measured.values[6] += 50
    for i, noise in enumerate(1.5 * START):
        losses = [*dense_losses(measured, range(8), i, noise), *dense_losses(measured, range(8, 15), i, noise)]
        assert len(losses) == 7
        loss, num = innovation_loss(i, noise, measured, np.array([0, 8]), np.array([8, 15]))
        assert loss == pytest.approx(np.mean(losses))
        assert num == 7


def test_noise_is_learnt_from_whole_tracklets_spread_over_a_long_video(monkeypatch: pytest.MonkeyPatch) -> None:
    tracklets = [a_walk(seed, range(30)) for seed in range(5)]

    def joined(some: list[Measured]) -> Any:
        columns = (np.concatenate(column) for column in zip(*some, strict=True))
        return learn_noise(Measured(*columns), np.arange(0, 30 * len(some) + 1, 30))

    whole, every_other = joined(tracklets), joined(tracklets[::2])
    monkeypatch.setattr("stages.association.motion_noise.MAX_BOXES", 80)
    assert joined(tracklets).tolist() == every_other.tolist() != whole.tolist()


def test_a_zoom_without_end_leaves_finite_coordinates() -> None:
    transforms = np.tile([[10.0, 0, 0], [0, 10, 0]], (500, 1, 1))
    assert np.isfinite(from_first_frame(transforms).boxes(np.tile([1.0, 1, 2, 2], (500, 1)), np.arange(500))).all()


def crowd(jump: float, down: float = 0.0) -> tuple[Measured, Chains]:
    """Six who stand for ten frames; in frame 5 the picture jumps to the right, and down."""
    frames, people = np.repeat(np.arange(10), 6), np.tile(np.arange(6), 10)
    x = 100.0 * people + np.where(frames >= 5, jump, 0) + np.random.default_rng(1).normal(0, 0.5, 60)
    y = np.where(frames >= 5, down, 0) + np.random.default_rng(2).normal(0, 0.5, 60)
    values = np.stack([x, 100 + y, 200 + y, np.full(60, 40.0)], axis=1)
    return Measured(values, np.full(60, 100.0), np.ones(60), frames), chains_of(people)


def drift_of(measured: Measured, chains: Chains) -> np.ndarray:
    """Over ten frames."""

    def part(rows: slice) -> Measured:
        return Measured(measured.values[rows].copy(), measured.heights[rows], measured.blur[rows], measured.frames[rows])

    return residual_drift(part, measured.frames, chains, 10)


def test_doubtful_and_small_boxes_shake_more() -> None:
    """Of a picture 1,920 px wide the grain is 2 px, as much as the least noise of a body of 160 px."""
    heights = np.array([160, 160, 80, 1600])
    bboxes = np.stack([np.zeros(4), np.zeros(4), np.full(4, 50), heights], axis=1).astype(np.float32)
    scores, frames = np.array([1.0, 0.5, 1.0, 1.0], np.float32), np.arange(4)
    still = np.tile(np.eye(2, 3), (4, 1, 1))
    measured = measure(bboxes, scores, frames, chains_of(np.arange(4)), still, 1920)
    np.testing.assert_allclose(measured.blur, [2**0.5, 1.5 * 2**0.5, 5**0.5, 1.01**0.5])


def test_what_all_people_jump_is_the_cameras_and_jitter_is_nobodys() -> None:
    measured, chains = crowd(40.0)
    drift = drift_of(measured, chains)
    assert drift[5, 0] - drift[4, 0] == pytest.approx(40, abs=1)
    assert np.abs(drift[:5]).max() < 1
    assert np.abs(drift_of(*crowd(0.0))).max() < 0.5
    for right, below in ((40, 20), (0, -20)):
        drift = drift_of(*crowd(right, below))
        np.testing.assert_allclose(drift[5] - drift[4], [right, below], atol=1)
        np.testing.assert_allclose(drift[9], [right, below], atol=2)
        assert np.abs(drift[:5]).max() < 1


def test_the_doubtful_and_the_few_say_nothing_of_the_camera() -> None:
    """Three of six are doubtful, or are not there a frame before the jump, or came just then; four would do."""
    measured, chains = crowd(40.0)
    people, late = np.tile(np.arange(6), 10), measured.frames < 4
    for fewer, expected in ((people < 3, 0), (people < 2, 40)):
        doubtful = Measured(measured.values, measured.heights, np.where(fewer, 2.0, 1.0), measured.frames)
        assert drift_of(doubtful, chains)[5, 0] == pytest.approx(expected, abs=1)
        for gone in (fewer & (measured.frames == 4), fewer & late):
            seen = np.flatnonzero(~gone)
            some = Measured(measured.values[seen], measured.heights[seen], measured.blur[seen], measured.frames[seen])
            assert drift_of(some, chains_of(people[seen]))[5, 0] == pytest.approx(expected, abs=1)


def test_the_drift_is_taken_out_of_what_is_measured() -> None:
    measured, chains = crowd(40.0, 20.0)
    x, top, bottom, width = measured.values.T
    bboxes = np.stack([x - width / 2, top, x + width / 2, bottom], axis=1).astype(np.float32)
    still = np.tile(np.eye(2, 3), (10, 1, 1))
    found = measure(bboxes, np.ones(60, np.float32), measured.frames, chains, still, 640)
    stood = found.values.reshape(10, 6, 4)
    assert np.abs(stood - stood[0]).max() < 4


@pytest.mark.parametrize("window", [1, 3, 7])
def test_drift_is_the_same_whatever_frames_are_filtered_at_a_time(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    """Also of people who are unseen for longer than a window, and of frames in which nobody is."""
    measured, _ = crowd(40.0)
    people = np.tile(np.arange(6), 10)
    unseen = (measured.frames == 6) | ((people == 2) & (measured.frames > 1) & (measured.frames < 9))
    seen = np.flatnonzero(~unseen)
    some = Measured(measured.values[seen], measured.heights[seen], measured.blur[seen], measured.frames[seen])
    links = chains_of(people[seen])
    whole = drift_of(some, links)
    monkeypatch.setattr("stages.association.camera_drift.WINDOW_FRAMES", window)
    assert np.array_equal(drift_of(some, links), whole)
    assert np.abs(whole).max() > 30
