"""Every file and folder that stages wrote about one sequence alone, from the project's root."""

from pathlib import Path

from stages.artifacts import leftovers, temporary_names
from stages.versioning import SEQUENCES

ARTIFACTS = Path("artifacts")  # as dvc.yaml has it


def outputs(name: str) -> list[Path]:
    """The places, whether there is something or not, and what killed stages left beside them.

    The sequence's own folder is none of them; what was left beside it is.
    """
    places = [
        ARTIFACTS / name,
        ARTIFACTS / "timings" / name,
        ARTIFACTS / "identities" / f"{name}.npz",
        *(group / f"{name}.npz" for group in ARTIFACTS.glob("galleries/*")),
        *Path(".chunks").glob(f"*/{name}"),
        ARTIFACTS / "quality" / f"{name}.json",
        ARTIFACTS / "scores" / f"{name}.json",
        ARTIFACTS / "stills" / name,
        ARTIFACTS / "diagnoses" / f"{name}.json",
        Path("reports/media") / name,
        Path("reports/sequences") / name,
    ]
    beside = [leftover for place in (*places, SEQUENCES / name) for leftover in leftovers(place)]
    return [*places, *beside, *Path("mlartifacts").glob(f"*/artifacts/**/{temporary_names(name)}")]
