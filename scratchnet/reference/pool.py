"""Max and average pooling, and their gradients."""

import math

import numpy as np

from scratchnet.reference.conv import places, windows


def max_pool2d(x, pool_size, strides, pads):
    """(y, argmax): y[n,i,j,c] = the maximum of x over the window, which is x[n,h,v,c] with argmax[n,i,j,c] = h * W + v.

    Where several are the maximum, argmax is the first in row-major order. Padding counts as -inf, and argmax is -1 for
    a window of nothing else; NaN counts as larger than any number.
    """
    W, C = x.shape[2:]
    y = np.full((len(x), *places(x.shape[1:3], pool_size, strides, pads), C), -np.inf, x.dtype)
    argmax = np.full(y.shape, -1)
    for n, i, j, _, _, h, v in windows(x.shape, pool_size, strides, pads):
        for c in range(C):
            value, most = x[n, h, v, c], y[n, i, j, c]
            if argmax[n, i, j, c] < 0 or value > most or (math.isnan(value) and not math.isnan(most)):
                y[n, i, j, c], argmax[n, i, j, c] = value, h * W + v
    return y, argmax


def max_pool2d_backward(dy, argmax, input_hw):
    """dx[n,h,v,c] += dy[n,i,j,c] with h * W + v = argmax[n,i,j,c]: each dy goes to the cell that was the maximum."""
    dx = np.zeros((len(dy), *input_hw, dy.shape[3]), dy.dtype)
    for n, i, j, c in np.ndindex(*dy.shape):
        if argmax[n, i, j, c] >= 0:
            h, v = divmod(argmax[n, i, j, c], input_hw[1])
            dx[n, h, v, c] += dy[n, i, j, c]
    return dx


def _cells(hw, pool_size, strides, pads):
    """How many cells of each window lie inside the picture, (OH, OW)."""
    count = np.zeros(places(hw, pool_size, strides, pads), int)
    for _, i, j, _, _, _, _ in windows((1, *hw, 1), pool_size, strides, pads):
        count[i, j] += 1
    return count


def average_pool2d(x, pool_size, strides, pads):
    """y[n,i,j,c] = the mean of x over those cells of the window that lie inside the picture."""
    count = _cells(x.shape[1:3], pool_size, strides, pads)
    y = np.zeros((len(x), *count.shape, x.shape[3]), x.dtype)
    for n, i, j, _, _, h, v in windows(x.shape, pool_size, strides, pads):
        for c in range(x.shape[3]):
            y[n, i, j, c] += x[n, h, v, c] / count[i, j]
    return y


def average_pool2d_backward(dy, input_hw, pool_size, strides, pads):
    """dx: each dy is shared out evenly among the cells it was the mean of."""
    count, dx = _cells(input_hw, pool_size, strides, pads), np.zeros((len(dy), *input_hw, dy.shape[3]), dy.dtype)
    for n, i, j, _, _, h, v in windows(dx.shape, pool_size, strides, pads):
        for c in range(dx.shape[3]):
            dx[n, h, v, c] += dy[n, i, j, c] / count[i, j]
    return dx
