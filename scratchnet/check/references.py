"""Exercises on the networks of the article's references: shortcuts, squeeze-and-excitation, depthwise convolutions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise


def _draw(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


# Counting a depthwise separable convolution


def _count(KH: int, KW: int, C: int, F: int, OH: int, OW: int) -> tuple[int, int]:
    weights = KH * KW * C + C * F
    return weights, OH * OW * weights


def _counted(weights: Callable[..., int]) -> Callable[..., tuple[int, int]]:
    """Who counts the weights by this rule, and so the work."""

    def function(KH: int, KW: int, C: int, F: int, OH: int, OW: int) -> tuple[int, int]:
        found = weights(KH, KW, C, F)
        return found, OH * OW * found

    return function


depthwise_count = Exercise(
    "Parameters and multiply-adds of a depthwise convolution and the 1 x 1 behind it",
    _count,
    [(1, 1, 1, 1, 1, 1), (3, 3, 1, 2, 2, 1), (3, 3, 4, 8, 5, 5), (5, 3, 6, 7, 4, 9), (5, 5, 144, 40, 28, 28)],
    {
        "that is the full convolution: here a channel has one filter of KH x KW, and no other channel sees it.": (
            _counted(lambda KH, KW, C, F: KH * KW * C * F)
        ),
        "the 1 x 1 convolution is missing: C * F weights, which mix the channels.": (
            _counted(lambda KH, KW, C, F: KH * KW * C)
        ),
        "the depthwise convolution is missing: KH * KW weights for each of the C channels.": (
            _counted(lambda KH, KW, C, F: C * F)
        ),
        "each channel has one filter, not C: that is what depthwise means.": (
            _counted(lambda KH, KW, C, F: KH * KW * C * C + C * F)
        ),
        "there is one filter for each channel that comes in, C; F is what the 1 x 1 makes of them.": (
            _counted(lambda KH, KW, C, F: KH * KW * F + C * F),
            _counted(lambda KH, KW, C, F: KH * KW * F + F * F),
        ),
        "a filter has KH * KW weights, not KH + KW.": _counted(lambda KH, KW, C, F: (KH + KW) * C + C * F),
        "the two stand one behind the other: their weights add up. Multiplied, they are the full one.": (
            _counted(lambda KH, KW, C, F: KH * KW * C * C * F)
        ),
        "there are no biases here.": (
            lambda KH, KW, C, F, OH, OW: (KH * KW * C + C + C * F + F, OH * OW * (KH * KW * C + C * F)),
            _counted(lambda KH, KW, C, F: KH * KW * C + C + C * F + F),
        ),
        "the 1 x 1 is computed at each of the OH * OW places, too.": (
            lambda KH, KW, C, F, OH, OW: (KH * KW * C + C * F, OH * OW * KH * KW * C + C * F)
        ),
        "the depthwise one is computed at each of the OH * OW places, too.": (
            lambda KH, KW, C, F, OH, OW: (KH * KW * C + C * F, KH * KW * C + OH * OW * C * F)
        ),
        "a multiplication and the addition that follows are one multiply-add.": (
            lambda KH, KW, C, F, OH, OW: (KH * KW * C + C * F, 2 * OH * OW * (KH * KW * C + C * F))
        ),
        "parameters first, then multiply-adds.": lambda *sizes: _count(*sizes)[::-1],
    },
    returns=("parameters", "multiply_adds"),
)


# A residual block


def _residual(x: np.ndarray, w1: np.ndarray, w2: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, ...]:
    a = x @ w1
    h = np.maximum(a, 0)
    s = x + h @ w2
    ds = dy * (s > 0)
    da = ds @ w2.T * (a > 0)
    return np.maximum(s, 0), ds + da @ w1.T, x.T @ da, h.T @ ds


def _residual_with(outer: Callable[..., Any] | None = None, **change: Callable[..., Any]) -> Callable[..., Any]:
    """The same with the last ReLU's mask, or with y, dx, dw1, dw2 changed: functions of a dict of all that there is."""

    def function(x: np.ndarray, w1: np.ndarray, w2: np.ndarray, dy: np.ndarray) -> tuple[Any, ...]:
        a = x @ w1
        h = np.maximum(a, 0)
        s = x + h @ w2
        there = {"x": x, "w1": w1, "w2": w2, "dy": dy, "a": a, "h": h, "s": s}
        ds = dy * (s > 0 if outer is None else outer(there))
        da = ds @ w2.T * (a > 0)
        there |= {"ds": ds, "da": da}
        parts = dict(zip(("y", "dx", "dw1", "dw2"), (np.maximum(s, 0), ds + da @ w1.T, x.T @ da, h.T @ ds)))
        return tuple(change[name](there) if name in change else part for name, part in parts.items())

    return function


residual_block = GradientExercise(
    "A residual block, forward and backward",
    _residual,
    [
        (np.array([[1.0]]), np.array([[2.0]]), np.array([[3.0]]), np.array([[1.0]])),
        (np.array([[1.0, -1.0]]), np.array([[1.0, 2.0], [3.0, 1.0]]), np.eye(2), np.array([[2.0, 5.0]])),
        (_draw(1, 3, 2), _draw(2, 2, 4), _draw(3, 4, 2), _draw(4, 3, 2)),
        (_draw(5, 6, 3), _draw(6, 3, 3), _draw(7, 3, 3), _draw(8, 6, 3)),
    ],
    {
        "the shortcut is missing in y: s = x + relu(x w1) w2.": _residual_with(
            y=lambda t: np.maximum(t["h"] @ t["w2"], 0)
        ),
        "dx lacks the shortcut's part: x goes into s directly, so ds comes back to it whole.": _residual_with(
            dx=lambda t: t["da"] @ t["w1"].T
        ),
        "dx lacks the branch's part: x also went through w1 and w2. The two parts add up.": _residual_with(
            dx=lambda t: t["ds"]
        ),
        "the shortcut's part of dx passes the last ReLU, too: ds, not dy.": _residual_with(
            dx=lambda t: t["dy"] + t["da"] @ t["w1"].T
        ),
        "the last ReLU stands behind the sum: max(x + ..., 0).": (
            _residual_with(y=lambda t: t["x"] + np.maximum(t["h"] @ t["w2"], 0)),
            _residual_with(y=lambda t: t["s"]),
        ),
        "the last ReLU is missing on the way back: ds = dy * (s > 0).": _residual_with(outer=lambda t: 1),
        "the last ReLU's mask asks where the sum s is above 0, not the branch.": _residual_with(
            outer=lambda t: t["h"] @ t["w2"] > 0
        ),
        "the last ReLU's mask asks where the sum s is above 0, not x.": _residual_with(outer=lambda t: t["x"] > 0),
        "the ReLU between w1 and w2 is missing on the way back: da = ds w2' * (x w1 > 0).": _residual_with(
            dx=lambda t: t["ds"] + t["ds"] @ t["w2"].T @ t["w1"].T, dw1=lambda t: t["x"].T @ (t["ds"] @ t["w2"].T)
        ),
        "what went into w2 is relu(x w1): dw2 = relu(x w1)' ds.": _residual_with(dw2=lambda t: t["a"].T @ t["ds"]),
        "dw2 is made from ds, behind the last ReLU's mask, not from dy.": _residual_with(
            dw2=lambda t: t["h"].T @ t["dy"]
        ),
        "the gradients of the weights are sums over the rows of x, not means: a division by N is in dy already.": (
            _residual_with(
                dw1=lambda t: t["x"].T @ t["da"] / len(t["x"]), dw2=lambda t: t["h"].T @ t["ds"] / len(t["x"])
            )
        ),
    },
)


# Squeeze-and-excitation


def _excited(x: np.ndarray, w1: np.ndarray, w2: np.ndarray, dy: np.ndarray, **how: Any) -> tuple[np.ndarray, ...]:
    """Right without `how`; each word in it is a mistake."""
    places = x.shape[1] * x.shape[2]
    z = {"sum": x.sum((1, 2)), "max": x.max((1, 2))}.get(how.get("squeeze", ""), x.mean((1, 2)))
    a = z @ w1
    h = np.maximum(a, 0)
    s = 1 / (1 + np.exp(-(h @ w2)))
    ds = (dy * (1 if how.get("without_x") else x)).sum((1, 2)) / (places if how.get("averaged") else 1)
    du = ds * (1 if how.get("no_slope") else s * (1 - s))
    da = du @ w2.T * (1 if how.get("no_mask") else a > 0)
    dz = (da @ w1.T)[:, None, None] / (1 if how.get("undivided") else places)
    scaled = dy * s[:, None, None]
    dx = {"direct": scaled, "through": dz + 0 * x}.get(how.get("ways", ""), scaled + dz)
    return x * s[:, None, None], dx, z.T @ da, h.T @ du


squeeze_excitation = GradientExercise(
    "Squeeze-and-excitation, forward and backward",
    lambda x, w1, w2, dy: _excited(x, w1, w2, dy),
    [
        (_draw(10, 1, 1, 2, 1), np.array([[1.0]]), np.array([[0.5]]), _draw(11, 1, 1, 2, 1)),
        (_draw(12, 1, 2, 2, 2), np.array([[1.0], [-0.5]]), np.array([[1.0, -1.0]]), _draw(13, 1, 2, 2, 2)),
        (_draw(14, 3, 2, 3, 4), _draw(15, 4, 2), _draw(16, 2, 4), _draw(17, 3, 2, 3, 4)),
    ],
    {
        "x has an effect on two ways. dx lacks the one through the means: each place has a part in its channel's.": (
            lambda *case: _excited(*case, ways="direct")
        ),
        "x has an effect on two ways. dx lacks the direct one: y = x * s, so dy * s comes back.": (
            lambda *case: _excited(*case, ways="through")
        ),
        "a mean over H * W places hands each of them an H * W-th of its gradient.": (
            lambda *case: _excited(*case, undivided=True)
        ),
        "s of a channel is used at all its places: their gradients are added up, not averaged.": (
            lambda *case: _excited(*case, averaged=True)
        ),
        "ds is the sum of dy * x: y = x * s.": lambda *case: _excited(*case, without_x=True),
        "the slope of the sigmoid is missing: s * (1 - s).": lambda *case: _excited(*case, no_slope=True),
        "the ReLU's mask is missing on the way back.": lambda *case: _excited(*case, no_mask=True),
        "the squeeze is the mean over the places, not the sum.": lambda *case: _excited(*case, squeeze="sum"),
        "the squeeze is the mean over the places, not the largest.": lambda *case: _excited(*case, squeeze="max"),
    },
    returns=("y", "dx", "dw1", "dw2"),
)


# A network of 27 blocks that does not learn. The faults of the printed listing, each with what is said of it.

UNMENDED = "all three faults are still in it. Follow x up through the first loop, and dy down through the second."
_FAULTS = {
    "the shortcut begins too late: x is overwritten before it is added": "late",
    "the sum is halved, and after 27 halvings a hundred-millionth is left": "half",
    "on the way back, dy itself must be kept and the branch's part added to it": "lost",
}


def _deep(x: np.ndarray, w: np.ndarray, dy: np.ndarray, faults: tuple[str, ...] = ()) -> tuple[np.ndarray, ...]:
    """Blocks x + relu(x w1) w2, w of shape (blocks, 2, C, C), with the named faults.

    "mean" is not in the listing: the sum is halved, and so is what comes back.
    """
    inputs = []
    for w1, w2 in w:
        inputs.append(x)
        h = np.maximum(x @ w1, 0)
        x = (h if "late" in faults else x) + h @ w2
        x = x / 2 if {"half", "mean"} & set(faults) else x
    y, dw = x, np.zeros(w.shape)
    for b in reversed(range(len(w))):
        x, (w1, w2) = inputs[b], w[b]
        h = np.maximum(x @ w1, 0)
        dy = dy / 2 if "mean" in faults else dy
        dh = dy @ w2.T * (h > 0)
        dw[b] = x.T @ dh, h.T @ dy
        dy = ("lost" not in faults) * dy + dh @ w1.T
    return y, dy, dw


def _deep_with(*faults: str) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda x, w, dy: _deep(x, w, dy, faults)


def _remaining(faults: dict[str, str]) -> dict[str, Callable[..., Any]]:
    """Each hint for some of the faults; the listing as it stands, with all of them, gives none of them away."""
    subsets = [subset for size in range(1, len(faults)) for subset in combinations(faults, size)]
    found = {"still in it: " + "; ".join(s) + ".": _deep_with(*(faults[text] for text in s)) for s in subsets}
    return {UNMENDED: _deep_with(*faults.values()), **found}


def _deep_case(seed: int, rows: int, blocks: int, channels: int) -> tuple[np.ndarray, ...]:
    return (
        _draw(seed, rows, channels),
        0.5 * _draw(seed + 1, blocks, 2, channels, channels),
        _draw(seed + 2, rows, channels),
    )


deep_network = GradientExercise(
    "A network of 56 layers that does not learn, mended",
    lambda x, w, dy: _deep(x, w, dy),
    [_deep_case(20, 2, 1, 2), _deep_case(23, 3, 2, 2), _deep_case(26, 4, 5, 3)],
    _remaining(_FAULTS)
    | {
        "a mean with its right gradient is no bug, but 27 halvings leave nothing of x, nor of dy: add.": (
            _deep_with("mean")
        ),
    },
    returns=("y", "dx", "dw"),
)
