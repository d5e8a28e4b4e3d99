"""Decisions as the report shows them: both sides, how doubtful, and whether ground truth agrees."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from stages.association.decisions import Decision as Merge
from stages.audit import write_audit
from stages.contracts.tracklets import Tracklets, relabel
from stages.decisions import NEAREST, Boxes, Decision, read_decisions, shown
from stages.errors import DataError
from stages.lineage import NOBODY, owners_of
from stages.rewire import Rewire
from stages.split import Split
from tests.tables import box, tracklets

# Tracklets 1 and 2 cross in frame 5 and are exchanged there by the tracker; 1 ends in frame 9, 3 begins in frame 12.
RAW = tracklets({1: {f: box(10 * f) for f in range(10)}, 2: {f: box(90 - 10 * f, 300) for f in range(10)},
                 3: {f: box(10 * f, 300) for f in range(12, 16)}})  # fmt: skip


def levels() -> dict[str, Tracklets]:
    late = RAW.frame_numbers >= 5
    swap = np.where(RAW.tracklet_ids == 1, 2, np.where(RAW.tracklet_ids == 2, 1, 3))
    rewired = relabel(RAW, np.where(late, swap, RAW.tracklet_ids))
    cut = relabel(rewired, np.where((rewired.tracklet_ids == 2) & (rewired.frame_numbers >= 7), 4, rewired.tracklet_ids))
    merged = relabel(cut, np.where(cut.tracklet_ids == 3, 1, cut.tracklet_ids))
    return {"raw": RAW, "rewired": rewired, "split": cut, "merged": merged, "final": merged}


def decisions(
    folder: Path, extra: str = "", value: str = "", merge: str = "joined", runner_up: float | None = 1.0
) -> dict[str, Decision]:
    """The decisions by name; `extra` is a further column of merges.csv."""
    write_audit(folder / "rewires.csv", Rewire, [Rewire(4, "swap", 1, 2, 2.0, 0.5, runner_up)])
    write_audit(folder / "splits.csv", Split, [Split(2, 7, 4, 1.0, 2.0, 2, 3, True)])
    write_audit(folder / "merges.csv", Merge, [Merge(merge, 3, 1, 1, 1, 0.75, 1.1, 0.2, 0.5, 0.4, 0.2, 0.0, 0.0, None, None)])
    if extra:
        header, row = (folder / "merges.csv").read_text().splitlines()
        (folder / "merges.csv").write_text(f"{header},{extra}\n{row},{value}\n")
    found = read_decisions(folder / "rewires.csv", folder / "splits.csv", folder / "merges.csv", levels())
    return {decision.name: decision for decision in found}


def frames(rows: np.ndarray) -> list[int]:
    """Frames of detections, which are numbered by frame and then by raw tracklet."""
    order = np.argsort(RAW.detection_indices)
    return [int(frame) for frame in RAW.frame_numbers[order][rows]]


def test_both_sides_of_a_join_are_the_boxes_before_the_later_one_and_its_own(tmp_path: Path) -> None:
    join = decisions(tmp_path)["join-0"]
    ((pair),) = join.pairs
    assert (join.frame_number, join.tracklet_ids) == (12, (1, 3)), "the earlier first, whatever the table's order"
    assert (frames(pair.before), frames(pair.after)) == (list(range(10)), [12, 13, 14, 15])
    assert pair.tracks == (1, 1)


def test_a_side_keeps_the_nearest_boxes_and_not_a_whole_tracklet() -> None:
    long = tracklets({1: {f: box(f) for f in range(300)}}, 300)
    before, after = Boxes(long).around(1, 200)
    assert before.tolist() == list(range(200 - NEAREST, 200))
    assert after.tolist() == list(range(200, 200 + NEAREST))


def test_whose_a_few_boxes_are_costs_nothing_of_a_long_videos_memory() -> None:
    known = np.arange(1_000_000)
    tracemalloc.start()
    found = owners_of(np.array([7, -1, 1_000_000, 999_999], np.int32), known)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    assert found.tolist() == [7, NOBODY, NOBODY, 999_999]


def test_both_sides_of_a_cut_are_parts_of_the_tracklet_that_was_cut(tmp_path: Path) -> None:
    cut = decisions(tmp_path)["cut-0"]
    (pair,) = cut.pairs
    assert (frames(pair.before), frames(pair.after)) == ([0, 1, 2, 3, 4, 5, 6], [7, 8, 9])
    assert pair.tracks == (2, 4)


def test_an_exchange_shows_each_person_before_and_after_as_corrected(tmp_path: Path) -> None:
    exchange = decisions(tmp_path)["exchange-0"]
    raw = np.sort(RAW.detection_indices)
    owner = RAW.tracklet_ids[np.argsort(RAW.detection_indices)][raw]
    sides = [(set(owner[pair.before].tolist()), set(owner[pair.after].tolist())) for pair in exchange.pairs]
    assert sides == [({1}, {2}), ({2}, {1})]
    assert exchange.frame_number == 5, "the first frame that it changes"


def test_doubt_is_one_minus_the_probability_or_what_the_runner_up_leaves(tmp_path: Path) -> None:
    made = decisions(tmp_path)
    assert made["join-0"].doubt == pytest.approx(0.25)
    assert made["cut-0"].doubt == pytest.approx(1 / (1 + np.e)), "1 nat"
    assert decisions(tmp_path, merge="refused")["refusal-0"].doubt == pytest.approx(0.75), "it might well be one person"
    assert made["exchange-0"].doubt == pytest.approx(1 / (1 + np.exp(0.19 - 0.57))), "1 nat before its rival"
    alone = decisions(tmp_path, runner_up=None)["exchange-0"]
    assert alone.doubt == pytest.approx(1 / (1 + np.exp(2 * 0.19 - 0.57))), "2 nats before leaving all as it was"
    assert "runner_up_nats" not in alone.evidence


def test_the_most_doubtful_come_first(tmp_path: Path) -> None:
    made = list(decisions(tmp_path).values())
    assert [decision.name for decision in made] == ["exchange-0", "cut-0", "join-0"]
    assert [decision.name for decision in shown(made, 2)] == ["exchange-0", "cut-0"]


def test_columns_that_nobody_foresaw_are_evidence(tmp_path: Path) -> None:
    assert decisions(tmp_path, "stripes", "many")["join-0"].evidence["stripes"] == "many"
    assert "tracklet_id" not in decisions(tmp_path)["join-0"].evidence


@pytest.mark.parametrize(
    ("before", "after", "join", "cut"), [(7, 7, True, False), (7, 8, False, True), (7, NOBODY, None, None)]
)
def test_a_join_is_right_where_both_sides_are_one_person_and_a_cut_where_they_are_two(
    tmp_path: Path, before: int, after: int, join: bool | None, cut: bool | None
) -> None:
    made = decisions(tmp_path)
    for name, verdict in (("join-0", join), ("cut-0", cut)):
        people = np.full(len(RAW), NOBODY, dtype=np.int64)
        (pair,) = made[name].pairs
        people[pair.before], people[pair.after] = before, after
        people[pair.before[:1]] = 9  # one stray match outvotes nobody
        assert made[name].right(people) is verdict


def test_a_table_without_the_columns_that_name_a_decision_is_refused(tmp_path: Path) -> None:
    decisions(tmp_path)
    (tmp_path / "splits.csv").write_text("tracklet,frame\n1,2\n")
    with pytest.raises(
        DataError, match=r"splits.csv: expected the columns tracklet_id, frame_number, new_tracklet_id, found no"
    ):
        read_decisions(tmp_path / "rewires.csv", tmp_path / "splits.csv", tmp_path / "merges.csv", levels())
    (tmp_path / "splits.csv").write_text("tracklet_id,frame_number,new_tracklet_id\n1,soon,2\n")
    with pytest.raises(DataError, match=r"splits.csv: frame_number: expected a whole number, got 'soon'"):
        read_decisions(tmp_path / "rewires.csv", tmp_path / "splits.csv", tmp_path / "merges.csv", levels())
