"""One result of the pipeline, flat as a tracking server wants it, and the fingerprint by which its run is found again."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.figures import leaves
from stages.timings import Timing, by_stage
from stages.trusted import sha256
from stages.weights import files_in

MAX_PARAM_CHARACTERS = 6000  # MLflow refuses more
SECTIONS_WITH_WEIGHTS = ("detect", "embed")
ABSENT = "absent"
HEADLINES = ("HOTA", "MOTA", "IDF1", "IDSW")
HEADLINE_LEVEL = "final"


@dataclass(frozen=True)
class Result:
    """What was asked (params, weights) and what came out (metrics); timings are no part of it."""

    params: dict[str, Any]  # params.yaml
    metrics: dict[str, Any]  # level -> name -> figure, over all sequences
    per_sequence: dict[str, Any]  # sequence -> level -> name -> figure
    weights: dict[str, str]  # section -> "file: sha256"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole result; equal results have equal fingerprints on every machine."""
        parts = [self.params, self.metrics, self.per_sequence, self.weights]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    def flat_params(self) -> dict[str, str]:
        """Dotted key to text, cut to what MLflow takes."""
        return {key: _param_text(value) for key, value in leaves(self.params, ".").items()}

    def flat_metrics(self) -> dict[str, float]:
        """`HOTA` and its like of the final tracks, `final/HOTA` of a level, `sequences/plaza/final/HOTA` of one sequence.

        MLflow sorts by name, capitals first: so the few figures that people compare stand above the many. What is no finite
        number is left out.
        """
        headlines = {name: value for name, value in self.metrics.get(HEADLINE_LEVEL, {}).items() if name in HEADLINES}
        figures = headlines | leaves(self.metrics, "/") | leaves(self.per_sequence, "/", "sequences/")
        return {key: float(value) for key, value in figures.items() if isinstance(value, int | float) and math.isfinite(value)}


def weights_hashes(params: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """For each section with weights, `file: sha256` of what lies in their folder, or "absent"."""
    return {name: _hashes(folder / str(params[name]["weights"])) for name in SECTIONS_WITH_WEIGHTS if name in params}


def timing_metrics(timings: list[Timing]) -> dict[str, float]:
    """`Seconds` of all, `seconds/track` of a stage, `sequences/plaza/seconds/track` of one sequence; rates and peak memory."""
    metrics = {f"sequences/{t.sequence}/seconds/{t.stage}": t.wall_s for t in timings}
    metrics["Seconds"] = sum(t.wall_s for t in timings)
    for total in by_stage(timings):
        metrics[f"seconds/{total.stage}"] = total.wall_s
        metrics[f"peak_memory_mb/{total.stage}"] = total.peak_memory_mb
        if total.frames_per_s is not None:
            metrics[f"frames_per_s/{total.stage}"] = total.frames_per_s
    return metrics


def _hashes(folder: Path) -> str:
    return ", ".join(f"{path.name}: {sha256(path)}" for path in files_in(folder)) or ABSENT


def _param_text(value: Any) -> str:
    """Text as it is, everything else (and the empty text, which MLflow refuses) as JSON; cut with an ellipsis."""
    text = value if isinstance(value, str) and value else json.dumps(value, default=str)
    return text if len(text) <= MAX_PARAM_CHARACTERS else text[: MAX_PARAM_CHARACTERS - 3] + "..."
