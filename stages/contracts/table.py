"""A table on disk: scalars and columns of equal length in one .npz, checked when made and when loaded.

Columns declare dtype and shape where they are declared (`column("f4", "N", 4)`); a letter is a length that all columns
sharing it must agree on. Equal arrays give equal bytes: the archive carries no clock (its entries are dated 1980).
"""

import dataclasses
import tokenize
import zipfile
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from stages.artifacts import writing
from stages.errors import ContractError, DataError


def column(dtype: str, *shape: str | int) -> Any:
    """A dataclass field for an array of this dtype and shape."""
    return dataclasses.field(metadata={"dtype": dtype, "shape": shape})


def expect(condition: object, place: str, expectation: object, finding: object) -> None:
    """Raises ContractError `place: expected ..., got ...` unless the condition holds."""
    if not condition:
        raise ContractError(f"{place}: expected {expectation}, got {finding}")


def first_row(bad: Any) -> str:
    """The first row number where the mask (N,) or (N, D) holds, as text for a message."""
    return f"row {int(np.argwhere(bad)[0][0])}"


class Table:
    """What all contracts share: checks of dtype, shape and finiteness, saving and loading."""

    SCHEMA: ClassVar[str]

    def __post_init__(self) -> None:
        lengths: dict[str, int] = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if "dtype" not in field.metadata:
                expect(type(value) is field.type, field.name, f"{getattr(field.type, '__name__', field.type)}", repr(value))
                continue
            dtype, shape = np.dtype(field.metadata["dtype"]), field.metadata["shape"]
            expect(isinstance(value, np.ndarray), field.name, "an array", type(value).__name__)
            good = value.dtype.kind == "U" if dtype.kind == "U" else value.dtype == dtype
            expect(good, field.name, f"dtype {dtype}", value.dtype)
            wanted = tuple(lengths.get(part, part) if isinstance(part, str) else part for part in shape)
            fits = len(wanted) == value.ndim and all(
                isinstance(w, str) or w == n for w, n in zip(wanted, value.shape, strict=True)
            )
            expect(fits, field.name, f"shape ({', '.join(map(str, wanted))})", value.shape)
            lengths.update({part: n for part, n in zip(shape, value.shape, strict=True) if isinstance(part, str)})
            if dtype.kind == "f":
                bad = ~np.isfinite(value)
                expect(not bad.any(), field.name, "finite values", f"NaN or infinity in {first_row(bad) if bad.any() else ''}")
        self.check_rows()

    def check_rows(self) -> None:
        """Checks what dtype and shape do not say: ranges, order, uniqueness. Raises ContractError."""

    def save(self, path: Path) -> None:
        """Writes the table, whole or not at all."""
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        with writing(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, schema=np.asarray(self.SCHEMA), **arrays)

    @classmethod
    def load(cls, path: Path, sequence: str | None = None) -> Self:
        """The table in this file, of this sequence where one is given.

        Raises DataError when it is missing, ContractError when it is anything else.
        """
        try:
            opened = np.load(path, allow_pickle=False)
            if not isinstance(opened, np.lib.npyio.NpzFile):
                raise ContractError(f"{path}: expected an .npz archive, got a single array")
            with opened as archive:
                arrays = {name: archive[name] for name in archive.files}
        except FileNotFoundError as error:
            raise DataError(f"{path}: expected a file, found none (run `dvc repro`)") from error
        except (zipfile.BadZipFile, EOFError, KeyError, OSError) as error:
            raise ContractError(f"{path}: expected an .npz archive, got: {error}") from error
        except ContractError:
            raise
        except (ValueError, SyntaxError, tokenize.TokenError, MemoryError) as error:  # a pickle, a damaged header
            raise ContractError(f"{path}: expected plain arrays, got: {error}") from error
        try:
            table = cls._from_arrays(arrays)
            found = getattr(table, "sequence", None)
            expect(sequence in (None, found), "sequence", sequence, found)
            return table
        except ContractError as error:
            raise ContractError(f"{path}: {error}") from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, Any]) -> Self:
        schema = str(arrays.pop("schema", "none"))
        expect(schema == cls.SCHEMA, "schema", cls.SCHEMA, schema)
        fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        expect(set(arrays) == set(fields), "columns", ", ".join(fields), ", ".join(arrays))
        for name, field in fields.items():
            if "dtype" not in field.metadata:
                expect(arrays[name].ndim == 0, name, "a scalar", f"shape {arrays[name].shape}")
                arrays[name] = arrays[name].item()
        return cls(**arrays)
