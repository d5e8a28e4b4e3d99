"""Galleries of a camera group to the identities in one of its sequences: the same person in several cameras or videos.

Each sequence of a group works out the whole group and keeps its own rows, so a group that fails stops no other. Two tracks of
one sequence are two people, because `merge` has decided so; across sequences the nearest galleries join under a gate, so within
a pair of views the match is one to one and a track may stay alone.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import unit_distances
from stages.association.linking import link
from stages.command import execute, stage_options, stage_run
from stages.contracts.gallery import Gallery
from stages.contracts.identities import Identities
from stages.errors import DataError
from stages.params import Range, load_section
from stages.pins import check_pins


@dataclass(frozen=True)
class IdentifyParams:
    """When two tracks of different sequences are one person."""

    max_distance: Annotated[float, Range(0, 2)]


def identify(galleries: list[Gallery], params: IdentifyParams) -> Identities:
    """One identity for every track of the cameras of one group; ids count from 1 in the order of sequences and tracks.

    So the identities of a camera on its own are its tracks, under their own numbers. Raises DataError where the galleries'
    features come from different networks.
    """
    models = sorted({gallery.model for gallery in galleries})
    if len(models) > 1:
        raise DataError(f"galleries of {galleries[0].sequence} and others: expected one Re-ID model, got {', '.join(models)}")
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


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "galleries", "identities", "timings")
    check_pins(args.pins)
    params = load_section(IdentifyParams, "identify")
    with stage_run("identify", args.sequence, args.timings) as run:
        galleries = [Gallery.load(path) for path in sorted(args.galleries.glob("*.npz"))]
        with run.computing():
            identities = identify(galleries, params)
        mine = identities.of(args.sequence)
        shared = np.isin(mine.identity_ids, identities.identity_ids[identities.sequences != args.sequence])
        run.counts = {"cameras": len(galleries), "tracks": len(mine.tracklet_ids), "seen in other cameras": int(shared.sum())}
        mine.save(args.identities)


if __name__ == "__main__":
    execute(main)
