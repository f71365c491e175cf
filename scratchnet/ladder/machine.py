"""The task of the rungs, the clock that times them, and what the machine can do at most: its roofline.

Source of the roofline: Williams, Waterman, Patterson, "Roofline", Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.gemm.micro_kernel import HEIGHTS, NO, ONE, ZERO, micro_kernel, panel_width
from scratchnet.kernels.cpu.gemm.operands import Depth, Left, Right, Rows
from scratchnet.kernels.cpu.runtime.jit import BLOCK, parallel
from scratchnet.ladder.rungs import zeros_for_output


class Task(NamedTuple):
    """Random pictures and filters, with the work that their convolution is."""

    x: np.ndarray
    w: np.ndarray

    @property
    def work(self) -> int:
        """Multiplications and additions."""
        return 2 * zeros_for_output(self.x, self.w).size * int(np.prod(self.w.shape[:3]))

    @property
    def traffic(self) -> int:
        """Bytes of x, w and y, each once: the least that must move between memory and processor."""
        return self.x.nbytes + self.w.nbytes + zeros_for_output(self.x, self.w).nbytes


def task(N: int, H: int, C: int, F: int, kernel: int = 3, seed: int = 0) -> Task:
    """N pictures of H x H pixels and C channels, F filters of kernel x kernel, float32."""
    rng = np.random.default_rng(seed)
    return Task(rng.random((N, H, H, C), np.float32), rng.random((kernel, kernel, C, F), np.float32))


def seconds(function: Callable[[], object], repeat: int = 15) -> float:
    """The shortest time of some calls, after a first call that compiles.

    Other programs on the machine can only make a call longer, so the shortest comes nearest to what the call itself
    takes. Source: the documentation of Python's `timeit`.
    """
    function()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


@parallel
def _tiles(height_index, steps, times, a, b, y, zeros):
    # Every thread multiplies tiles whose numbers stay in its first-level cache.
    width = len(zeros)
    for thread in prange(len(y)):
        left, right, depth = Left(ZERO, steps, ZERO, ZERO, ONE), Right(ZERO, ZERO, ZERO, width), Depth(ONE, ONE, steps)
        out = y[thread]
        for _ in range(times):
            micro_kernel(
                height_index, a, left, b, right, depth, zeros, Rows(ZERO, ZERO), out, Rows(ZERO, width), NO,
            )  # fmt: skip


def tile_speed(height: int) -> float:
    """GFLOP/s of register tiles with `height` rows, on all threads, numbers at hand: what the processor can do.

    Raises:
        ValueError: tiles of that height are not compiled on this machine.
    """
    if height not in HEIGHTS:
        raise ValueError(f"expected a height among {HEIGHTS}, got {height!r}.")
    width, steps, times, threads = panel_width(4), 128, 4000 // height, numba.get_num_threads()
    a, b = np.ones(height * steps, np.float32), np.ones(width * steps, np.float32)
    y, zeros = np.empty((threads, height * width * 64), np.float32), np.zeros(width, np.float32)
    once = seconds(lambda: _tiles(HEIGHTS.index(height), steps, times, a, b, y, zeros), repeat=25)
    return 2e-9 * height * width * steps * times * threads / once


@parallel
def _copy(x, y):
    for block in prange(len(x) // BLOCK):
        a, b = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            b[e] = a[e]


def memory_speed(megabytes: int = 256) -> float:
    """GB/s that all threads together read and write, of an array that no cache holds."""
    x = np.ones(megabytes << 18, np.float32)
    y = np.empty_like(x)
    return 2 * x.nbytes / seconds(lambda: _copy(x, y), repeat=15) / 1e9
