"""The checker of the mended training loop: it accepts the solution, and names what is still wrong."""

import numpy as np

from scratchnet import check


def softmax(scores):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def solution(x, y, w, rate, epochs, batch_size):
    w = w.copy()
    for _ in range(epochs):
        for start in range(0, len(x), batch_size):
            xb, yb = x[start : start + batch_size], y[start : start + batch_size]
            dscores = softmax(xb @ w)
            dscores[np.arange(len(yb)), yb] -= 1
            dw = xb.T @ dscores / len(xb)
            w -= rate * dw
    return w


def as_printed(x, y, w, rate, epochs, batch_size):
    w, dw = w.copy(), np.zeros_like(w)
    for _ in range(epochs):
        for start in range(0, len(x), batch_size):
            xb, yb = x[start : start + batch_size], y[start : start + batch_size]
            dscores = softmax(xb @ w)
            dscores[np.arange(len(yb)), yb] -= 1
            dw += xb.T @ dscores / batch_size
            w -= rate * dw
    return w


def test_the_solution_is_right():
    assert check.training_loop(solution)


def test_the_loop_as_printed_is_not():
    assert "as printed" in repr(check.training_loop(as_printed))
