"""Distances between all pairs of two sets of points, block by block, so that memory does not grow with their number.

The products come from our own kernel, not from a BLAS library, whose last bits change with the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scratchnet import kernels

ROWS, COLUMNS = 1024, 4096  # of a block, 34 MB in float64


def _points(array: np.ndarray, start: int, count: int, center: np.ndarray | float = 0.0) -> np.ndarray:
    part = array[start : start + count]
    return part.reshape(len(part), -1).astype(np.float64) - center


def squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """(i, j, block): block[a, b] = |x[i + a] - y[j + b]|^2, float64, for blocks that cover all pairs.

    Computed as |x|^2 + |y|^2 - 2 x.y. First the mean of some of y is subtracted from both, so that points far from 0
    lose no digits to cancellation.

    Args:
        x: (N, ...), flattened to N points.
        y: (M, ...), the same size a point.
    """
    center = _points(y, 0, COLUMNS).mean(axis=0)
    for j in range(0, len(y), COLUMNS):
        columns = _points(y, j, COLUMNS, center)
        w, b = np.ascontiguousarray(-2.0 * columns.T), (columns**2).sum(axis=1)
        for i in range(0, len(x), ROWS):
            rows = _points(x, i, ROWS, center)
            block = kernels.of(rows).dense(rows, w, b)
            block += (rows**2).sum(axis=1, keepdims=True)
            yield i, j, np.maximum(block, 0.0, out=block)


def nearest_points(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(index, distance), both (N,): for each point of x the nearest of y, the first of several, and how far it is.

    The distance to the nearest is computed once more from the differences, so that it is exactly 0 for a copy.
    """
    index, best = np.zeros(len(x), np.int64), np.full(len(x), np.inf)
    for i, j, block in squared_distances(x, y):
        rows, nearest = slice(i, i + len(block)), block.argmin(axis=1)
        value = np.take_along_axis(block, nearest[:, None], axis=1)[:, 0]
        closer = value < best[rows]
        index[rows], best[rows] = np.where(closer, nearest + j, index[rows]), np.where(closer, value, best[rows])
    distance = np.empty(len(x))
    for i in range(0, len(x), ROWS):
        chosen = y[index[i : i + ROWS]]
        distance[i : i + ROWS] = np.sqrt(((_points(x, i, ROWS) - _points(chosen, 0, ROWS)) ** 2).sum(axis=1))
    return index, distance


def squared_radii(x: np.ndarray, k: int) -> np.ndarray:
    """(N,): for each point of x the squared distance to its k-th nearest neighbour among the others."""
    best = np.full((len(x), k), np.inf)
    for i, j, block in squared_distances(x, x):
        same = np.arange(max(i, j), min(i + block.shape[0], j + block.shape[1]))
        block[same - i, same - j] = np.inf  # a point is no neighbour of itself
        if block.shape[1] > k:
            block = np.partition(block, k - 1, axis=1)[:, :k]
        rows = slice(i, i + len(block))
        best[rows] = np.partition(np.concatenate([best[rows], block], axis=1), k - 1, axis=1)[:, :k]
    return best.max(axis=1)


def inside(x: np.ndarray, y: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """(N,), bool: whether a point of x lies in the closed ball of any point of y; radii (M,) are the squared ones."""
    found = np.zeros(len(x), bool)
    for i, j, block in squared_distances(x, y):
        found[i : i + len(block)] |= (block <= radii[j : j + block.shape[1]]).any(axis=1)
    return found
