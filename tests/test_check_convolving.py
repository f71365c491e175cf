"""The exercises of notebook 3.1a: right answers of readers pass, wrong ones are named, each array has its error."""

import numpy as np
import pytest

from scratchnet import check, kernels
from scratchnet.shapes import pads_2d

NAMES = ("conv_by_hand", "find_diagonal", "is_transposed", "same_padding", "transposed_size")


def by_hand(x, w, b, stride, dy):
    """As a reader may write it."""
    KH, KW, C, _ = w.shape
    y, dx, dw, db = np.zeros_like(dy), np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)
    for i, j, f in np.ndindex(*dy.shape):
        y[i, j, f] = b[f]
        db[f] += dy[i, j, f]
        for k, l, c in np.ndindex(KH, KW, C):  # noqa: E741
            h, v = stride * i + k, stride * j + l
            y[i, j, f] += x[h, v, c] * w[k, l, c, f]
            dx[h, v, c] += dy[i, j, f] * w[k, l, c, f]
            dw[k, l, c, f] += dy[i, j, f] * x[h, v, c]
    return y, dx, dw, db


def test_same_padding_is_the_package_s():
    for size, kernel, stride in check.same_padding.cases:
        (top, bottom), _ = pads_2d((size, size), (kernel, kernel), (stride, stride), "same")
        assert check.same_padding.right(size, kernel, stride) == (top, bottom)


def test_transposed_size_undoes_the_output_size():
    for size, kernel, stride, padding in check.transposed_size.cases:
        larger = check.transposed_size.right(size, kernel, stride, padding)
        assert check.output_size.right(larger, kernel, stride, padding) == size


def test_pairs_are_what_their_names_say():
    matrices = {}
    for forward, back, x_shape, y_shape in check.is_transposed.cases:
        A = np.array([forward(e.reshape(x_shape)).ravel() for e in np.eye(np.prod(x_shape))]).T
        B = np.array([back(e.reshape(y_shape)).ravel() for e in np.eye(np.prod(y_shape))]).T
        right = np.array_equal(B, A.T)
        assert check.is_transposed.right(forward, back, x_shape, y_shape) is right
        matrices[forward.__name__, back.__name__] = right
    assert [pair for pair, right in matrices.items() if right] == [
        ("identity", "identity"),
        ("double", "double"),
        ("down", "up"),
        ("gather", "scatter"),
    ]


def test_other_random_numbers_pass_too():
    def is_transposed(forward, back, x_shape, y_shape):
        rng = np.random.default_rng()
        x, y = rng.random(x_shape), rng.normal(size=y_shape)
        return abs((forward(x) * y).sum() - (x * back(y)).sum()) < 1e-9

    assert check.is_transposed(is_transposed)


@pytest.mark.parametrize("w", [3 * np.eye(3) - 1, 2 * np.eye(3) - 1], ids=["sum 0", "sum -3"])
def test_other_kernels_for_diagonals_pass(w):
    def find(x):
        y = np.array([[np.sum(x[i : i + 3, j : j + 3] * w) for j in range(x.shape[1] - 2)] for i in range(len(x) - 2)])
        return np.unravel_index(y.argmax(), y.shape)

    assert check.find_diagonal(find)


def test_the_line_stands_out():
    for (x,) in check.find_diagonal.cases:
        answers = np.sort(check.convolving._responses(x, 3 * np.eye(3) - 1), axis=None)
        assert len(answers) == 1 or answers[-1] > answers[-2] + 0.5


def test_by_hand_is_the_kernel_and_passes():
    for x, w, b, stride, dy in check.conv_by_hand.cases:
        y, dx, dw, db = check.conv_by_hand.right(x, w, b, stride, dy)
        strides, pads = (stride, stride), ((0, 0), (0, 0))
        device = kernels.of(x)
        assert np.allclose(y, device.conv2d(x[None], w, b, strides, pads)[0])
        assert np.allclose(dx, device.conv2d_input_grad(dy[None], w, x.shape[:2], strides, pads)[0])
        assert np.allclose(dw, device.conv2d_weight_grad(x[None], dy[None], w.shape[:2], strides, pads))
        assert np.allclose(db, dy.sum(axis=(0, 1)))
    verdict = check.conv_by_hand(by_hand)
    assert verdict, verdict
    assert all(f"\n  {name} " in repr(verdict) for name in ("y", "dx", "dw", "db"))


def test_each_array_has_its_error():
    def half(*case):
        y, dx, dw, db = by_hand(*case)
        return y, dx, dw, 2 * db

    lines = [line.split() for line in repr(check.conv_by_hand(half)).splitlines()]
    assert ["dw", "<", "1e-12", "right"] in lines
    assert ["db", "1", "wrong"] in lines
