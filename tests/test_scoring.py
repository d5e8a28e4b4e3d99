"""Scores are TrackEval's: hand-computed cases, its own file-based route, and the reference tracker's published figures."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from trackeval.datasets import MotChallenge2DBox

from stages.contracts.embeddings import Embeddings
from stages.errors import DataError
from stages.lineage import NOBODY
from stages.motchallenge import read_rows
from stages.regions import RegionParams
from stages.score import score
from stages.scoring.across_cameras import IdentityMatches, across_cameras, matches_from_json
from stages.scoring.challenge import TrackBoxes, count, count_identities
from stages.scoring.distances import distance_histograms
from stages.scoring.tally import ALPHAS, PER_ALPHA, SCALARS, combine, metrics, tally_from_json
from stages.scoring.truth import read_truth
from stages.seqinfo import read_seqinfo

EVERYWHERE = RegionParams((), ())
Row = tuple[float, ...]


def write_rows(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(f"{value:g}" for value in row) + "\n" for row in rows))
    return path


def person(identity: int, frames: list[int], x: float = 0, width: float = 10, tail: Row = (1, 1, 1)) -> list[Row]:
    """Rows of a box 10 px high that stands at x."""
    return [(frame, identity, x, 0, width, 10, *tail) for frame in frames]


ONE = person(1, [1, 2, 3, 4])
TWO = ONE + person(2, [1, 2, 3, 4], x=100)

# truth, result, figures. A is the association of a true positive: its pair's frames over the frames of both.
CASES: dict[str, tuple[list[Row], list[Row], dict[str, float]]] = {
    "perfect tracks score 100 everywhere": (TWO, TWO, {
        "HOTA": 100, "DetA": 100, "AssA": 100, "LocA": 100, "MOTA": 100, "MOTP": 100, "IDF1": 100, "IDSW": 0, "Frag": 0,
        "MT": 2, "ML": 0, "TP": 8, "FP": 0, "FN": 0}),
    "one switch half-way: A = 2/4, HOTA = sqrt(1/2), MOTA = 1 - 1/4, IDTP 2, IDFN 2, IDFP 2": (
        ONE, person(1, [1, 2]) + person(2, [3, 4]),
        {"HOTA": 70.71, "DetA": 100, "AssA": 50, "MOTA": 75, "IDF1": 50, "IDSW": 1, "Frag": 0}),
    "two people swapped half-way: A = 2/(4 + 4 - 2), two switches of 8 boxes": (
        TWO, person(1, [1, 2]) + person(2, [3, 4]) + person(2, [1, 2], x=100) + person(1, [3, 4], x=100),
        {"HOTA": 57.74, "DetA": 100, "AssA": 33.33, "MOTA": 75, "IDF1": 50, "IDSW": 2}),
    "one box missing: DetA = A = 3/4, IDF1 = 3/(3 + 1/2); TrackEval sees no fragment where a frame has no track at all": (
        ONE, person(1, [1, 2, 4]),
        {"HOTA": 75, "DetA": 75, "AssA": 75, "MOTA": 75, "IDF1": 85.71, "IDSW": 0, "Frag": 0, "FN": 1, "FP": 0, "MT": 0}),
    "one box of two people's missing: A = (3 * 3/4 + 4 * 1)/7, and a fragment": (
        TWO, person(1, [1, 2, 4]) + person(2, [1, 2, 3, 4], x=100),
        {"HOTA": 88.39, "DetA": 87.5, "AssA": 89.29, "MOTA": 87.5, "IDF1": 93.33, "IDSW": 0, "Frag": 1, "MT": 1, "PT": 1}),
    "one false box: DetA = 4/5, A = 1, IDF1 = 4/(4 + 1/2)": (
        ONE, ONE + person(7, [2], x=500),
        {"HOTA": 89.44, "DetA": 80, "AssA": 100, "MOTA": 75, "IDF1": 88.89, "FP": 1, "FN": 0}),
    "boxes of IoU 0.62 match at 12 of 19 alphas; LocA is 1 where nothing matches": (
        ONE, person(1, [1, 2, 3, 4], width=6.2),
        {"HOTA": 63.16, "DetA": 63.16, "LocA": 76.0, "MOTA": 100, "MOTP": 62, "IDF1": 100}),
    "boxes of IoU 0.45 are no matches for MOTA and IDF1: 4 misses and 4 false boxes of 4": (
        ONE, person(1, [1, 2, 3, 4], width=4.5), {"MOTA": -100, "IDF1": 0, "FP": 4, "FN": 4, "ML": 1}),
    "no tracks at all": (ONE, [], {"HOTA": 0, "MOTA": 0, "IDF1": 0, "FN": 4, "FP": 0, "ML": 1}),
    "nothing to find scores 0 by TrackEval's convention": ([], ONE, {"HOTA": 0, "MOTA": 0, "IDF1": 0, "FP": 4, "FN": 0}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tail", [(1, 1, 1), (1, -1, -1, -1)], ids=["MOT17", "MOT15"])
def test_hand_computed_cases(tmp_path: Path, case: str, tail: Row) -> None:
    truth, result, expected = CASES[case]
    figures = combine([
        score(
            write_rows(tmp_path / "gt.txt", [(*row[:6], *tail) for row in truth]),
            write_rows(tmp_path / "result.txt", result),
        )
    ]).figures()  # fmt: skip
    assert {name: figures[name] for name in expected} == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("class_id", "mark", "expected"),
    [
        (1, 1, {"TP": 4, "FP": 0}),  # a pedestrian
        (1, 0, {"TP": 0, "FP": 4}),  # a pedestrian that does not count: no target, and no excuse either
        (3, 1, {"TP": 0, "FP": 4}),  # a car
        (2, 0, {"TP": 0, "FP": 0}),  # a person on a vehicle excuses the track
        (7, 0, {"TP": 0, "FP": 0}),  # so does a static person
        (8, 1, {"TP": 0, "FP": 0}),  # a distractor
        (12, 0, {"TP": 0, "FP": 0}),  # a reflection
    ],
)
def test_mot17_rules_for_a_track_on_a_box_of_a_class(
    tmp_path: Path, class_id: int, mark: int, expected: dict[str, int]
) -> None:
    truth = write_rows(tmp_path / "gt.txt", person(1, [1, 2, 3, 4], tail=(mark, class_id, 1)))
    figures = combine([score(truth, write_rows(tmp_path / "result.txt", ONE))]).figures()
    assert {name: figures[name] for name in expected} == expected


def test_mot15_leaves_out_marked_rows_without_excusing_tracks(tmp_path: Path) -> None:
    rows = person(1, [1, 2], tail=(1, -1, -1, -1)) + person(1, [3, 4], tail=(0, -1, -1, -1))
    figures = combine([score(write_rows(tmp_path / "gt.txt", rows), write_rows(tmp_path / "result.txt", ONE))]).figures()
    assert (figures["TP"], figures["FP"], figures["FN"]) == (2, 2, 0)


def test_sequences_combine_by_summed_counts(tmp_path: Path) -> None:
    """4 of 4 boxes, then 3 of 4: 7 of 8, not the mean of two ratios: IDF1 = 7/(7 + 1/2)."""
    truth = write_rows(tmp_path / "gt.txt", ONE)
    tallies = [score(truth, write_rows(tmp_path / f"{n}.txt", person(1, frames)))
               for n, frames in enumerate([[1, 2, 3, 4], [1, 2, 4]])]  # fmt: skip
    figures = combine(tallies).figures()
    assert (figures["MOTA"], figures["IDF1"], figures["FN"]) == (87.5, 93.33, 1)
    assert figures["DetA"] == 87.5
    assert figures["AssA"] == pytest.approx(100 * (4 * 1 + 3 * 0.75) / 7, abs=0.005)


def random_rows(seed: int, tail: int) -> tuple[list[Row], list[Row]]:
    """Ground truth of all classes and noisy tracks, in eighths of a pixel, which float32 holds exactly."""
    random = np.random.default_rng(seed)
    truth: list[Row] = []
    result: list[Row] = []
    for identity in range(12):
        x, y = random.integers(0, 200, 2)
        for frame in range(1, 31):
            x, y = x + random.integers(-2, 6), y + random.integers(-2, 3)
            last = (int(random.random() > 0.1), int(random.integers(1, 14)) if identity % 3 == 0 else 1, 1)
            truth.append((frame, identity, x, y, 40, 80, *(last if tail == 3 else (last[0], -1, -1, -1))))
            if random.random() > 0.2:
                shift = random.integers(-80, 80, 4) / 8
                box = (x + shift[0], y + shift[1], 40 + shift[2] / 2, 80 + shift[3])
                result.append((frame, identity + 100 * int(random.random() > 0.8), *box, 0.5, -1, -1, -1))
    result += [(frame, 999, 500.125, 20, 30, 60, 0.5, -1, -1, -1) for frame in range(5, 20)]
    return truth, result


def official(folder: Path, truth: Path, result: Path, rules: str, num_frames: int) -> dict[str, Any]:
    """TrackEval's own route: files in its layout, its reader, its preprocessing, its metrics."""
    for target, source in ((folder / "gt/s/gt/gt.txt", truth), (folder / "trackers/t/data/s.txt", result)):
        target.parent.mkdir(parents=True)
        shutil.copy(source, target)
    config = {"GT_FOLDER": str(folder / "gt"), "TRACKERS_FOLDER": str(folder / "trackers"), "BENCHMARK": rules,
              "SKIP_SPLIT_FOL": True, "SEQ_INFO": {"s": num_frames}, "PRINT_CONFIG": False}  # fmt: skip
    dataset = MotChallenge2DBox(config)
    data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("t", "s"), "pedestrian")
    results: dict[str, Any] = {}
    for metric in metrics():
        results |= metric.eval_sequence(data)
    return results


@pytest.mark.parametrize(("rules", "tail"), [("MOT17", 3), ("MOT15", 4)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_equal_to_trackevals_route_over_files(tmp_path: Path, rules: str, tail: int, seed: int) -> None:
    truth_rows, result_rows = random_rows(seed, tail)
    truth, result = write_rows(tmp_path / "gt.txt", truth_rows), write_rows(tmp_path / "result.txt", result_rows)
    expected = official(tmp_path / "official", truth, result, rules, 30)
    fields = score(truth, result).fields
    for name in (*PER_ALPHA, *SCALARS):
        np.testing.assert_array_equal(fields[name], expected[name], err_msg=name)


def test_scores_across_cameras_are_trackevals_over_the_films_one_after_the_other(tmp_path: Path) -> None:
    """Two cameras with 12 of the same people and some of the same identities, and both as one film of 60 frames."""
    films = [random_rows(seed, 3) for seed in (5, 6)]
    matches = []
    for n, (truth_rows, result_rows) in enumerate(films):
        truth = read_truth(write_rows(tmp_path / f"gt{n}.txt", truth_rows), 30)
        result = read_rows(write_rows(tmp_path / f"result{n}.txt", result_rows))
        matches.append(count_identities(truth, TrackBoxes(result.frame_numbers, result.ids, result.bboxes)))
    later = [[(row[0] + 30, *row[1:]) for row in rows] for rows in films[1]]
    whole = [write_rows(tmp_path / f"{n}.txt", films[0][n] + later[n]) for n in (0, 1)]
    expected = official(tmp_path / "official", whole[0], whole[1], "MOT17", 60)
    found = across_cameras(matches)
    assert [found[name] for name in ("IDTP", "IDFN", "IDFP")] == [expected[name] for name in ("IDTP", "IDFN", "IDFP")]
    assert found["IDF1"] == pytest.approx(100 * expected["IDF1"], abs=0.005)
    assert across_cameras([matches_from_json(m.to_json(), "there") for m in matches]) == found


def test_precision_and_recall_across_cameras_by_hand() -> None:
    """Three of five boxes found are of eight true ones: 3 / (3 + 2), 3 / (3 + 5) and 3 / (3 + 7 / 2)."""
    camera = IdentityMatches(Counter({1: 4, 2: 4}), Counter({7: 3, 8: 1, 9: 1}), Counter({(1, 7): 3, (2, 7): 1}))
    assert across_cameras([camera]) == {
        "IDF1": 46.15, "IDP": 60.0, "IDR": 37.5, "IDTP": 3, "IDFN": 5, "IDFP": 2, "people": 2, "identities": 3
    }  # fmt: skip
    nothing = across_cameras([IdentityMatches(Counter(), Counter(), Counter())])
    assert set(nothing.values()) == {0}


def test_half_a_box_is_just_enough(tmp_path: Path) -> None:
    truth = read_truth(write_rows(tmp_path / "gt.txt", ONE), 4)
    result = read_rows(write_rows(tmp_path / "result.txt", person(1, [1, 2], width=5)))
    boxes = TrackBoxes(result.frame_numbers, result.ids, result.bboxes)
    assert count_identities(truth, boxes).both == Counter({(1, 1): int(count(truth, boxes).fields["IDTP"])}) == {(1, 1): 2}


def test_counts_of_identities_that_are_damaged_are_refused() -> None:
    for values in (None, {}, {"true": [[1]], "found": [], "both": []}, {"true": [], "found": [], "both": [[1, 2]]}):
        with pytest.raises(DataError, match="there: expected counts of boxes by person and identity"):
            matches_from_json(values, "there")


def test_relabelled_ids_score_the_same(tmp_path: Path) -> None:
    truth, result = random_rows(4, 3)
    relabelled = [(row[0], 1_000_000 - 7 * row[1], *row[2:]) for row in result]
    paths = [write_rows(tmp_path / f"{n}.txt", rows) for n, rows in enumerate([truth, result, relabelled])]
    assert combine([score(paths[0], paths[1])]).figures() == combine([score(paths[0], paths[2])]).figures()


def test_a_tally_survives_json_to_the_last_figure(tmp_path: Path) -> None:
    truth, result = random_rows(5, 3)
    tally = score(write_rows(tmp_path / "gt.txt", truth), write_rows(tmp_path / "result.txt", result))
    again = tally_from_json(tally.to_json(), "scores.json")
    assert combine([again]).figures() == combine([tally]).figures()
    assert isinstance(tally.to_json()["IDSW"], int)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"IDSW": "many"}, r"scores.json: IDSW: expected finite numbers of shape \(\), got 'many'"),
        ({"AssA": [1.0]}, r"scores.json: AssA: expected finite numbers of shape \(19,\), got \[1.0\]"),
        ({"MT": None}, r"scores.json: MT: expected finite numbers of shape \(\), got None"),
        ({"MT": {}}, r"scores.json: MT: expected finite numbers of shape \(\), got \{\}"),
    ],
)
def test_a_damaged_tally_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    files = [write_rows(tmp_path / name, ONE) for name in ("gt.txt", "result.txt")]
    with pytest.raises(DataError, match=message):
        tally_from_json(score(files[0], files[1]).to_json() | change, "scores.json")
    with pytest.raises(DataError, match=r"scores.json: HOTA_TP: expected finite numbers of shape \(19,\), got \['IDSW'\]"):
        tally_from_json(["IDSW"], "scores.json")


def test_truth_is_mapped_to_the_clip_and_to_its_regions(tmp_path: Path) -> None:
    rows = person(1, list(range(1, 11))) + person(2, [3, 4], x=100)
    truth = read_truth(write_rows(tmp_path / "gt.txt", rows), 10)
    clip = truth.within(range(2, 9, 3), EVERYWHERE)  # source frames 2, 5, 8, from 0
    assert (clip.num_frames, clip.frame_numbers.tolist(), clip.ids.tolist()) == (3, [0, 0, 1, 2], [1, 2, 1, 1])
    left = RegionParams(((-5, -5), (50, -5), (50, 50), (-5, 50)), ())
    assert truth.within(range(10), left).ids.tolist() == [1] * 10
    right = RegionParams((), (left.interest,))
    assert truth.within(range(10), right).ids.tolist() == [2, 2]
    rows = person(1, [1, 2], tail=(0.9, 8, 0.5)) + person(2, [1, 2], x=100, tail=(-1, 1, 0.25))
    every = read_truth(write_rows(tmp_path / "gt.txt", rows), 2)
    assert every.considered.tolist() == [False, True, False, True], "0.9 is 0, as TrackEval reads it, and -1 is not"
    second = every.within(range(2), right)
    assert (second.bboxes[:, 0].tolist(), second.class_ids.tolist()) == ([100, 100], [1, 1])
    assert (second.considered.tolist(), second.visibilities.tolist()) == ([True, True], [0.25, 0.25])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (person(1, [1, 6]), "gt.txt: row of frame 6, id 1: expected frames up to 5, got 6"),
        (person(4, [1, 2, 1]), "gt.txt: row of frame 1, id 4: expected each id once in a frame, got another row of it"),
        (person(1, [3], tail=(1, 14, 1)), "gt.txt: row of frame 3, id 1: expected a class from 1 to 13, got 14"),
        (person(1, [3], tail=(1, 0, 1)), "gt.txt: row of frame 3, id 1: expected a class from 1 to 13, got 0"),
        (person(-1, [2]), "gt.txt: row of frame 2, id -1: expected an id of at least 0, got -1"),
        (person(1, [2], width=-3), "gt.txt: line 1: expected a whole frame number"),
        (person(1, [2], tail=(1,)), r"gt.txt: expected 9 columns \(MOT17\) or 10 \(MOT15\), got 7"),
    ],
)
def test_truth_that_does_not_fit_is_refused(tmp_path: Path, rows: list[Row], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_truth(write_rows(tmp_path / "gt.txt", rows), 5)


@pytest.mark.parametrize(
    ("folder", "reference", "expected"),
    [
        ("mot17_first_half", "thresh0.5_match0.8_buffer30", {"HOTA": 75.32, "MOTA": 89.51, "IDF1": 83.90, "IDSW": 374}),
        ("mot17_first_half", "thresh0.6_match0.9_buffer30", {"HOTA": 75.26, "MOTA": 88.86, "IDF1": 84.14, "IDSW": 265}),
        ("dancetrack", "thresh0.6_match0.8_buffer30", {"HOTA": 45.55, "MOTA": 93.63, "IDF1": 46.50, "IDSW": 263}),
    ],
)
def test_the_reference_trackers_published_figures(
    shared_data: Path, folder: str, reference: str, expected: dict[str, float]
) -> None:
    tallies = []
    for sequence in sorted((shared_data / folder).iterdir()):
        truth = read_truth(sequence / "gt" / "gt.txt", read_seqinfo(sequence / "seqinfo.ini").num_frames)
        rows = read_rows(sequence / "bytetrack" / f"{reference}.txt")
        tallies.append(count(truth, TrackBoxes(rows.frame_numbers, rows.ids, rows.bboxes)))
    figures = combine(tallies).figures()
    assert {name: figures[name] for name in expected} == expected


def test_a_real_sequence_scores_as_over_files(shared_data: Path, tmp_path: Path) -> None:
    """Boxes are float32 here and float64 in TrackEval: counts are equal, sums of IoU up to that rounding."""
    sequence = shared_data / "mot17_first_half" / "MOT17-09"
    truth, result = sequence / "gt" / "gt.txt", sequence / "bytetrack" / "thresh0.5_match0.8_buffer30.txt"
    expected, fields = official(tmp_path, truth, result, "MOT17", 263), score(truth, result).fields
    for name in (*PER_ALPHA, *SCALARS):
        np.testing.assert_allclose(fields[name], expected[name], rtol=1e-6, err_msg=name)


def test_alphas_are_trackevals() -> None:
    labels: NDArray[np.float64] = metrics()[0].array_labels
    np.testing.assert_allclose(ALPHAS, labels)


SEEN = np.array([[1, 0], [1, 0], [0.59, 0.8074], [0.05, 0.99875], [0, 1], [-1, 0]], np.float16)  # rows 1 to 6 of detections
WHOSE, WHEN = np.array([4, 4, 4, 4, 8, NOBODY, 9]), np.array([0, 0, 9, 10, 10, 10, 10], np.int32)  # at 10 frames/s


def histograms(rows: Any) -> dict[str, Counter[int]]:
    """Pairs by the hundredth in the middle of their bin, of some of the rows."""
    seen = Embeddings("hall", 7, "made up", np.arange(1, 7, dtype=np.int32)[rows], SEEN[rows])
    found = distance_histograms(seen, WHOSE, WHEN, 10.0)
    middles = np.round(50 * (np.array(found["edges"][1:]) + found["edges"][:-1])).astype(int)
    return {kind: Counter(dict(zip(middles.tolist(), found[kind], strict=True))) for kind in ("same", "different")}


def test_distances_are_those_of_one_person_a_second_apart_and_of_different_people_at_any_time() -> None:
    """Rows 1 to 3 are of person 4, of which 1 and 3 alone are a second apart; row 5 is nobody's; 1.19 takes what is farther."""
    found = histograms(slice(None))
    assert +found["same"] == {41: 1}
    assert +found["different"] == {95: 2, 17: 1, 119: 3, 105: 1}
    nobody = histograms(slice(0))
    assert not +nobody["same"] + nobody["different"]


def test_of_many_views_some_are_compared_evenly_taken_from_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.scoring.distances.MAX_VIEWS", 3)
    few, expected = histograms(slice(None)), histograms([0, 2, 5])
    assert few == expected
    assert +few["same"] == {41: 1}
