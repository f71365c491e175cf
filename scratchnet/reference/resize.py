"""Pictures in another size, and the gradient."""

import numpy as np


def blend(i, size, count, bilinear):
    """[(old cell, its part), ...] of new cell i of `count`, whose middle lies at (i + 1/2) * size / count."""
    if not bilinear:
        return [((2 * i + 1) * size // (2 * count), 1.0)]
    low, rest = divmod((2 * i + 1) * size - count, 2 * count)  # the last old middle before it, and how far behind
    weight = rest / (2 * count)
    return [(max(low, 0), 1 - weight), (min(low + 1, size - 1), weight)]  # beyond the edge: the cell at the edge


def resize2d(x, output_hw, bilinear=True):
    """y[n,i,j,c] = sum of part_h * part_v * x[n,h,v,c] over the cells (h, v) round the middle of cell (i, j)."""
    (H, W), (A, B) = output_hw, x.shape[1:3]
    y = np.zeros((len(x), H, W, x.shape[3]), x.dtype)
    for n, i, j, c in np.ndindex(*y.shape):
        for h, part_h in blend(i, A, H, bilinear):
            for v, part_v in blend(j, B, W, bilinear):
                y[n, i, j, c] += part_h * part_v * x[n, h, v, c]
    return y


def resize2d_backward(dy, input_hw, bilinear=True):
    """dx[n,h,v,c] += part_h * part_v * dy[n,i,j,c]: each dy goes back to the cells that it was blended from."""
    (A, B), (H, W) = input_hw, dy.shape[1:3]
    dx = np.zeros((len(dy), A, B, dy.shape[3]), dy.dtype)
    for n, i, j, c in np.ndindex(*dy.shape):
        for h, part_h in blend(i, A, H, bilinear):
            for v, part_v in blend(j, B, W, bilinear):
                dx[n, h, v, c] += part_h * part_v * dy[n, i, j, c]
    return dx
