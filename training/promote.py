"""Takes over what was trained: copies the weights with a card, and registers them under an alias.

    python -m training.promote detector --to data/weights/my_detector

It takes the one weights file in artifacts/training/<network>/weights/ and the figures in evaluation/metrics.json beside it. The
folder is a new one, or one with an earlier promotion of the same network, whose weights and card are replaced.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stages.artifacts import read_json, write_text, writing
from stages.command import execute, log, parser
from stages.errors import DataError
from stages.lock_file import read_otherwise
from stages.params import check_weights_name
from stages.trusted import sha256, vouch
from stages.weights import weights_file
from stages.yaml_file import read_yaml
from training.sections import PARAMS
from training.tracking import Tracking, Version

NETWORKS = ("detector", "reid")
SUFFIXES = (".pt", ".pth", ".pth.tar")
TRAINED = Path("artifacts/training")
WEIGHTS = Path("data/weights")
CARD = "README.md"
LOCK = Path("training/dvc.lock")  # what DVC notes of the training


@dataclass(frozen=True)
class Trained:
    """What the training of a network left."""

    network: str
    weights: Path
    metrics: dict[str, Any]
    recipe: dict[str, Any]  # its sections of training/params.yaml


def find_trained(network: str) -> Trained:
    """Weights, figures and recipe. Raises DataError for what is missing, or what by DVC's notes does not belong together."""
    metrics = read_json(TRAINED / network / "evaluation" / "metrics.json")
    recipe = {name: section for name, section in read_yaml(PARAMS).items() if name.startswith(f"{network}_")}
    check_belonging(network, recipe)
    return Trained(network, weights_file(TRAINED / network / "weights", SUFFIXES), metrics, recipe)


def check_belonging(network: str, recipe: dict[str, Any]) -> None:
    """Returns when the weights were trained by this recipe, and the figures are theirs, as far as DVC has noted it.

    Raises DataError otherwise: a card would tell of other weights.
    """
    stages = (read_yaml(LOCK).get("stages") or {}) if LOCK.exists() else {}
    for stage in (f"{network}_data", f"{network}_train", f"{network}_evaluate"):
        noted = stages.get(stage, {}).get("params", {}).get(str(PARAMS), {})
        for section in noted:
            if noted[section] != recipe.get(section):
                raise DataError(
                    f"{PARAMS}: {section}: expected what {stage} ran with, got other numbers (take them back, or run "
                    "`dvc repro training/dvc.yaml`)"
                )
    if read_otherwise(stages, f"{network}_evaluate", f"{network}_train"):
        weights = TRAINED / network / "weights"
        raise DataError(f"{weights}: expected the weights that were evaluated, got others (run `dvc repro training/dvc.yaml`)")


def check_folder(folder: Path, network: str) -> None:
    """Returns when the folder can hold the weights: one of data/weights that is new, empty, or of an earlier promotion.

    Raises ParamsError where no parameter can name it, DataError where something else lies there.
    """
    check_weights_name(folder.name)
    if folder.parent.resolve() != WEIGHTS.resolve():
        raise DataError(f"--to: expected {WEIGHTS / folder.name}, where parameters find weights, got {folder}")
    found = sorted(path.name for path in folder.glob("*"))
    if found and (CARD not in found or _origin(network) not in (folder / CARD).read_text(encoding="utf-8", errors="replace")):
        raise DataError(
            f"{folder}: expected a new folder, or one with an earlier promotion of {network}, got one with {', '.join(found)}"
        )


def single_figures(metrics: dict[str, Any]) -> dict[str, float]:
    """The figures that are one number each."""
    return {name: float(value) for name, value in metrics.items() if isinstance(value, int | float)}


def format_card(name: str, trained: Trained) -> str:
    """The model card: figures, data and recipe, as Markdown."""
    figures = "".join(f"| {figure} | {value:g} |\n" for figure, value in single_figures(trained.metrics).items())
    return (
        f"# {name}\n\n"
        f"{_origin(trained.network)}\n\n"
        f"- File: {trained.weights.stat().st_size / 1e6:.1f} MB, SHA-256 `{sha256(trained.weights)}`\n\n"
        f"On pictures that the training has never seen:\n\n| figure | |\n| --- | --- |\n{figures}\n"
        f"Data and recipe, from training/params.yaml:\n\n```yaml\n{_yaml(trained.recipe)}```\n"
    )


def promote(trained: Trained, folder: Path, model: str, alias: str) -> Version:
    """Writes the weights and their card into the folder and registers them under the alias."""
    card = format_card(folder.name, trained)
    suffix = "".join(trained.weights.suffixes)
    write_text(folder / CARD, card)  # first: what is interrupted here can be promoted again
    with writing(folder / f"{folder.name}{suffix}") as temporary:
        temporary.write_bytes(trained.weights.read_bytes())
    vouch(folder, "trained by this project")
    return Tracking().register(model, alias, folder / f"{folder.name}{suffix}", card, single_figures(trained.metrics))


def _origin(network: str) -> str:
    """The line by which a card is known as one of this program."""
    return f"Trained by `dvc repro training/dvc.yaml`, taken over by `python -m training.promote {network}`."


def _yaml(node: dict[str, Any]) -> str:
    from io import StringIO

    text = StringIO()
    YAML(typ="safe").dump(node, text)
    return text.getvalue()


def main() -> None:
    options = parser(__doc__)
    options.add_argument("network", choices=NETWORKS)
    options.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="a folder under data/weights")
    options.add_argument("--model", help="name in the model registry (default: retrace-<network>)")
    options.add_argument("--alias", default="champion", help="alias that points to this version (default: champion)")
    args = options.parse_args()
    check_folder(args.to, args.network)
    model = args.model or f"retrace-{args.network}"
    version = promote(find_trained(args.network), args.to, model, args.alias)
    log.info("%s: %s, registered as %s version %d, alias %s", args.to, version.file, model, version.number, args.alias)


if __name__ == "__main__":
    execute(main)
