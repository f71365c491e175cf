"""Local response normalization: each number divided by a power of its neighbours' squares, along the channels.

    s[c] = bias + alpha * sum over j of x[j]^2,  |j - c| <= depth_radius;      y[c] = x[c] * s[c]^-beta

The sums are added up anew for each channel, two neighbours at a time: a window that slides, one square in and one out,
would keep the rounding of every square that has left it. A task lays out the squares of some rows one behind the other,
with zeros between them where the windows reach over the ends: all its rows then are one long loop, whose vectors are
full however few channels there are. Source: Krizhevsky, Sutskever, Hinton, NIPS 2012, section 3.3.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numba import prange

from scratchnet.kernels.checks import check_local_response
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import in_order, serial_in_order
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_rows

_ELEMENTS = 2048  # of a task: a few arrays of so many numbers stay in the first-level cache


@serial_in_order
def _window_sums(numbers, radius, sums):
    """sums[e] = numbers[e] + ... + numbers[e + 2 * radius]: what lies to both sides of numbers[e + radius]."""
    middle = numbers[radius:]
    for e in range(len(sums)):
        sums[e] = middle[e]
    for k in range(1, radius + 1):
        left, right = numbers[radius - k :], numbers[radius + k :]
        for e in range(len(sums)):
            sums[e] += left[e] + right[e]


@serial_in_order
def _powers(s, beta, power):
    """power = s^-beta. Roots become vector instructions; the C library's power takes one number at a time."""
    if beta == 0.75:
        for e in range(len(s)):
            root = math.sqrt(s[e])
            power[e] = 1 / (root * math.sqrt(root))
    elif beta == 0.5:
        for e in range(len(s)):
            power[e] = 1 / math.sqrt(s[e])
    else:
        for e in range(len(s)):
            power[e] = s[e] ** -beta


@serial_in_order
def _sums_of_squares(x, first, count, radius, bias, alpha, line, s):
    """s = bias + alpha * the sums, for `count` rows of x from `first` on, whose squares are laid out in `line`."""
    C = x.shape[1]
    step = C + radius  # from one row's squares to the next's
    for r in range(count):
        a, square = x[first + r], line[radius + r * step :]
        for c in range(C):
            square[c] = a[c] * a[c]
    _window_sums(line, radius, s)
    for e in range(len(s)):
        s[e] = bias + alpha * s[e]


@partial(in_order, makes_arrays=True)
def _local_response_norm(x, radius, bias, alpha, beta, rows, y):
    R, C = x.shape
    step = C + radius
    for task in prange((R + rows - 1) // rows):
        first, count = task * rows, min(rows, R - task * rows)
        squares, s = np.zeros(count * step + 2 * radius, x.dtype), np.empty(count * step, x.dtype)
        _sums_of_squares(x, first, count, radius, bias, alpha, squares, s)
        power = squares[: len(s)]  # the squares have served
        _powers(s, beta, power)
        for r in range(count):
            a, factor, out = x[first + r], power[r * step :], y[first + r]
            for c in range(C):
                out[c] = a[c] * factor[c]


@partial(in_order, makes_arrays=True)
def _local_response_norm_backward(dy, x, radius, bias, alpha, beta, rows, dx):
    R, C = x.shape
    step, twice = C + radius, 2 * alpha * beta
    for task in prange((R + rows - 1) // rows):
        first, count = task * rows, min(rows, R - task * rows)
        line, s = np.zeros(count * step + 2 * radius, x.dtype), np.empty(count * step, x.dtype)
        power = np.empty(count * step, x.dtype)
        _sums_of_squares(x, first, count, radius, bias, alpha, line, s)
        _powers(s, beta, power)
        for r in range(count):  # in the place of the squares, what comes back through s; zeros stay between the rows
            d, a, through = dy[first + r], x[first + r], line[radius + r * step :]
            base, factor = s[r * step :], power[r * step :]
            for c in range(C):
                through[c] = d[c] * a[c] * factor[c] / base[c]
        _window_sums(line, radius, s)
        for r in range(count):
            d, a, out = dy[first + r], x[first + r], dx[first + r]
            total, factor = s[r * step :], power[r * step :]
            for c in range(C):
                out[c] = d[c] * factor[c] - twice * a[c] * total[c]


def _settings(x: np.ndarray, radius: int, bias: float, alpha: float, beta: float, caller: str) -> tuple:
    """Radius, bias, alpha, beta, rows of a task: numbers in the dtype of x; beyond the last channel is nothing."""
    check_local_response(radius, bias, alpha, beta, caller)
    C, real = x.shape[-1], x.dtype.type
    return min(radius, C - 1), real(bias), real(alpha), real(beta), max(1, _ELEMENTS // C)


@takes(x="... C")
def local_response_norm(x: np.ndarray, depth_radius: int, bias: float, alpha: float, beta: float) -> np.ndarray:
    """y[..,c] = x[..,c] * (bias + alpha * sum of x[..,j]^2 over |j - c| <= depth_radius)^-beta."""
    settings = _settings(x, depth_radius, bias, alpha, beta, "local_response_norm")
    y = empty(x.shape, x.dtype)
    _local_response_norm(as_rows(x), *settings, as_rows(y))
    return y


@takes(dy="... C", x="... C")
def local_response_norm_backward(
    dy: np.ndarray, x: np.ndarray, depth_radius: int, bias: float, alpha: float, beta: float
) -> np.ndarray:
    """dx[..,c] = dy[..,c] * s[c]^-beta - 2 * alpha * beta * x[..,c] * sum of dy[..,j] * x[..,j] * s[j]^(-beta-1)."""
    settings = _settings(x, depth_radius, bias, alpha, beta, "local_response_norm_backward")
    dx = empty(x.shape, x.dtype)
    _local_response_norm_backward(as_rows(dy), as_rows(x), *settings, as_rows(dx))
    return dx
