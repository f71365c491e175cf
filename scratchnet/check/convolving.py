"""Exercises of notebook 3.1a: zeros around a picture, diagonals, the scatter, convolution and its backward."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise


def _same(size: int, kernel: int, stride: int, low: bool = False, outputs: int | None = None) -> tuple[int, int]:
    outputs = -(-size // stride) if outputs is None else outputs
    total = max((outputs - 1) * stride + kernel - size, 0)
    half = total // 2
    return (total - half, half) if low else (half, total - half)


def _unlimited(size: int, kernel: int, stride: int) -> tuple[int, int]:
    total = (-(-size // stride) - 1) * stride + kernel - size
    return total // 2, total - total // 2


same_padding = Exercise(
    'Zeros for padding="same"',
    _same,
    [(3, 1, 1), (3, 3, 1), (4, 2, 1), (4, 3, 2), (5, 3, 2), (6, 1, 3), (7, 5, 3), (28, 4, 2), (224, 7, 2)],
    {
        "an odd zero goes below and right: the smaller half comes first.": partial(_same, low=True),
        "kernel // 2 on both sides is right for odd kernels at stride 1 only.": lambda s, k, d: (k // 2, k // 2),
        "the stride is not used: with it, fewer zeros are enough.": lambda s, k, d: _same(s, k, 1),
        "there are never fewer than 0 zeros: max(total, 0).": _unlimited,
        "ceil(size / stride) outputs are wanted; // rounds down.": lambda s, k, d: _same(s, k, d, outputs=s // d),
        "the last window begins at (outputs - 1) * stride.": lambda s, k, d: _same(s, k, d, outputs=-(-s // d) + 1),
        "return both numbers, before and after, not their sum.": lambda s, k, d: sum(_same(s, k, d)),
        "an odd number of zeros has a larger half: total - total // 2.": lambda s, k, d: (_same(s, k, d)[0],) * 2,
        "before and after make up the total: halve it.": lambda s, k, d: (sum(_same(s, k, d)),) * 2,
        "(kernel - 1) // 2 on both sides is right for odd kernels at stride 1 only.": lambda s, k, d: (
            ((k - 1) // 2,) * 2
        ),
        "an odd number of zeros has a smaller half: total // 2.": lambda s, k, d: (_same(s, k, d)[1],) * 2,
        "half a zero cannot be: // gives whole numbers.": lambda s, k, d: (sum(_same(s, k, d)) / 2,) * 2,
        "outputs is ceil(size / stride) here, not what fits without zeros.": lambda s, k, d: _same(
            s, k, d, outputs=(s - k) // d + 1
        ),
    },
)

transposed_size = Exercise(
    "Output size of a transposed convolution",
    lambda size, kernel, stride, padding: (size - 1) * stride + kernel - 2 * padding,
    [(1, 1, 1, 0), (1, 3, 1, 0), (2, 3, 1, 0), (2, 3, 2, 0), (2, 4, 2, 1), (4, 3, 3, 1), (8, 5, 2, 2), (16, 2, 3, 0)],
    {
        "that is the convolution's own formula; here the picture grows.": lambda s, k, d, p: (s + 2 * p - k) // d + 1,
        "the kernel is not used: stamps are wider than the stride, or leave gaps.": lambda s, k, d, p: s * d,
        "the last stamp begins at (size - 1) * stride, since the first begins at 0.": lambda s, k, d, p: (
            s * d + k - 2 * p
        ),
        "padding cuts off from the output: minus 2 * padding.": lambda s, k, d, p: (s - 1) * d + k + 2 * p,
        "padding is cut off on both sides: 2 * padding.": lambda s, k, d, p: (s - 1) * d + k - p,
        "the padding is not used.": lambda s, k, d, p: (s - 1) * d + k,
        "the stride is not used.": lambda s, k, d, p: s - 1 + k - 2 * p,
        "the last stamp has a kernel's width, not 1.": lambda s, k, d, p: (s - 1) * d + 1 - 2 * p,
        "the + 1 is too much: the last stamp begins at (size - 1) * stride and has kernel cells.": lambda s, k, d, p: (
            (s - 1) * d + k - 2 * p + 1
        ),
        "the last stamp has kernel cells, all of them count.": lambda s, k, d, p: (s - 1) * d + k - 1 - 2 * p,
    },
)

_FALLING = 3 * np.eye(3) - 1


def _responses(x: np.ndarray, w: np.ndarray, less: int = 2) -> np.ndarray:
    rows, columns = x.shape[0] - less, x.shape[1] - less
    return np.array([[np.sum(x[i : i + 3, j : j + 3] * w) for j in range(columns)] for i in range(rows)])


def _brightest(x: np.ndarray, w: np.ndarray = _FALLING, of: Callable[..., Any] = np.positive) -> tuple[int, int]:
    y = of(_responses(x, w))
    i, j = np.unravel_index(y.argmax(), y.shape)
    return int(i), int(j)


def _lined(rows: int, columns: int, i: int, j: int, ground: float = 0.0, **others: tuple[int, int]) -> np.ndarray:
    """A picture with a falling line at (i, j), and others: a rising, an upright, a dark one, and a patch."""
    x = np.full((rows, columns), ground)
    shapes = {"rising": np.fliplr(np.eye(3)), "upright": np.eye(3)[1][None] * np.ones((3, 1)), "patch": np.ones((3, 3))}
    for name, (r, c) in others.items():
        if name == "dark":
            x[r : r + 3, c : c + 3] -= 1.2 * np.eye(3)
        else:
            x[r : r + 3, c : c + 3] += {"patch": 2.0}.get(name, 1.0) * shapes[name]
    x[i : i + 3, j : j + 3] += np.eye(3)
    return x


find_diagonal = Exercise(
    "A detector for diagonals",
    _brightest,
    [
        (_lined(3, 3, 0, 0),),
        (_lined(3, 5, 0, 2),),
        (_lined(5, 3, 1, 0),),
        (_lined(5, 9, 2, 6, rising=(0, 0)),),
        (_lined(9, 6, 0, 1, upright=(6, 2)),),
        (_lined(8, 9, 1, 0, patch=(5, 5)),),
        (_lined(8, 8, 5, 1, ground=2.0, dark=(0, 4)),),
        (_lined(12, 12, 8, 1, ground=0.5, rising=(0, 0), upright=(0, 6), patch=(7, 8)),),
    ],
    {
        "the kernel answers to any bright patch: its weights must add up to 0.": lambda x: _brightest(x, np.eye(3)),
        "that kernel finds lines that rise to the right.": lambda x: _brightest(x, np.fliplr(_FALLING)),
        "the row comes first: (i, j).": lambda x: _brightest(x)[::-1],
        "(i, j) is the window's upper left corner, not its centre.": lambda x: tuple(v + 1 for v in _brightest(x)),
        "argmax counts through all rows: np.unravel_index(y.argmax(), y.shape).": lambda x: int(
            _responses(x, _FALLING).argmax()
        ),
        "return the place of the largest answer, not the answer.": lambda x: _responses(x, _FALLING).max(),
        "the last row and column of windows are missing: there are H - 2 by W - 2.": lambda x: np.unravel_index(
            _responses(x, _FALLING, 3).argmax(), _responses(x, _FALLING, 3).shape
        ),
        "dark lines answer with a large negative number: take the largest, not the largest size.": lambda x: _brightest(
            x, of=np.abs
        ),
        "the line is bright: look for the largest answer, not the smallest.": lambda x: _brightest(x, of=np.negative),
        "two corners are not enough: all six cells beside the line need negative weights.": lambda x: _brightest(
            x, np.eye(3) - np.fliplr(np.eye(3)) * [[1], [0], [1]]
        ),
    },
)


def _numbers(seed: int, *shape: int) -> np.ndarray:
    """Whole numbers from 1 to 5 with signs, as floats."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, 6, shape) * rng.choice([-1.0, 1.0], shape)


def _by_hand(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int, dy: np.ndarray, **wrong: Any
) -> tuple[np.ndarray, ...]:
    """(y, dx, dw, db) for one picture; `wrong` asks for one of the usual mistakes."""
    KH, KW = w.shape[:2]
    y, dx, dw = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(w.shape)
    front = w[::-1, ::-1] if wrong.get("flipped") else w
    back = w[::-1, ::-1] if wrong.get("flipped_back") else w
    channels = slice(0, 1) if wrong.get("one_channel") else slice(None)
    steps = {name: 1 if wrong.get(f"{name}_stride") else stride for name in ("y", "dx", "dw")}
    for i, j in np.ndindex(*dy.shape[:2]):
        at = {name: np.s_[s * i : s * i + KH, s * j : s * j + KW] for name, s in steps.items()}
        y[i, j] = b * wrong.get("biases", 1) + np.tensordot(x[at["y"]][..., channels], front[:, :, channels], 3)
        dx[at["dx"]] = dx[at["dx"]] * (not wrong.get("dx_set")) + back @ dy[i, j]
        dw[...] = dw * (not wrong.get("dw_set")) + x[at["dw"]][..., None] * dy[i, j]
    return y, dx, dw, dy.sum(axis=(0, 1))


def _in_the_inner_loop(*names: str) -> Callable[..., tuple[np.ndarray, ...]]:
    """The bias, or its gradient, counted once for each product."""

    def wrong(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int, dy: np.ndarray) -> tuple[np.ndarray, ...]:
        products = w[..., 0].size
        y, dx, dw, db = _by_hand(x, w, b, stride, dy, biases=products if "y" in names else 1)
        return y, dx, dw, db * (products if "db" in names else 1)

    return wrong


def _case(H: int, W: int, C: int, KH: int, KW: int, F: int, stride: int) -> tuple:
    shape = (math.ceil((H - KH + 1) / stride), math.ceil((W - KW + 1) / stride), F)
    return (_numbers(1, H, W, C), _numbers(2, KH, KW, C, F), _numbers(3, F), stride, _numbers(4, *shape))


def _changed(change: Callable[..., Sequence[np.ndarray]]) -> Callable[..., tuple[np.ndarray, ...]]:
    """The right answer with something done to it: change(y, dx, dw, db, case)."""
    return lambda *case: tuple(change(*_by_hand(*case), case))


conv_by_hand = GradientExercise(
    "Convolution and its backward",
    _by_hand,
    [
        _case(1, 1, 1, 1, 1, 1, 1),
        _case(2, 2, 1, 1, 1, 1, 1),
        _case(3, 3, 1, 2, 2, 1, 1),
        _case(3, 4, 2, 2, 2, 1, 1),
        _case(4, 3, 1, 2, 1, 2, 1),
        _case(5, 5, 1, 2, 2, 1, 2),
        _case(5, 6, 2, 3, 2, 3, 2),
    ],
    {
        "the bias is missing: y[i, j, f] starts at b[f].": partial(_by_hand, biases=0),
        "y: the kernel is not flipped, w[k, l] meets x[s*i + k, s*j + l].": partial(_by_hand, flipped=True),
        "y: the sum runs over all channels.": partial(_by_hand, one_channel=True),
        "y: the window of y[i, j] begins at (s*i, s*j).": partial(_by_hand, y_stride=True),
        "y: b[f] is added once for each number of y, not once for each product.": _in_the_inner_loop("y"),
        "dx: a pixel lies in several windows, each adds its part: +=.": partial(_by_hand, dx_set=True),
        "dw: a weight meets every window, each adds its part: +=.": partial(_by_hand, dw_set=True),
        "dx: the same k and l as in y; nothing is flipped when you scatter.": partial(_by_hand, flipped_back=True),
        "dx: the window of dy[i, j] begins at (s*i, s*j), as in y.": partial(_by_hand, dx_stride=True),
        "dw: the window of dy[i, j] begins at (s*i, s*j), as in y.": partial(_by_hand, dw_stride=True),
        "backward: the window of dy[i, j] begins at (s*i, s*j), as in y.": partial(
            _by_hand, dx_stride=True, dw_stride=True
        ),
        "the stride is not used: the window of y[i, j] begins at (s*i, s*j).": partial(
            _by_hand, y_stride=True, dx_stride=True, dw_stride=True
        ),
        "db: a bias takes part at every place, so its gradient is the sum, not the mean.": _changed(
            lambda y, dx, dw, db, case: (y, dx, dw, case[4].mean(axis=(0, 1)))
        ),
        "db: each dy[i, j, f] counts once, not once for each product.": _in_the_inner_loop("db"),
        "b[f] takes part once for each number of y: out of the inner loop with b and db.": _in_the_inner_loop(
            "y", "db"
        ),
        "db: the sum of dy, not the number of places.": _changed(
            lambda y, dx, dw, db, case: (y, dx, dw, np.full_like(db, case[4][..., 0].size))
        ),
        "db: one number a filter, the sum over i and j.": _changed(
            lambda y, dx, dw, db, case: (y, dx, dw, case[4].sum())
        ),
        "return them in the order y, dx, dw, db.": _changed(lambda y, dx, dw, db, case: (y, dw, dx, db)),
        "backward starts from dy, not from y.": _changed(
            lambda y, dx, dw, db, case: (y, *_by_hand(case[0], case[1], case[2], case[3], y)[1:])
        ),
        "gradients are not divided by the number of places.": _changed(
            lambda y, dx, dw, db, case: (y, *(g / np.prod(case[4].shape[:2]) for g in (dx, dw, db)))
        ),
    },
    returns=("y", "dx", "dw", "db"),
)
