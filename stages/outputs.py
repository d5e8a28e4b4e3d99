"""Every file and folder that stages wrote about one sequence alone, from the project's root."""

from pathlib import Path

from stages.artifacts import leftovers, temporary_names
from stages.versioning import SEQUENCES


def outputs(name: str) -> list[Path]:
    """The places, whether there is something or not, and what killed stages left beside them.

    The sequence's own folder is none of them; what was left beside it is.
    """
    artifacts = Path("artifacts")
    places = [
        artifacts / name,
        artifacts / "timings" / name,
        artifacts / "identities" / f"{name}.npz",
        *(group / f"{name}.npz" for group in artifacts.glob("galleries/*")),
        *Path(".chunks").glob(f"*/{name}"),
        artifacts / "quality" / f"{name}.json",
        artifacts / "scores" / f"{name}.json",
        artifacts / "stills" / name,
        artifacts / "diagnoses" / f"{name}.json",
        Path("reports/media") / name,
        Path("reports/sequences") / name,
    ]
    beside = [leftover for place in (*places, SEQUENCES / name) for leftover in leftovers(place)]
    return [*places, *beside, *Path("mlartifacts").glob(f"*/artifacts/**/{temporary_names(name)}")]
