"""An exercise on training: a loop with planted bugs, which the reader mends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scratchnet.check.exercise import Exercise


def _probabilities(scores: np.ndarray) -> np.ndarray:
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _loop(
    zeroed: str = "step", mean: str = "batch", sign: float = -1.0, shift: float = 1.0, epochs: int | None = None
) -> Callable[..., np.ndarray]:
    """The loop, right or with a bug.

    Args:
        zeroed: when the gradient is set to 0: "step", "epoch", "never", or "late", between backward and update.
        mean: what its sum is divided by: "batch" (what the batch holds), "size" (batch_size), "all", or "none".
        sign: of the update.
        shift: what is taken from the probability of the true class.
        epochs: how many, in place of those that are asked for.
    """

    def train(x: np.ndarray, y: np.ndarray, w: np.ndarray, rate: float, asked: int, batch_size: int) -> np.ndarray:
        w, dw = w.copy(), np.zeros_like(w)
        for _ in range(asked if epochs is None else epochs):
            if zeroed == "epoch":
                dw[:] = 0
            for start in range(0, len(x), batch_size):
                xb, yb = x[start : start + batch_size], y[start : start + batch_size]
                if zeroed == "step":
                    dw[:] = 0
                dscores = _probabilities(xb @ w)
                dscores[np.arange(len(yb)), yb] -= shift
                dw += xb.T @ dscores / {"batch": len(xb), "size": batch_size, "all": len(x), "none": 1}[mean]
                if zeroed == "late":
                    dw[:] = 0
                w += sign * rate * dw
        return w

    return train


def _case(n: int, features: int, classes: int, epochs: int, batch_size: int, seed: int) -> tuple:
    rng = np.random.default_rng(seed)
    x, w = np.round(rng.normal(size=(n, features)), 2), np.round(rng.normal(size=(features, classes)), 2)
    return x, rng.integers(0, classes, n), w, 0.5, epochs, batch_size


training_loop = Exercise(
    "The mended training loop",
    _loop(),
    [
        _case(1, 1, 2, 1, 1, 0),  # one step
        _case(2, 2, 2, 1, 1, 1),  # two steps
        _case(3, 2, 3, 1, 2, 2),  # a last batch that is smaller
        _case(7, 3, 4, 3, 3, 3),
    ],
    {
        "that is the loop as printed: what is in dw when the second step begins?": (_loop("never", "size")),
        "the gradients still add up: each step starts from dw = 0.": _loop("never"),
        "dw is zeroed now; but the last batch may be smaller than batch_size: divide by len(xb).": (_loop(mean="size")),
        "dw is set to 0 once an epoch; it must be 0 before each step.": _loop("epoch"),
        "dw is set to 0 between backward and update, so nothing is learnt: do it before backward.": _loop("late"),
        "the sign of the update: w moves against the gradient, w -= rate * dw.": _loop(sign=1.0),
        "the mean is over the pictures of this batch, len(xb), not over all of x.": _loop(mean="all"),
        "that is the sum over the batch; the loss is a mean, so divide by len(xb).": _loop(mean="none"),
        "the gradient for the scores is p - y: take 1 from the probability of the true class.": _loop(shift=0.0),
        "only the first epoch is run: does `return` stand inside the loop?": _loop(epochs=1),
    },
)
