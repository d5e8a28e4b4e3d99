"""Every file and folder that stages wrote about one sequence alone, from the project's root."""

from pathlib import Path


def outputs(name: str) -> list[Path]:
    """The places, whether there is something or not; the sequence's own folder is none of them."""
    artifacts = Path("artifacts")
    return [
        artifacts / name,
        artifacts / "timings" / name,
        artifacts / "identities" / f"{name}.npz",
        *artifacts.glob(f"galleries/*/{name}.npz"),
        *Path(".chunks").glob(f"*/{name}"),
        artifacts / "quality" / f"{name}.json",
        artifacts / "scores" / f"{name}.json",
        artifacts / "stills" / name,
        artifacts / "diagnoses" / f"{name}.json",
        Path("reports/media") / name,
        Path("reports/sequences") / name,
    ]
