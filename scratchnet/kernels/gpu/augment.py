"""Pictures moved, rotated, recoloured and cut into on the GPU, and the random numbers for it; see augment.cu.

Random numbers come from Philox with the example's own number as the counter, as on the CPU: they do not depend on the
batch, on its order or on the threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.arguments import check_count
from scratchnet.kernels.checks import check_float, check_pictures, check_word
from scratchnet.kernels.gpu.gather import as_examples, example_grid, per_channel
from scratchnet.kernels.gpu.runtime.contract import is_array
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.kernels.gpu.runtime.transfer import as_index, on_gpu, on_host, together

_source = Source(__file__)
_THREADS = 256  # of a block that adds up a picture: THREADS of augment.cu
# How the kernels know them: a fill mode's number.
_MODES = {"constant": 0, "nearest": 1, "reflect": 2, "wrap": 3}


def uniform(key: int, step: int, index: Any, count: int) -> Any:
    """(count, N) random numbers from 0 to below 1, in float64: u[k, n] follows from (key, step, index[n], k) alone.

    Args:
        key: 64 random bits.
        step: from 0 to below 2**32; another step, other numbers.
        index: (N,), whole numbers of at least 0, from NumPy or the GPU.
        count: how many for each.
    """
    words = check_word(key, "key", "uniform"), np.uint32(check_word(step, "step", "uniform", bits=32))
    index = on_gpu(as_index(index, 2**63 - 1), np.int64)
    count, N = check_count(count, "count", "uniform", smallest=0), len(index)
    u = empty((count, N), np.float64)
    _source.each("uniform", u.dtype, -(-count // 4) * N, *words, index, u, np.int64(N), count)
    return u


def augment(
    x: Any,
    index: Any,
    matrix: Any,
    mode: str = "reflect",
    fill: Any = 0,
    colour: Any = None,
    limits: tuple[float, float] = (0, 255),
    hole: Any = None,
    scale: Any = None,
    offset: Any = None,
    dtype: Any = np.float32,
) -> Any:
    """Pictures x[index], each moved by its own matrix, then recoloured, cut into, and normalized.

    Pixel (i, j) of the result is that at (m0 i + m1 j + m2, m3 i + m4 j + m5) of the source, blended from the four
    round that place; where all of these are whole numbers, as in a shift or a flip, it is copied. Then

        v = min(max(factor * (mean + contrast * (v - mean)) + addend, low), high)

    with the source picture's mean over all its numbers; then `fill` inside the hole; then v * scale + offset.

    Args:
        x: (M, H, W, C), all pictures, on the GPU; what follows comes from NumPy or the GPU.
        index: (N,), the numbers of the pictures to take.
        matrix: (N, 6), rows (m0, ..., m5), each at most a million.
        mode: what lies outside of a picture, one of `kernels.interface.FILL_MODES`.
        fill: with mode "constant", and in holes: a number, or one for each channel.
        colour: (N, 3), rows (contrast, factor, addend); None changes nothing.
        limits: (low, high) of recoloured numbers.
        hole: (N, 4), whole numbers (top, bottom, left, right), the latter of each pair beyond the last pixel; None for
            none.
        scale, offset: a number, or one for each channel; None for 1 and 0.
        dtype: float32 or float64.

    Raises:
        ValueError: shapes that do not fit, numbers in the matrix that are not finite or too large.
        IndexError: an index out of range.
    """
    dtype = check_float(dtype, "augment")
    there, type_number = as_examples(x, "augment")
    check_pictures(x, mode, _MODES)
    index = as_index(index, len(x))
    N, (H, W, C) = len(index), x.shape[1:]
    matrix = _rows(matrix, "matrix", (N, 6))
    if not is_array(matrix) and not np.abs(matrix).max(initial=0) <= 1e6:
        raise ValueError("expected numbers of at most a million in matrix, got NaN or larger ones.")
    recoloured, cut = colour is not None, hole is not None
    colour = _rows(colour, "colour", (N, 3)) if recoloured else matrix[:, :3]  # what is not there is not read
    hole = _rows(hole, "hole", (N, 4), np.int64) if cut else index[:, None]
    normalized = scale is not None or offset is not None
    fill, scale, offset = (
        per_channel(default if values is None else values, name, C, dtype)
        for name, values, default in (("fill", fill, 0), ("scale", scale, 1), ("offset", offset, 0))
    )
    y, means = empty((N, H, W, C), dtype), empty((N,), np.float64)
    index, matrix, colour, hole = together(index, matrix, colour, hole)
    pictures = there, type_number, np.int64(len(x)), index
    if recoloured:
        _source.launch("picture_means", dtype, (N,), (_THREADS,), *pictures, colour, means, H * W * C)
    changes = matrix, recoloured, colour, means, cut, hole
    low, high = map(float, limits)
    settings = _MODES[mode], fill, low, high, normalized, scale, offset
    _source.launch("augment", dtype, *example_grid(N, H * W), *pictures, *changes, *settings, y, H, W, C)
    return y


def _rows(values: Any, name: str, shape: tuple[int, int], dtype: Any = np.float64) -> Any:
    values = on_host(values)
    values = values.astype(dtype, copy=False) if is_array(values) else np.ascontiguousarray(values, dtype)
    if values.shape != shape:
        raise ValueError(f"expected {name} of shape {shape}, a row for each picture, got {values.shape}.")
    return values
