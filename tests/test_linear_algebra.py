"""Linear algebra has one thread while stages compute, and afterwards what it had."""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from stages.linear_algebra import on_one_thread


def threads() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_one_thread_inside_and_as_many_as_before_outside() -> None:
    with threadpool_limits(2, "blas"):
        with on_one_thread():
            inside = threads()
        assert (inside, threads()) == ({1}, {2})
