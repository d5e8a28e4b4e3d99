"""Damage to bytes and to text: what disks, copies, other programs and malice do to a file."""

from collections.abc import Callable
from random import Random

Mutation = Callable[[bytes, Random], bytes]

NUMBERS = (
    "nan", "inf", "-inf", "-1", "0", "1", "-0.0", "1e308", "-1e308", "1e999", "1e-320", "2147483647", "2147483648",
    "9223372036854775808", "1" + 5000 * "0", "0x10", "0o17", "1_0", "\uff11\uff12", "1.5", "1e3", "1d3", "1,5", "", " ", "abc",
    "--1", "+1", "1e", ".", "True", "null", "1j", "1#2", '"1"', "[1]", "{}", "\x00", "\x1b[31m", "\ud7ff", "%s",
    "${x}", "../../x",
)  # fmt: skip
SEPARATORS = "\r\n\t\x0b\x0c\x1c\x85\u2028 ,;:=[]{}'\"#&*!|>%@`-?"
LINES = (
    "[[[[[[[[[[[[[[[[[[[[", "a: &a [*a]", "<<: *a", "- - - - - - -", "? {a: [b]}\n: c",
    "!!python/object/apply:os.system ['true']",
    "!!binary x", "!!timestamp 2001-99-99", "!!set {a}", "--- \n...", "%YAML 9.9", "%TAG ! tag:x,2000:", "[DEFAULT]",
    "[Sequence]", "name=x", "x" * 5000, "[" * 3000, "{a: " * 500, "- " * 2000, "a" + " " * 5000 + "b", "key: |2\n x", "\ufeff",
    "__class__: x", "1: 2", "null: null", "? [1]\n: 2", "2001-01-01: x", ".nan: 1", "a: 1:2:3", "a: !!float x", "a: !!int 0b",
)  # fmt: skip


def mutated_bytes(data: bytes, rng: Random) -> bytes:
    """The bytes with one to four pieces of damage: flipped, cut, doubled, overwritten, inserted."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(damaged) + 1)
        length = rng.choice((1, 1, 2, 4, 8, 64))
        kind = rng.randrange(6)
        if kind == 0 and place < len(damaged):
            damaged[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del damaged[place:]
        elif kind == 2:
            del damaged[place : place + length]
        elif kind == 3:
            damaged[place : place + length] = bytes(rng.randrange(256) for _ in range(length))
        elif kind == 4:
            damaged[place:place] = damaged[place : place + length]
        else:
            damaged[place : place + length] = rng.choice((b"\x00", b"\xff", b"\x80", b"\x7f")) * length
    return bytes(damaged)


def mutated_text(data: bytes, rng: Random) -> bytes:
    """The text with one to four lines or words changed, now and then with damaged bytes."""
    if rng.random() < 0.15:
        return mutated_bytes(data, rng)
    lines = data.decode("utf-8").split("\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        number = rng.randrange(len(lines))
        kind = rng.randrange(8)
        if kind == 0:
            lines[number : number + 1] = []
        elif kind == 1:
            lines.insert(number, lines[rng.randrange(len(lines))])
        elif kind == 2:
            lines.insert(number, rng.choice(LINES))
        elif kind == 3:
            place = rng.randrange(len(lines[number]) + 1)
            lines[number] = lines[number][:place] + rng.choice(SEPARATORS) + lines[number][place:]
        else:
            lines[number] = _with_another_word(lines[number], rng)
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", errors="surrogatepass")


def _with_another_word(line: str, rng: Random) -> str:
    """The line with one of its words, between separators, replaced, taken out or repeated."""
    bounds = [0, *(i for i, letter in enumerate(line) if letter in " ,=:[]{}\t"), len(line)]
    start = rng.randrange(len(bounds) - 1) if len(bounds) > 1 else 0
    first, last = bounds[start], bounds[min(start + 1, len(bounds) - 1)]
    first += first < len(line) and line[first] in " ,=:[]{}\t"
    word = rng.choice((*NUMBERS, "", line[first:last] * 2, line[first:last] + "," + line[first:last]))
    return line[:first] + word + line[last:]
