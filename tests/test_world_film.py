"""What is said of a picture is true of its pixels: boxes, visibilities, who stands before what, shadows aside."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.world.body import make_joints
from stages.world.camera import Camera, make_camera
from stages.world.filming import SILHOUETTE, Film
from stages.world.light import SUNS
from stages.world.looks import make_fashion, make_look
from stages.world.place import Thing, make_place
from stages.world.posing import Person, Pose
from stages.world.scene import SceneParams
from stages.world.seen import Seen
from stages.world.setting import make_covers, make_scenery, make_setting
from stages.world.silhouettes import see
from stages.world.sprites import Sprite, draw_sprite
from stages.world.walking import Moment
from stages.world.world import film, look_on, make_world
from tests.worlds import camera, scene

SHADOWLESS = dataclasses.replace(SUNS["noon"], shadow=0.0)
WHITE = np.ones(3)


def crowd(count: int, params: SceneParams) -> Moment:
    """People who walk about, some of them behind others and behind things."""
    rng = np.random.default_rng(8)
    place = make_place(params)
    free: list[NDArray[np.float64]] = []
    while len(free) < count:
        point = rng.uniform([-7, -9], [7, 9])
        if all(np.hypot(point[0] - t.x, point[1] - t.y) > t.keep_out for t in place.things):
            free.append(point)
    speeds, phases = rng.uniform(0, 1.8, count), rng.uniform(0, 6.28, count)
    return Moment(np.arange(1, count + 1), np.array(free), rng.uniform(-3, 3, count), speeds, phases)


def only(moment: Moment, row: int) -> Moment:
    return Moment(*(getattr(moment, field.name)[row : row + 1] for field in dataclasses.fields(Moment)))


def make_film(params: SceneParams, count: int) -> Film:
    view = make_camera(camera(), params.width_px, params.height_px)
    scenery = make_scenery(make_place(params), SHADOWLESS, params.seed)
    fashion = make_fashion(params.seed)
    people = [Person(make_look(params.seed, k, fashion), 1.5 + 0.02 * k) for k in range(1, count + 1)]
    return Film(view, make_setting(scenery, view, SHADOWLESS), SHADOWLESS, people, WHITE, params.noise, params.seed)


@pytest.fixture(scope="module")
def filmed() -> tuple[Film, Moment, Seen]:
    params = scene(occluders=("tree", "kiosk", "column", "tree", "bench"))
    moment = crowd(24, params)
    made = make_film(params, 24)
    return made, moment, made.take(moment, 0)[1]


def test_boxes_are_tight_around_what_is_drawn() -> None:
    """Each person alone, on a square without things: the pixels that differ from the empty picture."""
    params = scene(occluders=())
    made, moment = make_film(params, 12), crowd(12, params)
    nobody = made.take(Moment(*(getattr(moment, f.name)[:0] for f in dataclasses.fields(Moment))), 0)[0].astype(int)
    checked = 0
    for row in range(12):
        picture, seen = made.take(only(moment, row), 0)
        drawn = np.abs(picture.astype(int) - nobody).max(axis=2) > 3
        if seen.visibilities.size and seen.visibilities[0] == 1:
            ys, xs = np.nonzero(drawn)
            np.testing.assert_allclose(seen.bboxes[0], [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], atol=1.0)
            checked += 1
    assert checked >= 8


def test_a_box_does_not_depend_on_what_hides_the_person(filmed: tuple[Film, Moment, Seen]) -> None:
    made, moment, together = filmed
    for name, bbox in zip(together.identity_ids, together.bboxes, strict=True):
        alone = made.take(only(moment, int(name) - 1), 0)[1]
        np.testing.assert_array_equal(alone.bboxes, bbox[None])


def test_visibility_is_the_share_of_a_silhouette_that_no_nearer_one_and_no_thing_covers(
    filmed: tuple[Film, Moment, Seen],
) -> None:
    """Brute force over the whole picture: silhouettes of everybody drawn alone, as sets of pixels."""
    made, moment, seen = filmed
    eye = np.array(made.camera.position)
    distances = np.hypot(*(moment.points - eye[:2]).T)
    rows = (seen.identity_ids - 1).tolist()
    sprites = {row: sprite_of(made, moment, row) for row in rows}
    masks = {row: placed(sprite, made.camera) for row, sprite in sprites.items()}
    for row, visibility in zip(rows, seen.visibilities, strict=True):
        free = masks[row].copy()
        for other in rows:
            if distances[other] < distances[row]:
                free &= ~masks[other]
        for cover in made.setting.covers:
            if cover.hides(moment.points[row : row + 1], eye)[0]:
                x1, y1, x2, y2 = cover.window
                free[y1:y2, x1:x2] &= cover.coverage < 128
        assert visibility == pytest.approx(free.sum() / (sprites[row].coverage >= SILHOUETTE).sum(), abs=0.012), row
    assert ((seen.visibilities > 0.05) & (seen.visibilities < 0.8)).sum() >= 5


def sprite_of(made: Film, moment: Moment, row: int) -> Sprite:
    person = made.people[row]
    joints = make_joints(np.array([person.height_m]), moment.speeds[row : row + 1], moment.phases[row : row + 1])[0]
    pose = Pose(person, moment.points[row], moment.headings[row], joints, np.array(made.camera.position), made.sun.direction)
    sprite = draw_sprite(pose.solids(), made.camera, 0.0)
    assert sprite is not None
    return sprite


def placed(sprite: Sprite, view: Camera) -> NDArray[np.bool_]:
    """(H, W) the sprite's silhouette in the picture."""
    height, width = sprite.coverage.shape
    around = np.zeros((view.height_px + 2000, view.width_px + 2000), dtype=bool)
    top, left = sprite.top + 1000, sprite.left + 1000
    around[top : top + height, left : left + width] = sprite.coverage >= SILHOUETTE
    return around[1000 : 1000 + view.height_px, 1000 : 1000 + view.width_px]


def test_who_is_behind_a_house_is_not_seen_and_who_is_before_it_is() -> None:
    params = scene(occluders=())
    view = make_camera(camera(), 640, 360)
    covers = make_covers(make_scenery(make_place(params), SUNS["noon"], 3), view, SUNS["noon"])
    north = [point for y in (9.0, 15.5) for point in ([-5.0, y], [5.0, y])]  # the block stands from 10 to 14
    moment = Moment(np.arange(1, 5), np.array(north), np.zeros(4), np.ones(4), np.zeros(4))
    seen = see(moment, np.full(4, 1.7), view, covers)
    assert seen.visibilities.tolist() == [1, 1, 0, 0]
    drawn = make_film(params, 4).take(moment, 0)[1]
    assert drawn.visibilities[2:].tolist() == [0, 0]
    assert drawn.visibilities[:2].min() > 0.98


def test_a_tree_hides_who_is_behind_and_not_who_is_before_it(filmed: tuple[Film, Moment, Seen]) -> None:
    cover = next(c for c in filmed[0].setting.covers if isinstance(c.what, Thing) and c.what.kind == "tree")
    assert isinstance(cover.what, Thing)
    eye = np.array(filmed[0].camera.position)
    towards = (eye[:2] - [cover.what.x, cover.what.y]) / cover.what.distance(eye)
    spots = np.array([[cover.what.x, cover.what.y] + towards * m for m in (1.0, -1.0)])
    assert cover.hides(spots, eye).tolist() == [False, True]


def test_boxes_without_pixels_are_those_of_the_pixels() -> None:
    """The same walk with and without drawing: boxes differ by hair, shoes and bags, visibilities by clothes."""
    params = scene(seconds=2.0)
    drawn = [seen for _, seen in film(make_world(dataclasses.replace(params, rendered=True), camera()))]
    guessed = list(look_on(make_world(params, camera())))
    overlaps, differences = [], []
    for one, other in zip(drawn, guessed, strict=True):
        common, a, b = np.intersect1d(one.identity_ids, other.identity_ids, return_indices=True)
        assert len(common) >= 0.9 * len(one.identity_ids)
        low = np.maximum(one.bboxes[a, :2], other.bboxes[b, :2])
        high = np.minimum(one.bboxes[a, 2:], other.bboxes[b, 2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
        both = sum((x[:, 2:] - x[:, :2]).prod(axis=1) for x in (one.bboxes[a], other.bboxes[b]))
        overlaps += (shared / (both - shared)).tolist()
        differences += np.abs(one.visibilities[a] - other.visibilities[b]).tolist()
    assert np.median(overlaps) > 0.85
    assert np.mean(differences) < 0.06


def test_shadows_darken_the_ground_and_leave_people_alone() -> None:
    params = scene(occluders=(), seconds=0.1, rendered=True, people=3)
    bright, dark = (
        next(film(make_world(dataclasses.replace(params, light=light), camera())))[0] for light in ("overcast", "noon")
    )
    assert dark.mean() != pytest.approx(bright.mean(), abs=1)


def test_looks_stay_with_the_person_and_differ_between_people() -> None:
    fashion = make_fashion(5)
    looks = [make_look(5, k, fashion) for k in range(1, 80)]
    assert looks[11] == make_look(5, 12, fashion)
    assert len({dataclasses.astuple(look)[3:] for look in looks}) == len(looks)
    tops = [look.top_color for look in looks]
    assert sum(top in fashion.tops for top in tops) > 0.9 * len(tops)
    assert make_fashion(6) != fashion


def test_noise_is_of_the_size_asked_for_and_differs_from_frame_to_frame() -> None:
    still, noisy = make_film(scene(), 0), make_film(scene(noise=3.0), 0)
    empty = crowd(0, scene())
    clean = still.take(empty, 0)[0].astype(float)
    one, other = (noisy.take(empty, k)[0].astype(float) for k in (0, 1))
    middle = (clean > 20) & (clean < 235)
    assert (one - clean)[middle].std() == pytest.approx(3.2, abs=0.4)
    assert not np.array_equal(one, other)
