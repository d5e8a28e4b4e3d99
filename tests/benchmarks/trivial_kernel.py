"""The least that a process with a compiled kernel costs: import numba, load one trivial kernel from its cache, call it."""

import numba


@numba.njit(cache=True)
def increment(value: int) -> int:
    return value + 1


if __name__ == "__main__":
    increment(1)
