"""The data of charts, by hand."""

import numpy as np
import pytest
import yaml

from stages.contracts.tracklets import Tracklets, relabel
from stages.lineage import pieces_of
from stages.reporting.crowd import binned_counts, crowd_chart
from stages.reporting.curves import best_gate, distance_chart, hota_chart, reliability_chart
from stages.reporting.gains import PIPELINE, cause_chart, gain_chart, gain_charts, timing_chart
from stages.reporting.levels import baseline_rows, differences, level_rows, shown_columns
from stages.reporting.places import ground_chart, presence, presence_chart, way_chart, ways
from stages.reporting.timeline import LANES_PER_CHART, MAX_BINS, MAX_CHARTS, Lane, Moment, make_lanes, shade, timeline_charts
from stages.timings import Timing
from tests.conftest import ROOT
from tests.tables import box, detections, tracklets


def walker(frames: range, x: float) -> dict[int, tuple[float, float, float, float]]:
    return {frame: box(x + frame) for frame in frames}


def with_confidences(table: Tracklets, values: list[float], interpolated: list[int]) -> Tracklets:
    """The table with these confidences; no detection stands for the boxes in these rows."""
    indices = table.detection_indices.copy()
    indices[interpolated] = -1
    return Tracklets(**{**table.__dict__, "confidences": np.array(values, np.float32), "detection_indices": indices})


def alone(table: Tracklets, numbers: dict[int, int] | None = None) -> list[Lane]:
    """A lane a track, called by its number or by another."""
    return make_lanes(
        table, {t: t for t in table.ids.tolist()}, {t: f"person {(numbers or {}).get(t, t)}" for t in table.ids.tolist()}
    )


def test_tracks_of_one_identity_share_a_lane() -> None:
    table = tracklets({1: walker(range(4), 0), 2: walker(range(1, 3), 300), 3: walker(range(6, 9), 0)})
    lanes = make_lanes(table, {1: 3, 2: 5, 3: 3}, {1: "Ann", 2: "person 5", 3: "Ann"})
    assert lanes == [Lane("Ann", (1, 3)), Lane("person 5", (2,))]
    (chart,), _ = timeline_charts(table, lanes, {}, [Moment("return-3", "return", 3, 6, "known again as track 3")])
    assert list(chart.figure.data[0].z[0]) == [100, 100, 100, 100, 0, 0, 100, 100, 100]
    assert chart.figure.layout.yaxis.ticktext == ("Ann", "person 5")
    assert chart.summary.startswith("2 people from 0.0 to 0.9 s")


def test_names_are_shown_letter_by_letter() -> None:
    table = tracklets({1: walker(range(4), 0)})
    names, shown = {1: "<b>Bo</b> &amp; co"}, "&lt;b&gt;Bo&lt;/b&gt; &amp;amp; co"
    (chart,), _ = timeline_charts(table, make_lanes(table, {1: 1}, names), {}, [Moment("cut-0", "cut", 1, 2, "1 and 4")])
    assert chart.figure.layout.yaxis.ticktext == (shown,)
    assert chart.figure.data[-1].text == (f"cut of {shown} in frame 2: 1 and 4",)
    assert chart.figure.layout.meta["lanes"][0]["name"] == names[1], "which the page writes as text"
    assert way_chart(table, {1: 1}, names, None).figure.data[0].name == shown
    (chart,), _ = timeline_charts(table, make_lanes(table, {1: 1}, {1: "x" * 64}), {}, [])
    assert chart.figure.layout.yaxis.ticktext == ("x" * 19 + "…",), "so that the lane keeps its room"


def test_keys_go_to_what_happened_to_a_person() -> None:
    table = tracklets({1: walker(range(4), 0), 2: walker(range(1, 3), 300), 3: walker(range(6, 9), 0)})
    lanes = make_lanes(table, {1: 3, 2: 5, 3: 3}, {1: "Ann", 2: "person 5", 3: "Ann"})
    marks = [Moment("return-3", "return", 3, 6, "known again as track 3"), Moment("cut-0", "cut", 1, 2, "1 and 4")]
    (chart,), _ = timeline_charts(table, lanes, {}, marks)
    ann, other = chart.figure.layout.meta["lanes"]
    assert ann == {"name": "Ann", "stops": [(0.0, "first seen"), (0.2, "cut: 1 and 4"), (0.3, "lost"),
                                            (0.6, "return: known again as track 3"), (0.8, "last seen")]}  # fmt: skip
    assert other["stops"] == [(0.1, "first seen"), (0.2, "last seen")]


def test_a_lane_is_shaded_by_confidence_and_marks_what_is_interpolated() -> None:
    table = with_confidences(tracklets({4: walker(range(3), 0), 9: walker(range(1, 3), 300)}), [0.5, 0.25, 1, 0.75, 0.5], [1])
    shades = shade(table, [Lane("b", (9,)), Lane("a", (4,))])
    assert (shades.first_frame, shades.bin_frames) == (0, 1)
    np.testing.assert_array_equal(shades.confidences, [[np.nan, 0.75, 0.5], [0.5, np.nan, 1]])
    assert shades.interpolated.tolist() == [[False, False, False], [False, True, False]]


def test_interpolated_runs_are_bars_and_confidence_is_a_byte_of_percent() -> None:
    table = with_confidences(tracklets({1: walker(range(5), 0)}), [0.001, 1, 1, 1, 0.5], [1, 2])
    (chart,), _ = timeline_charts(table, alone(table), {}, [])
    confidence, interpolated, *_ = chart.figure.data
    assert confidence.z.dtype == np.uint8
    assert confidence.z.tolist() == [[1, 0, 0, 100, 50]], "0 is nobody, so the least confidence is 1 %"
    assert (list(interpolated.x), list(interpolated.y)) == ([0.1, 0.3, None], [0, 0, None])


def test_hours_are_binned_into_as_many_columns_as_minutes() -> None:
    table = tracklets({1: walker(range(0, 10 * MAX_BINS, 7), 0)}, 10 * MAX_BINS)
    shades = shade(table, alone(table))
    assert shades.bin_frames == 10
    assert shades.confidences.shape == (1, MAX_BINS)
    assert np.nanmin(shades.confidences) == 1.0


def test_a_timeline_names_identities_tracklets_and_moments_in_seconds() -> None:
    split = tracklets({1: walker(range(4), 0), 2: walker(range(6, 9), 0), 3: walker(range(2, 5), 300)})
    final = relabel(split, np.array([0, 1, 1, 2])[split.tracklet_ids])
    lanes = alone(final, {1: 11, 2: 5})
    (chart,), left_out = timeline_charts(final, lanes, pieces_of(final, split), [Moment("join-0", "join", 1, 6, "1 and 2")])
    confidence, _, lines, joins = chart.figure.data
    assert left_out == 0
    assert chart.figure.layout.yaxis.ticktext == ("person 11", "person 5")
    assert (confidence.x0, confidence.dx) == (0.05, 0.1), "the middle of a frame, at 10 frames a second"
    assert list(confidence.z[0]) == [100, 100, 100, 100, 0, 0, 100, 100, 100]
    assert list(lines.x) == [0, 0.3, None, 0.6, 0.8, None, 0.2, 0.4, None]
    assert lines.text[3] == "tracklet 2: 0.60 to 0.80 s"
    assert (list(joins.x), list(joins.y), joins.text) == ([0.6], [0], ("join of person 11 in frame 6: 1 and 2",))
    assert chart.summary == "2 people from 0.0 to 0.9 s; 1 × join, 0 × cut, 0 × exchange, 0 × return, 0 × ID switch."  # noqa: RUF001


def test_what_happened_to_two_people_is_marked_twice_and_counted_once() -> None:
    table = tracklets({1: walker(range(9), 0), 2: walker(range(9), 300)})
    marks = [Moment("exchange-0", "exchange", track, 4, "1 and 2") for track in (1, 2)]
    (chart,), _ = timeline_charts(table, alone(table), {}, [*marks, Moment("exchange-1", "exchange", 1, 4, "1 and 2")])
    assert list(chart.figure.data[-1].y) == [0, 1, 0]
    assert "2 × exchange" in chart.summary  # noqa: RUF001


def test_lanes_come_in_charts_of_people_one_after_the_other_and_the_shortest_are_left_out() -> None:
    count = LANES_PER_CHART * MAX_CHARTS + 3
    paths = {n + 1: walker(range(n, n + 2 + (n % 50 != 0)), 0) for n in range(count)}
    table = tracklets(paths, count + 3)
    charts, left_out = timeline_charts(table, alone(table), {}, [])
    shown = [name for chart in charts for name in chart.figure.layout.yaxis.ticktext]
    assert left_out == 3
    assert len(charts) == MAX_CHARTS
    assert len(shown) == LANES_PER_CHART * MAX_CHARTS
    assert shown == sorted(shown, key=lambda name: int(name.split()[1]))


def test_a_way_breaks_where_the_person_was_unseen() -> None:
    table = tracklets({1: {0: box(0), 1: box(10), 5: box(20)}})
    points = np.array([[0.0, 1], [10, 1], [20, 1]])
    np.testing.assert_array_equal(ways(table, points)[1], [[0, 1], [10, 1], [np.nan, np.nan], [20, 1]])


def test_long_ways_are_thinned_and_keep_their_ends() -> None:
    table = tracklets({1: walker(range(40_000), 0)}, 40_000)
    way = ways(table, np.arange(80_000.0).reshape(-1, 2))[1]
    assert len(way) <= 12_001
    assert (way[0].tolist(), way[-1].tolist()) == ([0, 1], [79_998, 79_999])


def test_presence_is_seconds_in_each_cell() -> None:
    """640 px in 48 cells of 13.33 px; feet at (20, 205), below the picture, and to its left."""
    table = tracklets({1: {f: box(0, 105) for f in range(5)}, 2: {0: box(100, 450)}, 3: {0: box(-90)}})
    seconds, cell = presence(table)
    assert cell == pytest.approx(640 / 48)
    assert seconds.shape == (36, 48)
    assert np.argwhere(seconds).tolist() == [[15, 1]]
    assert seconds[15, 1] == 0.5
    assert "0.5 seconds altogether" in presence_chart(table, None).summary


def test_ways_on_the_ground_are_metres() -> None:
    table = tracklets({1: {0: box(80), 1: box(180)}})
    chart = ground_chart(table, {1: 7}, {1: "person 7"}, np.diag([0.01, 0.02, 1.0]))
    (line,) = chart.figure.data
    np.testing.assert_allclose(line.x, [1, 2])
    np.testing.assert_allclose(line.y, [4, 4])
    assert line.name == "person 7"
    assert "1 by 0 metres" in chart.summary


def test_the_picture_lies_below_the_ways_only_where_there_is_one() -> None:
    table = tracklets({1: walker(range(3), 0)})
    assert way_chart(table, {1: 1}, {1: "Ann"}, "b.jpg").figure.layout.images[0].source == "b.jpg"
    assert way_chart(table, {1: 1}, {1: "Ann"}, None).figure.layout.images == ()


def test_counts_a_frame_are_means_of_bins() -> None:
    means, width = binned_counts(np.array([0, 0, 3], np.int32), 4)
    assert (means.tolist(), width) == ([2, 0, 0, 1], 1)
    means, width = binned_counts(np.arange(1300, dtype=np.int32), 1300)
    assert (width, len(means), set(means.tolist())) == (3, 434, {1.0}), "the last bin is one frame long"


def test_detections_are_counted_by_confidence() -> None:
    seen = detections([(0, box(0), 0.9), (0, box(90), 0.4), (1, box(0), 0.9)], 2)
    chart = crowd_chart(seen, tracklets({1: {0: box(0)}}, 2), 0.5)
    assert [list(line.y) for line in chart.figure.data] == [[2, 1], [1, 1], [1, 0]]


def test_a_table_of_levels_shows_what_each_gained() -> None:
    rows = level_rows({"raw": {"HOTA": 50.0, "IDSW": 9}, "final": {"HOTA": 62.5, "IDSW": 2, "tracklets": 3}})
    assert [(row.name, row.gains) for row in rows] == [("raw", {}), ("final", {"HOTA": 12.5, "IDSW": -7})]
    assert shown_columns(rows) == ["HOTA", "IDSW", "tracklets"]
    assert baseline_rows({"raw": {"HOTA": 51.0}, "final": {}}, {"raw": {"HOTA": 50.5}})[0].gains == {"HOTA": 0.5}
    assert differences({"a": "text", "b": 1}, {"a": 1}) == {}


def test_more_switches_are_drawn_as_worse_and_more_hota_as_better() -> None:
    hota, switches = (gain_chart(name, {"raw": 10, "final": 12}).figure.data[0] for name in ("HOTA", "IDSW"))
    assert list(hota.y) == [10, 2]
    assert hota.increasing.marker.color == switches.decreasing.marker.color
    assert gain_charts({"raw": {"tracklets": 3}}) == []


def test_seconds_stand_in_the_order_of_the_pipeline() -> None:
    stages = [
        Timing("render", "all", 3.0, 1, 1, 0),
        Timing("detect", "all", 5.0, 1, 1, 0),
        Timing("novel", "all", 1.0, 1, 1, 0),
    ]
    bars = timing_chart(stages).figure.data[0]
    assert (list(bars.y), list(bars.x)) == (["detect", "render", "novel", "together"], [5, 3, 1, 9])


def test_every_stage_that_is_timed_has_its_place_in_the_pipeline() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    commands = {name: entry.get("do", entry)["cmd"] for name, entry in stages.items()}
    assert set(PIPELINE) == {name for name, command in commands.items() if f"/{name}.json" in command}


def test_causes_are_stacked_by_sequence() -> None:
    chart = cause_chart({"hall": {"absence": 2}, "yard": {"occlusion": 1, "absence": 0}})
    assert chart is not None
    assert {bar.name: list(bar.x) for bar in chart.figure.data if any(bar.x)} == {"absence": [2, 0], "occlusion": [0, 1]}
    assert cause_chart({"hall": {"absence": 0}}) is None
    once = cause_chart({"hall": {"absence": 1}})
    assert once is not None
    assert once.summary == "1 time a track loses its person: 1 × absence."  # noqa: RUF001


def test_probabilities_are_compared_with_what_came_true() -> None:
    chart = reliability_chart([{"one_person": True, "probability": 0.8}, {"one_person": None, "probability": 0.1}])
    assert chart is not None
    assert [(tuple(trace.x), tuple(trace.y)) for trace in chart.figure.data] == [((0, 1), (0, 1)), ((0.8,), (1.0,))]
    assert chart.summary == "1 pair judged by ground truth; probability and share differ by 20 points."
    assert reliability_chart([{"one_person": None, "probability": 0.1}]) is None


def test_the_best_limit_between_one_person_and_two() -> None:
    edges = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    assert best_gate(np.array([3, 1, 0, 0]), np.array([0, 1, 1, 2]), edges) == (0.1, 0.125)
    histogram = {"edges": edges.tolist(), "same": [3, 1, 0, 0], "different": [0, 1, 1, 2]}
    chart = distance_chart([histogram, histogram], "ground truth")
    assert chart is not None
    assert list(chart.figure.data[0].y) == [75, 25, 0, 0]
    assert distance_chart([{**histogram, "same": [0] * 4}], "ground truth") is None


def test_hota_is_drawn_as_it_is() -> None:
    (line,) = hota_chart([0.05, 0.95], {"final": [90.0, 30.0]}).figure.data
    assert (list(line.x), list(line.y)) == ([0.05, 0.95], [90, 30])
