"""The scores of one sequence at every level, as `evaluate` writes and `summarize` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.errors import DataError
from stages.scoring.across_cameras import IdentityMatches, matches_from_json
from stages.scoring.levels import LEVELS
from stages.scoring.tally import Tally, combine, tally_from_json
from stages.scoring.truth import Rules


@dataclass(frozen=True, eq=False)
class SequenceScores:
    """`rules` and `identities` are None, and `levels` empty, where there is no ground truth."""

    rules: Rules | None
    levels: Mapping[str, Tally]
    identities: IdentityMatches | None  # of the final tracks under the identities of the camera group

    def to_json(self, sequence: str) -> dict[str, Any]:
        """JSON values: for each level the figures to read and the counts to add up."""
        return {
            "sequence": sequence,
            "ground_truth": self.rules is not None,
            "rules": self.rules,
            "levels": {
                level: {"figures": combine([tally]).figures(), "counts": tally.to_json()}
                for level, tally in self.levels.items()
            },
            "identities": None if self.identities is None else self.identities.to_json(),
        }


def scores_from_json(values: Any, place: str) -> SequenceScores:
    """The scores that `to_json` wrote. Raises DataError naming place and key where they are anything else."""
    try:
        levels = {level: entry["counts"] for level, entry in values["levels"].items()}
        rules, counts = values["rules"], values["identities"]
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(f"{place}: expected the scores of a sequence, got: {error!r} (run `dvc repro`)") from error
    if set(levels) != (set() if rules is None else set(LEVELS)):
        raise DataError(f"{place}: expected the scores of a sequence at every level, got {', '.join(levels) or 'none'}")
    return SequenceScores(
        rules,
        {level: tally_from_json(tally, f"{place}: {level}") for level, tally in levels.items()},
        None if rules is None else matches_from_json(counts, f"{place}: identities"),
    )
