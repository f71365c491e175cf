"""Which rows and columns of x meet which outputs and which taps, for `narrow`: a convolution, or its gradient for x.

In a convolution with a stride of sw, neighbouring outputs see pixels sw apart. Its gradient for x is sh x sw
convolutions of dy, each with every sh-th row and sw-th column of the window, whose outputs stand sh and sw apart.
Tables say both, so that one kernel serves them.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from scratchnet.kernels.cpu.gemm.micro_kernel import tile_table
from scratchnet.kernels.cpu.gemm.operands import Window

HEIGHTS = (8, 7, 4, 2, 1)  # pixels of a tile: 8 sums, 5 weights and a pixel fit into 16 registers
MOST_TAPS = (5, 3, 2, 1)  # of a row of the window, that a tile takes at once
MOST_COLUMNS = 2048  # of outputs, that are taken at once: all rows of a window have to fit into the caches


class Meeting(NamedTuple):
    """Tables of a convolution, for at most MOST_COLUMNS columns of its outputs.

    rows:   of each row of outputs: the first row of x that it sees, the row of w that meets it, how many rows follow
    columns: of a row of x: those that are copied, and where to in the buffer's row
    beside: where the buffer's row has zeros, which stand beside x
    tiles:  first column of the outputs, columns from one to the next, how many, where the first one's pixels begin in
            the buffer, index of its height, first and last of its chunks
    chunks: taps that are taken at once: where their pixels begin, where their weights begin, and how many they are
    order:  the cells (k, l, c) of w in the order in which chunks need them: chunk, k, c, tap
    sizes:  numbers in a plane of the buffer's row, rows of x in the buffer, rows of w from one row of x to the next
    """

    rows: np.ndarray
    columns: np.ndarray
    beside: np.ndarray
    tiles: np.ndarray
    chunks: np.ndarray
    order: np.ndarray
    sizes: tuple[int, int, int]


class _Taps:
    """Chunks of taps, and the order of the weights."""

    def __init__(self, KH: int, KW: int, planes: int, lanes: int):
        self.window, self.planes, self.lanes = (KH, KW), planes, lanes
        self.chunks: list[tuple[int, int, int]] = []
        self.order: list[int] = []

    def add(self, taps: list[int], place: int) -> None:
        """Taps of a row of the window that meet neighbouring pixels, the first the one at that place of a row."""
        (KH, KW), planes = self.window, self.planes
        while taps:
            count = next(n for n in MOST_TAPS if n <= len(taps))
            self.chunks.append((place * self.lanes, len(self.order) * self.lanes, count))
            met = taps[:count]
            self.order += [(k * KW + tap) * planes + c for k in range(KH) for c in range(planes) for tap in met]
            taps, place = taps[count:], place + count


def table(found: list[Any], columns: int) -> np.ndarray:
    """Rows of so many whole numbers each, as an array, even where there are none."""
    return np.array(found, np.int64).reshape(-1, columns)


def _columns(places: list[int], W: int, lanes: int) -> tuple[np.ndarray, np.ndarray]:
    """(columns, beside), given the column of x that each pixel of the buffer's row is, or would be."""
    inside = sorted((v, q * lanes) for q, v in enumerate(places) if 0 <= v < W)
    beside = [q * lanes for q, v in enumerate(places) if not 0 <= v < W]
    return table(inside, 2), np.array(beside, np.int64)


@functools.lru_cache(maxsize=1024)
def seen_columns(first: int, width: int, W: int, lanes: int) -> tuple[np.ndarray, np.ndarray]:
    """(columns, beside) of a buffer's row that has `width` columns of x from `first` on."""
    return _columns(list(range(first, first + width)), W, lanes)


@functools.lru_cache(maxsize=1024)
def forward(window: Window, x_hw: tuple[int, int], hw: tuple[int, int], start: int, planes: int, lanes: int) -> Meeting:
    """Of the outputs hw of a convolution from column `start` on."""
    KH, KW, sh, sw, top, left = window
    (H, W), OH, OW, left = x_hw, hw[0], min(MOST_COLUMNS, hw[1] - start), left - start * sw
    rows, ring = [], max(1, KH)
    for i in range(OH):
        k = min(KH, max(0, top - i * sh))
        rows.append((i * sh - top + k, k, max(0, min(KH, H + top - i * sh) - k)))
    taps, phases = _Taps(KH, KW, planes, lanes), min(sw, KW)
    width = OW + max(0, KW - 1) // sw
    for phase in range(phases):
        taps.add(list(range(phase, KW, sw)), phase * width)
    tiles = [(j, 1, P, j, which, 0, len(taps.chunks)) for j, which, P in tile_table(OW, True, HEIGHTS, 1, 2).tolist()]
    places = [phase - left + q * sw for phase in range(phases) for q in range(width)]
    return Meeting(
        table(rows, 3), *_columns(places, W, lanes), table(tiles, 7), table(taps.chunks, 3),
        np.array(taps.order, np.int64), (len(places) * lanes, ring, 1),
    )  # fmt: skip


@functools.lru_cache(maxsize=1024)
def input_grad(
    window: Window, dy_hw: tuple[int, int], hw: tuple[int, int], start: int, planes: int, lanes: int
) -> Meeting:
    """Of a gradient for x of hw from column `start` on."""
    KH, KW, sh, sw, top, left = window
    (OH, OW), H, W, left = dy_hw, hw[0], min(MOST_COLUMNS, hw[1] - start), left + start
    rows = []
    for h in range(H):  # output i meets it with row h + top - sh * i of the window
        first, end = max(0, -((KH - 1 - h - top) // sh)), min(OH, (h + top) // sh + 1)
        rows.append((first, h + top - first * sh, max(0, end - first)))
    taps, tiles = _Taps(KH, KW, planes, lanes), []
    at = [(v + left) // sw - max(0, (KW - 1 - (v + left) % sw) // sw) for v in range(min(sw, W))]
    first = min(at)  # column of dy that is met
    for v in range(min(sw, W)):
        begin = len(taps.chunks)
        taps.add(list(range((v + left) % sw, KW, sw))[::-1], 0)
        for j, which, P in tile_table(len(range(v, W, sw)), True, HEIGHTS, 1, 2).tolist():
            tiles.append((v + j * sw, sw, P, at[v] - first + j, which, begin, len(taps.chunks)))
    width = max(tile[3] + tile[2] for tile in tiles) + max(0, KW - 1) // sw
    return Meeting(
        table(rows, 3), *_columns(list(range(first, first + width)), OW, lanes), table(sorted(tiles), 7),
        table(taps.chunks, 3), np.array(taps.order, np.int64), (width * lanes, max(1, -(-KH // sh)), -sh),
    )  # fmt: skip
