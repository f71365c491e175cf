"""The exercises of notebook 3.1c: stubs do not pass, mistakes as readers write them are named."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from scratchnet import check

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "03_1c_backpropagation.ipynb"
CELLS = [(c["cell_type"], "".join(c["source"])) for c in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]]
CALL = re.compile(r"sn\.check\.(\w+)\((\w+)\)")
EXERCISES = [(n, *m.groups()) for n, (kind, text) in enumerate(CELLS) if kind == "code" and (m := CALL.search(text))]


def made_by(text, name):
    space = {"np": np}
    exec(text, space)
    return space[name]


@pytest.mark.parametrize(("cell", "exercise", "name"), EXERCISES, ids=lambda value: str(value))
def test_the_stub_does_not_pass(cell, exercise, name):
    stub = CALL.sub("", CELLS[cell][1])
    assert not getattr(check, exercise)(made_by(stub, name))


def test_what_the_notebook_says_of_trained_bugs_is_what_it_printed():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    printed = "".join("".join(o.get("text", "")) for c in cells for o in c.get("outputs", []))
    found = re.findall(r"^([a-z ]+?) +mean (0\.\d+), from (0\.\d+) to (0\.\d+)$", printed, re.M)
    mean = {name: float(value) for name, value, _, _ in found}
    assert set(mean) == {"right", "transpose", "mask", "batch", "turn", "spread", "mean", "conv frozen"}
    assert mean["mask"] == 0.1  # one bug of six is seen
    assert mean["turn"] == mean["right"]  # the very same numbers
    assert round(mean["right"], 2) == 0.63
    learnt = [value for name, value in mean.items() if name not in ("mask", "right", "conv frozen")]
    assert (round(min(learnt), 2), round(max(learnt), 2)) == (0.59, 0.63)
    assert round(mean["conv frozen"], 2) == 0.56


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def as_the_article_says(z, y):  # one row after the other, and no mean
    return np.array([[p - (k == label) for k, p in enumerate(row)] for row, label in zip(softmax(z), y)])


def one_hot_forgotten(z, y):
    return softmax(z) / len(y)


def with_overflow(z, y):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


def every_tie(x, dy):
    return np.where(x == x.max(axis=1, keepdims=True), dy[:, None], 0)


def column_of_all_rows(x, dy):
    dx = np.zeros_like(x)
    dx[:, np.argmax(x, axis=1)] = dy
    return dx


def one_sided(f, x, h):
    g = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += h
        g[index] = (f(moved) - f(x)) / h
    return g


def never_put_back(f, x, h):
    g, x = np.zeros_like(x), x.copy()
    for index in np.ndindex(x.shape):
        x[index] += h
        above = f(x)
        x[index] -= 2 * h
        g[index] = (above - f(x)) / (2 * h)
    return g


def largest(errors, tolerance):
    return max(errors, key=errors.get) if max(errors.values()) > tolerance else "none"


def blind_to_nan(errors, tolerance):
    for name, error in errors.items():
        if error > tolerance:
            return name
    return "none"


def not_shared_out(x, dy):
    dx = np.zeros(x.shape)
    for i, j in np.ndindex(dy.shape):
        dx[i : i + 2, j : j + 2] += dy[i, j]
    return dx


def only_last(x, dy):
    dx = np.zeros(x.shape)
    for i, j in np.ndindex(dy.shape):
        dx[i : i + 2, j : j + 2] = dy[i, j] / 4
    return dx


def dense_relu(x, w, b, dy, mask=None, dx=None, db=None):
    y = np.maximum(x @ w + b, 0)
    dz = dy * (y > 0 if mask is None else mask(dy))
    return y, (dx or (lambda d: d @ w.T))(dz), x.T @ dz, (db or (lambda d: d.sum(0)))(dz)


def conv(x, w, b, stride, dy, how=""):
    (KH, KW, C, _), y = w.shape, np.zeros(dy.shape)
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for n, i, j, f in np.ndindex(*dy.shape):
        y[n, i, j, f] = b[f]
        if how == "batch" and i == j == f == 0:
            dw[...] = 0
        for k, m, c in np.ndindex(KH, KW, C):
            h, v = stride * i + k, stride * j + m
            y[n, i, j, f] += x[n, h, v, c] * w[k, m, c, f]
            weight = w[-1 - k, -1 - m, c, f] if how == "turn" else w[k, m, c, f]
            if how == "no stride":
                dx[n, i + k, j + m, c] += dy[n, i, j, f] * weight
            else:
                dx[n, h, v, c] += dy[n, i, j, f] * weight
            dw[k, m, c, f] += dy[n, i, j, f] * x[n, h, v, c]
    return y, dx, dw, dy.mean(axis=(0, 1, 2)) if how == "mean" else dy.sum(axis=(0, 1, 2))


def changed(function, **how):
    return lambda *arguments: function(*arguments, **how)


@pytest.mark.parametrize(
    ("exercise", "function", "hint"),
    [
        ("softmax_cross_entropy_gradient", as_the_article_says, "divide by N"),
        ("softmax_cross_entropy_gradient", one_hot_forgotten, "not taken off"),
        ("softmax_cross_entropy_gradient", with_overflow, "infinite"),
        ("maximum_backward", every_tie, "twice"),
        ("maximum_backward", column_of_all_rows, "Likely|broadcast"),
        ("numerical_gradient", one_sided, "one side only"),
        ("numerical_gradient", never_put_back, "put x back"),
        ("first_wrong", largest, "not the largest"),
        ("first_wrong", blind_to_nan, "nan is wrong too"),
        ("average_pool_backward", not_shared_out, "dy / 4"),
        ("average_pool_backward", only_last, "Which pixels are right"),
        ("dense_relu_backward", changed(dense_relu, mask=lambda dy: dy > 0), r"not \(dy > 0\)"),
        ("dense_relu_backward", changed(dense_relu, mask=lambda dy: 1), "passes ReLU first"),
        ("dense_relu_backward", changed(dense_relu, db=lambda d: d.mean(0)), "not a mean"),
        ("dense_relu_backward", changed(dense_relu, db=lambda d: d), "one number for each output"),
        ("conv2d_backward_stride", changed(conv, how="batch"), "summed over the pictures"),
        ("conv2d_backward_stride", changed(conv, how="turn"), "flipped when"),
        ("conv2d_backward_stride", changed(conv, how="no stride"), "stride \\* i"),
        ("conv2d_backward_stride", changed(conv, how="mean"), "not a mean"),
    ],
)
def test_mistakes_as_readers_write_them_are_named(exercise, function, hint):
    verdict = getattr(check, exercise)(function)
    assert not verdict
    assert re.search(hint, repr(verdict)), verdict


@pytest.mark.parametrize("exercise", ["dense_relu_backward", "conv2d_backward_stride"])
def test_the_larger_ones_show_the_relative_error_of_each_gradient(exercise):
    verdict = getattr(check, exercise)(getattr(check, exercise).right)
    assert verdict
    assert [line.split()[0] for line in repr(verdict).splitlines()[2:]] == ["y", "dx", "dw", "db"]
