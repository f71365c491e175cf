"""Checkers for the notebooks' exercises: `check.NAME(function)` says at once whether a reader's function is right.

A checker holds the right function, cases from small to large, and the mistakes that readers make most often, each as
a function of its own. The reader's function is called on copies of every case. If it differs, the answer shows the
smallest failing case; if it agrees everywhere with one of the mistakes, the answer names that mistake.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratchnet import metrics

TOLERANCE = 1e-6


class Verdict:
    """What a checker answers: true if the function is right; as text, why not and what to try."""

    def __init__(self, right: bool, message: str):
        self.right = right
        self.message = message

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.message


@dataclass
class Exercise:
    """One exercise: the right function, its cases (tuples of arguments, small ones first) and the usual mistakes."""

    title: str
    right: Callable[..., Any]
    cases: Sequence[tuple]
    mistakes: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def __call__(self, function: Callable[..., Any]) -> Verdict:
        """Compare `function` with the right one on every case. Never raises: what the function raises is shown."""
        if not callable(function):
            return Verdict(
                False, f"{self.title}: expected a function, got {function!r}. Pass its name without brackets."
            )
        for case in self.cases:
            arguments = copy.deepcopy(case)
            expected = self.right(*copy.deepcopy(case))
            call = f"{getattr(function, '__name__', 'function')}({', '.join(_show(a) for a in case)})"
            try:
                actual = function(*arguments)
            except Exception as error:
                return self._wrong(call, expected, f"{type(error).__name__}: {error}", function)
            if not _equal(actual, expected):
                return self._wrong(call, expected, _show(actual), function)
            if not all(_equal(now, before) for now, before in zip(arguments, case)):
                return Verdict(False, f"{self.title}: {call} changes its argument. Work on a copy: x = x.copy().")
        return Verdict(True, f"{self.title}: right, in all {len(self.cases)} cases.")

    def _wrong(self, call: str, expected: Any, actual: str, function: Callable[..., Any]) -> Verdict:
        lines = [f"{self.title}: not yet.", f"  {call}", f"  expected {_show(expected)}", f"  got      {actual}"]
        if actual == "None":
            lines.append("  The function returns nothing: does it end with `return`?")
        for hint, mistake in self.mistakes.items():
            if self._agree(function, mistake):
                lines.append(f"  Likely: {hint}")
                break
        return Verdict(False, "\n".join(lines))

    def _agree(self, function: Callable[..., Any], mistake: Callable[..., Any]) -> bool:
        return all(_equal(_outcome(function, case), _outcome(mistake, case)) for case in self.cases)


def _outcome(function: Callable[..., Any], case: tuple) -> Any:
    """What the function returns, or the kind of exception it raises: a mistake may show either way."""
    try:
        return function(*copy.deepcopy(case))
    except Exception as error:
        return type(error).__name__


def _equal(actual: Any, expected: Any) -> bool:
    """Same shape and, within the tolerance, the same numbers; a list or tuple counts as the array it spells."""
    try:
        a, e = np.asarray(actual, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    except (TypeError, ValueError):
        return bool(actual == expected)
    return a.shape == e.shape and bool(np.allclose(a, e, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))


def _show(value: Any) -> str:
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, separator=", ", threshold=24, max_line_width=100)
        return text.replace("\n", "\n           ") + ("" if value.size <= 24 else f" of shape {value.shape}")
    if isinstance(value, np.floating):
        return f"{value:.6g}"
    return repr(value.item()) if isinstance(value, np.generic) else repr(value)


def _probabilities(n: int, classes: int, seed: int) -> np.ndarray:
    scores = np.exp(np.random.default_rng(seed).normal(size=(n, classes)))
    return np.round(scores / scores.sum(axis=1, keepdims=True), 3)


def _labels(n: int, classes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, classes, n)


def _cross_entropy(p: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.mean(np.log(p[np.arange(len(labels)), labels])))


def _one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    return (labels[:, None] == np.arange(num_classes)).astype(np.float32)


def _accuracy(p: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(p.argmax(axis=1) == labels))


_PREDICTIONS = [(_probabilities(n, c, n), _labels(n, c, n + 1)) for n, c in ((1, 2), (2, 2), (3, 4), (20, 10))]
_CONFUSIONS = [(_labels(n, c, n), _labels(n, c, n + 7), c) for n, c in ((1, 2), (3, 2), (6, 3), (50, 5))]

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

accuracy = Exercise(
    "Accuracy",
    _accuracy,
    _PREDICTIONS,
    {
        "a count, not a fraction: divide by the number of pictures.": lambda p, y: int((p.argmax(1) == y).sum()),
        "axis 0 compares pictures; the classes are on axis 1.": lambda p, y: float(np.mean(p.argmax(0) == y)),
        "in percent; the answer is a fraction from 0 to 1.": lambda p, y: 100 * _accuracy(p, y),
        "this is the error rate: 1 - accuracy.": lambda p, y: 1 - _accuracy(p, y),
    },
)

one_hot = Exercise(
    "One-hot labels",
    _one_hot,
    [(_labels(n, c, n), c) for n, c in ((1, 2), (3, 3), (4, 10), (9, 5))],
    {
        "the axes are swapped: one row per picture, one column per class.": lambda y, c: _one_hot(y, c).T,
        "classes count from 0, not from 1.": lambda y, c: _one_hot(y - 1, c),
    },
)

confusion_matrix = Exercise(
    "Confusion matrix",
    metrics.confusion_matrix,
    _CONFUSIONS,
    {
        "rows and columns are swapped: row = true class, column = predicted class.": lambda t, p, c: (
            metrics.confusion_matrix(p, t, c)
        ),
        "a cell counts pictures; add 1 for each, do not set it to 1.": lambda t, p, c: np.minimum(
            metrics.confusion_matrix(t, p, c), 1
        ),
    },
)

cross_entropy = Exercise(
    "Cross-entropy",
    _cross_entropy,
    _PREDICTIONS,
    {
        "the sign: a logarithm of a probability is negative, the loss is minus that.": lambda p, y: (
            -_cross_entropy(p, y)
        ),
        "a sum; the loss is the mean over the pictures.": lambda p, y: _cross_entropy(p, y) * len(y),
        "np.log is the natural logarithm; log2 or log10 measure in other units.": lambda p, y: (
            _cross_entropy(p, y) / np.log(2)
        ),
        "only the probability of the true class counts: p[i, label[i]].": lambda p, y: float(-np.mean(np.log(p))),
    },
)


def _im2col(x: np.ndarray, KH: int, KW: int) -> np.ndarray:
    H, W, _ = x.shape
    return np.array([x[i : i + KH, j : j + KW].ravel() for i in range(H - KH + 1) for j in range(W - KW + 1)])


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
        "one register holds the number from x, spread over a vector.": lambda P, Q: P * Q + Q,
        "only one number from x is held at a time, not P.": lambda P, Q: P * Q + Q + P,
    },
)

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
