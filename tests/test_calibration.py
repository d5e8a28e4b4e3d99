"""The calibration of merge's probabilities: figures and fits that can be worked out by hand."""

import numpy as np
import pytest

from stages.association.decisions import Sureness
from tests.benchmarks.calibration import Judged, calibration_error, fitted, joined, log_loss, reliability, report


def decided(gain: float, right: int, wrong: int) -> Judged:
    return Judged(np.full(right + wrong, gain), np.arange(right + wrong) < right)


def both(*parts: Judged) -> Judged:
    return joined(parts)


def test_what_is_said_becomes_what_is_true() -> None:
    """Leads of 4 nats are right in 80 % of 1,000 cases, of -1 nat in 30 %: log-odds ln 4 and ln 3/7 by a line."""
    found = fitted(both(decided(4.0, 800, 200), decided(-1.0, 300, 700)))
    temper = (np.log(4) - np.log(3 / 7)) / 5
    assert (found.temper, found.offset) == (pytest.approx(temper, rel=0.01), pytest.approx(np.log(4) - 4 * temper, rel=0.02))
    assert found.probabilities(np.array(4.0)) == pytest.approx(0.8, abs=0.005)


def test_few_decisions_that_are_all_right_do_not_make_it_endless() -> None:
    """Three of three count as (3 + 1) / (3 + 2) of one."""
    assert fitted(decided(2.0, 3, 0)).probabilities(np.array(2.0)) == pytest.approx(0.8, abs=1e-3)


def test_the_error_is_the_mean_difference_of_said_and_true_in_bins() -> None:
    """Two at 0.9, one right: 0.4 off; two at 0.2, none right: 0.2 off; each half of all."""
    said, true = np.array([0.9, 0.9, 0.2, 0.2]), np.array([True, False, False, False])
    assert calibration_error(said, true) == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)
    assert log_loss(said, true) == pytest.approx(-np.log([0.9, 0.1, 0.8, 0.8]).mean())
    assert reliability(said, true).splitlines()[2:] == ["| 0.2 to 0.3 | 2 | 0.20 | 0.00 |", "| 0.9 to 1.0 | 2 | 0.90 | 0.50 |"]
    assert calibration_error(np.array([1.0]), np.array([True])) == 0  # 1 belongs to the last bin


def test_each_sequence_is_judged_by_the_others() -> None:
    """What was said of `a` by a fit to `b` alone is 0.8, and a half was true; by params.yaml's values it is 0.731."""
    judged = {"a": decided(2.0, 5, 5), "b": both(decided(2.0, 800, 200), decided(-2.0, 200, 800))}
    lines = report(judged, Sureness(temper=0.5, offset=0.0)).splitlines()
    cells = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    assert cells == ["a", "10", "0.813", "0.231", "0.69", "0.00", "0.915", "0.299"]
    assert lines[-1] == "fitted to all: merge.temper: 0.69, merge.offset: -0.01"
