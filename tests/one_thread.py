"""One thread for all that a worker of pytest-xdist runs. To be imported before NumPy and Numba, which read this.

Workers share the processors, so each runs one thread, and no thread waits in a busy loop: on two cores two programs of
two such threads are six times slower than two programs of one. Two threads are started all the same, for the tests that
compare the bits of one with those of two. The processes that a test starts inherit the settings, or set their own.
"""

import os

WORKER = "PYTEST_XDIST_WORKER" in os.environ
if WORKER:
    os.environ.update(NUMBA_NUM_THREADS="2", GOMP_SPINCOUNT="0", KMP_BLOCKTIME="0")
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", VECLIB_MAXIMUM_THREADS="1")
