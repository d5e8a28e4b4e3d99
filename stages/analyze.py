"""Tracklets of every level to tables a person reads: tracklets and what looks broken, people and where they went.

Needs no ground truth, so it says something of every video.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stages.artifacts import write_json, write_text
from stages.camera import read_camera
from stages.command import execute, log, stage_options, stage_run
from stages.contracts.detections import Detections
from stages.contracts.identities import Identities
from stages.contracts.tracklets import Tracklets
from stages.params import load_section
from stages.pins import check_pins
from stages.scoring.levels import load_levels
from stages.scoring.people import people_table
from stages.scoring.quality import AnalyzeParams, level_quality, tracklet_table


def analyze(
    detections: Detections, levels: Mapping[str, Tracklets], params: AnalyzeParams
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of the tracklets of all levels, and the figures of each level beside those of the detections."""
    tables = {level: tracklet_table(level, tracklets, params) for level, tracklets in levels.items()}
    quality = {
        "frames": detections.num_frames,
        "fps": detections.fps,
        "detections": len(detections),
        "levels": {level: level_quality(tables[level], tracklets, detections, params) for level, tracklets in levels.items()},
    }
    return pd.concat(tables.values(), ignore_index=True), quality


def to_csv(table: pd.DataFrame) -> str:
    """The table as text: three decimals, one line a row."""
    return table.to_csv(index=False, float_format="%.3f", lineterminator="\n")


def main() -> None:
    args = stage_options(__doc__, "sequence", "pins", "detections", "raw", "rewired", "split", "merged", "final",
                         "identities", "camera", "tracklets", "people", "quality", "timings")  # fmt: skip
    check_pins(args.pins)
    params = load_section(AnalyzeParams, "analyze")
    with stage_run("analyze", args.sequence, args.timings) as run:
        detections, levels, camera = (
            Detections.load(args.detections, args.sequence),
            load_levels(args),
            read_camera(args.camera),
        )
        identities = Identities.load(args.identities)
        log.info("analyze %s: %s boxes in %d levels, distances in %s", args.sequence,
                 f"{sum(map(len, levels.values())):,}", len(levels), "heights" if camera is None else "metres")  # fmt: skip
        with run.computing():
            table, quality = analyze(detections, levels, params)
            people = people_table(levels["final"], identities, camera, params.path_step_s)
        run.counts = {"frames": detections.num_frames, "tracklets": len(table), "people": len(people)}
        write_text(args.tracklets, to_csv(table))
        write_text(args.people, to_csv(people))
        write_json(args.quality, {"sequence": args.sequence, **quality})


if __name__ == "__main__":
    execute(main)
