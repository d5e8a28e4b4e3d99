"""Raw tracklets to rewired ones: where two people cross, or one is hidden, each keeps the future that fits them.

The tracker decided frame by frame and by boxes alone; here motion and looks after a crossing are known as well as those before.
Then two who walked as one box for a while each go on as who they were, which looks alone can tell. Without embeddings motion
decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stages.association.appearance import views_of
from stages.association.exchanges import exchange_all
from stages.association.likeness import learn_looks
from stages.association.link_costs import FORBIDDEN
from stages.association.pairs import seen_together
from stages.association.rewiring import Exchange, RewireParams, rewired
from stages.association.shared_boxes import mix_ups
from stages.association.sightings import sightings_of
from stages.association.two_filter import NONE, Chains
from stages.audit import write_audit
from stages.command import execute, log, stage_options, stage_run
from stages.compiled import is_built
from stages.contracts.camera_motion import CameraMotion
from stages.contracts.detections import Detections
from stages.contracts.embeddings import Embeddings
from stages.contracts.tracklets import Tracklets, by_class, relabel
from stages.corrections.constraining import Apart, apart_at_cuts, cut_tracklets
from stages.corrections.rows import Correction, read_corrections
from stages.lineage import owners, owners_of
from stages.linear_algebra import on_one_thread
from stages.params import load_section
from stages.pins import check_pins


@dataclass(frozen=True)
class Rewire:
    """One exchange, in the order made: raw tracklets `tracklet_id` and `other_tracklet_id` after `frame_number`.

    swap: each goes on as the other; join: one ended and goes on as the other, which began; transfer: one goes on as the other,
    which ends there or begins there. Three who are put right at once are a transfer and a join with the gain of both, each with
    its own part of what looks say.
    """

    frame_number: int
    kind: str
    tracklet_id: int
    other_tracklet_id: int
    gain_nats: float
    looks_nats: float  # of the gain; the rest is motion's, or how usual it is where two walked as one box
    runner_up_nats: float | None  # of the next best exchange for the first; below 0: it would lose; None: there is none


def rewire(
    tracklets: Tracklets,
    detections: Detections,
    embeddings: Embeddings,
    camera_motion: CameraMotion,
    params: RewireParams,
    apart: Sequence[Apart] = (),
) -> tuple[Tracklets, list[Rewire]]:
    """The same boxes in tracklets that fit motion and looks before and after, and the exchanges made; classes never mix.

    A person keeps the id of the tracklet that they begin with; who begins inside another's gets a new id after the greatest.
    Motion is judged by the detectors' boxes: the tracker's may be filtered by what it believed. No exchange makes one person
    of two tracklets that are `apart`.
    """
    if not params.enabled or len(tracklets) == 0:
        return tracklets, []
    ids, audit, next_id = tracklets.tracklet_ids.copy(), [], int(tracklets.tracklet_ids.max()) + 1
    for rows, mine in by_class(tracklets):
        known = [one for one in apart if np.isin([one.before, one.after], mine.ids).all()]
        exchanged, next_id, made = _exchanged(mine, detections, embeddings, camera_motion, params, known, next_id)
        ids[rows], undone = _undo_mix_ups(mine, exchanged, embeddings, params, known)
        audit += made + undone
    return relabel(tracklets, ids), audit


def cut_by_hand(raw: Tracklets, corrections: Sequence[Correction]) -> tuple[Tracklets, dict[int, int]]:
    """The tracklets cut as corrections say, and part -> the raw tracklet that it is of."""
    cut = cut_tracklets(raw, corrections)
    first = cut.detection_indices[cut.offsets()[:-1]]
    return cut, dict(zip(cut.ids.tolist(), owners_of(first, owners(raw)).tolist(), strict=True))


def under_raw_ids(rewires: list[Rewire], whole: dict[int, int]) -> list[Rewire]:
    """The exchanges of parts as those of the raw tracklets that they are of."""
    return [replace(row, tracklet_id=whole[row.tracklet_id], other_tracklet_id=whole[row.other_tracklet_id]) for row in rewires]


def _exchanged(
    tracklets: Tracklets,
    detections: Detections,
    embeddings: Embeddings,
    camera_motion: CameraMotion,
    params: RewireParams,
    apart: Sequence[Apart],
    next_id: int,
) -> tuple[NDArray[np.int32], int, list[Rewire]]:
    """The ids (M,) of one class after all exchanges where people meet, the next free one, and these exchanges."""
    claimed = tracklets.detection_indices >= 0
    bboxes = tracklets.bboxes.copy()
    bboxes[claimed] = detections.bboxes[tracklets.detection_indices[claimed]]
    order = np.lexsort((tracklets.tracklet_ids, bboxes[:, 0], tracklets.frame_numbers))
    frames, raw = tracklets.frame_numbers[order].astype(np.int64), tracklets.tracklet_ids[order].astype(np.int64)
    chains, exchanges = rewired(
        bboxes[order], tracklets.confidences[order], frames, raw, sightings_of(tracklets, embeddings).take(order),
        camera_motion.transforms, tracklets.width_px, params,
        np.array([[a.before, a.after, a.last, a.first] for a in apart], dtype=np.int64).reshape(-1, 4),
    )  # fmt: skip
    ids = np.empty_like(tracklets.tracklet_ids)
    ids[order], next_id = _names(chains, raw, next_id)
    return ids, next_id, [_audit(exchange, frames, raw) for exchange in exchanges]


def _undo_mix_ups(
    tracklets: Tracklets, ids: NDArray[np.int32], embeddings: Embeddings, params: RewireParams, apart: Sequence[Apart]
) -> tuple[NDArray[np.int32], list[Rewire]]:
    """The ids (M,) with mix-ups in shared boxes undone, and these exchanges; none makes one person of two who are `apart`."""
    parts = relabel(tracklets, ids)
    views = views_of(parts, embeddings)
    if len(views) == 0:
        return ids, []
    looks = learn_looks(views, parts.fps, seen_together(parts), pure=False)
    frames, raw, changed, audit = tracklets.frame_numbers, tracklets.tracklet_ids, ids.copy(), []
    order, offsets = np.lexsort((frames, ids)), parts.offsets()
    sides = [(_row(tracklets, a.before, a.last), _row(tracklets, a.after, a.first)) for a in apart]
    one, other = np.array(sides, dtype=np.int64).reshape(-1, 2).T
    for found in mix_ups(parts, views, looks, params.min_shared_gain):
        sharing = found.sharing  # of tracklets that no other exchange changes
        keeper, ended, begun = (order[offsets[t] : offsets[t + 1]] for t in (sharing.keeper, sharing.ended, sharing.begun))
        before, after = np.split(keeper, np.searchsorted(frames[keeper], [found.frame]))
        changed[after], changed[begun] = ids[ended[0]], ids[keeper[0]]
        if (changed[one] == changed[other]).any():
            changed[after], changed[begun] = ids[keeper[0]], ids[begun[0]]
            continue
        nats = found.odds_nats, found.looks_nats, None
        audit.append(Rewire(found.frame - 1, "transfer", int(raw[before[-1]]), int(raw[begun[0]]), *nats))
        audit.append(Rewire(sharing.shared_from, "join", int(raw[ended[-1]]), int(raw[after[0]]), *nats))
    return changed, audit


def _row(tracklets: Tracklets, tracklet_id: int, frame: int) -> int:
    return int(np.flatnonzero((tracklets.tracklet_ids == tracklet_id) & (tracklets.frame_numbers == frame))[0])


def _names(chains: Chains, raw: NDArray[np.int64], next_id: int) -> tuple[NDArray[np.int64], int]:
    """(M,) the id of each box, and the next free one; raw (M,) ids of the rows, which are sorted by frame."""
    names = np.zeros(len(raw), np.int64)
    begun: set[int] = set()
    for row, (before, name) in enumerate(zip(chains.befores.tolist(), raw.tolist(), strict=True)):
        if before != NONE:
            names[row] = names[before]
        elif name in begun:
            names[row], next_id = next_id, next_id + 1
        else:
            names[row] = name
        begun.add(name)
    return names, next_id


def _audit(exchange: Exchange, frames: NDArray[np.int64], raw: NDArray[np.int64]) -> Rewire:
    other = exchange.other if exchange.other != NONE else exchange.other_next
    frame = frames[exchange.left] if exchange.other == NONE else max(frames[exchange.left], frames[exchange.other])
    missing = [exchange.left_next, exchange.other, exchange.other_next].count(NONE)
    kind = ("swap", "transfer", "join")[missing]
    runner_up = exchange.runner_up if exchange.runner_up > -FORBIDDEN / 2 else None
    return Rewire(int(frame), kind, int(raw[exchange.left]), int(raw[other]), exchange.gain, exchange.looks, runner_up)


def main() -> None:
    args = stage_options(
        __doc__, "sequence", "pins", "tracklets", "detections", "embeddings", "camera-motion", "corrections", "rewired",
        "rewires", "timings",
    )  # fmt: skip
    check_pins(args.pins)
    params = load_section(RewireParams, "rewire")
    with stage_run("rewire", args.sequence, args.timings) as run:
        corrections = read_corrections(args.corrections)
        tracklets, whole = cut_by_hand(Tracklets.load(args.tracklets, args.sequence), corrections)
        detections = Detections.load(args.detections, args.sequence)
        embeddings = Embeddings.load(args.embeddings, args.sequence)
        camera_motion = CameraMotion.load_of(args.camera_motion, args.sequence, tracklets.num_frames)
        if not is_built(exchange_all):
            log.info("rewire: compiling, once for this version of its code (some 10 s)")
        with run.computing(), on_one_thread():
            apart = apart_at_cuts(tracklets, corrections)
            result, rewires = rewire(tracklets, detections, embeddings, camera_motion, params, apart)
        run.counts = {"frames": result.num_frames, "boxes": len(result), "tracklets": len(tracklets.ids),
                      "rewired": len(result.ids), "exchanges": len(rewires)}  # fmt: skip
        result.save(args.rewired)
        write_audit(args.rewires, Rewire, under_raw_ids(rewires, whole))


if __name__ == "__main__":
    execute(main)
