"""Exercises on convolution: sizes, parameters, work, windows, registers."""

from __future__ import annotations

import numpy as np

from scratchnet.check.exercise import Exercise

output_size = Exercise(
    "Output size",
    lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride + 1,
    [(3, 3, 1, 0), (4, 3, 1, 0), (4, 3, 1, 1), (5, 2, 2, 0), (28, 3, 1, 0), (32, 4, 2, 1), (7, 3, 3, 2)],
    {
        "the + 1 is missing: a kernel as large as the picture still fits once.": lambda s, k, d, p: (
            (s + 2 * p - k) // d
        ),
        "padding is added on both sides: 2 * padding.": lambda s, k, d, p: (s + p - k) // d + 1,
        "the padding is not used.": lambda s, k, d, p: (s - k) // d + 1,
        "the stride is not used.": lambda s, k, d, p: s + 2 * p - k + 1,
        "use // (rounds down), not /: half a step is no output.": lambda s, k, d, p: (s + 2 * p - k) / d + 1,
    },
)

conv_parameters = Exercise(
    "Parameters of a convolution",
    lambda kh, kw, channels, filters: kh * kw * channels * filters + filters,
    [(1, 1, 1, 1), (1, 1, 2, 1), (3, 3, 1, 32), (3, 3, 32, 64), (5, 3, 8, 16)],
    {
        "the biases are missing: one number per filter.": lambda kh, kw, c, f: kh * kw * c * f,
        "one bias per filter, not one in all.": lambda kh, kw, c, f: kh * kw * c * f + 1,
        "each filter spans all input channels.": lambda kh, kw, c, f: kh * kw * f + f,
        "the bias belongs to a filter, not to an input channel.": lambda kh, kw, c, f: kh * kw * c * f + c,
    },
)

conv_work = Exercise(
    "Work of a convolution",
    lambda N, OH, OW, KH, KW, C, F: 2 * N * OH * OW * KH * KW * C * F,
    [(1, 1, 1, 1, 1, 1, 1), (1, 2, 2, 1, 1, 1, 1), (1, 2, 3, 3, 3, 1, 2), (16, 13, 13, 3, 3, 32, 64)],
    {
        "each product is also added: two operations.": lambda N, OH, OW, KH, KW, C, F: N * OH * OW * KH * KW * C * F,
        "every filter runs over all input channels.": lambda N, OH, OW, KH, KW, C, F: 2 * N * OH * OW * KH * KW * F,
        "every picture of the batch counts.": lambda N, OH, OW, KH, KW, C, F: 2 * OH * OW * KH * KW * C * F,
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
    },
)


def _im2col(x: np.ndarray, KH: int, KW: int) -> np.ndarray:
    H, W, _ = x.shape
    return np.array([x[i : i + KH, j : j + KW].ravel() for i in range(H - KH + 1) for j in range(W - KW + 1)])


im2col = Exercise(
    "Windows as rows",
    _im2col,
    [
        (np.arange(float(h * w * c)).reshape(h, w, c), kh, kw)
        for h, w, c, kh, kw in ((1, 1, 1, 1, 1), (2, 2, 1, 1, 1), (3, 3, 1, 2, 2), (4, 3, 2, 2, 3), (5, 6, 3, 3, 2))
    ],
    {
        "one window is missing at each end: there are H - KH + 1 of them.": lambda x, KH, KW: _im2col(
            x[:-1, :-1], KH, KW
        ),
        "a row is a window, a column is a cell of it: transposed.": lambda x, KH, KW: _im2col(x, KH, KW).T,
        "within a row the channels come last: (k, l, c).": lambda x, KH, KW: np.array(
            [r.reshape(KH, KW, -1).transpose(2, 0, 1).ravel() for r in _im2col(x, KH, KW)]
        ),
    },
)
