"""Damage to an .npz that keeps its structure: lying headers, foreign arrays, pickles, bombs, doubled and hidden members."""

import io
import struct
import warnings
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.campaigns.mutations import mutated_bytes

Members = list[tuple[str, bytes]]
SHAPES = ("(1000000000000,)", "(-1,)", "(2, -1)", "()", "(0,)", "(0, 1000000000000000000)", "(2, 2)", "(1e3,)", "(True,)",
          "(9999999999999999999999,)", "(" * 150 + ")" * 150, "(3L,)", "'x'", "(3,", "(" + "-" * 3000 + "1,)")  # fmt: skip
DTYPES = ("'|O'", "'<U0'", "'<U1000000000'", "'>f4'", "'<f8'", "'<c8'", "'|V0'", "'|S5'", "'<M8[s]'", "'<i8'", "'|b1'",
          "[('a', '<f4')]", "('<f4', (1000000000,))", "'x'", "[('a', '|O')]", "None", "'<f2'", "[]")  # fmt: skip
VALUES = (np.nan, np.inf, -np.inf, -1, 0, 1, 2, 1e9, -(2.0**31), 2.0**31 - 1, 1e30, 0.5)
SCALARS: tuple[Any, ...] = (0, -1, 1, 2**31, 2**62, 2**64 - 1, 0.0, np.nan, np.inf, 1e308, True, "", "x" * 100_000, "../../x",
                            "a\nb", "\x1b[2J", b"bytes", 1j, None)  # fmt: skip


class Touch:
    """Unpickled, it makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("touched"),)


def mutated_archive(data: bytes, rng: Random) -> bytes:
    """The archive with damage to one or two members, to its directory, or to any of its bytes."""
    kind = rng.randrange(10)
    if kind < 3:
        return mutated_bytes(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    if kind == 3:
        return _directory_lies(_zipped(members), rng)
    for number in rng.sample(range(len(members)), rng.choice((1, 1, 2))):
        name, content = members[number]
        change = rng.choice((_foreign_header, _other_values, _other_values, _other_array, _other_scalar, mutated_bytes))
        members[number] = (name, change(content, rng))
    if kind == 4:
        _other_members(members, rng)
    packing = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)) if kind == 5 else zipfile.ZIP_STORED
    return _zipped(members, packing)


def bomb(data: bytes, name: str, megabytes: int) -> bytes:
    """The archive with a member of so many zeros, packed to a thousandth, in place of this one."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as archive,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
    ):
        for other in archive.namelist():
            if other != name:
                packed.writestr(other, archive.read(other))
        with packed.open(name, "w") as member:
            member.write(_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({megabytes * 2**18},), }}"))
            for _ in range(megabytes):
                member.write(bytes(2**20))
    return made.getvalue()


def _zipped(members: Members, packing: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        with zipfile.ZipFile(made, "w", packing) as archive:
            for name, content in members:
                archive.writestr(zipfile.ZipInfo(name), content, packing)
    return made.getvalue()


def _other_members(members: Members, rng: Random) -> None:
    """Takes a member out, doubles or renames one, or adds one that leaves the folder."""
    name, content = rng.choice(members)
    kind = rng.randrange(4)
    if kind == 0:
        members.remove((name, content))
    elif kind == 1:
        members.append((name, content))
    elif kind == 2:
        members[members.index((name, content))] = (
            rng.choice(("x.npy", "a\nb.npy", name.removesuffix(".npy"), "é.npy")),
            content,
        )
    else:
        members.append((rng.choice(("../../x.npy", "/etc/x.npy", "a/../b.npy", "x" * 60_000, "..\\x.npy", "folder/")), content))


def _directory_lies(data: bytes, rng: Random) -> bytes:
    """A field of a central directory entry, and now and then of the local header, overwritten."""
    damaged = bytearray(data)
    entries = [i for i in range(len(data) - 4) if data[i : i + 4] == b"PK\x01\x02"]
    place = rng.choice(entries)
    offset, size = rng.choice(((6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)))
    value = rng.choice((0, 1, 8, 9, 14, 99, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, rng.randrange(2**16))) % 2 ** (8 * size)
    damaged[place + offset : place + offset + size] = value.to_bytes(size, "little")
    if rng.random() < 0.3 and offset in (6, 8, 10, 16, 20, 24):
        local = struct.unpack("<I", data[place + 42 : place + 46])[0]
        damaged[local + offset - 2 : local + offset - 2 + size] = value.to_bytes(size, "little")
    return bytes(damaged)


def _header(text: str, version: bytes = b"\x01\x00") -> bytes:
    """The beginning of a .npy file that describes its array with this text."""
    padded = text.encode("latin1", errors="replace")
    padded += b" " * (-(len(padded) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", min(len(padded), 65535)) + padded


def _foreign_header(content: bytes, rng: Random) -> bytes:
    """The member with a header that says something else of the same data."""
    array = np.load(io.BytesIO(content))
    dtype = rng.choice(DTYPES) if rng.random() < 0.5 else repr(array.dtype.str)
    shape = rng.choice(SHAPES) if rng.random() < 0.6 else repr(array.shape)
    order = rng.choice(("True", "False", "False", "1"))
    fields = f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}"
    text = rng.choice((fields, fields, fields, "{}", "(" * 4000, "__import__('os').system('true')", fields + " " * 60_000, ""))
    version = rng.choice((b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
    whole: bytes = _header(text, version) + array.tobytes()
    return whole


def _npy(array: Any) -> bytes:
    made = io.BytesIO()
    np.save(made, array, allow_pickle=True)
    return made.getvalue()


def _other_values(content: bytes, rng: Random) -> bytes:
    """One entry, or the order of rows, changed; dtype and shape as they were."""
    array = np.load(io.BytesIO(content))
    if array.ndim == 0 or array.dtype.kind == "U" or array.size == 0:
        return _other_scalar(content, rng)
    if rng.random() < 0.3:
        order = list(range(len(array)))
        rng.shuffle(order)
        return _npy(array[order])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array.flat[rng.randrange(array.size)] = np.float64(rng.choice(VALUES)).astype(array.dtype)
    return _npy(array)


def _other_array(content: bytes, rng: Random) -> bytes:
    """The array in another dtype, shape, order or length; or objects, which are pickled."""
    array = np.load(io.BytesIO(content))
    kind = rng.randrange(9)
    if kind == 0:
        return _npy(np.array([Touch()], dtype=object))
    if kind == 1:
        return _npy(np.asfortranarray(array))
    if kind == 2:
        return _npy(array.astype(array.dtype.newbyteorder(">")))
    if kind == 3:
        return _npy(array.reshape(-1))
    if kind == 4:
        return _npy(array[None])
    if kind == 5:
        return _npy(array[:0] if array.ndim else np.zeros(0, dtype=array.dtype))
    if kind == 6:
        return _npy(np.concatenate([array, array]) if array.ndim else array)
    if kind == 7:
        return _npy(array.astype("U32"))
    damaged = bytearray(_npy(array.astype("U8")))
    damaged[-4:] = b"\xff\xff\xff\x7f"  # no code point
    return bytes(damaged)


def _other_scalar(content: bytes, rng: Random) -> bytes:
    return _npy(np.asarray(rng.choice(SCALARS)))
