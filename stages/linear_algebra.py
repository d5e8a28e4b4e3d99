"""NumPy's and SciPy's linear algebra on one thread.

The products of a tracklet's views are small: threads wait for each other longer than they work, above all where the machine is
busy, and sums round otherwise with each number of them.
"""

from threadpoolctl import threadpool_limits


def on_one_thread() -> threadpool_limits:
    """A context in which BLAS has one thread; libraries must have been imported before."""
    return threadpool_limits(1, "blas")
