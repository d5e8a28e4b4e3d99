"""Every ID switch and fragmentation is found, as TrackEval counts them, and has the cause that the scene gives it."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from stages.contracts.tracklets import Tracklets, relabel
from stages.lineage import NOBODY
from stages.regions import EVERYWHERE
from stages.scoring.challenge import count, track_boxes
from stages.scoring.levels import LEVELS
from stages.scoring.matching import FoundPeople, count_found, match_detections, match_tracks
from stages.scoring.mistakes import Mistake, find_mistakes, hidden_shares, worst_first
from stages.scoring.truth import GroundTruth
from tests.tables import box, detections, tracklets

FRAMES = 20
Path = dict[int, Any]  # frame -> box


def stays(frames: range, x: float, y: float = 100) -> Path:
    return {frame: box(x, y) for frame in frames}


def truth_of(people: dict[int, Path], visibility: float = 1.0) -> GroundTruth:
    """MOT17's rules, every person visible alike."""
    rows = sorted((frame, name, bbox) for name, path in people.items() for frame, bbox in path.items())
    n = len(rows)
    return GroundTruth(
        "MOT17", FRAMES, np.array([r[0] for r in rows], np.int32), np.array([r[1] for r in rows], np.int32),
        np.array([r[2] for r in rows], np.float32).reshape(-1, 4), np.ones(n, np.int32), np.ones(n, bool),
        np.full(n, visibility, np.float32),
    )  # fmt: skip


def mistakes_of(truth: GroundTruth, raw: Tracklets, final: Tracklets, detected: Path | None = None) -> list[Mistake]:
    """Mistakes of `final` tracks joined from `raw` ones by merge; the detections are the raw boxes and those of `detected`."""
    order = np.argsort(raw.detection_indices)
    rows = [(int(raw.frame_numbers[r]), tuple(raw.bboxes[r]), 0.9) for r in order]
    rows += [(frame, bbox, 0.9) for frame, bbox in (detected or {}).items()]
    numbers = np.argsort([row[0] for row in rows], kind="stable")
    seen = detections([rows[n] for n in numbers], FRAMES)
    place = np.argsort(numbers)
    levels = {
        level: Tracklets(**{**t.__dict__, "detection_indices": place[t.detection_indices].astype(np.int32)})
        for level, t in {**dict.fromkeys(LEVELS[:3], raw), **dict.fromkeys(LEVELS[3:], final)}.items()
    }
    tracks = track_boxes(levels["final"], 0, EVERYWHERE)
    people = match_detections(truth, seen)
    return find_mistakes(truth, tracks, match_tracks(truth, tracks), people, seen.frame_numbers, levels)


HERE, THERE = stays(range(FRAMES), 100), stays(range(FRAMES), 400)
GAP = range(8, 12)
SPLIT = {1: stays(range(8), 100), 2: stays(range(12, FRAMES), 100), 3: THERE}  # the person at 100 has two tracks
WITHOUT = {frame: bbox for frame, bbox in HERE.items() if frame not in GAP}
COVER = stays(GAP, 105, 110)  # somebody nearer, over the person at 100


@pytest.mark.parametrize(("people", "detected", "cause"), [
    ({1: WITHOUT, 2: THERE}, {}, "absence"),
    ({1: HERE, 2: THERE, 3: COVER}, {}, "occlusion"),
    ({1: HERE, 2: THERE}, {}, "missed detection"),
    ({1: HERE, 2: THERE}, stays(GAP, 100), "missed join"),
])  # fmt: skip
def test_what_lay_between_is_the_cause(people: dict[int, Path], detected: Path, cause: str) -> None:
    tracks = tracklets(SPLIT, FRAMES)
    (found,) = mistakes_of(truth_of(people), tracks, tracks, detected)
    assert (found.frame_number, found.last_frame_number, found.person_id) == (12, 7, 1)
    assert (found.previous_tracklet_id, found.tracklet_id, found.switch, found.fragmentation) == (1, 2, 1, 1)
    assert (found.cause, found.made_by) == (cause, "")
    assert (found.absent, found.occluded, found.undetected, found.unlinked).index(4) == [
        "absence", "occlusion", "missed detection", "missed join"].index(cause)  # fmt: skip


def test_a_file_that_knows_visibility_knows_what_hides_behind_things() -> None:
    tracks = tracklets(SPLIT, FRAMES)
    assert [m.cause for m in mistakes_of(truth_of({1: HERE, 2: THERE}, visibility=0.3), tracks, tracks)] == ["occlusion"]


def test_a_gap_that_the_same_track_bridges_is_a_fragmentation_and_no_switch() -> None:
    raw = tracklets(SPLIT, FRAMES)
    joined = relabel(raw, np.array([0, 1, 1, 3])[raw.tracklet_ids])
    (found,) = mistakes_of(truth_of({1: HERE, 2: THERE}), raw, joined)
    assert (found.switch, found.fragmentation, found.cause, found.undetected) == (0, 1, "missed detection", 4)


def test_a_switch_from_one_frame_to_the_next_between_ones_own_tracks_is_a_missed_join() -> None:
    tracks = tracklets({1: stays(range(8), 100), 2: stays(range(8, FRAMES), 100)}, FRAMES)
    (found,) = mistakes_of(truth_of({1: HERE}), tracks, tracks)
    assert (found.cause, found.fragmentation, found.absent + found.occluded + found.undetected + found.unlinked) == (
        "missed join", 0, 0)  # fmt: skip


def test_people_swapped_by_the_tracker_are_wrong_joins_made_by_track() -> None:
    swapped = {1: stays(range(8), 100) | stays(range(8, FRAMES), 400), 2: stays(range(8), 400) | stays(range(8, FRAMES), 100)}
    tracks = tracklets(swapped, FRAMES)
    found = mistakes_of(truth_of({1: HERE, 2: THERE}), tracks, tracks)
    assert [(m.person_id, m.cause, m.made_by) for m in found] == [(1, "wrong join", "track"), (2, "wrong join", "track")]


def test_the_stage_that_first_put_two_people_together_is_named() -> None:
    """Tracklet 1 ends with its person at 100; merge goes on with it as the tracklet of another at 400."""
    raw = tracklets({1: stays(range(8), 100), 2: stays(range(8, FRAMES), 100), 3: stays(range(10, FRAMES), 400)}, FRAMES)
    joined = relabel(raw, np.array([0, 1, 2, 1])[raw.tracklet_ids])
    people = {1: HERE, 2: stays(range(10, FRAMES), 400)}
    (found,) = mistakes_of(truth_of(people), raw, joined)
    assert (found.person_id, found.cause, found.made_by) == (1, "wrong join", "merge")


def at(x: float, *frames: int) -> Path:
    """Who stays at x from one frame up to before another, and so on for each two of `frames`."""
    return {
        f: bbox
        for first, after in zip(frames[::2], frames[1::2], strict=True)
        for f, bbox in stays(range(first, after), x).items()
    }


END = FRAMES
SEEN_BEFORE = at(100, 0, 8)  # person 1, as the old track has it, until the switch in frame 8
SEEN_AFTER = at(100, 8, END)  # and as the new track has it


@pytest.mark.parametrize(
    ("raw", "joined", "made_by"),
    [
        pytest.param({1: SEEN_BEFORE, 2: at(400, 4, 8) | SEEN_AFTER, 3: at(700, 0, 4)}, {3: 2}, "track",
                     id="the nearest whom the new track followed before"),
        pytest.param({1: SEEN_BEFORE, 2: at(700, 0, 4) | SEEN_AFTER, 3: at(400, 4, 8)}, {3: 2}, "merge",
                     id="and not whom it followed earlier"),
        pytest.param({1: SEEN_BEFORE | at(400, 8, 13), 2: SEEN_AFTER, 3: at(700, 13, END)}, {3: 1}, "track",
                     id="the nearest whom the old track follows after"),
        pytest.param({1: SEEN_BEFORE | at(700, 13, END), 2: SEEN_AFTER, 3: at(400, 8, 13)}, {3: 1}, "merge",
                     id="and not whom it follows later"),
        pytest.param({1: SEEN_BEFORE, 2: at(400, 4, 8) | SEEN_AFTER, 3: at(700, 10, END)}, {3: 1}, "track",
                     id="the new track's rather than the old one's"),
        pytest.param({1: SEEN_BEFORE | at(700, 10, END), 2: SEEN_AFTER, 3: at(400, 4, 8)}, {3: 2}, "merge",
                     id="and not the old one's rather than the new one's"),
        pytest.param({1: at(100, 0, 4, 6, 8), 2: at(400, 0, 4), 3: at(100, 4, 6, 8, END)}, {3: 2}, "merge",
                     id="whom the new track followed before it was this person's for a moment"),
        pytest.param({1: at(100, 0, 8, 12, 14), 2: at(100, 8, 12, 14, END), 3: at(400, 15, END)}, {3: 1}, "merge",
                     id="whom the old track follows after it is this person's once more"),
    ],
)  # fmt: skip
def test_of_several_whom_the_tracks_followed_the_nearest_is_the_cause(
    raw: dict[int, Path], joined: dict[int, int], made_by: str
) -> None:
    """Raw tracklets are the tracker's doing, and `joined` merge's: so who made it tells who is meant."""
    table = tracklets(raw, FRAMES)
    final = relabel(table, np.array([joined.get(name, name) for name in range(4)])[table.tracklet_ids])
    found = mistakes_of(truth_of({1: HERE, 2: THERE, 3: stays(range(FRAMES), 700)}), table, final)
    (switch,) = [mistake for mistake in found if (mistake.frame_number, mistake.person_id) == (8, 1)]
    assert (switch.switch, switch.cause, switch.made_by) == (1, "wrong join", made_by)


@pytest.mark.parametrize("seed", range(4))
def test_switches_and_fragmentations_are_those_that_trackeval_counts(seed: int) -> None:
    """Random walks, tracks that change owner, boxes left out, distractors, and frames with nobody at all."""
    rng = np.random.default_rng(seed)
    people: dict[int, Path] = {}
    tracks: dict[int, Path] = {}
    for person in range(1, 6):
        xs = 60 * person + np.cumsum(rng.normal(0, 12, FRAMES))
        people[person] = {f: box(x, 100, 40, 80) for f, x in enumerate(xs) if rng.random() < 0.9 and f != 10}
        for f, x in enumerate(xs):
            if rng.random() < 0.85 and f != 13:
                tracks.setdefault(int(rng.integers(1, 8)) if rng.random() < 0.15 else person, {})[f] = box(
                    x + rng.normal(0, 6), 100, 40, 80
                )
    truth = truth_of(people)
    truth.class_ids[rng.random(len(truth)) < 0.1] = 8  # distractors
    table = tracklets(tracks, FRAMES)
    found = mistakes_of(truth, table, table)
    counted = count(truth, track_boxes(table, 0, EVERYWHERE)).fields
    assert sum(mistake.switch for mistake in found) == counted["IDSW"] > 0
    assert sum(mistake.fragmentation for mistake in found) == counted["Frag"] > 0
    assert [(m.frame_number, m.person_id) for m in found] == sorted((m.frame_number, m.person_id) for m in found)


ALL = range(FRAMES)


@pytest.mark.parametrize(("tracks", "found"), [
    ({}, FoundPeople(0, 0, 3)),  # nobody is tracked at all
    ({1: stays(ALL, 900)}, FoundPeople(0, 0, 3)),  # where nobody is
    ({1: HERE, 2: stays(range(5, FRAMES), 400)}, FoundPeople(1, 1, 1)),  # one found late, one never
    ({1: HERE, 2: THERE, 3: stays(range(19), 700)}, FoundPeople(2, 1, 0)),  # one lost early
    (SPLIT | {4: stays(GAP, 100), 5: stays(ALL, 700)}, FoundPeople(3, 0, 0)),  # by three tracks, but in every frame
])  # fmt: skip
def test_people_are_found_throughout_partly_or_never(tracks: dict[int, Path], found: FoundPeople) -> None:
    """Distractors are no people."""
    truth = truth_of({1: HERE, 2: THERE, 3: stays(ALL, 700), 4: stays(ALL, 1000)})
    truth.class_ids[truth.ids == 4] = 8
    assert count_found(truth, match_tracks(truth, track_boxes(tracklets(tracks, FRAMES), 0, EVERYWHERE))) == found


def test_detections_are_matched_one_to_one_and_distractors_are_nobody() -> None:
    truth = truth_of({1: {0: box(100)}, 2: {0: box(120)}, 3: {0: box(400)}})
    truth.class_ids[2] = 8
    seen = detections([(0, box(102), 0.9), (0, box(101), 0.8), (0, box(400), 0.9), (0, box(125), 0.9)], FRAMES)
    assert match_detections(truth, seen).tolist() == [NOBODY, 1, NOBODY, 2], "both at 100 overlap person 1, one closer"


def test_who_does_not_count_is_nobody_and_where_there_are_no_classes_all_are_people() -> None:
    truth = truth_of({1: {0: box(100)}, 2: {0: box(400)}})
    truth.considered[1] = False
    seen = detections([(0, box(100, width=20), 0.9), (0, box(400), 0.9)], FRAMES)
    assert match_detections(truth, seen).tolist() == [1, NOBODY], "half a box is just enough"
    without = dataclasses.replace(truth, rules="MOT15", class_ids=np.full(2, -1, np.int32))
    assert match_detections(without, seen).tolist() == [1, NOBODY]


def test_a_gap_in_which_the_track_followed_somebody_else_is_still_no_switch() -> None:
    away = {1: stays(range(8), 100) | stays(GAP, 400) | stays(range(12, FRAMES), 100)}
    tracks = tracklets(away, FRAMES)
    (found,) = mistakes_of(truth_of({1: HERE, 2: THERE}), tracks, tracks)
    assert (found.switch, found.fragmentation, found.cause, found.made_by) == (0, 1, "missed detection", "")


def test_the_nearer_of_two_people_hides_the_other() -> None:
    truth = truth_of({1: {0: box(100, 100)}, 2: {0: box(100, 110)}})
    assert hidden_shares(truth).tolist() == [0.9, 0.0], "ten of a hundred rows of the one behind stand out above"


def test_switches_are_worse_than_fragmentations() -> None:
    tracks = tracklets({**SPLIT, 3: {f: b for f, b in THERE.items() if f != 4}}, FRAMES)
    found = mistakes_of(truth_of({1: HERE, 2: THERE}), tracks, tracks)
    assert [(m.frame_number, m.switch) for m in found] == [(5, 0), (12, 1)]
    assert worst_first(found) == [1, 0]
    assert worst_first([*found, *found]) == [1, 3, 0, 2], "each by frame"
