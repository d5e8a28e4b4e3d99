"""Where tracks change person, found with the other cameras of the group: what one camera cannot see by itself.

Where a track's partner in another camera changes (`switches`), either it changed person or its partners did. So every such
track is cut on trial, and the parts are identified like tracks of their own: where both parts come out as one person, it was
the partners. Looks decide that, and that whoever is seen at the same time is not one person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stages.camera import Homography
from stages.contracts.embeddings import Embeddings
from stages.contracts.gallery import MOMENTS_PER_S, Gallery
from stages.contracts.tracklets import Tracklets, only, relabel
from stages.identity.evidence import gather
from stages.identity.partition import partition
from stages.identity.portraits import PortrayParams, portray
from stages.identity.switches import find_switches

CONTINUED_NATS = 5.0  # that the parts of a track are one person: their own camera took them for one
ROUNDING_S = 1e-6


@dataclass(frozen=True, eq=False)
class Camera:
    """One camera of a group, with the final tracks of its people."""

    tracks: Tracklets
    embeddings: Embeddings
    image_to_ground: Homography | None
    times_s: NDArray[np.float64] | None  # (num_frames,) on the group's clock

    def gallery(self, params: PortrayParams) -> Gallery:
        """What is compared with the other cameras: nobody's name, nobody told apart by hand."""
        return portray(self.tracks, self.embeddings, {}, (), self.image_to_ground, self.times_s, params)


@dataclass(frozen=True)
class Change:
    """From this frame on, in which somebody is detected, a track is somebody else than before."""

    sequence: str
    tracklet_id: int
    last_frame: int  # in which the person before was detected
    frame_number: int
    nats: float  # by which the places on either side speak for it
    other_sequence: str  # the camera that shows it, and whom the track walks with there
    before_id: int
    after_id: int


@dataclass(frozen=True)
class Reunion:
    """Parts of two tracks of one camera that change person, which are one person: a track and a frame of each."""

    sequence: str
    first: tuple[int, int]
    second: tuple[int, int]


@dataclass(frozen=True)
class Found:
    """What the cameras of a group show of each other's tracks."""

    changes: list[Change]  # at most one a track, in the order of cameras and tracks
    reunions: list[Reunion]


def find_changes(cameras: Sequence[Camera], params: PortrayParams) -> Found:
    """Where tracks change person, and which of their parts belong together; each class by itself."""
    classes = np.unique(np.concatenate([np.zeros(0, np.int16), *(one.tracks.class_ids for one in cameras)]))
    found = [
        _find_changes([replace(one, tracks=only(one.tracks, one.tracks.class_ids == class_id)) for one in cameras], params)
        for class_id in classes
    ]
    order = {one.tracks.sequence: number for number, one in enumerate(cameras)}
    changes = sorted((c for one in found for c in one.changes), key=lambda c: (order[c.sequence], c.tracklet_id))
    return Found(changes, [reunion for one in found for reunion in one.reunions])


def _find_changes(cameras: Sequence[Camera], params: PortrayParams) -> Found:
    detected = [replace(one, tracks=only(one.tracks, one.tracks.detection_indices >= 0)) for one in cameras]
    parts, tried = list(detected), []
    for number, change in _switches(detected, params):
        tracks = parts[number].tracks
        late = (tracks.tracklet_ids == change.tracklet_id) & (tracks.frame_numbers >= change.frame_number)
        name = int(tracks.tracklet_ids.max()) + 1
        parts[number] = replace(parts[number], tracks=relabel(tracks, np.where(late, name, tracks.tracklet_ids)))
        tried.append((number, change, name))
    if not tried:
        return Found([], [])
    galleries = [one.gallery(params) for one in parts]
    starts = np.cumsum([0, *(len(gallery.tracklet_ids) for gallery in galleries)])
    pairs = [
        [int(starts[number] + np.searchsorted(galleries[number].tracklet_ids, part)) for part in (change.tracklet_id, name)]
        for number, change, name in tried
    ]
    first, second = np.array(pairs).T
    evidence = gather(galleries, same_camera=True)
    log_odds = np.where(evidence.spoken, evidence.log_odds, 0.0)
    log_odds[first, second] += CONTINUED_NATS
    log_odds[second, first] += CONTINUED_NATS
    labels = partition(log_odds, evidence.forbidden)
    parted = labels[first] != labels[second]
    changes = [change for (_, change, _), one in zip(tried, parted, strict=True) if one]
    return Found(changes, _reunions(changes, labels[first][parted], labels[second][parted]))


def _reunions(changes: Sequence[Change], before: NDArray[np.int64], after: NDArray[np.int64]) -> list[Reunion]:
    """Parts of one camera, in the order of time, whose labels (C,) before and after the changes are the same."""
    parts = [(change.sequence, int(label), change.last_frame, change.tracklet_id)
             for change, label in zip(changes, before, strict=True)]  # fmt: skip
    parts += [(change.sequence, int(label), change.frame_number, change.tracklet_id)
              for change, label in zip(changes, after, strict=True)]  # fmt: skip
    parts.sort()
    return [Reunion(one[0], (one[3], one[2]), (other[3], other[2])) for one, other in pairwise(parts) if one[:2] == other[:2]]


def _switches(cameras: Sequence[Camera], params: PortrayParams) -> list[tuple[int, Change]]:
    """The number of its camera, and what would change, of every track whose partner in another camera does."""
    galleries = [one.gallery(params) for one in cameras]
    if not sum(len(gallery.tracklet_ids) for gallery in galleries):
        return []
    evidence = gather(galleries, same_camera=True)
    ids = np.concatenate([gallery.tracklet_ids for gallery in galleries])
    found = []
    for switch in find_switches(evidence):
        number, other = int(evidence.cameras[switch.track]), int(evidence.cameras[switch.before])
        track, before, after = (int(ids[one]) for one in (switch.track, switch.before, switch.after))
        last, frame = _hole(cameras[number], track, switch.moments)
        sequence, other_sequence = cameras[number].tracks.sequence, cameras[other].tracks.sequence
        found.append((number, Change(sequence, track, last, frame, switch.nats, other_sequence, before, after)))
    return found


def _hole(camera: Camera, track: int, moments: tuple[int, int]) -> tuple[int, int]:
    """The frames on both sides of the track's longest hole, the first of them, between two moments with a place."""
    frames = camera.tracks.frame_numbers[camera.tracks.tracklet_ids == track]
    times_s = np.asarray(camera.times_s)  # whoever is placed has a clock
    first = np.searchsorted(times_s, moments[0] / MOMENTS_PER_S + ROUNDING_S, side="right") - 1
    last = np.searchsorted(times_s, moments[1] / MOMENTS_PER_S - ROUNDING_S)
    holes = np.flatnonzero((frames[1:] > first) & (frames[:-1] < last))
    longest = holes[np.diff(frames)[holes].argmax()]
    return int(frames[longest]), int(frames[longest + 1])
