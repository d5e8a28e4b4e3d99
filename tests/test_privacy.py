"""Nobody can be recognised in what leaves the pipeline: every picture and frame, measured on a film whose people are known."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from stages.artifacts import writing_folder
from stages.association.decisions import Decision as Merge
from stages.audit import write_audit
from stages.contracts.embeddings import Embeddings
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.exclusions import HEADER
from stages.h264 import H264Params
from stages.motchallenge import read_rows
from stages.privacy.hiding import hide
from stages.privacy.veil import face_regions, person_regions
from stages.rewire import Rewire
from stages.split import Split
from stages.synthesize import synthesize, write_sequence
from stages.world.world import make_world
from tests.conftest import ROOT
from tests.report_project import FILES, run_stage
from tests.worlds import camera, scene

Picture = NDArray[np.uint8]
MAX_DETAIL = 0.3  # share of a person's fine detail that may seem to be left; boxes and labels are drawn over it
NAME = "film"
SETTINGS = {"detections": "stored", "camera_motion": "none", "clip": {"start_frame": 0, "end_frame": None, "frame_stride": 1},
            "regions": {"interest": [], "ignored": []}, "camera_group": "both"}  # fmt: skip


def detail(shown: Picture, source: Picture, bbox: NDArray[Any]) -> float:
    """Share of the source's fine detail in a box that the picture shown still has: 1 where equal, 0 where unrelated.

    The regression of one high-passed picture on the other: what is drawn over a person is unrelated to them.
    """
    x1, y1, x2, y2 = np.clip(np.rint(bbox), 0, np.tile(source.shape[1::-1], 2)).astype(int).tolist()
    mine, theirs = (_fine(whole[y1:y2, x1:x2]) for whole in (shown, source))
    return float(mine @ theirs / (theirs @ theirs))


def _fine(part: Picture) -> NDArray[np.float64]:
    grey = part.mean(axis=2)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), 1.5)).ravel()


def video(path: Path) -> list[Picture]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]


def picture(path: Path) -> Picture:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def make_film(folder: Path) -> None:
    """A drawn square whose imitated detector misses people now and then, tracked; one cut is made up."""
    world = make_world(scene(rendered=True, seconds=2.4, people=7, noise=1.0), camera())
    with writing_folder(folder / "data/sequences" / NAME) as sequence:
        truth, found = synthesize(world, NAME, sequence / "pixels", H264Params(16, "ultrafast", 1))
        write_sequence(sequence, NAME, world, truth, found)
    ours = yaml.safe_load((ROOT / "params.yaml").read_text())
    params = {name: ours[name] for name in ("detect", "register", "track", "evaluate", "render")}
    params["render"] |= {"crf": 16, "preset": "ultrafast", "threads": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(params | {"sequences": {NAME: SETTINGS}}))
    (folder / "data/exclusions").mkdir()
    (folder / f"data/exclusions/{NAME}.csv").write_text(HEADER)


def track_film() -> None:
    """The tables that `render` and `illustrate` read, every level as the tracker left it."""
    for stage in ("detect", "register", "track"):
        run_stage(stage, NAME)
    artifacts = Path("artifacts") / NAME
    tracks = Tracklets.load(artifacts / "tracklets_raw.npz")
    for file in FILES.values():
        tracks.save(artifacts / f"{file}.npz")
    nothing = np.zeros((0, 2), np.float16)
    Embeddings(NAME, len(tracks), "made up", np.zeros(0, np.int32), nothing).save(artifacts / "embeddings.npz")
    count = len(tracks.ids)
    Identities(
        np.array([NAME] * count), tracks.ids, tracks.ids, np.array([""] * count), np.zeros(count, np.float32)
    ).save(Path(f"artifacts/identities/{NAME}.npz"))  # fmt: skip
    write_audit(artifacts / "rewires.csv", Rewire, [])
    cut = Split(int(tracks.ids[0]), 12, int(tracks.ids[1]), 1.0, 1.0, 5, 5, True)
    write_audit(artifacts / "splits.csv", Split, [cut])
    write_audit(artifacts / "merges.csv", Merge, [])
    run_stage("diagnose", NAME)


class Shown:
    """What left the pipeline under one setting: frames of the annotated video, and pictures by name."""

    def __init__(self, blur: str, excluded: str = "") -> None:
        params = yaml.safe_load(Path("params.yaml").read_text())
        Path("params.yaml").write_text(yaml.safe_dump(params | {"privacy": {"blur": blur}}))
        Path(f"data/exclusions/{NAME}.csv").write_text(HEADER + excluded)
        for stage in ("render", "illustrate"):
            run_stage(stage, NAME)
        self.frames = video(Path(f"artifacts/{NAME}/annotated.mp4"))
        self.stills = {int(path.stem.split("_")[1]): picture(path) for path in Path(f"artifacts/stills/{NAME}").iterdir()}
        self.media = {path.stem: picture(path) for path in Path(f"reports/media/{NAME}").glob("*.jpg")}
        self.index = json.loads(Path(f"reports/media/{NAME}/index.json").read_text())


class Film:
    """The film, who is in it, and what was shown of it."""

    def __init__(self) -> None:
        self.frames = video(Path(f"data/sequences/{NAME}/pixels/video.mp4"))
        self.truth = read_rows(Path(f"data/sequences/{NAME}/gt/gt.txt"))
        tall = self.truth.bboxes[:, 3] - self.truth.bboxes[:, 1] > 40
        self.rows = np.flatnonzero((self.truth.visibilities > 0.4) & tall)
        self.shown = {blur: Shown(blur) for blur in ("none", "people", "faces")}

    def details(self, shown: list[Picture], boxes: NDArray[Any], only: Any = None) -> NDArray[np.float64]:
        """(K,) detail left of each visible person, in these frames alone; boxes (N, 4) for all rows of the truth."""
        numbers = self.truth.frame_numbers
        rows = [row for row in self.rows if only is None or numbers[row] in only]
        return np.array([detail(shown[numbers[row]], self.frames[numbers[row]], boxes[row]) for row in rows])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("privacy")
        patch.chdir(folder)
        make_film(folder)
        track_film()
        yield Film()


def test_the_film_shows_people_whom_the_detector_now_and_then_misses(film: Film) -> None:
    found = read_rows(Path(f"data/sequences/{NAME}/det/det.txt"))
    assert len(film.rows) > 80
    assert len(found) < 0.97 * len(film.rows), "the control: some are not detected"
    assert np.quantile(film.details(film.shown["none"].frames, film.truth.bboxes), 0.05) > 0.5, "the control: unblurred"


def test_no_frame_of_the_video_and_no_still_shows_a_person(film: Film) -> None:
    people = film.shown["people"]
    assert film.details(people.frames, film.truth.bboxes).max() < MAX_DETAIL
    stills = [people.stills.get(number, film.frames[number]) for number in range(len(film.frames))]
    assert len(people.stills) == 3
    assert film.details(stills, film.truth.bboxes, people.stills).max() < MAX_DETAIL
    assert film.details(film.shown["none"].frames, film.truth.bboxes).min() > MAX_DETAIL


def test_no_picture_of_the_report_shows_a_person(film: Film) -> None:
    """The same pictures with and without the blur: sheets of crops have no more in them than people."""
    plain, people = film.shown["none"].media, film.shown["people"].media
    assert plain.keys() == people.keys()
    kinds = {re.sub(r"-.*", "", name) for name in plain}
    assert {"person", "cut", "mistake", "poster", "background", "where"} <= kinds, kinds
    for name, (width, height) in (("person", (80, 160)), ("cut", (64, 128))):
        for sheet in (key for key in plain if key.startswith(name)):
            for left in range(0, plain[sheet].shape[1], width):
                inside = np.array([left + width // 4, height // 6, left + 3 * width // 4, 5 * height // 6])
                assert detail(people[sheet], plain[sheet], inside) < MAX_DETAIL, sheet
    busiest = int(np.bincount(Tracklets.load(Path(f"artifacts/{NAME}/tracks.npz")).frame_numbers).argmax())
    for row in film.rows[film.truth.frame_numbers[film.rows] == busiest]:
        assert detail(people["poster"], film.frames[busiest], film.truth.bboxes[row]) < MAX_DETAIL


def test_the_empty_place_shows_nobody_who_stood_there_all_the_time(film: Film) -> None:
    backgrounds = {blur: [film.shown[blur].media["background"]] * len(film.frames) for blur in ("none", "people")}
    plain, people = (film.details(pictures, film.truth.bboxes) for pictures in backgrounds.values())
    persons = film.truth.ids[film.rows]
    standing = [person for person in np.unique(persons) if np.median(plain[persons == person]) > 2 * MAX_DETAIL]
    assert standing, "the control: the median of the frames shows who did not move"
    assert people[np.isin(persons, standing)].max() < MAX_DETAIL


def test_frames_around_mistakes_show_nobody_though_the_detector_missed_them(film: Film) -> None:
    """The person in question is in the middle of each tile; 200 px show 2.4 times their box."""
    plain, people = film.shown["none"].media, film.shown["people"].media
    left = [
        detail(people[name], plain[name], np.array([200 * tile + 92, 75, 200 * tile + 108, 125]))  # inside the white box
        for name in plain
        if name.startswith("mistake")
        for tile in range(plain[name].shape[1] // 200)
    ]
    assert len(left) > 10
    assert np.quantile(left, 0.8) < MAX_DETAIL, "over some of them the label of somebody else is drawn"


def test_faces_alone_are_blurred_where_faces_are_asked_for(film: Film) -> None:
    frames = film.shown["faces"].frames
    heads, legs = film.truth.bboxes.copy(), film.truth.bboxes.copy()
    height = heads[:, 3] - heads[:, 1]
    heads[:, 3] = heads[:, 1] + height / 6  # a head and a neck
    legs[:, 1] = legs[:, 3] - height / 3
    assert film.details(frames, heads).max() < MAX_DETAIL
    assert np.median(film.details(frames, legs)) > 2 * MAX_DETAIL


def test_who_is_forgotten_is_blurred_whatever_is_asked_for(film: Film) -> None:
    person = int(np.bincount(film.truth.ids[film.rows]).argmax())
    mine = film.truth.ids == person
    lines = [f"{n},{n},{x1:.2f},{y1:.2f},{x2:.2f},{y2:.2f}\n" for n, (x1, y1, x2, y2) in zip(
        film.truth.frame_numbers[mine].tolist(), film.truth.bboxes[mine].tolist(), strict=True)]  # fmt: skip
    frames = Shown("none", "".join(lines)).frames
    forgotten = mine[film.rows]
    left = film.details(frames, film.truth.bboxes)
    assert left[forgotten].max() < MAX_DETAIL
    assert np.median(left[~forgotten]) > 2 * MAX_DETAIL


def test_what_is_hidden_cannot_be_found_again() -> None:
    """Pixels may change places within a cell and nothing tells; 9 cells of 10 x 10 px are left of 30 x 30."""
    rng = np.random.default_rng(3)
    one = rng.integers(0, 256, (40, 40, 3)).astype(np.uint8)
    other = one.copy()
    for y in range(5, 35, 10):
        for x in range(5, 35, 10):
            cell = other[y : y + 10, x : x + 10].reshape(-1, 3)
            other[y : y + 10, x : x + 10] = rng.permutation(cell).reshape(10, 10, 3)
    assert (one != other).any()
    for shown in (one, other):
        hide(shown, np.array([5, 5, 35, 35]))
    assert (one[5:35, 5:35] == other[5:35, 5:35]).all()


@pytest.mark.parametrize("region", [(-9, -9, 3, 3), (38, 38, 60, 60), (10.2, 10.2, 10.9, 10.9), (50, 50, 60, 60), (5, 9, 5, 9)])
def test_regions_at_the_border_beyond_it_and_of_no_size(region: tuple[float, ...]) -> None:
    rng = np.random.default_rng(3)
    shown = rng.integers(0, 256, (40, 40, 3)).astype(np.uint8)
    before = shown.copy()
    hide(shown, np.array(region))
    x1, y1, x2, y2 = max(int(region[0]), 0), max(int(region[1]), 0), int(np.ceil(region[2])), int(np.ceil(region[3]))
    changed = (shown != before).any(axis=2)
    changed[y1:y2, x1:x2] = False
    assert not changed.any(), "nothing else changes"


def test_regions_of_a_person_and_of_a_face() -> None:
    boxes = np.array([[100, 100, 140, 200], [100, 100, 200, 200]])
    assert person_regions(boxes).tolist() == [[96, 90, 144, 210], [90, 90, 210, 210]]
    assert face_regions(boxes).tolist() == [[96, 90, 144, 125], [90, 90, 210, 150]], (
        "a quarter; half of a box seen to the waist"
    )


def test_whoever_writes_pictures_reads_them_through_the_veil() -> None:
    """A module that encodes pictures of people takes frames from `shown_frames` alone."""
    encoders = re.compile(r"imencode|imwrite|VideoWriter|write_h264|add_stream|savefig|fromarray|to_image|write_image")
    writers = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "stages").rglob("*.py") if encoders.search(path.read_text())
    }
    assert writers == {"stages/h264.py", "stages/synthesize.py", "stages/render.py", "stages/illustrate.py"}
    for name in ("stages/render.py", "stages/illustrate.py"):
        names = {node.id for node in ast.walk(ast.parse((ROOT / name).read_text())) if isinstance(node, ast.Name)}
        assert "shown_frames" in names
        assert not names & {"read_frames", "read_image", "open_video", "picture_of"}, f"{name} reads pixels past the veil"
