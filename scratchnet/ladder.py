"""Convolution seven times, each faster than the one before: the rungs of the notebook A1_making_convolution_fast.

Every rung has the same task: y[n,i,j,f] = sum over k, l, c of x[n, i+k, j+l, c] * w[k,l,c,f], stride 1, no padding,
x (N, H, W, C), w (KH, KW, C, F), float32 or float64. Beside them, what the machine itself can do: its roofline.

Source of the roofline: Williams, Waterman, Patterson, "Roofline", Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.correlate import Kernel, Weights, correlate
from scratchnet.kernels.cpu.jit import parallel, serial
from scratchnet.kernels.cpu.simd import VECTOR_BYTES
from scratchnet.kernels.cpu.tile import HEIGHTS, add_products, panel_width
from scratchnet.kernels.cpu.winograd import slide_tiles
from scratchnet.kernels.cpu.winograd_schemes import Scheme


def _output(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.zeros((len(x), x.shape[1] - w.shape[0] + 1, x.shape[2] - w.shape[1] + 1, w.shape[3]), x.dtype)


def python_loops(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The sum as it is written: seven loops of Python."""
    y = _output(x, w)
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for f in range(y.shape[3]):
                    for k in range(w.shape[0]):
                        for m in range(w.shape[1]):
                            for c in range(w.shape[2]):
                                y[n, i, j, f] += x[n, i + k, j + m, c] * w[k, m, c, f]
    return y


@serial
def _compiled_loops(x, w, y):
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for f in range(y.shape[3]):
                    for k in range(w.shape[0]):
                        for m in range(w.shape[1]):
                            for c in range(w.shape[2]):
                                y[n, i, j, f] += x[n, i + k, j + m, c] * w[k, m, c, f]


def compiled_loops(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The same loops, compiled by Numba."""
    y = _output(x, w)
    _compiled_loops(x, w, y)
    return y


@parallel
def _parallel_loops(x, w, y):
    for n in prange(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for f in range(y.shape[3]):
                    for k in range(w.shape[0]):
                        for m in range(w.shape[1]):
                            for c in range(w.shape[2]):
                                y[n, i, j, f] += x[n, i + k, j + m, c] * w[k, m, c, f]


def parallel_loops(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The same loops, the pictures shared out among threads."""
    y = _output(x, w)
    _parallel_loops(x, w, y)
    return y


@parallel
def _filters_innermost(x, w, y):
    for n in prange(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                out = y[n, i, j]
                for k in range(w.shape[0]):
                    for m in range(w.shape[1]):
                        for c in range(w.shape[2]):
                            number, row = x[n, i + k, j + m, c], w[k, m, c]
                            for f in range(len(out)):
                                out[f] += number * row[f]


def filters_innermost(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The loops in another order: along f all numbers are neighbours, so one instruction takes many of them."""
    y = _output(x, w)
    _filters_innermost(x, w, y)
    return y


def im2col(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """All windows copied into the rows of one matrix, then NumPy's matrix product, which is a BLAS library's."""
    KH, KW, C, F = w.shape
    views = np.lib.stride_tricks.sliding_window_view(x, (KH, KW), axis=(1, 2))  # (N, OH, OW, C, KH, KW)
    N, OH, OW = views.shape[:3]
    rows = views.transpose(0, 1, 2, 4, 5, 3).reshape(N * OH * OW, KH * KW * C)
    return (rows @ w.reshape(KH * KW * C, F)).reshape(N, OH, OW, F)


def _slide(way: Callable[..., None], x: np.ndarray, w: np.ndarray) -> np.ndarray:
    y, (KH, KW, C, F) = _output(x, w), w.shape
    _, OH, OW, _ = y.shape
    weights = Weights(w.reshape(-1), 0, KW * C * F, C * F, F, 1)
    way(x, weights, None, Kernel(KH, KW, 1, 1, 0, 0), False, y.reshape(-1), 0, (OH * OW * F, OW * F, F), (OH, OW), F)
    return y


def register_tile(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Sums held in registers: the kernel that scratchnet's layers use."""
    return _slide(correlate, x, w)


def fewer_multiplications(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """On the register tile, four outputs at a time from 16 products where the formula has 36: see `winograd`.

    Raises:
        ValueError: kernels of another size than 2 x 2 or 3 x 3, or channels that leave a part of a vector.
    """
    KH, KW, C, F = w.shape
    lanes = VECTOR_BYTES // x.itemsize
    if KH not in (2, 3) or KH != KW or C % lanes or F % lanes:
        raise ValueError(
            f"expected w of shape (3, 3, C, F) or (2, 2, C, F) with C and F multiples of {lanes}, got {w.shape}."
        )
    return _slide(functools.partial(slide_tiles, Scheme(KH, 2)), x, w)


RUNGS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "loops in Python": python_loops,
    "the same, compiled": compiled_loops,
    "the same, all cores": parallel_loops,
    "filters innermost": filters_innermost,
    "im2col and @": im2col,
    "register tile": register_tile,
    "fewer multiplications": fewer_multiplications,
}


class Task(NamedTuple):
    """Random pictures and filters, with the work that their convolution is."""

    x: np.ndarray
    w: np.ndarray

    @property
    def work(self) -> int:
        """Multiplications and additions."""
        return 2 * _output(self.x, self.w).size * int(np.prod(self.w.shape[:3]))

    @property
    def traffic(self) -> int:
        """Bytes of x, w and y, each once: the least that must move between memory and processor."""
        return self.x.nbytes + self.w.nbytes + _output(self.x, self.w).nbytes


def task(N: int, H: int, C: int, F: int, kernel: int = 3, seed: int = 0) -> Task:
    """N pictures of H x H pixels and C channels, F filters of kernel x kernel, float32."""
    rng = np.random.default_rng(seed)
    return Task(rng.random((N, H, H, C), np.float32), rng.random((kernel, kernel, C, F), np.float32))


def seconds(function: Callable[[], object], repeat: int = 15) -> float:
    """The median time of one call, after a first call that compiles."""
    function()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


@parallel
def _tiles(which, height, steps, times, a, b, y, zeros):
    # Every thread multiplies tiles whose numbers stay in its first-level cache.
    width, zero, one, no = len(zeros), np.intp(0), np.intp(1), np.bool_(False)  # see kernels/cpu/correlate.py
    for thread in prange(len(y)):
        for _ in range(times):
            add_products(
                which, a, zero, steps, zero, zero, one, b, zero, zero, zero, width, one, one, steps,
                zeros, zero, zero, y[thread], zero, width, no,
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
    once = seconds(lambda: _tiles(HEIGHTS.index(height), height, steps, times, a, b, y, zeros), repeat=7)
    return 2e-9 * height * width * steps * times * threads / once


@parallel
def _copy(x, y):
    for block in prange(len(x) // 4096):
        a, b = x[block * 4096 : (block + 1) * 4096], y[block * 4096 : (block + 1) * 4096]
        for e in range(len(a)):
            b[e] = a[e]


def memory_speed(megabytes: int = 256) -> float:
    """GB/s that all threads together read and write, of an array that no cache holds."""
    x = np.ones(megabytes << 18, np.float32)
    y = np.empty_like(x)
    return 2 * x.nbytes / seconds(lambda: _copy(x, y), repeat=5) / 1e9
