"""A trained Re-ID network to figures: how well it finds a person's crops of other cameras, by the protocol of Market-1501.

Crops are encoded as `embed` does it, with its section of the pipeline's params.yaml. Beside all people in one gallery, each
sequence (scene) is evaluated by itself, where people are more alike; a colour histogram says how hard the data set is.
"""

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.artifacts import write_json, writing, writing_folder
from stages.command import execute, stage_options, stage_run
from stages.devices import prepare_device
from stages.params import Range, load_section
from stages.pins import check_pins
from stages.reid.encoder import EmbedParams
from stages.reid.torchreid_encoder import TorchreidEncoder
from stages.weights import weights_file
from training.reid.checking import check_test
from training.reid.crops import Crops, Ints
from training.reid.distances import spreads
from training.reid.features import color_histograms, encode
from training.reid.market import GALLERY, QUERY, read_market
from training.reid.ranked_lists import draw_ranked_lists, nearest
from training.reid.ranking import Floats, Scores, average_precision, distances, rank_all, summarize
from training.reid.training import TrainParams
from training.sections import load_training_section

DIGITS = 4


@dataclass(frozen=True)
class EvaluateParams:
    """What is drawn."""

    worst_queries: Annotated[int, Range(1, 1000)]
    list_length: Annotated[int, Range(1, 100)]


@dataclass(frozen=True, eq=False)
class Test:
    """Queries and gallery with their features at length 1, (Q, D) and (G, D)."""

    query: Crops
    gallery: Crops
    query_features: Floats
    gallery_features: Floats

    def ranks(self) -> list[Ints]:
        """`rank_all` of the whole gallery."""
        return rank_all(self.query_features, self.gallery_features, self.query, self.gallery)

    def ranks_by_sequence(self) -> list[Ints]:
        """The same where each sequence is a gallery of its own; sequence by sequence."""
        ranks: list[Ints] = []
        for sequence in np.unique(self.query.sequence_ids):
            asked, there = self.query.sequence_ids == sequence, self.gallery.sequence_ids == sequence
            ranks += rank_all(
                self.query_features[asked], self.gallery_features[there], self.query.rows(asked), self.gallery.rows(there)
            )
        return ranks


def figures(network: Test, histogram: Test) -> dict[str, Any]:
    """All figures, rounded to what they say."""
    made: dict[str, Any] = {
        "people": len(np.unique(network.query.identity_ids)),
        "gallery": len(network.gallery),
        **_named(summarize(network.ranks())),
        "color_histogram": _named(summarize(histogram.ranks())),
    }
    if len(np.unique(network.query.sequence_ids)) > 1:
        made["within_sequences"] = _named(summarize(network.ranks_by_sequence()))
    found = spreads(network.query_features, network.gallery_features, network.query, network.gallery)
    made["distances"] = {
        kind: {name: round(value, 3) for name, value in asdict(spread).items()} for kind, spread in found.items()
    }
    return made


def _named(scores: Scores) -> dict[str, float | int]:
    """The figures under the field's names."""
    names = {"rank1": "Rank-1", "rank5": "Rank-5", "rank10": "Rank-10", "mean_average_precision": "mAP",
             "mean_inverse_negative_penalty": "mINP", "queries": "queries"}  # fmt: skip
    return {names[name]: round(value, DIGITS) for name, value in asdict(scores).items()}


def draw_worst(test: Test, params: EvaluateParams) -> NDArray[np.uint8]:
    """The queries with the lowest average precision, each with its ranked list."""
    ranks = test.ranks()
    findable = np.array([row for row, found in enumerate(ranks) if len(found)], dtype=np.int64)
    precision = np.array([average_precision(ranks[row]) for row in findable])
    worst = findable[np.argsort(precision, kind="stable")[: params.worst_queries]]
    lists = [
        nearest(distances(test.query_features[row : row + 1], test.gallery_features)[0], test.query, row, test.gallery,
                params.list_length)
        for row in worst.tolist()
    ]  # fmt: skip
    return draw_ranked_lists(test.query, worst, test.gallery, lists)


def main() -> None:
    args = stage_options(__doc__, "pins", "dataset", "weights", "evaluation", "timings")
    check_pins(args.pins)
    params = load_training_section(EvaluateParams, "reid_evaluate")
    model = load_training_section(TrainParams, "reid_train").model
    embed = replace(load_section(EmbedParams, "embed"), model=model)
    device = prepare_device("embed", embed.threads, embed.half)
    encoder = TorchreidEncoder(weights_file(args.weights, (".pth", ".pth.tar")), embed, device)
    with stage_run("reid_evaluate", "all", args.timings) as run, writing_folder(args.evaluation) as folder:
        query, gallery = read_market(args.dataset / QUERY), read_market(args.dataset / GALLERY)
        check_test(args.dataset, query, gallery)
        with run.computing():
            test = Test(query, gallery, *(encode(crops, encoder, embed.batch_size) for crops in (query, gallery)))
            histogram = Test(query, gallery, color_histograms(query), color_histograms(gallery))
            made = figures(test, histogram)
        write_json(folder / "metrics.json", made)
        with writing(folder / "worst_queries.png") as temporary:
            temporary.write_bytes(cv2.imencode(".png", draw_worst(test, params))[1].tobytes())
        run.counts = {"queries": len(query), "gallery": len(gallery)}


if __name__ == "__main__":
    execute(main)
