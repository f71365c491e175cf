"""Distances between all pairs of two sets of points, a block at a time: memory stays bounded whatever the number.

The products come from our own kernel, not from a BLAS library, whose last bits change with the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scratchnet import kernels

ROWS, COLUMNS = 1024, 4096  # of a block: 34 MB


def _points(array: np.ndarray, start: int, count: int, center: np.ndarray | float = 0.0) -> np.ndarray:
    part = array[start : start + count]
    return part.reshape(len(part), -1).astype(np.float64) - center


def squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """(i, j, block): block[a, b] = |x[i + a] - y[j + b]|^2, float64, for blocks that cover all pairs.

    Worked out as |x|^2 + |y|^2 - 2 x.y after a common point near the middle of y was taken off both, so that little is
    lost where the points lie far from 0.

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

    The distance to the one that is chosen is worked out anew from the differences: 0 exactly for a copy.
    """
    index, best = np.zeros(len(x), np.int64), np.full(len(x), np.inf)
    for i, j, block in squared_distances(x, y):
        here, at = slice(i, i + len(block)), block.argmin(axis=1)
        value = np.take_along_axis(block, at[:, None], axis=1)[:, 0]
        closer = value < best[here]
        index[here], best[here] = np.where(closer, at + j, index[here]), np.where(closer, value, best[here])
    distance = np.empty(len(x))
    for i in range(0, len(x), ROWS):
        chosen = y[index[i : i + ROWS]]
        distance[i : i + ROWS] = np.sqrt(((_points(x, i, ROWS) - _points(chosen, 0, ROWS)) ** 2).sum(axis=1))
    return index, distance


def squared_radii(x: np.ndarray, k: int) -> np.ndarray:
    """(N,): for each point of x the squared distance to its k-th nearest neighbour among the others."""
    best = np.full((len(x), k), np.inf)
    for i, j, block in squared_distances(x, x):
        own = np.arange(max(i, j), min(i + block.shape[0], j + block.shape[1]))
        block[own - i, own - j] = np.inf
        if block.shape[1] > k:
            block = np.partition(block, k - 1, axis=1)[:, :k]
        here = slice(i, i + len(block))
        best[here] = np.partition(np.concatenate([best[here], block], axis=1), k - 1, axis=1)[:, :k]
    return best.max(axis=1)


def inside(x: np.ndarray, y: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """(N,), bool: whether a point of x lies in a ball round any point of y, of the squared radii (M,), rim included."""
    found = np.zeros(len(x), bool)
    for i, j, block in squared_distances(x, y):
        found[i : i + len(block)] |= (block <= radii[j : j + block.shape[1]]).any(axis=1)
    return found
