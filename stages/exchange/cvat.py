"""Tracks as "CVAT for video 1.1", the XML in which CVAT takes tracks in to be corrected.

CVAT keeps the boxes marked as keyframes and interpolates between them, so few are marked; a box with outside="1" ends a
visible stretch. It has no place for confidences; boxes without a detection are marked as occluded.
"""

from xml.sax.saxutils import escape, quoteattr

import numpy as np

from stages.classes import ClassNames
from stages.contracts.tracklets import Tracklets
from stages.exchange.keyframes import keyframes


def format_cvat(tracklets: Tracklets, frames: range, names: ClassNames, footage: str, keyframe_px: float) -> str:
    """The tracks as XML, corners with three decimals, frames as in the source (from 0).

    `footage` is the name of the source; between keyframes CVAT is off by at most `keyframe_px`.
    """
    starts = tracklets.offsets()
    tracks = "".join(
        _track(tracklets, slice(a, b), frames, names, keyframe_px) for a, b in zip(starts[:-1], starts[1:], strict=True)
    )
    head = _meta(tracklets, frames, names, footage)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n{head}{tracks}</annotations>\n'


def _meta(tracklets: Tracklets, frames: range, names: ClassNames, footage: str) -> str:
    """What CVAT writes of a task and what the reader needs: which frames of the source there are."""
    labels = "".join(
        f"<label><name>{escape(names[class_id])}</name><attributes></attributes></label>"
        for class_id in np.unique(tracklets.class_ids).tolist()
    )
    return (
        f"<meta><task><name>{escape(tracklets.sequence)}</name><size>{len(frames)}</size><mode>interpolation</mode>"
        f"<start_frame>{frames.start}</start_frame><stop_frame>{frames[-1] if frames else frames.start}</stop_frame>"
        f"<frame_filter>step={frames.step}</frame_filter><labels>{labels}</labels>"
        f"<original_size><width>{tracklets.width_px}</width><height>{tracklets.height_px}</height></original_size>"
        f"<source>{escape(footage)}</source></task></meta>\n"
    )


def _track(tracklets: Tracklets, rows: slice, frames: range, names: ClassNames, keyframe_px: float) -> str:
    """One track: its visible stretches, each closed by a box outside unless the clip ends with it."""
    numbers, bboxes = tracklets.frame_numbers[rows], tracklets.bboxes[rows]
    undetected = (tracklets.detection_indices[rows] == -1).tolist()
    breaks = [0, *(np.flatnonzero(np.diff(numbers) > 1) + 1).tolist(), len(numbers)]
    lines = []
    for a, b in zip(breaks[:-1], breaks[1:], strict=True):
        keys = keyframes(numbers[a:b], bboxes[a:b], keyframe_px).tolist()
        corners = bboxes[a:b].tolist()
        sources = [frames[number] for number in numbers[a:b].tolist()]
        for source, box, hidden, key in zip(sources, corners, undetected[a:b], keys, strict=True):
            lines.append(_box(source, box, outside=False, occluded=hidden, keyframe=key))
        if (after := int(numbers[b - 1]) + 1) < len(frames):
            lines.append(_box(frames[after], corners[-1], outside=True, occluded=undetected[b - 1], keyframe=True))
    label = quoteattr(names[int(tracklets.class_ids[rows.start])])
    return f'<track id="{tracklets.tracklet_ids[rows.start]}" label={label} source="auto">\n{"".join(lines)}</track>\n'


def _box(frame: int, box: list[float], *, outside: bool, occluded: bool, keyframe: bool) -> str:
    edges = " ".join(f'{name}="{edge:.3f}"' for name, edge in zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True))
    flags = f'outside="{outside:d}" occluded="{occluded:d}" keyframe="{keyframe:d}"'
    return f'<box frame="{frame}" {flags} {edges} z_order="0"></box>\n'
