"""Exercises on convolution: sizes, parameters, work, windows, registers."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.check.exercise import Exercise

output_size = Exercise(
    "Output size",
    lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride + 1,
    [(3, 3, 1, 0), (4, 3, 1, 0), (4, 3, 1, 1), (5, 2, 2, 0), (28, 3, 1, 0), (32, 4, 2, 1), (7, 3, 3, 2), (6, 2, 3, 0)],
    {
        "the + 1 is missing: a kernel as large as the picture still fits once.": (
            lambda s, k, d, p: (s + 2 * p - k) // d,
            lambda s, k, d, p: (s + 2 * p - k) / d,
        ),
        "neither the padding nor the stride is used.": lambda s, k, d, p: s - k + 1,
        "the kernel itself needs room: size + 2 * padding - kernel.": (
            lambda s, k, d, p: (s + 2 * p) // d,
            lambda s, k, d, p: (s + 2 * p) // d + 1,
            lambda s, k, d, p: s // d,
        ),
        "a kernel needs room for its own cells, not for one more.": lambda s, k, d, p: (s + 2 * p - k - 1) // d + 1,
        "the + 1 comes after the division: it is the first place, and // counts the steps from there.": (
            lambda s, k, d, p: (s + 2 * p - k + 1) // d,
            lambda s, k, d, p: (s + 2 * p - k + 1) / d,
            lambda s, k, d, p: int((s + 2 * p - k + 1) / d),
        ),
        "padding is added on both sides: 2 * padding.": lambda s, k, d, p: (s + p - k) // d + 1,
        "the padding is not used.": lambda s, k, d, p: (s - k) // d + 1,
        "padding makes the picture larger: + 2 * padding.": lambda s, k, d, p: (s - 2 * p - k) // d + 1,
        "the stride is not used.": lambda s, k, d, p: s + 2 * p - k + 1,
        "use // (rounds down), not /: half a step is no output.": lambda s, k, d, p: (s + 2 * p - k) / d + 1,
        "round down, not up: where the last step would leave the picture, there is no output.": lambda s, k, d, p: (
            math.ceil((s + 2 * p - k) / d) + 1
        ),
        "round down, not to the nearest.": lambda s, k, d, p: round((s + 2 * p - k) / d) + 1,
        'that is the size of padding="same", ceil(size / stride); here the padding is given.': lambda s, k, d, p: (
            math.ceil(s / d)
        ),
        "that is the size after a transposed convolution, which goes the other way.": lambda s, k, d, p: (
            (s - 1) * d + k - 2 * p
        ),
        "the stride divides what the kernel leaves free, size + 2 * padding - kernel, as a whole: brackets.": (
            lambda s, k, d, p: (s + 2 * p) // d - k + 1,
            lambda s, k, d, p: s + 2 * p - k // d + 1,
        ),
    },
)

conv_parameters = Exercise(
    "Parameters of a convolution",
    lambda kh, kw, channels, filters: kh * kw * channels * filters + filters,
    [(1, 1, 1, 1), (1, 1, 2, 1), (3, 3, 1, 32), (3, 3, 32, 64), (5, 3, 8, 16)],
    {
        "the biases are missing: one number per filter.": lambda kh, kw, c, f: kh * kw * c * f,
        "one bias per filter, not one in all.": lambda kh, kw, c, f: kh * kw * c * f + 1,
        "one bias per filter, not one for each of its channels.": lambda kh, kw, c, f: (kh * kw + 1) * c * f,
        "one bias per filter, not one for each of its cells.": (
            lambda kh, kw, c, f: 2 * kh * kw * c * f,
            lambda kh, kw, c, f: kh * kw * c * f + kh * kw * f,
            lambda kh, kw, c, f: kh * kw * c * f + kh * kw,
        ),
        "each filter spans all input channels.": (
            lambda kh, kw, c, f: kh * kw * f + f,
            lambda kh, kw, c, f: kh * kw * f,
        ),
        "the bias belongs to a filter, not to an input channel.": lambda kh, kw, c, f: kh * kw * c * f + c,
        "each filter has weights of its own: times filters.": (
            lambda kh, kw, c, f: kh * kw * c + f,
            lambda kh, kw, c, f: kh * kw * c + 1,
            lambda kh, kw, c, f: kh * kw * c,
        ),
        "a filter need not be square: kh times kw cells.": (
            lambda kh, kw, c, f: kh * kh * c * f + f,
            lambda kh, kw, c, f: kw * kw * c * f + f,
        ),
        "the cells of a filter are kh times kw, not kh plus kw.": lambda kh, kw, c, f: (kh + kw) * c * f + f,
        "every filter has a weight for every channel: channels times filters, not plus.": (
            lambda kh, kw, c, f: kh * kw * (c + f) + f,
            lambda kh, kw, c, f: kh * kw * (c + f),
        ),
    },
)

conv_work = Exercise(
    "Work of a convolution",
    lambda N, OH, OW, KH, KW, C, F: 2 * N * OH * OW * KH * KW * C * F,
    [(1, 1, 1, 1, 1, 1, 1), (1, 2, 2, 1, 1, 1, 1), (1, 2, 3, 3, 1, 1, 2), (16, 13, 13, 3, 3, 32, 64)],
    {
        "each product is also added: two operations.": lambda N, OH, OW, KH, KW, C, F: N * OH * OW * KH * KW * C * F,
        "every filter runs over all input channels.": lambda N, OH, OW, KH, KW, C, F: 2 * N * OH * OW * KH * KW * F,
        "every picture of the batch counts.": lambda N, OH, OW, KH, KW, C, F: 2 * OH * OW * KH * KW * C * F,
        "every filter makes a picture of its own: times F.": lambda N, OH, OW, KH, KW, C, F: (
            2 * N * OH * OW * KH * KW * C
        ),
        "every output cell costs a whole window, KH * KW * C products.": lambda N, OH, OW, KH, KW, C, F: (
            2 * N * OH * OW * C * F
        ),
        "the filter is moved to OH * OW places.": lambda N, OH, OW, KH, KW, C, F: 2 * N * KH * KW * C * F,
        "a window has KH * KW cells, not KH + KW.": lambda N, OH, OW, KH, KW, C, F: 2 * N * OH * OW * (KH + KW) * C * F,
        "every filter has a weight for every channel: C times F, not plus.": lambda N, OH, OW, KH, KW, C, F: (
            2 * N * OH * OW * KH * KW * (C + F)
        ),
        "counted exactly, an output has one addition fewer; by custom each product counts as two operations.": (
            lambda N, OH, OW, KH, KW, C, F: N * OH * OW * F * (2 * KH * KW * C - 1)
        ),
        "that counts the bias too; the custom leaves it out.": (
            lambda N, OH, OW, KH, KW, C, F: N * OH * OW * F * (2 * KH * KW * C + 1),
            lambda N, OH, OW, KH, KW, C, F: N * OH * OW * F * (KH * KW * C + 1),
        ),
        "neither the picture nor the filter need be square: OH * OW, KH * KW.": (
            lambda N, OH, OW, KH, KW, C, F: 2 * N * OH * OH * KH * KW * C * F,
            lambda N, OH, OW, KH, KW, C, F: 2 * N * OH * OW * KH * KH * C * F,
            lambda N, OH, OW, KH, KW, C, F: 2 * N * OH * OH * KH * KH * C * F,
        ),
    },
)

tile_registers = Exercise(
    "Registers of a tile",
    lambda P, Q: P * Q + Q + 1,
    [(1, 1), (2, 1), (1, 2), (6, 2), (13, 2), (6, 4)],
    {
        "the row of Q weights needs registers too.": lambda P, Q: P * Q + 1,
        "one register holds the number from x, broadcast to a vector.": lambda P, Q: P * Q + Q,
        "only one number from x is held at a time, not P.": lambda P, Q: P * Q + Q + P,
        "that is the sums alone; the weights and the number from x are held beside them.": lambda P, Q: P * Q,
        "every row of the tile has a sum for each of its vectors: P * Q, not P + Q.": (
            lambda P, Q: P + Q + 1,
            lambda P, Q: P + Q,
        ),
        "the row of weights has Q vectors, not P.": (
            lambda P, Q: P * Q + P + 1,
            lambda P, Q: P * Q + P,
        ),
        "the row of weights has Q vectors, not one.": lambda P, Q: P * Q + 2,
        "of x only one number is held at a time: + 1, not + P + 1.": lambda P, Q: (P + 1) * (Q + 1),
    },
)


def _windows(x: np.ndarray, KH: int, KW: int) -> list[np.ndarray]:
    H, W, _ = x.shape
    return [x[i : i + KH, j : j + KW] for i in range(H - KH + 1) for j in range(W - KW + 1)]


def _im2col(x: np.ndarray, KH: int, KW: int) -> np.ndarray:
    return np.array([window.ravel() for window in _windows(x, KH, KW)])


def _one_fewer(x: np.ndarray, KH: int, KW: int) -> np.ndarray:
    H, W, _ = x.shape
    return np.array([x[i : i + KH, j : j + KW].ravel() for i in range(H - KH) for j in range(W - KW)])


def _beyond_the_edge(x: np.ndarray, KH: int, KW: int) -> np.ndarray:
    H, W, _ = x.shape
    return np.array([x[i : i + KH, j : j + KW].ravel() for i in range(H) for j in range(W)])


def _columns_first(x: np.ndarray, KH: int, KW: int) -> np.ndarray:
    H, W, _ = x.shape
    return np.array([x[i : i + KH, j : j + KW].ravel() for j in range(W - KW + 1) for i in range(H - KH + 1)])


def _side_by_side(x: np.ndarray, KH: int, KW: int) -> np.ndarray:
    H, W, _ = x.shape
    places = [(i, j) for i in range(0, H - KH + 1, KH) for j in range(0, W - KW + 1, KW)]
    return np.array([x[i : i + KH, j : j + KW].ravel() for i, j in places])


im2col = Exercise(
    "Windows as rows",
    _im2col,
    [
        (np.arange(float(h * w * c)).reshape(h, w, c), kh, kw)
        for h, w, c, kh, kw in ((1, 1, 1, 1, 1), (2, 2, 1, 1, 1), (3, 3, 1, 2, 2), (4, 3, 2, 2, 3), (5, 6, 3, 3, 2))
    ],
    {
        "one window is missing at each end: there are H - KH + 1 of them.": _one_fewer,
        "windows that reach beyond the edge are cut off: only H - KH + 1 fit.": _beyond_the_edge,
        "a row is a window, a column is a cell of it: transposed.": lambda x, KH, KW: _im2col(x, KH, KW).T,
        "within a row the channels come last: (k, l, c).": (
            lambda x, KH, KW: np.array([window.transpose(2, 0, 1).ravel() for window in _windows(x, KH, KW)]),
            lambda x, KH, KW: np.array([window.ravel(order="F") for window in _windows(x, KH, KW)]),
        ),
        "each window becomes one row: .ravel().": (
            lambda x, KH, KW: np.array(_windows(x, KH, KW)),
            lambda x, KH, KW: np.array([window.reshape(KH * KW, -1) for window in _windows(x, KH, KW)]),
        ),
        "the windows come row by row: the place in the row changes fastest.": _columns_first,
        "KH is the height of a window, KW its width.": lambda x, KH, KW: _im2col(x, KW, KH),
        "the window moves by one cell, it does not jump by its own size.": _side_by_side,
        "one matrix, not one for each row of windows: shape (OH * OW, KH * KW * C).": lambda x, KH, KW: _im2col(
            x, KH, KW
        ).reshape(x.shape[0] - KH + 1, x.shape[1] - KW + 1, -1),
        "windows overlap; a reshape alone cuts the picture into pieces.": lambda x, KH, KW: x.reshape(-1, KH * KW),
        "the cells of a window keep their order: nothing is flipped.": lambda x, KH, KW: _im2col(x, KH, KW)[:, ::-1],
        "a window goes through all channels.": lambda x, KH, KW: _im2col(x[:, :, :1], KH, KW),
    },
)
