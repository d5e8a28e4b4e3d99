"""Calibration of merge's probabilities: judgements, figures and fits that can be worked out by hand."""

from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

from stages.association.decisions import OFFSETS, TEMPERS, Sureness
from stages.calibration.comparing import compare, figures_table, fit_line, reliability_table
from stages.calibration.fitting import fitted, shortage
from stages.calibration.judging import Judged, Lead, joined, judge, read_leads
from stages.calibration.reliability import calibration_error, log_loss, reliability, wilson
from stages.errors import DataError
from stages.lineage import NOBODY
from stages.merge import MergeParams
from stages.reporting.calibration import OTHERS, TODAY, curves, figure, page
from tests.tables import box, tracklets

TODAYS = Sureness(temper=0.5, offset=0.0)
# Two people in two tracklets each, and one who is a single box in a tracklet of its own; rows of detections by frame and id.
PARTS = tracklets({1: {0: box(0), 1: box(0)}, 2: {0: box(200), 1: box(200)}, 3: {5: box(0)}, 4: {6: box(200)}, 5: {7: box(0)}})
ANN, BEN = 1, 2
PEOPLE = np.array([ANN, BEN, ANN, BEN, ANN, BEN, NOBODY])


def decided(gain: float, right: int, wrong: int) -> Judged:
    return Judged(np.full(right + wrong, gain), np.arange(right + wrong) < right)


def both(*parts: Judged) -> Judged:
    return joined(parts)


MANY = both(decided(2.0, 800, 200), decided(-2.0, 200, 800))  # log-odds ln 4 at 2 nats and -ln 4 at -2: temper 0.693, offset 0


def cells(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines()]


def test_a_decision_is_about_one_person_where_both_sides_show_the_same() -> None:
    leads = [Lead(1, 3, 2.0), Lead(3, 2, -1.0), Lead(2, 4, 0.5), Lead(3, 5, 9.0), Lead(3, 99, 9.0)]
    found = judge(leads, PARTS, PEOPLE)
    assert found.gains.tolist() == [2.0, -1.0, 0.5], "nobody known is in 5, and there is no 99"
    assert found.one_person.tolist() == [True, False, True]


def test_leads_are_read_from_the_table_that_merge_writes(tmp_path: Path) -> None:
    """But for a pair that somebody joined by hand."""
    table = tmp_path / "merges.csv"
    table.write_text("decision,tracklet_id,other_tracklet_id,gain_nats\njoined,1,3,2.5\ncorrected,4,5,-30\nrefused,3,2,-1\n")
    assert read_leads(table) == [Lead(1, 3, 2.5), Lead(3, 2, -1.0)]
    for row, message in (
        ("joined,1,x,2", "expected two whole numbers and nats in .*, got: invalid literal"),
        ("joined,1,2", "expected two whole numbers and nats in"),
        ("joined,1,2,nan", "gain_nats: expected a finite number, got nan"),
    ):
        table.write_text(f"decision,tracklet_id,other_tracklet_id,gain_nats\n{row}\n")
        with pytest.raises(DataError, match=f"merges.csv: {message}"):
            read_leads(table)


def test_what_is_said_becomes_what_is_true() -> None:
    """Leads of 4 nats are right in 80 % of 1,000 cases, of -1 nat in 30 %: log-odds ln 4 and ln 3/7 by a line."""
    found = fitted(both(decided(4.0, 800, 200), decided(-1.0, 300, 700)))
    temper = (np.log(4) - np.log(3 / 7)) / 5
    assert found.temper == pytest.approx(temper, rel=0.01)
    assert found.offset == pytest.approx(np.log(4) - 4 * temper, rel=0.02)
    assert found.probabilities(np.array(4.0)) == pytest.approx(0.8, abs=0.005)


def test_few_decisions_that_are_all_right_do_not_make_it_endless() -> None:
    """Three of three count as (3 + 1) / (3 + 2) of one."""
    assert fitted(decided(2.0, 3, 0)).probabilities(np.array(2.0)) == pytest.approx(0.8, abs=1e-3)


def test_a_fit_is_what_params_yaml_can_hold() -> None:
    hints = get_type_hints(MergeParams, include_extras=True)
    assert [hints[name].__metadata__[0] for name in ("temper", "offset")] == [TEMPERS, OFFSETS]
    upside_down = fitted(both(decided(9.0, 0, 500), decided(-9.0, 500, 0)))
    assert upside_down.temper == TEMPERS.low, "a lead is never against a decision"
    assert (round(fitted(MANY).temper, 3), round(fitted(MANY).offset, 3)) == (fitted(MANY).temper, fitted(MANY).offset)


@pytest.mark.parametrize(
    ("right", "wrong", "enough"), [(25, 5, True), (5, 25, True), (24, 5, False), (99, 4, False), (4, 99, False)]
)
def test_a_fit_needs_thirty_decisions_with_five_of_each_outcome(right: int, wrong: int, enough: bool) -> None:
    said = shortage(decided(1.0, right, wrong))
    assert (said is None) == enough
    assert said is None or said.endswith(f"got {right + wrong}: {right} and {wrong}")


def test_the_error_is_the_mean_difference_of_said_and_true_in_tenths() -> None:
    """Two at 0.9, one right: 0.4 off; two at 0.2, none right: 0.2 off; each half of all. 1 belongs to the last tenth."""
    said, true = np.array([0.9, 0.9, 0.2, 0.2]), np.array([True, False, False, False])
    assert calibration_error(said, true) == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)
    assert log_loss(said, true) == pytest.approx(-np.log([0.9, 0.1, 0.8, 0.8]).mean())
    mixed = reliability(np.array([0.71, 0.79, 1.0, 0.05]), np.array([True, False, True, False]))
    assert mixed == {0: (0.05, 0.0, 1), 7: (0.75, 0.5, 2), 9: (1.0, 1.0, 1)}


def test_few_decisions_leave_much_open() -> None:
    """Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I: 81 of 263, 15 of 148, 0 of 20."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0.0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_each_sequence_is_judged_by_the_others() -> None:
    """Of `a` 0.8 was said by a fit to `b`, 0.731 today, and a half was true; `a` alone is too little to judge `b` by."""
    found = compare({"a": decided(2.0, 5, 5), "b": MANY}, TODAYS)
    lines = cells(figures_table(found))
    assert lines[1] == ["a", "10", "5", "0.813", "0.231", "0.691", "0.000", "0.915", "0.299"]
    assert lines[2] == ["b", "2,000", "1,000", "0.513", "0.069", "-", "-", "-", "-"]
    assert lines[3][:3] == ["all", "2,010", "1,005"]
    assert lines[3][-2:] == ["-", "-"]
    assert lines[4] == ["judged", "by", "others", *lines[1][1:5], *lines[1][-2:]]
    assert fit_line(found).startswith("fitted to all: merge.temper 0.6")
    assert fit_line(found).endswith("(today 0.5 and 0)")


def test_where_all_can_be_judged_by_others_the_last_line_is_that_of_all() -> None:
    lines = cells(figures_table(compare({"a": MANY, "b": MANY}, TODAYS)))
    assert [line[0] for line in lines] == ["sequence", "a", "b", "all"]
    assert lines[-1] == ["all", "4,000", "2,000", "0.513", "0.069", *lines[1][-2:]]
    assert float(lines[-1][-1]) == pytest.approx(0, abs=0.001)


def test_too_few_decisions_are_judged_and_not_fitted() -> None:
    found = compare({"a": decided(2.0, 9, 1), "b": decided(2.0, 0, 0)}, TODAYS)
    lines = cells(figures_table(found))
    assert lines[2] == ["b", "0", "0", *["-"] * 6]
    assert lines[3][:3] == ["all", "10", "9"]
    assert len(lines) == 4
    assert fit_line(found) == (
        "too few decisions for a fit: expected at least 30 decisions, 5 about one person and 5 about two people among them, "
        "got 10: 9 and 1"
    )
    assert list(curves(found)) == [TODAY]


def test_reliability_is_told_tenth_by_tenth_today_and_by_the_others() -> None:
    """0.731 and 0.269 today, 0.8 and 0.2 by the others; 0.8 and 0.2 were true."""
    lines = cells(reliability_table(compare({"a": MANY, "b": MANY}, TODAYS)))
    today, others = ["2000", "0.27", "0.20"], ["2000", "0.20", "0.20"]
    assert lines[1:] == [
        ["0.2", "to", "0.3", *today, *others],
        ["0.7", "to", "0.8", "2000", "0.73", "0.80", "2000", "0.80", "0.80"],
    ]


def test_the_diagram_has_points_and_bars_of_both() -> None:
    found = compare({"a": MANY, "b": MANY}, TODAYS)
    drawn = figure(curves(found)).data
    points = {trace.name: trace for trace in drawn if trace.type == "scatter"}
    assert list(points) == ["honest", TODAY, OTHERS]
    assert points[TODAY].x == pytest.approx([0.269, 0.731], abs=1e-3)
    assert points[TODAY].y == pytest.approx([0.2, 0.8])
    bars = [trace for trace in drawn if trace.type == "bar"]
    assert [(bar.name, tuple(bar.x), tuple(bar.y)) for bar in bars] == [
        (TODAY, (0.25, 0.75), (2000, 2000)),
        (OTHERS, tuple(bars[1].x), (2000, 2000)),
    ]
    text = page(found)
    assert text == page(found), "the same bytes again"
    assert "4,000 decisions judged by ground truth. Probability and truth differ by 6.9 points today, 0." in text
    assert "<p>Fitted to all: merge.temper 0.6" in text
