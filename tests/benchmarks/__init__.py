"""How fast and how large: run by hand (`make bench`), never by pytest, because a busy machine must not fail a test."""

# what keeps a process to one thread; read when NumPy and numba are first imported
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
