"""A table on disk: scalars and columns of equal length in one .npz, checked when made and when loaded.

Columns declare dtype and shape where they are declared (`column("f4", "N", 4)`); a letter is a length that all columns
sharing it must agree on. Equal arrays give equal bytes: the archive carries no clock (its entries are dated 1980).
"""

import dataclasses
import math
import struct
import tokenize
import zipfile
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import writing
from stages.errors import ContractError, DataError

MAX_LETTER, SURROGATES = 0x10FFFF, (0xD800, 0xDFFF)  # Unicode's last letter, and numbers that are none
UNREADABLE = (  # what zipfile and NumPy raise for damaged archives and headers; ValueError and OSError are their own
    zipfile.BadZipFile, struct.error, tokenize.TokenError, EOFError, KeyError, OSError, OverflowError, RecursionError,
    RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip


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
            good = value.dtype.kind == "U" and value.dtype.isnative if dtype.kind == "U" else value.dtype == dtype
            expect(good, field.name, f"dtype {dtype}", value.dtype)
            _check_text(field.name, value)
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
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        arrays = {field.name: np.asarray(getattr(self, field.name), order="C") for field in fields}  # one order, equal bytes
        with writing(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, schema=np.asarray(self.SCHEMA), **arrays)

    @classmethod
    def load(cls, path: Path, sequence: str | None = None) -> Self:
        """The table in this file, of this sequence where one is given.

        Raises DataError when it is missing, ContractError when it is anything else.
        """
        arrays = read_arrays(path)
        try:
            table = cls._from_arrays(arrays)
            found = getattr(table, "sequence", None)
            expect(sequence in (None, found), "sequence", sequence, found)
            return table
        except ContractError as error:
            raise ContractError(f"{path}: {error}") from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, Any]) -> Self:
        fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        schema = _scalar("schema", arrays.pop("schema", np.asarray("none")))
        expect(schema == cls.SCHEMA, "schema", cls.SCHEMA, schema)
        expect(set(arrays) == set(fields), "columns", ", ".join(fields), ", ".join(arrays))
        for name, field in fields.items():
            if "dtype" not in field.metadata:
                arrays[name] = _scalar(name, arrays[name])
        return cls(**arrays)


def _scalar(name: str, array: NDArray[Any]) -> Any:
    """The number or text in an array () of one."""
    expect(array.ndim == 0, name, "a scalar", f"shape {array.shape}")
    _check_text(name, array)
    return array.item()


def _check_text(name: str, array: NDArray[Any]) -> None:
    """Raises ContractError where an array of texts holds numbers that are no letters: Python raises later, and anything."""
    if array.dtype.kind == "U" and array.nbytes:
        codes = np.ascontiguousarray(array).reshape(-1).view(f"{array.dtype.byteorder}u4")
        foreign = (codes > MAX_LETTER) | (codes >= SURROGATES[0]) & (codes <= SURROGATES[1])
        expect(not foreign.any(), name, "letters", f"the number {codes[foreign][:1]}")


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays in an .npz as `np.savez` writes it, by name.

    Nothing is unpacked or unpickled, and no memory is taken that the file does not fill: members are stored and not packed, as
    long as their header says, and each is there once. Raises DataError when the file is missing, ContractError when it is
    anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = [member.filename.removesuffix(".npy") for member in members]
            expect(len(set(names)) == len(names), "members", "each once", ", ".join(names))
            packed = [member.filename for member in members if member.compress_type != zipfile.ZIP_STORED]
            expect(not packed, "members", "stored as np.savez does", f"{packed[:1]} packed")
            total, size = sum(member.file_size for member in members), path.stat().st_size
            expect(total <= size, "members", f"at most the file's {size} bytes", f"{total} declared")
            return {name: _read_member(archive, member) for name, member in zip(names, members, strict=True)}
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file, found none (run `dvc repro`)") from error
    except ContractError as error:
        raise ContractError(f"{path}: {error}") from error
    except UNREADABLE as error:
        raise ContractError(f"{path}: expected an .npz archive, got: {error or type(error).__name__}") from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """The array of a member, once its header has been found to describe just the bytes that follow."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        expect(version == (1, 0), member.filename, "an array of NumPy's format 1.0", version)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        expect(not dtype.hasobject, member.filename, "plain arrays", "objects, which are pickles")
        declared, there = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
        expect(
            min(shape, default=0) >= 0 and declared == there, member.filename, f"{declared} bytes for {shape} of {dtype}", there
        )
    with archive.open(member) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
