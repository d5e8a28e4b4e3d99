"""The calibration of merge's probabilities: figures and fits that can be worked out by hand."""

import numpy as np
import pytest

from tests.benchmarks.calibration import Judged, calibration_error, fitted_temper, log_loss, reliability, report


def decided(gain: float, right: int, wrong: int) -> Judged:
    return Judged(np.full(right + wrong, gain), np.arange(right + wrong) < right)


def test_the_temper_makes_said_and_true_alike() -> None:
    """Of 1,000 joins with a lead of 2 nats 800 are right: log-odds of ln 4 = 1.386, so 0.693 for each nat."""
    assert fitted_temper(decided(2.0, 800, 200)) == pytest.approx(np.log(4) / 2, rel=0.01)


def test_few_decisions_that_are_all_right_do_not_make_it_endless() -> None:
    """Three of three count as (3 + 1) / (3 + 2) of one: log-odds of ln 4."""
    assert fitted_temper(decided(2.0, 3, 0)) == pytest.approx(np.log(4) / 2, rel=0.01)


def test_the_error_is_the_mean_difference_of_said_and_true_in_bins() -> None:
    """Two at 0.9, one right: 0.4 off; two at 0.2, none right: 0.2 off; each half of all."""
    said, true = np.array([0.9, 0.9, 0.2, 0.2]), np.array([True, False, False, False])
    assert calibration_error(said, true) == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)
    assert log_loss(said, true) == pytest.approx(-np.log([0.9, 0.1, 0.8, 0.8]).mean())
    assert reliability(said, true).splitlines()[2:] == ["| 0.2 to 0.3 | 2 | 0.20 | 0.00 |", "| 0.9 to 1.0 | 2 | 0.90 | 0.50 |"]
    assert calibration_error(np.array([1.0]), np.array([True])) == 0  # 1 belongs to the last bin


def test_each_sequence_is_judged_by_the_others() -> None:
    """The fit to `b` alone is ln 4 / 2; what was said of `a` by it is 0.8, and a half was true."""
    judged = {"a": decided(2.0, 5, 5), "b": decided(2.0, 800, 200)}
    lines = report(judged, 0.5).splitlines()
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["a", "10", "0.813", "0.231", "0.69", "0.916", "0.300"]
    assert lines[-1] == f"fitted to all: merge.temper: {fitted_temper(decided(2.0, 805, 205)):.2f}"
