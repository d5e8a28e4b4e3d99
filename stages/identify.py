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


def identify(galleries: list[Gallery], groups: list[str | None], params: IdentifyParams) -> Identities:
    """One identity for every track; ids count from 1 in the order of sequences and tracks.

    groups: of each gallery's camera; None compares with no other.
    """
    owner = np.repeat(np.arange(len(galleries)), [len(gallery.tracklet_ids) for gallery in galleries])
    means = [_mean_views(gallery) for gallery in galleries]
    width = max((mean.shape[1] for mean in means), default=0)
    features = np.concatenate([np.zeros((0, width)), *(m if m.shape[1] else np.zeros((len(m), width)) for m in means)])
    distances = unit_distances(features)
    names = np.array([f"group {group}" if group is not None else f"alone {n}" for n, group in enumerate(groups)], dtype=str)
    apart = (owner[:, None] == owner[None, :]) | (names[owner][:, None] != names[owner][None, :])
    np.fill_diagonal(apart, False)
    labels, _ = link(distances, apart, params.max_distance)
    same = (labels[:, None] == labels[None, :]) & ~np.eye(len(labels), dtype=bool)
    nearest = np.where(same, distances, np.inf).min(axis=1, initial=np.inf)
    sequences = np.array([gallery.sequence for gallery in galleries], dtype=str)
    return Identities(
        sequences[owner],
        np.concatenate([np.zeros(0, np.int32), *(gallery.tracklet_ids for gallery in galleries)]),
        (np.unique(labels, return_inverse=True)[1] + 1).astype(np.int32),
        np.where(np.isfinite(nearest), nearest, 0).astype(np.float32),
    )


def _mean_views(gallery: Gallery) -> NDArray[np.float64]:
    """(T, D) summed views of each track; 0 where it has none."""
    sums = np.zeros((len(gallery.tracklet_ids), gallery.view_features.shape[1]))
    np.add.at(sums, np.searchsorted(gallery.tracklet_ids, gallery.view_tracklet_ids), gallery.view_features.astype(np.float64))
    return sums


def main() -> None:
    args = stage_options(__doc__, "pins", "galleries", "identities", "timings")
    check_pins(args.pins)
    params = load_section(IdentifyParams, "identify")
    names = sequence_names()
    cameras = [load_section(CameraParams, f"sequences.{name}.camera") for name in names]
    with stage_run("identify", "all", args.timings) as run:
        galleries = [Gallery.load(path) for path in listed_files(args.galleries, names, ".npz").values()]
        models = {gallery.model for gallery in galleries}
        log.info("identify: %d sequences, embeddings of %s", len(names), ", ".join(sorted(models)))
        with run.computing():
            identities = identify(galleries, [camera.group for camera in cameras], params)
        run.counts = {"tracks": len(identities.tracklet_ids), "people": len(np.unique(identities.identity_ids))}
        with writing_folder(args.identities) as folder:
            for name in names:
                rows = identities.sequences == name
                Identities(
                    identities.sequences[rows],
                    identities.tracklet_ids[rows],
                    identities.identity_ids[rows],
                    identities.distances[rows],
                ).save(folder / f"{name}.npz")


if __name__ == "__main__":
    execute(main)
