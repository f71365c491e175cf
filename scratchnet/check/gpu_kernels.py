"""Exercises of A2 with kernels that run on `scratchnet.blocks`: a transpose, sums of blocks, two stages of a gradient.

A reader's function launches its kernels itself, so that grid and block are part of what is checked. Races, accesses
outside and divergent barriers are raised by `launch`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from scratchnet.blocks import Thread, launch
from scratchnet.check.exercise import Exercise
from scratchnet.check.kernel_exercise import KernelExercise, KernelGradientExercise

T = 4  # rows and columns of a tile in the exercises


def _transposed(x: np.ndarray, slip: str = "") -> np.ndarray:
    """The transpose through tiles in shared memory, with one slip or none."""
    H, W = x.shape
    y = np.zeros((W, H), x.dtype)

    def kernel(t: Thread, x: Any, y: Any) -> Any:
        tile = t.shared("tile", (T, T))
        i, j = t.block.y * T + t.y, t.block.x * T + t.x
        if slip == "return" and not (i < H and j < W):
            return
        if slip == "read outside" or (i < H and j < W):
            tile[t.y, t.x] = x[i, j]
        if slip != "no barrier":
            yield
        if slip == "inside kept":
            i, j = t.block.x * T + t.y, t.block.y * T + t.x
            if i < W and j < H and t.block.y * T + t.y < H and t.block.x * T + t.x < W:
                y[i, j] = tile[t.y, t.x]
            return
        if slip == "tile kept":
            if i < W and j < H and t.block.x * T + t.y < W and t.block.y * T + t.x < H:
                y[i, j] = tile[t.x, t.y]
            return
        i, j = t.block.x * T + t.y, t.block.y * T + t.x
        bounds = (H, W) if slip == "old bounds" else (W, H)
        if slip == "write outside" or (i < bounds[0] and j < bounds[1]):
            y[i, j] = tile[t.x, t.y]

    blocks = -(-W // T), -(-H // T)
    if slip == "few blocks":
        blocks = max(W // T, 1), max(H // T, 1)
    if slip == "grid turned":
        blocks = blocks[1], blocks[0]
    launch(kernel, blocks, (T, T), x, y)
    return y


def _through_columns(x: np.ndarray) -> np.ndarray:
    """The numbers in the order of the memory, as another shape: what `reshape` does."""
    return x.reshape(x.shape[1], x.shape[0]).copy()


def _drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(np.float32)


transposed = KernelExercise(
    "A transpose through shared memory",
    _transposed,
    [(_drawn(seed, *shape),) for seed, shape in enumerate([(1, 1), (2, 2), (4, 4), (4, 8), (3, 5), (9, 6)])],
    {
        "between writing the tile and reading it stands a barrier: `yield`.": partial(_transposed, slip="no barrier"),
        "a thread that returns before the barrier is missed there: put only the access under the `if`.": partial(
            _transposed, slip="return"
        ),
        "at the edge of x not every thread has a cell to read: `if i < H and j < W`.": partial(
            _transposed, slip="read outside"
        ),
        "y has W rows and H columns: its bounds are not those of x.": partial(_transposed, slip="old bounds"),
        "the tiles are in their new places, but within each the cells are not turned: tile[t.x, t.y].": partial(
            _transposed, slip="inside kept"
        ),
        "within each tile the cells are turned, but the tiles have kept their places: swap t.block.x and t.block.y.": (
            partial(_transposed, slip="tile kept")
        ),
        "where the tiles do not fit, one more block is needed: -(-W // 4) rounds up.": partial(
            _transposed, slip="few blocks"
        ),
        "the grid is (blocks along x, blocks along y): columns first.": partial(_transposed, slip="grid turned"),
        "the same numbers in the same order, in another shape; the transpose of x[i, j] is y[j, i].": _through_columns,
    },
)


def _block_sums(x: np.ndarray, threads: int, slip: str = "") -> np.ndarray:
    """The sum of each block's numbers by halves added to halves, with one slip or none."""
    blocks = -(-len(x) // threads)
    y = np.zeros(blocks, x.dtype)

    def kernel(t: Thread, x: Any, y: Any) -> Any:
        part = t.shared("part", threads)
        if slip == "outside" or t.element < len(x):
            part[t.x] = x[t.element]
        else:
            part[t.x] = 0
        if slip != "first":
            yield
        half = threads // 2
        while half > (1 if slip == "too early" else 0):
            if t.x < half:
                part[t.x] += part[t.x + half]
                if slip == "inside":
                    yield
            if slip not in ("loop", "inside"):
                yield
            half = 0 if slip == "one round" else half // 2
        if t.x == 0:
            y[0 if slip == "one place" else t.block.x] = part[0]

    launch(kernel, blocks, threads, x, y)
    return y


def _alone(x: np.ndarray, threads: int) -> np.ndarray:
    return x[::threads].copy()


block_sums = KernelExercise(
    "The sum of each block, without its race",
    _block_sums,
    [
        (_drawn(size, size), threads)
        for size, threads in ((1, 1), (2, 2), (4, 4), (3, 4), (8, 8), (3, 1), (4, 2), (8, 4), (13, 8))
    ],
    {
        "the halves of the next round are read while others still add to them: the loop needs a barrier.": partial(
            _block_sums, slip="loop"
        ),
        "that barrier is under the `if`, where half of the threads never come: move it to the left.": partial(
            _block_sums, slip="inside"
        ),
        "the barrier before the loop is needed too: all numbers must be there before the first round.": partial(
            _block_sums, slip="first"
        ),
        "the last block may have fewer numbers than threads: the others put 0.": partial(_block_sums, slip="outside"),
        "one round adds half of the numbers to the others; go on with halves of halves: `while half > 0`.": partial(
            _block_sums, slip="one round"
        ),
        "the loop ends a round too early: half goes down to 1, and the round of 1 counts.": partial(
            _block_sums, slip="too early"
        ),
        "each block has a place of its own in y: y[t.block.x].": partial(_block_sums, slip="one place"),
        "that is the first number of each block; the others are not added.": _alone,
        "the sum, not the mean.": lambda x, threads: _block_sums(x, threads) / threads,
    },
)

reads_per_output = Exercise(
    "Global reads for each number of the result",
    lambda length, T: 2 * length / T,
    [(4, 1), (4, 2), (9, 4), (288, 16), (288, 64)],
    {
        "without sharing it would be 2 * length; a number that is loaded serves T sums.": (
            lambda length, T: 2 * length,
            lambda length, T: 2.0 * length,
        ),
        "two arrays are read, the patches and the weights.": lambda length, T: length / T,
        "a number of a tile serves one row or one column of it, T sums, not all T * T.": (
            lambda length, T: 2 * length / T**2,
            lambda length, T: length / T**2,
        ),
        "that is what the whole block reads; divide by its T * T sums.": (
            lambda length, T: 2 * length * T,
            lambda length, T: 2 * length * T * T,
        ),
        "the other way round: larger tiles read less.": (
            lambda length, T: T / (2 * length),
            lambda length, T: 2 * T / length,
        ),
        "the two arrays are read one beside the other: 2 * length, not length * length.": lambda length, T: (
            length * length / T
        ),
        "reads for each multiply-add; each sum has length of them.": lambda length, T: 2 / T,
        "a part of a tile reads a part: / divides, // rounds.": (
            lambda length, T: 2 * (length // T),
            lambda length, T: 2 * length // T,
            lambda length, T: 2 * -(-length // T),
        ),
    },
)


def _conv1d(x: np.ndarray, w: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    blocks, share = -(-len(dy) // 8), 8
    y, dw, parts = np.zeros(len(dy)), np.zeros(len(w)), np.zeros((blocks, len(w)))

    def forward(t: Thread, x: Any, w: Any, y: Any) -> None:
        if t.element < len(y):
            y[t.element] = sum(x[t.element + k] * w[k] for k in range(len(w)))

    def partial_sums(t: Thread, x: Any, dy: Any, parts: Any) -> None:
        positions = range(t.block.x * share, min(len(dy), (t.block.x + 1) * share))
        parts[t.block.x, t.x] = sum(dy[j] * x[j + t.x] for j in positions)

    def add_parts(t: Thread, parts: Any, dw: Any) -> None:
        dw[t.x] = sum(parts[part, t.x] for part in range(blocks))

    launch(forward, blocks, share, x, w, y)
    launch(partial_sums, blocks, len(w), x, dy, parts)
    launch(add_parts, 1, len(w), parts, dw)
    return y, dw


def _one_stage(x: np.ndarray, w: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All blocks add to the same dw: right by chance, and a race."""
    dw = np.zeros_like(w)

    def kernel(t: Thread, x: Any, dy: Any, dw: Any) -> None:
        for j in range(8 * t.block.x, min(8 * t.block.x + 8, len(dy))):
            dw[t.x] += dy[j] * x[j + t.x]

    launch(kernel, -(-len(dy) // 8), len(w), x, dy, dw)
    return np.correlate(x, w, "valid"), dw


def _with_dw(dw: Callable[..., np.ndarray]) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """The right y, and such a dw of (x, w, dy)."""
    return lambda x, w, dy: (np.correlate(x, w, "valid"), dw(x, w, dy))


def _with_y(y: Callable[..., np.ndarray]) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """The right dw, and such a y of (x, w, dy)."""
    return lambda x, w, dy: (y(x, w, dy), np.correlate(x, dy, "valid"))


def _dw_of(x: np.ndarray, w: np.ndarray, dy: np.ndarray, positions: Any) -> np.ndarray:
    return np.array([sum((dy[j] * x[j + k] for j in positions), 0.0) for k in range(len(w))])


def _conv1d_case(seed: int, W: int, KW: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return tuple(np.round(rng.normal(size=n), 1) for n in (W, KW, W - KW + 1))  # type: ignore[return-value]


conv1d_in_two_stages = KernelGradientExercise(
    "A convolution of one row and its weights' gradient, in two stages",
    _conv1d,
    [_conv1d_case(0, 2, 1), _conv1d_case(1, 4, 2), _conv1d_case(2, 10, 3), _conv1d_case(3, 19, 4)],
    {
        "dw: all blocks add to the same cells, and blocks do not wait for each other. Each writes its own row of an "
        "array; a second launch adds the rows.": _one_stage,
        "dw: only the first block's part; the second stage adds the parts of all.": _with_dw(
            lambda x, w, dy: _dw_of(x, w, dy, range(min(8, len(dy))))
        ),
        "dw: the last positions, which do not fill a block, are missing: round the number of blocks up.": _with_dw(
            lambda x, w, dy: _dw_of(x, w, dy, range(len(dy) // 8 * 8))
        ),
        "dw: the sum over all positions, not the mean.": _with_dw(
            lambda x, w, dy: np.correlate(x, dy, "valid") / len(dy)
        ),
        "dw: its cells are in the opposite order.": _with_dw(lambda x, w, dy: np.correlate(x, dy, "valid")[::-1]),
        "dw: each weight meets another pixel, x[j + k].": _with_dw(
            lambda x, w, dy: np.full(len(w), np.sum(dy * x[: len(dy)]))
        ),
        "dw: dy is what comes back, not y.": _with_dw(
            lambda x, w, dy: np.correlate(x, np.correlate(x, w, "valid"), "valid")
        ),
        "y: the weights are not turned round: y[j] has x[j + k] * w[k].": _with_y(
            lambda x, w, dy: np.convolve(x, w, "valid")
        ),
        "y: there are W - KW + 1 positions; the last one is missing.": _with_y(
            lambda x, w, dy: np.append(np.correlate(x, w, "valid")[:-1], 0.0)
        ),
    },
    returns=("y", "dw"),
)
