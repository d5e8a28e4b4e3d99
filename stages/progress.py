"""A progress bar for work of more than a few seconds, silent where the output is no terminal."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from stages.log_lines import wants_json

T = TypeVar("T")


def progress(items: Iterable[T], description: str, total: int | None = None, unit: str = "frame") -> Iterator[T]:
    """The items again, with rate and time left on stderr when it is a terminal that people read."""
    hidden = True if wants_json() else None  # None: where it is no terminal
    yield from tqdm(items, desc=description, total=total, unit=unit, disable=hidden, dynamic_ncols=True, leave=False)
