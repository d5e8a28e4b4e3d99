"""The scenes of params.yaml are what they are there for: hard enough for tracking and Re-ID, and of the sizes asked for."""

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.motchallenge import MotRows
from stages.params import load_section
from stages.regions import EVERYWHERE
from stages.scoring.challenge import count, track_boxes
from stages.scoring.tally import combine
from stages.scoring.truth import make_truth
from stages.track import TrackParams, track
from stages.world.observing import observe
from stages.world.rows import Rows, ground_truth
from stages.world.scene import CameraParams, SceneParams
from stages.world.world import World, film, look_on, make_world
from tests.conftest import ROOT

PARAMS = ROOT / "params.yaml"
EVERY_S = 1.0  # frames that crops are cut from
MIN_VISIBILITY, MIN_HEIGHT_PX = 0.6, 60


def world_of(name: str) -> World:
    camera = load_section(CameraParams, f"cameras.{name}", PARAMS)
    scene = load_section(SceneParams, f"scenes.{camera.scene}", PARAMS)
    return make_world(scene, camera)


def boxes(world: World) -> tuple[Rows, Rows]:
    truth = ground_truth(list(look_on(world)))
    return truth, observe(truth, world.scene, "any")


def sparse(world: World, every_s: float) -> World:
    """The world filmed so slowly; nobody walks otherwise."""
    return dataclasses.replace(world, scene=dataclasses.replace(world.scene, fps=1 / every_s))


def test_raw_tracking_of_the_plaza_loses_people() -> None:
    """Even of imitated detections: IDF1 at most 0.80, with merging left to gain the rest."""
    world = world_of("plaza")
    truth, found = boxes(world)
    scene, size = world.scene, len(found.ids)
    detections = Detections(
        "plaza", scene.num_frames, scene.width_px, scene.height_px, scene.fps, found.frame_numbers.astype(np.int32),
        found.bboxes.astype(np.float32), found.scores.astype(np.float32), np.zeros(size, dtype=np.int16),
    )  # fmt: skip
    still = CameraMotion.still("plaza", scene.num_frames)
    tracks = track(detections, still, load_section(TrackParams, "track", PARAMS))
    rows = MotRows(
        truth.frame_numbers.astype(np.int32), truth.ids.astype(np.int32), truth.bboxes.astype(np.float32),
        np.ones(len(truth.ids), dtype=np.float32), np.ones(len(truth.ids), dtype=np.int32), truth.scores.astype(np.float32), 9,
    )  # fmt: skip
    figures = combine([count(make_truth(PARAMS, rows, scene.num_frames), track_boxes(tracks, 0, EVERYWHERE))]).figures()
    assert 50 < figures["IDF1"] <= 80
    assert figures["MOTA"] > 70


def histograms(world: World) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Frame, identity and colour histogram (hue, saturation, value; Hellinger) of everybody well seen."""
    frames, names, colors = [], [], []
    for number, (picture, seen) in enumerate(film(world)):
        limits = [world.scene.width_px, world.scene.height_px] * 2
        windows = np.clip(np.rint(seen.bboxes), 0, limits).astype(int)
        for name, (x1, y1, x2, y2), visibility in zip(seen.identity_ids.tolist(), windows, seen.visibilities, strict=True):
            if visibility >= MIN_VISIBILITY and y2 - y1 >= MIN_HEIGHT_PX:
                hsv = cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_BGR2HSV)
                bins = cv2.calcHist([hsv], [0, 1, 2], None, [8, 4, 4], [0, 180, 0, 256, 0, 256]).ravel()
                frames.append(number)
                names.append(name)
                colors.append(np.sqrt(bins / bins.sum()))
    return np.array(frames), np.array(names), np.array(colors)


def rank1(queries: NDArray[np.int64], gallery: NDArray[np.int64], similarity: NDArray[np.float64]) -> float:
    """Share of queries, of people who are in the gallery, whose most similar crop is of the same person."""
    there = np.array([bool(np.isfinite(row[gallery == name]).any()) for name, row in zip(queries, similarity, strict=True)])
    assert there.sum() > 100
    return float((gallery[similarity.argmax(axis=1)] == queries)[there].mean())


def test_colours_alone_do_not_tell_who_is_who_in_the_other_camera() -> None:
    (_, west, a), (_, east, b) = (histograms(sparse(world_of(name), 0.5)) for name in ("corner_west", "corner_east"))
    assert 0.1 < rank1(west, east, a @ b.T) <= 0.6


def test_colours_alone_do_not_tell_who_is_who_some_seconds_later() -> None:
    frames, names, colors = histograms(sparse(world_of("plaza"), 1.0))
    similarity = np.where(np.abs(frames[:, None] - frames) >= 5, colors @ colors.T, -np.inf)
    assert 0.1 < rank1(names, names, similarity) <= 0.6


def test_the_promenade_has_the_shape_that_this_field_quotes() -> None:
    world = world_of("promenade")
    scene = world.scene
    assert (scene.num_frames, scene.fps, scene.width_px, scene.height_px) == (2025, 25.0, 1920, 1080)
    thinned = sparse(world, 0.4)  # each tenth frame
    truth, found = boxes(thinned)
    people = np.bincount(truth.frame_numbers, minlength=thinned.scene.num_frames)
    assert 10 * len(found.ids) == pytest.approx(8800, rel=0.07)
    assert 2 <= people.min() <= 4
    assert 8 <= people.max() <= 15


def test_the_crowd_has_150_people_a_frame() -> None:
    world = world_of("crowd")
    assert (world.scene.num_frames, world.scene.rendered) == (1000, False)
    truth, _ = boxes(sparse(world, 2.0))
    people = np.bincount(truth.frame_numbers)
    assert people.mean() == pytest.approx(150, abs=8)
    assert people.min() > 115
