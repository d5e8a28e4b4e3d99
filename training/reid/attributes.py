"""What people can be told apart by, as labels of each identity: cut, colours and pattern of clothes, hair, bag.

A network that must name them from the very features it knows people by (Lin et al., Improving Person Re-identification by
Attribute and Identity Learning, arXiv:1703.07220) learns to see them on people whom it was never shown.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from stages.colors import css_color
from stages.errors import DataError
from stages.world.looks import Look

FILE = "attributes.csv"  # beside the folders of crops: identity_id, then a column of names for each attribute
IDENTITY = "identity_id"
HATS = ("cap", "beanie", "headscarf")


class AttributeHeads(torch.nn.Module):
    """Names the attributes of people from their features (B, D); codes (I, A) of the identities."""

    codes: torch.Tensor

    def __init__(self, feature_dim: int, codes: NDArray[np.int64]) -> None:
        super().__init__()
        self.heads = torch.nn.ModuleList(torch.nn.Linear(feature_dim, int(column.max()) + 1) for column in codes.T)
        self.register_buffer("codes", torch.from_numpy(codes), persistent=False)

    def loss(self, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy over attributes, as the paper has it, of features of the identities numbered `labels` (B,)."""
        wanted = self.codes[labels]
        losses = [torch.nn.functional.cross_entropy(head(features), wanted[:, k]) for k, head in enumerate(self.heads)]
        return torch.stack(losses).mean()


def attributes_of(look: Look) -> dict[str, str]:
    """The attributes of a person of the sample world, as they can be seen: no colour of a bag that is not there."""
    dress, hat = look.top == "dress", look.hair in HATS
    head_color = look.hat_color if hat else look.skin if look.hair == "bald" else look.hair_color
    return {
        "skin": css_color(look.skin),
        "hair": look.hair,
        "head_color": css_color(head_color),
        "top": look.top,
        "top_color": css_color(look.top_color),
        "pattern": look.pattern,
        "pattern_color": "none" if look.pattern == "plain" else css_color(look.pattern_color),
        "bottom": "none" if dress else look.bottom,
        "bottom_color": "none" if dress else css_color(look.bottom_color),
        "shoe_color": css_color(look.shoe_color),
        "bag": look.bag,
        "bag_color": "none" if look.bag == "none" else css_color(look.bag_color),
    }


def write_attributes(dataset: Path, people: dict[int, dict[str, str]]) -> None:
    """Writes the table of identities with their attributes into a data set that is being made."""
    table = pd.DataFrame.from_dict(people, orient="index").sort_index()
    table.to_csv(dataset / FILE, index_label=IDENTITY)


def read_attributes(dataset: Path, identities: NDArray[np.int64]) -> NDArray[np.int64]:
    """(I, A) codes from 0 of the identities' attributes. Raises DataError where the table is missing or lacks one of them."""
    path = dataset / FILE
    if not path.is_file():
        raise DataError(f"{path}: expected a table of attributes, found none; reid_train.loss.attribute_weight 0 needs none")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # empty, ragged or no text
        raise DataError(f"{path}: expected a table of attributes, got: {str(error).strip()}") from error
    if table.columns[0] != IDENTITY or len(table.columns) < 2:
        raise DataError(f"{path}: expected columns {IDENTITY} and attributes, got {', '.join(map(str, table.columns))}")
    rows = {name: row for row, name in enumerate(table[IDENTITY])}
    missing = [int(identity) for identity in identities if str(identity) not in rows]
    if missing:
        raise DataError(f"{path}: expected a row for each identity, got none for {missing[0]}")
    chosen = table.iloc[[rows[str(identity)] for identity in identities], 1:]
    return np.stack([np.unique(chosen[name], return_inverse=True)[1] for name in chosen.columns], axis=1).astype(np.int64)
