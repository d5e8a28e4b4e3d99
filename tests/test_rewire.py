"""Rewiring by motion: who keeps their id through a crossing, what is left alone, and what never changes."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.association.appearance import Views
from stages.association.cosines import Calibration
from stages.association.likeness import support_of
from stages.association.link_costs import FORBIDDEN
from stages.association.rewiring import Exchange, RewireParams, _rarity_of_ends
from stages.association.sightings import FUTURE, KEPT, PAST, Sightings, both_sums, compressed, look_nats, sightings_of
from stages.association.two_filter import NONE, Chains
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets
from stages.corrections.constraining import Apart
from stages.corrections.rows import HEADER, Correction, Place, append_row
from stages.rewire import Rewire, _audit, cut_by_hand, main, rewire, under_raw_ids
from tests.conftest import ROOT
from tests.tables import box, embeddings_of, motionless, tracklets

PARAMS = RewireParams(enabled=True, min_gain=3.0, end_cost=12.0, miss_cost=0.2, max_gap_frames=60, min_shared_gain=0.0)
NUM_FRAMES = 60
Paths = dict[int, dict[int, Any]]


def walking(frames: Any, x: float, speed: float, y: float = 100) -> dict[int, Any]:
    """Boxes of somebody 100 px high who passes x in frame 0; a detector's jitter of a pixel, the same for all."""
    jitter = np.random.default_rng(round(abs(x) + 10 * abs(speed))).normal(0, 1, (1000, 2))
    return {f: box(x + speed * f + jitter[f, 0], y + jitter[f, 1]) for f in frames}


def detected(table: Tracklets) -> Detections:
    """The detections that the rows of `tables.tracklets` claim."""
    order = np.argsort(table.detection_indices)
    return Detections(table.sequence, table.num_frames, table.width_px, table.height_px, table.fps, table.frame_numbers[order],
                      table.bboxes[order], table.confidences[order], table.class_ids[order])  # fmt: skip


def rewired(table: Tracklets, params: RewireParams = PARAMS) -> tuple[Tracklets, list[Rewire]]:
    return rewire(table, detected(table), unseen(table), CameraMotion.still(table.sequence, table.num_frames), params)


def unseen(table: Tracklets) -> Embeddings:
    """Nobody was looked at."""
    return embeddings_of(table, {})


def partition(table: Tracklets) -> set[frozenset[int]]:
    """The rows of detections that are one person, for each person."""
    return {frozenset(table.detection_indices[table.tracklet_ids == name].tolist()) for name in table.ids}


def rows_of(table: Tracklets) -> list[tuple[int, int, tuple[float, ...]]]:
    columns = zip(table.tracklet_ids, table.frame_numbers, table.bboxes, strict=True)
    return [(int(name), int(frame), tuple(map(float, edges))) for name, frame, edges in columns]


RIGHT = walking(range(NUM_FRAMES), 0, 6)  # from the left to the right
LEFT = walking(range(NUM_FRAMES), 360, -6, y=120)  # and the other way, a step nearer; they meet in frame 30
SWAPPED = {1: {f: (RIGHT if f < 30 else LEFT)[f] for f in range(60)}, 2: {f: (LEFT if f < 30 else RIGHT)[f] for f in range(60)}}
TRUE = {1: RIGHT, 2: LEFT}


def test_two_people_who_swapped_ids_where_they_crossed_get_them_back() -> None:
    table, true = tracklets(SWAPPED, NUM_FRAMES), tracklets(TRUE, NUM_FRAMES)
    result, audit = rewired(table)
    assert rows_of(result) == rows_of(true)
    (made,) = audit
    assert (made.kind, {made.tracklet_id, made.other_tracklet_id}) == ("swap", {1, 2})
    assert 27 <= made.frame_number <= 32
    assert made.gain_nats > PARAMS.min_gain
    assert made.runner_up_nats is None, "nobody else is there"


@pytest.mark.parametrize("first", [1, 59])
def test_a_swap_after_the_first_frame_or_before_the_last_is_undone(first: int) -> None:
    ways = ({f: (one if f < first else other)[f] for f in range(60)} for one, other in ((RIGHT, LEFT), (LEFT, RIGHT)))
    result, (made,) = rewired(tracklets(dict(enumerate(ways, start=1)), NUM_FRAMES))
    assert made.frame_number == first - 1
    people = [{row[1:] for row in rows_of(table) if row[0] == 1} for table in (result, tracklets(TRUE, NUM_FRAMES))]
    assert people[0] == people[1]


LATER = {f: RIGHT[f] for f in range(34, 60)}
SEEN_AGAIN = {1: {f: RIGHT[f] for f in range(22)}, 2: LATER}
STOPPING = {1: {f: box(6 * min(f, 30) + (f * 7 % 5) / 4) for f in range(60)}, 2: walking(range(60), 500, 0.5)}


def test_the_audit_names_raw_tracklets_also_where_a_correction_cut_them() -> None:
    raw = tracklets(SWAPPED, NUM_FRAMES)
    cut, whole = cut_by_hand(raw, [Correction("cut", Place(4, SWAPPED[1][4]), Place(5, SWAPPED[1][5]))])
    still, apart = CameraMotion.still("hall", NUM_FRAMES), [Apart(1, 3, 4, 5)]
    audit = rewire(cut, detected(cut), unseen(cut), still, PARAMS, apart)[1]
    assert [(made.kind, made.tracklet_id, made.other_tracklet_id) for made in audit] == [("swap", 3, 2)]
    expected = [dataclasses.replace(made, tracklet_id=1) for made in audit]
    assert under_raw_ids(audit, whole) == expected


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        pytest.param((0, 2, 1, 3), (12, "swap", 5, 8), id="each goes on as the other"),
        pytest.param((1, 3, 0, 2), (12, "swap", 8, 5), id="the same, seen from the later"),
        pytest.param((0, 2, 1, -1), (12, "transfer", 5, 8), id="8, who ended later, goes on as 5"),
        pytest.param((1, 3, 0, -1), (12, "transfer", 8, 5), id="5, who ended before, goes on as 8"),
        pytest.param((0, 2, -1, 4), (10, "transfer", 5, 9), id="5 goes on as 9, who begins"),
        pytest.param((0, -1, 1, 3), (12, "transfer", 5, 8), id="5, who ended, goes on as 8"),
        pytest.param((0, -1, -1, 4), (10, "join", 5, 9), id="5 ended and goes on as 9"),
    ],
)
def test_the_audit_tells_who_and_after_which_frame_by_the_links_that_exchange(
    exchange: tuple[int, int, int, int], expected: tuple[int, str, int, int]
) -> None:
    """5 is last seen in frame 10 and again in 20, 8 in 12 and 21; 9 begins in 22."""
    frames, raw = np.array([10, 12, 20, 21, 22]), np.array([5, 8, 5, 8, 9])
    for runner_up, told in ((2.5, 2.5), (-FORBIDDEN, None)):
        made = _audit(Exchange(*exchange, 4.0, 1.0, runner_up), frames, raw)
        assert made == Rewire(*expected, 4.0, 1.0, told)


def test_two_who_were_hidden_for_different_times_swap_after_whom_was_seen_last() -> None:
    """1 is last seen in frame 25 and 2 in 29, and in frames 34 and 31 each begins again as the other."""
    seen = ({**{f: RIGHT[f] for f in range(26)}, **{f: LEFT[f] for f in range(34, 60)}},
            {**{f: LEFT[f] for f in range(30)}, **{f: RIGHT[f] for f in range(31, 60)}})  # fmt: skip
    (made,) = rewired(tracklets({1: seen[0], 2: seen[1]}, NUM_FRAMES))[1]
    assert (made.frame_number, made.kind, {made.tracklet_id, made.other_tracklet_id}) == (29, "swap", {1, 2})


def test_what_is_right_already_stays_to_the_byte(tmp_path: Path) -> None:
    """A clean crossing, somebody who stops, and people far apart."""
    far_apart = {1: walking(range(60), 0, 1), 2: walking(range(60), 400, 1, y=300)}
    for n, paths in enumerate((TRUE, STOPPING, far_apart)):
        table = tracklets(paths, NUM_FRAMES)
        result, audit = rewired(table)
        assert audit == []
        table.save(tmp_path / f"{n}.npz")
        result.save(tmp_path / f"{n}r.npz")
        assert (tmp_path / f"{n}.npz").read_bytes() == (tmp_path / f"{n}r.npz").read_bytes()


def test_who_is_hidden_and_walks_on_is_joined() -> None:
    result, audit = rewired(tracklets(SEEN_AGAIN, NUM_FRAMES))
    assert [(made.kind, made.frame_number, made.tracklet_id, made.other_tracklet_id) for made in audit] == [("join", 21, 1, 2)]
    assert result.ids.tolist() == [1]


def test_who_reappears_elsewhere_or_too_late_is_not_joined() -> None:
    elsewhere = {1: SEEN_AGAIN[1], 2: {f: box(RIGHT[f][0] - 150) for f in range(34, 60)}}
    assert rewired(tracklets(elsewhere, NUM_FRAMES))[1] == []
    at_most = dataclasses.replace(PARAMS, max_gap_frames=12)
    assert rewired(tracklets(SEEN_AGAIN, NUM_FRAMES), at_most)[1] == []


def test_a_link_of_the_trackers_may_be_longer_and_is_judged_like_any_other() -> None:
    """1 is hidden for 25 frames, where no more than 20 may be linked, and 2 walks by."""
    params = dataclasses.replace(PARAMS, max_gap_frames=20)
    passing = {1: walking([*range(21), *range(46, NUM_FRAMES)], 100, 0), 2: walking(range(NUM_FRAMES), 300, -5, y=130)}
    assert rewired(tracklets(passing, NUM_FRAMES), params)[1] == []


def test_where_people_come_and_go_all_the_time_two_tracklets_are_rather_two_people() -> None:
    """48 who are seen once make 49 ends of 96 boxes instead of 1 of 48, each with 4 of 1000 believed before."""
    params = dataclasses.replace(PARAMS, max_gap_frames=15)
    passing = {10 + f: {f: box(170 * f, 400)} for f in range(6, 54)}
    (alone,) = rewired(tracklets(SEEN_AGAIN, NUM_FRAMES), params)[1]
    (among,) = rewired(tracklets({**SEEN_AGAIN, **passing}, NUM_FRAMES), params)[1]
    cheaper = np.log((49 + 4) / (96 + 1000)) - np.log((1 + 4) / (48 + 1000))
    assert alone.gain_nats - among.gain_nats == pytest.approx(2 * cheaper)
    params = dataclasses.replace(params, min_gain=alone.gain_nats - cheaper)
    assert len(rewired(tracklets(SEEN_AGAIN, NUM_FRAMES), params)[1]) == 1
    assert rewired(tracklets({**SEEN_AGAIN, **passing}, NUM_FRAMES), params)[1] == []


def test_beginnings_and_ends_are_counted_that_the_videos_own_did_not_make() -> None:
    """Alone in each frame but 6 and 10, who are one: four begin after frame 5, and five end before frame 15."""
    frames = np.array([0, 3, 5, 6, 10, 14, 15, 20])
    chains = Chains(np.where(frames == 6, 4, NONE), np.where(frames == 10, 3, NONE))
    assert _rarity_of_ends(frames, chains) == pytest.approx(np.log(0.004 / ((4.5 + 4) / (8 + 1000))))


def test_a_tracklet_that_took_over_another_persons_future_gives_it_back() -> None:
    """1 walks to the right until it leaves in frame 30, 2 to the left; the tracker ended 2 there and let 1 go on as 2."""
    paths = {1: {f: (RIGHT if f <= 30 else LEFT)[f] for f in range(60)}, 2: {f: LEFT[f] for f in range(31)}}
    result, audit = rewired(tracklets(paths, NUM_FRAMES))
    assert [made.kind for made in audit] == ["transfer"]
    assert [len(path["frame_numbers"]) for path in result.to_dicts()] == [31, 60]


def test_who_begins_inside_another_tracklet_gets_a_new_id() -> None:
    """1 goes to the right, 2 takes its place in frame 31 when the tracker begins 3, who is 1."""
    new = walking(range(31, 60), 360, -6, y=120)
    paths = {1: {f: RIGHT[f] if f <= 30 else new[f] for f in range(60)}, 3: {f: RIGHT[f] for f in range(31, 60)}}
    result, audit = rewired(tracklets(paths, NUM_FRAMES))
    assert [made.kind for made in audit] == ["transfer"]
    assert {path["tracklet_id"]: len(path["frame_numbers"]) for path in result.to_dicts()} == {1: 60, 4: 29}


def test_new_ids_are_nobodys_in_any_class() -> None:
    new = walking(range(31, 60), 360, -6, y=120)
    paths = {1: {f: RIGHT[f] if f <= 30 else new[f] for f in range(60)}, 3: {f: RIGHT[f] for f in range(31, 60)}}
    table = tracklets(paths | {name + 4: path for name, path in paths.items()}, NUM_FRAMES)
    table.class_ids[table.tracklet_ids > 4] = 2
    result, _ = rewired(table)
    assert dict(zip(result.tracklet_ids.tolist(), result.class_ids.tolist(), strict=True)) == {1: 0, 5: 2, 8: 0, 9: 2}


def test_three_who_are_mixed_up_are_put_right_together_where_no_two_of_them_pay() -> None:
    """1 is hidden from frame 27 on; in frame 30 the tracker takes 1 for 2, and from 33 on 2 for somebody new."""
    one, two = walking(range(60), 170, 1), walking(range(60), 230, -1, y=102)
    mixed = {1: {f: one[f] for f in range(27)}, 2: {f: (two if f < 30 else one)[f] for f in range(60)}}
    table = tracklets({**mixed, 9: {f: two[f] for f in range(33, 60)}}, NUM_FRAMES)
    result, made = rewired(table, dataclasses.replace(PARAMS, min_gain=20.0))
    back, on = {f: one[f] for f in (*range(27), *range(30, 60))}, {f: two[f] for f in (*range(30), *range(33, 60))}
    assert rows_of(result) == rows_of(tracklets({1: back, 2: on}, NUM_FRAMES))
    assert {exchange.kind for exchange in made} == {"transfer", "join"}
    assert made[0].gain_nats == made[1].gain_nats > 20.0


def turning_back(frames: range, x: float, speed: float, y: float = 100) -> dict[int, Any]:
    """Somebody who walks up to x, reaches it in frame 30, and goes back."""
    return {f: box(x - abs(f - 30) * speed, y) for f in frames}


def dressed(table: Tracklets, colours: dict[int, Any]) -> Embeddings:
    """The boxes of these tracklets in one of eight colours, all or each, and a little of chance."""
    rng = np.random.default_rng(3)
    counts = {name: int((table.tracklet_ids == name).sum()) for name in colours}
    return embeddings_of(
        table,
        {
            name: np.eye(8)[np.broadcast_to(colour, counts[name])] + rng.normal(0, 0.1, (counts[name], 8))
            for name, colour in colours.items()
        },
    )


LEFTY, RIGHTY = turning_back(range(60), 200, 0.5), turning_back(range(60), 203, -0.5, y=102)  # they meet and go back
OTHERS = {3 + n: walking(range(60), 60 * n, 0.5 * n, y=300) for n in range(6)}
PASSED = {
    1: {f: (LEFTY if f < 30 else RIGHTY)[f] for f in range(60)},
    2: {f: (RIGHTY if f < 30 else LEFTY)[f] for f in range(60)},
}


def test_looks_say_who_turned_back_where_motion_says_that_they_passed() -> None:
    """Boxes that motion leaves as they are; who wears what tells that both turned back."""
    table, still = tracklets({**PASSED, **OTHERS}, NUM_FRAMES), CameraMotion.still("hall", NUM_FRAMES)
    one_then_other = np.arange(NUM_FRAMES) >= 30
    looks = dressed(table, {1: 0 + one_then_other, 2: 1 - one_then_other, **{name: name - 1 for name in OTHERS}})
    assert rewire(table, detected(table), unseen(table), still, PARAMS)[1] == []
    result, (made,) = rewire(table, detected(table), looks, still, PARAMS)
    assert rows_of(result) == rows_of(tracklets({1: LEFTY, 2: RIGHTY, **OTHERS}, NUM_FRAMES))
    assert made.kind == "swap"
    assert made.looks_nats > made.gain_nats > PARAMS.min_gain  # motion spoke against it


def test_looks_tell_three_apart_whom_motion_mixed_up() -> None:
    """1 is hidden from frame 27 on; in frame 30 the tracker takes 1 for 2, and from 33 on 2 for somebody new."""
    left, right = ({f: way[f] for f in frames} for way, frames in ((LEFTY, range(27)), (RIGHTY, range(33, 60))))
    table = tracklets({1: left, 2: {f: (RIGHTY if f < 30 else LEFTY)[f] for f in range(60)}, 9: right, **OTHERS}, NUM_FRAMES)
    looks = dressed(table, {1: 0, 2: 0 + (np.arange(NUM_FRAMES) < 30), 9: 1, **{name: name - 1 for name in OTHERS}})
    still = CameraMotion.still("hall", NUM_FRAMES)
    params = dataclasses.replace(PARAMS, min_gain=10.0, end_cost=4.0)
    result, made = rewire(table, detected(table), looks, still, params)
    back = {f: LEFTY[f] for f in (*range(27), *range(30, 60))}
    on = {f: RIGHTY[f] for f in (*range(30), *range(33, 60))}
    assert rows_of(result) == rows_of(tracklets({1: back, 2: on, **OTHERS}, NUM_FRAMES))
    assert {exchange.kind for exchange in made} == {"transfer", "join"}
    assert made[0].gain_nats == made[1].gain_nats  # neither pays by itself


def test_who_shared_a_box_for_long_is_known_by_what_was_seen_before() -> None:
    """One box shows something of both for 90 frames; then the tracker takes 1 for 2, and 2 for somebody new."""
    begin, end, count = 60, 150, 200
    one, two = walking(range(count), 100, 2), walking(range(count), 130, 2, y=104)
    others = {3 + n: walking(range(count), 60 * n, 0.5 * n, y=300) for n in range(6)}
    after = range(end, count)
    mixed = {1: {f: one[f] for f in range(begin)}, 2: {f: (two if f < end else one)[f] for f in range(count)},
             9: {f: two[f] for f in after}}  # fmt: skip
    table, still = tracklets({**mixed, **others}, count), CameraMotion.still("hall", count)
    whose = [1] * begin + [f % 2 for f in range(begin, end)] + [0] * len(after)
    looks = dressed(table, {1: 0, 2: whose, 9: 1, **{name: name - 1 for name in others}})
    params = dataclasses.replace(PARAMS, min_gain=7.0, max_gap_frames=100)
    result, _ = rewire(table, detected(table), looks, still, params)
    for frame in (begin - 1, end, count - 1):
        now = {name: edges for name, f, edges in rows_of(result) if f == frame}
        assert (now[1], now[2]) == tuple(rows_of(tracklets({1: {0: way[frame]}}, 1))[0][2] for way in (one, two))


def test_looks_of_a_link_say_what_the_same_cosine_says_of_tracklets() -> None:
    """Also beyond what any example shows, where both count logarithmically."""
    turned = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, np.pi, 41)])
    known = Calibration(same=0.8, other=0.1, variance=0.02, most_nats=6.0, least_nats=-4.0)
    views = np.concatenate([np.tile([[1.0, 0.0]], (3, 1)), turned]).astype(np.float32)
    seen = Sightings(np.arange(44), views, np.ones(44), known)
    chains = Chains(np.array([1, 2, *[NONE] * 42]), np.array([NONE, 0, 1, *[NONE] * 41]))
    sums = both_sums(seen, chains)
    found = [look_nats(2, row, sums, seen) for row in range(3, 44)]
    count = 1 + KEPT + KEPT**2
    support = support_of(np.array([count])) * support_of(np.array([1]))
    np.testing.assert_allclose(found, known.nats(turned[:, 0], support), atol=1e-5)
    assert max(found) > 6 > -4 > min(found)
    assert 2 * (max(found) - min(found)) < seen.most_gain


def test_sums_of_looks_weigh_views_and_forget_them_as_others_are_added() -> None:
    """One is seen in boxes 0, 2 and 3 of four, in box 3 as all look; another has box 4."""
    kept, known = KEPT, Calibration(same=0.8, other=0.1, variance=0.02, most_nats=6.0, least_nats=-4.0)
    features = np.array([[1, 0], [0, 1], [0, 0], [1, 1]], np.float32)
    seen = Sightings(np.array([0, NONE, 1, 2, 3]), features, np.array([0.5, 0.8, 1.0, 0.25]), known)
    chains = Chains(np.array([1, 2, 3, NONE, NONE]), np.array([NONE, 0, 1, 2, NONE]))
    sums = both_sums(seen, chains)
    forward = [[0.5, 0], [0.5, 0], [0.5 * kept, 0.8], [0.5 * kept**2, 0.8 * kept], [0.25, 0.25]]
    backward = [[0.5, 0.8 * kept], [0, 0.8], [0, 0.8], [0, 0], [0.25, 0.25]]
    assert sums.forward == pytest.approx(np.array(forward))
    assert sums.backward == pytest.approx(np.array(backward))
    assert sums.counts[:, PAST] == pytest.approx([1, 1, 1 + kept, 1 + kept + kept**2, 1])
    assert sums.counts[:, FUTURE] == pytest.approx([1 + kept + kept**2, 1 + kept, 1 + kept, 1, 1])
    assert look_nats(0, 3, sums, seen) == look_nats(3, NONE, sums, seen) == look_nats(NONE, 0, sums, seen) == 0


def test_views_of_boxes_are_compared_by_what_tells_people_apart() -> None:
    """Eight who have most in common; 1 is looked at from frame 10 on, and 2 is hardly seen from then on."""
    table = tracklets({name: walking(range(30), 70 * name, 0.5) for name in range(1, 9)}, 30)
    late, rng = table.frame_numbers >= 10, np.random.default_rng(4)
    table.confidences[(table.tracklet_ids == 2) & late] = 0.4
    looks = embeddings_of(table, {n: np.eye(9)[8] * 3 + np.eye(9)[n - 1] + rng.normal(0, 0.1, (30, 9)) for n in range(1, 9)})
    unseen_rows = (table.tracklet_ids == 1) & ~late
    kept = ~np.isin(looks.detection_indices, table.detection_indices[unseen_rows])
    looks = dataclasses.replace(looks, detection_indices=looks.detection_indices[kept], features=looks.features[kept])
    seen = sightings_of(table, looks)
    assert np.array_equal(seen.views == NONE, unseen_rows)
    rows = np.flatnonzero(~unseen_rows)
    units = seen.features[seen.views[rows]]
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    cosines, same = units @ units.T, table.tracklet_ids[rows][:, None] == table.tracklet_ids[rows]
    assert cosines[same].mean() > 0.95
    assert cosines[~same].mean() < 0.6, "of the looks themselves it is 0.9"
    doubtful = (table.tracklet_ids[rows] == 2) & late[rows]
    assert seen.weights[seen.views[rows[doubtful]]].max() < 0.1 * seen.weights[seen.views[rows[~doubtful]]].min()
    assert sightings_of(table, unseen(table)).most_gain == 0 < seen.most_gain


@pytest.mark.parametrize(("constant", "value"), [("MAX_VIEWS", 20), ("CHUNK", 7), ("DIMENSIONS", 4)])
def test_compressed_views_differ_as_they_did(constant: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In four directions, in two of them the first half of 60 and in two the others, whatever all have in common."""
    monkeypatch.setattr(f"stages.association.sightings.{constant}", value)
    rng, rows = np.random.default_rng(1), np.arange(60)
    places, table = rng.permutation(60), np.zeros((60, 40))
    table[places, 0] = 4
    for n in rows:
        table[places[n], 1 + 2 * (n >= 30) : 3 + 2 * (n >= 30)] = rng.normal(0, 1, 2)
    views = Views(rows // 30, rows, rows, np.ones(60), np.ones(60), places, table.astype(np.float16), 2)
    small = compressed(views)
    assert small.table.shape == (60, 4 if constant == "DIMENSIONS" else 32)
    apart = [np.linalg.norm(some.features(rows)[:, None] - some.features(rows)[None], axis=2) for some in (views, small)]
    assert apart[1] == pytest.approx(apart[0], abs=0.01)


def test_looks_of_people_dressed_alike_change_nothing() -> None:
    """Calibrated on the video itself: where everybody looks the same, motion decides alone, for swaps and for staying."""
    still = CameraMotion.still("hall", NUM_FRAMES)
    for paths in ({**PASSED, **OTHERS}, {**SWAPPED, **OTHERS}):
        table = tracklets(paths, NUM_FRAMES)
        alike = dressed(table, dict.fromkeys(range(1, 9), 0))
        expected, audit = rewire(table, detected(table), unseen(table), still, PARAMS)
        result, made = rewire(table, detected(table), alike, still, PARAMS)
        assert partition(result) == partition(expected)
        assert [exchange.kind for exchange in made] == [exchange.kind for exchange in audit]


def test_classes_never_mix() -> None:
    table = tracklets(SWAPPED, NUM_FRAMES)
    classes = np.where(table.tracklet_ids == 1, 0, 2).astype(np.int16)
    table = dataclasses.replace(table, class_ids=classes)
    result, audit = rewired(table)
    assert (partition(result), audit) == (partition(table), [])


def test_cars_say_nothing_of_how_unlike_people_are() -> None:
    cars = {name: walking(range(60), 60 * (name - 20), 0.5, y=20) for name in range(20, 28)}
    still = CameraMotion.still("hall", NUM_FRAMES)
    audits = []
    for paths in ({**SWAPPED, **OTHERS}, {**SWAPPED, **OTHERS, **cars}):
        table = tracklets(paths, NUM_FRAMES)
        table.class_ids[table.tracklet_ids >= 20] = 2
        looks = dressed(table, {name: 0 if name < 3 else name % 8 for name in paths})
        audits.append(rewire(table, detected(table), looks, still, PARAMS)[1])
    assert len(audits[0]) == 1
    assert audits[0] == audits[1]


def test_motion_is_judged_by_detections_not_by_what_the_tracker_made_of_them() -> None:
    table = tracklets(SWAPPED, NUM_FRAMES)
    blind = dataclasses.replace(table, bboxes=np.tile(np.array(box(0), np.float32), (len(table), 1)))
    still = CameraMotion.still("hall", NUM_FRAMES)
    result, audit = rewire(blind, detected(table), unseen(table), still, PARAMS)
    assert partition(result) == partition(rewired(table)[0])
    assert (result.bboxes == blind.bboxes).all()
    unclaimed = dataclasses.replace(table, detection_indices=np.full(len(table), -1, np.int32))
    nothing = detected(tracklets({}, NUM_FRAMES))
    assert len(rewire(unclaimed, nothing, unseen(table), still, PARAMS)[1]) == len(audit) == 1


def test_switched_off_empty_and_alone_pass_through() -> None:
    table = tracklets(SWAPPED, NUM_FRAMES)
    off = dataclasses.replace(PARAMS, enabled=False)
    assert rewired(table, off) == (table, [])
    empty = tracklets({}, NUM_FRAMES)
    assert rewired(empty) == (empty, [])
    for one in ({1: RIGHT}, {1: {59: box(0)}}, {7: {0: box(0)}}):
        result, audit = rewired(tracklets(one, NUM_FRAMES))
        assert (rows_of(result), audit) == (rows_of(tracklets(one, NUM_FRAMES)), [])
    alone = tracklets({1: {0: box(0)}}, 1)
    assert rewired(alone)[1] == []


def moved(table: Tracklets, boxes: Any) -> Tracklets:
    return dataclasses.replace(table, bboxes=np.asarray(boxes, np.float32))


SCENES = [
    SWAPPED,
    SEEN_AGAIN,
    STOPPING,
    {**SWAPPED, 3: walking(range(10, 50), 100, 1, y=320), 5: walking(range(50), 50, 5, y=120)},
]


@pytest.mark.parametrize("paths", SCENES)
def test_place_and_mirror_do_not_matter(paths: Paths) -> None:
    table = tracklets(paths, NUM_FRAMES)
    expected = partition(rewired(table)[0])
    shifted = moved(table, table.bboxes + np.array([64, 32, 64, 32]))
    mirrored = moved(table, np.array([640, 0, 640, 0]) - table.bboxes[:, [2, 1, 0, 3]] * np.array([1, -1, 1, -1]))
    assert partition(rewired(shifted)[0]) == expected
    assert partition(rewired(mirrored)[0]) == expected
    assert rewired(table)[1] == rewired(table)[1]


@pytest.mark.parametrize("paths", SCENES)
def test_time_runs_both_ways(paths: Paths) -> None:
    """Filmed backwards, the same boxes are one person."""
    backwards = {name: {NUM_FRAMES - 1 - frame: edges for frame, edges in path.items()} for name, path in paths.items()}
    forwards, reverse = rewired(tracklets(paths, NUM_FRAMES))[0], rewired(tracklets(backwards, NUM_FRAMES))[0]

    def people(table: Tracklets, turned: bool) -> set[frozenset[Any]]:
        last = NUM_FRAMES - 1
        frames = last - table.frame_numbers if turned else table.frame_numbers
        rows = [(int(frame), *map(float, edges)) for frame, edges in zip(frames, table.bboxes, strict=True)]
        return {frozenset(row for row, of in zip(rows, table.tracklet_ids, strict=True) if of == name) for name in table.ids}

    assert people(forwards, False) == people(reverse, True)


@pytest.mark.parametrize("known", [True, False])
def test_a_camera_that_turns_and_jolts_does_not_hide_who_crossed(known: bool) -> None:
    """Six people; the camera's jumps of 30 px are known, or are what all six have in common."""
    rng = np.random.default_rng(5)
    jumps = np.where(rng.random((NUM_FRAMES, 2)) < 0.3, rng.normal(0, 30, (NUM_FRAMES, 2)), 0)
    jumps[0] = 0
    paths = {**SWAPPED, **{3 + n: walking(range(60), 90 * n, 0.5 * n, y=250) for n in range(4)}}
    table = tracklets(paths, NUM_FRAMES)
    drift = np.cumsum(jumps, axis=0)[table.frame_numbers]
    shaken = moved(table, table.bboxes + np.tile(drift, 2))
    motion = CameraMotion.still("hall", NUM_FRAMES)
    if known:
        motion.transforms[:, :, 2] = jumps
    result, _ = rewire(shaken, detected(shaken), unseen(shaken), motion, PARAMS)
    assert partition(result) == partition(rewired(table)[0]) != partition(table)


@pytest.mark.parametrize("zoom", [1.0, 4.0, 30.0])
def test_how_far_a_camera_has_gone_before_does_not_matter(zoom: float) -> None:
    """It goes on ahead for 40 frames in which nobody is there, and stands: two cross as before one that never went."""
    went = 40
    table = tracklets(
        {name: {f + went: where for f, where in path.items()} for name, path in SWAPPED.items()}, NUM_FRAMES + went
    )
    step = zoom ** (1 / (went - 1))
    motion = motionless(table).transforms.copy()
    motion[1:went] = [[step, 0, 320 * (1 - step)], [0, step, 240 * (1 - step)]]
    seen = rewire(table, detected(table), unseen(table), CameraMotion("hall", table.num_frames, motion), PARAMS)[1]
    (before,) = rewired(tracklets(SWAPPED, NUM_FRAMES))[1]
    assert [made.kind for made in seen] == ["swap"]
    assert seen[0].gain_nats == pytest.approx(before.gain_nats, abs=0.1)


def test_windows_of_a_long_video_join_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searched 20 frames at a time, the crossing and the hidden person at the windows' edges come out the same."""
    tables = [tracklets(paths, NUM_FRAMES) for paths in SCENES]
    whole = [partition(rewired(table)[0]) for table in tables]
    monkeypatch.setattr("stages.association.rewiring.WINDOW_FRAMES", 20)
    assert [partition(rewired(table)[0]) for table in tables] == whole


def test_a_window_knows_what_comes_before_and_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those frames that no link leads to."""
    params = dataclasses.replace(PARAMS, max_gap_frames=5)
    whole = rewired(tracklets(SWAPPED, NUM_FRAMES), params)[1]
    monkeypatch.setattr("stages.association.rewiring.WINDOW_FRAMES", 10)
    assert rewired(tracklets(SWAPPED, NUM_FRAMES), params)[1] == whole
    assert len(whole) == 1


def test_later_windows_know_looks_and_who_is_said_to_be_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two turn back in frame 130, while others walk by from the beginning."""
    monkeypatch.setattr("stages.association.rewiring.WINDOW_FRAMES", 20)
    meeting = {name: {f + 100: where for f, where in path.items()} for name, path in PASSED.items()}
    others = {3 + n: walking(range(200), 60 * n, 0.1 * n, y=300) for n in range(6)}
    table, after = tracklets(meeting | others, 200), np.arange(NUM_FRAMES) >= 30
    looks = dressed(table, {1: 0 + after, 2: 1 - after, **{name: name - 1 for name in others}})
    params, still = dataclasses.replace(PARAMS, max_gap_frames=5), CameraMotion.still("hall", 200)
    (made,) = rewire(table, detected(table), looks, still, params)[1]
    assert (made.kind, {made.tracklet_id, made.other_tracklet_id}) == ("swap", {1, 2})
    assert 127 <= made.frame_number <= 132
    two = [Apart(1, 2, 129, 130), Apart(2, 1, 129, 130)]
    assert rewire(table, detected(table), looks, still, params, two)[1] == []


def test_who_is_joined_in_a_later_window_is_joined_with_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.association.rewiring.WINDOW_FRAMES", 20)
    again = {name: {f + 140: where for f, where in path.items()} for name, path in SEEN_AGAIN.items()}
    others = {3 + n: walking(range(200), 100 * n, 0.1 * n, y=300) for n in range(3)}
    result, (made,) = rewired(tracklets(again | others, 200), dataclasses.replace(PARAMS, max_gap_frames=15))
    assert (made.frame_number, made.kind, made.tracklet_id, made.other_tracklet_id) == (161, "join", 1, 2)
    whole = {1: again[1] | again[2], **others}
    assert rows_of(result) == rows_of(tracklets(whole, 200))


raw_tables = st.lists(
    st.tuples(st.integers(0, 11), st.integers(1, 4), st.integers(0, 200), st.integers(0, 60)),
    max_size=40,
    unique_by=lambda r: r[:2],
)


@settings(max_examples=100, deadline=None)
@given(raw_tables, st.integers(0, 3))
def test_no_box_is_lost_made_or_moved_and_nobody_is_in_two_places(rows: Any, min_gain: int) -> None:
    paths: Paths = {}
    for frame, name, x, y in rows:
        paths.setdefault(name, {})[frame] = box(x, y)
    table = tracklets(paths, 12)
    result, audit = rewired(table, dataclasses.replace(PARAMS, min_gain=float(min_gain)))
    assert sorted(row[1:] for row in rows_of(result)) == sorted(row[1:] for row in rows_of(table))
    assert sorted(result.detection_indices) == sorted(table.detection_indices)
    assert (result.ids >= 1).all()
    assert all(made.gain_nats >= min_gain and (made.runner_up_nats or 0) <= made.gain_nats for made in audit)
    assert rewired(table, dataclasses.replace(PARAMS, min_gain=float(min_gain)))[1] == audit


def test_the_stage_writes_tracklets_and_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tracklets(SWAPPED, NUM_FRAMES)
    table.save(tmp_path / "raw.npz")
    detected(table).save(tmp_path / "detections.npz")
    unseen(table).save(tmp_path / "embeddings.npz")
    CameraMotion.still("hall", NUM_FRAMES).save(tmp_path / "motion.npz")
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "corrections.csv").write_text(HEADER)
    options = {"sequence": "hall", "pins": ROOT / "constraints/numerics.txt", "tracklets": "raw.npz",
               "detections": "detections.npz", "embeddings": "embeddings.npz", "camera-motion": "motion.npz",
               "corrections": "corrections.csv", "rewired": "rewired.npz", "rewires": "rewires.csv",
               "timings": "t.json"}  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "sys.argv", ["rewire", *(str(text) for name, value in options.items() for text in (f"--{name}", value))]
    )
    main()
    with open("rewires.csv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == [field.name for field in dataclasses.fields(Rewire)]
    assert row["kind"] == "swap"
    assert rows_of(Tracklets.load(Path("rewired.npz"), "hall")) == rows_of(tracklets(TRUE, NUM_FRAMES))
    append_row(Path("corrections.csv"), Correction("cut", Place(4, SWAPPED[1][4]), Place(5, SWAPPED[1][5])))
    main()
    with open("rewires.csv", encoding="utf-8") as file:
        assert {(made["tracklet_id"], made["other_tracklet_id"]) for made in csv.DictReader(file)} <= {("1", "2"), ("2", "1")}
    Path("corrections.csv").write_text(HEADER)
    for way in (RIGHT, LEFT):  # they are to go on as the tracker had them
        append_row(Path("corrections.csv"), Correction("cut", Place(29, way[29]), Place(30, way[30])))
    main()
    with open("rewires.csv", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == []
