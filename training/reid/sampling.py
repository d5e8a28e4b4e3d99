"""PK sampling: batches of P people with K crops each (Hermans et al., In Defense of the Triplet Loss, arXiv:1703.07737).

Part of a batch's people come from one sequence, where light, place and fashion are the same: negatives there are harder.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from stages.errors import ParamsError
from stages.params import Range
from training.reid.crops import Crops, Ints


@dataclass(frozen=True)
class SamplingParams:
    """`identities` is P, `crops` is K; so many of the P come from one sequence at a time."""

    identities: Annotated[int, Range(2, 1024)]
    crops: Annotated[int, Range(2, 64)]
    from_one_sequence: Annotated[int, Range(1, 1024)]

    def __post_init__(self) -> None:
        if self.from_one_sequence > self.identities:
            raise ParamsError(f"from_one_sequence: expected at most the {self.identities} people of a batch, got "
                              f"{self.from_one_sequence}")  # fmt: skip


def batches(crops: Crops, params: SamplingParams, rng: np.random.Generator) -> list[Ints]:
    """The rows (P * K,) of each batch of an epoch, in which each crop comes about once.

    Rounds follow each other; in each, every person who has crops left gives K of them. People with fewer than K in all give
    some of them twice.
    """
    draws = {int(name): _draws(crops, int(name), params.crops, rng) for name in np.unique(crops.identity_ids)}
    homes = {int(name): int(home) for name, home in zip(crops.identity_ids, crops.sequence_ids, strict=True)}
    made: list[Ints] = []
    for number in range(max(len(parts) for parts in draws.values())):
        order = _mixed({name: homes[name] for name, parts in draws.items() if number < len(parts)}, params, rng)
        for first in range(0, len(order) - params.identities + 1, params.identities):
            made.append(np.concatenate([draws[name][number] for name in order[first : first + params.identities]]))
    return [made[k] for k in rng.permutation(len(made))]  # late rounds are of people with many crops


def _draws(crops: Crops, name: int, size: int, rng: np.random.Generator) -> list[Ints]:
    """The person's rows by chance in parts of `size`, cameras taking turns: positives from elsewhere are the harder ones."""
    rows = rng.permutation(np.flatnonzero(crops.identity_ids == name))
    cameras = crops.camera_ids[rows]
    turns = np.array([np.count_nonzero(cameras[:k] == camera) for k, camera in enumerate(cameras)])
    rows = rows[np.argsort(turns, kind="stable")]
    if len(rows) < size:
        return [np.resize(rows, size)]
    return [rows[first : first + size] for first in range(0, len(rows) - size + 1, size)]


def _mixed(homes: dict[int, int], params: SamplingParams, rng: np.random.Generator) -> list[int]:
    """The people in an order by chance that keeps groups of one sequence together."""
    by_home: dict[int, list[int]] = {}
    for name in rng.permutation(list(homes)).tolist():
        by_home.setdefault(homes[name], []).append(name)
    size = params.from_one_sequence
    groups = [names[first : first + size] for names in by_home.values() for first in range(0, len(names), size)]
    return [name for k in rng.permutation(len(groups)) for name in groups[k]]
