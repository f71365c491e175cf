"""Running a kernel on a given number of threads."""

import numba


def with_threads(count, kernel, *arguments):
    """What the kernel returns on so many threads; the number is then what it was."""
    before = numba.get_num_threads()
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    try:
        return kernel(*arguments)
    finally:
        numba.set_num_threads(before)
