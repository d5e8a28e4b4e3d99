"""All that speaks for and against each pair of tracks of a camera group being one person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.gallery import Gallery
from stages.errors import DataError
from stages.identity.looks import Looks, compare_looks
from stages.identity.whereabouts import Whereabouts, compare_places

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
CERTAIN_NATS = 6.0  # that places say, for a pair to teach the looks


@dataclass(frozen=True, eq=False)
class Placed:
    """Who stood where when: P places, sorted by track and moment."""

    tracks: NDArray[np.int64]  # (P,) position of the track
    moments: NDArray[np.int64]  # (P,) of the group's clock
    places: Array  # (P, 2) metres


@dataclass(frozen=True, eq=False)
class Evidence:
    """For T tracks in the order of galleries and of their ids; tables are (T, T) and symmetric."""

    cameras: NDArray[np.int64]  # (T,) position of the track's gallery
    placed: Placed
    together: Mask  # seen in one frame of one camera, or told apart by hand
    looks: Looks
    places: Whereabouts
    log_odds: Array  # prior, looks and places
    spoken: Mask  # whether there is anything but the prior
    forbidden: Mask  # two people, certainly
    same_names: list[tuple[int, int]]  # one person, certainly: a person said so


def gather(galleries: list[Gallery], same_camera: bool) -> Evidence:
    """The evidence of a group with at least one track, all of one class.

    Without `same_camera` two tracks of one camera are two people. A name given by hand overrules what places say.
    """
    counts = [len(gallery.tracklet_ids) for gallery in galleries]
    cameras, starts = np.repeat(np.arange(len(galleries)), counts), np.cumsum([0, *counts[:-1]])
    own = cameras[:, None] == cameras[None, :]
    together = _coexisting(galleries, starts, len(cameras))
    placed = Placed(
        np.concatenate(
            [s + np.searchsorted(g.tracklet_ids, g.place_tracklet_ids) for s, g in zip(starts, galleries, strict=True)]
        ),
        np.concatenate([gallery.place_moments for gallery in galleries]),
        np.concatenate([gallery.places for gallery in galleries]).astype(np.float64),
    )
    places = compare_places(placed.tracks, placed.moments, placed.places, cameras)
    prior = -np.log(np.maximum(np.array(counts)[cameras][:, None], np.array(counts)[cameras][None, :]))
    different = together | (places.log_odds < -CERTAIN_NATS) | places.impossible
    looks = compare_looks(galleries, _mutual(places, CERTAIN_NATS), different, prior)
    one_name, two_names = _by_name(galleries)
    forbidden = together | places.impossible | two_names
    if not same_camera:
        forbidden = forbidden | own
    return Evidence(
        cameras,
        placed,
        together,
        looks,
        places,
        prior + looks.log_odds + places.log_odds,
        (looks.log_odds != 0) | (places.log_odds != 0),
        forbidden & ~one_name,
        [(int(i), int(j)) for i, j in np.argwhere(np.triu(one_name, 1))],
    )


def check_names(galleries: list[Gallery]) -> None:
    """Raises DataError where two classes have one name."""
    classes: dict[str, tuple[int, str]] = {}
    for gallery in galleries:
        for name, class_id in zip(gallery.names.tolist(), gallery.class_ids.tolist(), strict=True):
            other, sequence = classes.setdefault(name, (class_id, gallery.sequence))
            if name and other != class_id:
                raise DataError(
                    f"{sequence} and {gallery.sequence}: expected one class under the name {name!r}, got {other} and {class_id}"
                )


def _by_name(galleries: list[Gallery]) -> tuple[Mask, Mask]:
    """Pairs (T, T) under one name, and under two."""
    names = np.concatenate([gallery.names for gallery in galleries])
    named = (names[:, None] != "") & (names[None, :] != "")
    same = names[:, None] == names[None, :]
    return named & same, named & ~same


def _mutual(places: Whereabouts, least: float) -> Mask:
    """Pairs of which each is what the places say most for to the other, by at least so many nats."""
    best = places.log_odds >= places.log_odds.max(axis=1, keepdims=True)
    return np.asarray(best & best.T & (places.log_odds >= least))


def _coexisting(galleries: list[Gallery], starts: NDArray[np.int64], count: int) -> Mask:
    together = np.zeros((count, count), dtype=bool)
    for start, gallery in zip(starts, galleries, strict=True):
        first, second = start + np.searchsorted(gallery.tracklet_ids, gallery.coexisting).T
        together[first, second] = together[second, first] = True
    return together
