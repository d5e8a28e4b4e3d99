"""Galleries of all sequences to identities: the same person in several cameras or videos.

Only cameras of one group are compared. Two tracks of one sequence are two people, because `merge` has decided so; across
sequences the nearest galleries join under a gate, so within a pair of views the match is one to one and a track may stay alone.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import writing_folder
from stages.association.appearance import unit_distances
from stages.association.linking import link
from stages.command import execute, log, stage_options, stage_run
from stages.contracts.gallery import Gallery
from stages.contracts.identities import Identities
from stages.params import Range, load_section, sequence_names
from stages.per_sequence import listed_files
from stages.pins import check_pins


@dataclass(frozen=True)
class IdentifyParams:
    """When two tracks of different sequences are one person."""

    max_distance: Annotated[float, Range(0, 2)]


@dataclass(frozen=True)
class CameraParams:
    """Which cameras may show the same people, and when."""

    group: str | None
    clock_offset_s: float


def identify(galleries: list[Gallery], params: IdentifyParams) -> Identities:
    """One identity for every track of the cameras of one group; ids count from 1 in the order of sequences and tracks.

    So the identities of a camera on its own are its tracks, under their own numbers.
    """
    owner = np.repeat(np.arange(len(galleries)), [len(gallery.tracklet_ids) for gallery in galleries])
    distances = unit_distances(np.concatenate([_summed_views(gallery) for gallery in galleries]))
    same_camera = (owner[:, None] == owner[None, :]) & ~np.eye(len(owner), dtype=bool)
    labels, _ = link(distances, same_camera, params.max_distance)
    same = (labels[:, None] == labels[None, :]) & ~np.eye(len(labels), dtype=bool)
    nearest = np.where(same, distances, np.inf).min(axis=1, initial=np.inf)
    return Identities(
        np.array([gallery.sequence for gallery in galleries], dtype=str)[owner],
        np.concatenate([gallery.tracklet_ids for gallery in galleries]),
        (np.unique(labels, return_inverse=True)[1] + 1).astype(np.int32),
        np.where(np.isfinite(nearest), nearest, 0).astype(np.float32),
    )


def _summed_views(gallery: Gallery) -> NDArray[np.float64]:
    """(T, D) sum of each track's views; 0 where it has none."""
    sums = np.zeros((len(gallery.tracklet_ids), gallery.view_features.shape[1]))
    np.add.at(sums, np.searchsorted(gallery.tracklet_ids, gallery.view_tracklet_ids), gallery.view_features.astype(np.float64))
    return sums


def camera_groups(names: list[str]) -> list[list[str]]:
    """The sequences of each camera group, in the order of params.yaml; a camera of no group is one of its own."""
    groups: dict[str, list[str]] = {}
    for name in names:
        group = load_section(CameraParams, f"sequences.{name}.camera").group
        groups.setdefault(f"alone {name}" if group is None else f"group {group}", []).append(name)
    return list(groups.values())


def main() -> None:
    args = stage_options(__doc__, "pins", "galleries", "identities", "timings")
    check_pins(args.pins)
    params = load_section(IdentifyParams, "identify")
    names = sequence_names()
    groups = camera_groups(names)
    with stage_run("identify", "all", args.timings) as run:
        galleries = {name: Gallery.load(path) for name, path in listed_files(args.galleries, names, ".npz").items()}
        log.info("identify: %d sequences in %d camera groups", len(names), len(groups))
        with run.computing():
            found = [identify([galleries[name] for name in group], params) for group in groups]
        run.counts = {"tracks": sum(len(one.tracklet_ids) for one in found),
                      "people": sum(len(np.unique(one.identity_ids)) for one in found)}  # fmt: skip
        with writing_folder(args.identities) as folder:
            for group, identities in zip(groups, found, strict=True):
                for name in group:
                    identities.of(name).save(folder / f"{name}.npz")


if __name__ == "__main__":
    execute(main)
