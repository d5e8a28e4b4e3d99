"""Corrections resolved to tracklets: whose box each one names.

Each stage resolves the rows that it honours against its own tracklets, in every run. A box that the tracker leaves out stands
for one nearby in time. Where even that is nobody's, nobody need be cut, told apart or deleted; to join or to call nobody is an
error that names file and line, as is a row that contradicts another or what is seen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stages.boxes import iou
from stages.command import log
from stages.contracts.tracklets import Tracklets
from stages.corrections.rows import Correction, Place

MIN_IOU = 0.5  # of the box named and the box found
NEAR_S = 0.5  # so far from the frame named
END = 1 << 31  # after every frame


def row_at(tracklets: Tracklets, place: Place, correction: Correction) -> int:
    """The row of the box that covers the place best, as `found_at`. Raises DataError where there is none."""
    row = found_at(tracklets, place, correction)
    if row is None:
        overlaps = _overlaps(tracklets, place, range(place.frame, place.frame + 1))[1]
        found = f"an IoU of {overlaps.max():.2f} at best" if len(overlaps) else "no box in that frame"
        box = ", ".join(f"{edge:g}" for edge in place.bbox)
        raise correction.refused(
            f"{correction.action} to name somebody who is seen in frame {place.frame} at {box} (IoU {MIN_IOU} or more)", found
        )
    return row


def found_at(tracklets: Tracklets, place: Place, correction: Correction, since: int = 0, until: int = END) -> int | None:
    """The row of the box that covers the place by MIN_IOU, in the frame nearest to its own within NEAR_S and since:until.

    None where there is none. Raises DataError where the video has no such frame.
    """
    if place.frame >= tracklets.num_frames:
        raise correction.refused(f"frames from 0 to {tracklets.num_frames - 1}", place.frame)
    reach = round(NEAR_S * tracklets.fps)
    return covering(tracklets, place, range(max(place.frame - reach, since), min(place.frame + reach + 1, until)))


def covering(tracklets: Tracklets, place: Place, frames: range | None = None) -> int | None:
    """The row of the box that covers the place by MIN_IOU, best in the nearest of `frames`, or in its own; None: none does."""
    rows, overlaps = _overlaps(tracklets, place, range(place.frame, place.frame + 1) if frames is None else frames)
    rows, overlaps = rows[overlaps >= MIN_IOU], overlaps[overlaps >= MIN_IOU]
    away = np.abs(tracklets.frame_numbers[rows] - place.frame)
    return int(rows[np.lexsort((-overlaps, away))[0]]) if len(rows) else None


def named(tracklets: Tracklets, corrections: Sequence[Correction]) -> dict[int, str]:
    """Id -> name of the people whom rows of `rename` name. Raises DataError where somebody has two names, or two have one."""
    names: dict[int, str] = {}
    for correction in corrections:
        if correction.action == "rename" and correction.name is not None:
            person = int(tracklets.tracklet_ids[row_at(tracklets, correction.place, correction)])
            if names.setdefault(person, correction.name) != correction.name:
                raise correction.refused("one name a person", f"{correction.name!r} for {names[person]!r}")
            if any(name == correction.name for other, name in names.items() if other != person):
                raise correction.refused(
                    "a name of one person alone", f"{correction.name!r} twice (are they the same? then add a row of `same`)"
                )
    return names


def deleted(tracklets: Tracklets, corrections: Sequence[Correction]) -> NDArray[np.bool_]:
    """(M,) rows of the people whom rows of `delete` name. Raises DataError where a row of `rename` names one of them."""
    gone = []
    for correction in corrections:
        if correction.action == "delete":
            row = found_at(tracklets, correction.place, correction)
            if row is None:
                log.info("%s: nobody is tracked there now: nobody to delete", correction.where)
            else:
                gone.append(int(tracklets.tracklet_ids[row]))
    for correction in corrections:
        row = covering(tracklets, correction.place) if correction.action == "rename" else None
        if row is not None and tracklets.tracklet_ids[row] in gone:
            raise correction.refused("rename to name somebody who stays", f"{correction.name!r} for somebody deleted")
    return np.isin(tracklets.tracklet_ids, gone)


def noticed(tracklets: Tracklets, corrections: Sequence[Correction]) -> NDArray[np.bool_]:
    """(M,) rows of everybody whom a correction names, whatever it says of them."""
    places = [(place, row) for row in corrections for place in (row.place, row.other) if place is not None]
    rows = [found_at(tracklets, *named_place) for named_place in places]
    return np.isin(tracklets.tracklet_ids, [tracklets.tracklet_ids[row] for row in rows if row is not None])


def _overlaps(tracklets: Tracklets, place: Place, frames: range) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(K,) rows of the boxes in these frames, and their IoU with the place; inside the picture alone where that is more.

    Boxes that the border cuts are completed late, so a row may name the part that was detected, or the whole.
    """
    rows = np.flatnonzero((tracklets.frame_numbers >= frames.start) & (tracklets.frame_numbers < frames.stop))
    named, found = np.array([place.bbox]), tracklets.bboxes[rows]
    picture = np.array([tracklets.width_px, tracklets.height_px] * 2)
    inside = iou(np.clip(named, 0, picture), np.clip(found, 0, picture))
    return rows, np.maximum(iou(named, found), inside)[0]
