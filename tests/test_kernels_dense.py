"""The dense layer's products against the loops of the reference, and the same bits for any number of threads."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import example, given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference


@given(st.integers(1, 19), st.integers(1, 21), st.integers(1, 11), st.booleans(), dtypes, layouts, seeds)
@example(1, 1, 1, True, np.float64, "plain", 0)
@example(9, 130, 3, True, np.float32, "strided", 0)  # more than one chunk of w, more than one task
@example(256, 5, 9, True, np.float64, "plain", 0)  # examples in several bands
def test_dense_and_its_gradients(device, N, D, U, bias, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, w, dy = (normal(rng, shape, dtype, layout) for shape in ((N, D), (D, U), (N, U)))
    b = normal(rng, (U,), dtype, layout) if bias else None
    with Unchanged(x, w, dy, *([b] if bias else [])):
        y, positive = device.dense(x, w, b), device.dense(x, w, b, relu=True)
        many = device.dense(np.tile(x, (10_000 // (N * D * U) + 1, 1)), w, b)  # too many products for one thread
        dx, dw, db = device.dense_input_grad(dy, w), device.dense_weight_grad(x, dy), device.bias_grad(dy)
    np.testing.assert_array_equal(positive, np.maximum(y, 0))
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    for value in (y, many[:N], many[-N:]):
        assert_close(value, reference.dense(x, w, b), dtype)
    for gradient, expected in zip((dx, dw, db), reference.dense_backward(dy, x, w)):
        assert_close(gradient, expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("N", "D", "U"), [(2, 60, 7), (32, 1024, 128), (64, 1152, 64), (1, 1040, 128), (19, 1025, 64), (32, 1031, 70)]
)
def test_few_examples(device, N, D, U, dtype):
    """Where one thread is enough, where the weights are read once, row by row, and where their rows are a prime."""
    rng = np.random.default_rng(0)
    x, w, b, dy = (normal(rng, shape, dtype) for shape in ((N, D), (D, U), (U,), (N, U)))
    dw, db = normal(rng, (D, U), dtype), normal(rng, (U,), dtype)
    before = dw.copy(), db.copy()
    with Unchanged(x, w, b, dy):
        y, positive, dx = device.dense(x, w, b), device.dense(x, w, b, relu=True), device.dense_input_grad(dy, w)
        device.dense_weight_grad(x, dy, dw, db)
    np.testing.assert_array_equal(positive, np.maximum(y, 0))
    X, W, DY = (a.astype(np.float64) for a in (x, w, dy))
    for value, expected in (
        (y, X @ W + b),
        (dx, DY @ W.T),
        (dw - before[0], X.T @ DY),
        (db - before[1], DY.sum(axis=0)),
    ):
        assert_close(value, expected, dtype)
    x[0, 3] = np.nan
    assert np.isnan(device.dense(x, w, None, relu=True)).tolist() == [[n == 0] * U for n in range(N)]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), dtypes, layouts, seeds)
@example([129, 3], np.float32, "plain", 0)  # more rows than parts of the sum
def test_bias_grad_sums_all_axes_but_the_last(device, shape, dtype, layout, seed):
    dy = normal(np.random.default_rng(seed), tuple(shape), dtype, layout)
    expected = dy.astype(np.float64).reshape(-1, shape[-1]).sum(axis=0)
    with Unchanged(dy):
        assert_close(device.bias_grad(dy), expected, dtype)


def test_large_sums_keep_float32_digits(device):
    dy = np.full((200_000, 3), 0.1, np.float32)
    np.testing.assert_allclose(device.bias_grad(dy), 20_000, rtol=1e-4)  # one running sum is off by 2e-3


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_are_fresh(device, dtype):
    x, w, b = np.ones((2, 3), dtype), np.ones((3, 4), dtype), np.zeros(4, dtype)
    first = (
        device.dense(x, w, b),
        device.dense_input_grad(x @ w, w),
        device.dense_weight_grad(x, x @ w),
        device.bias_grad(x),
    )
    kept = [a.copy() for a in first]
    second = (
        device.dense(-x, w, b),
        device.dense_input_grad(-x @ w, w),
        device.dense_weight_grad(x, -x @ w),
        device.bias_grad(-x),
    )
    for a, b, c in zip(first, second, kept):
        assert not np.shares_memory(a, b)
        np.testing.assert_array_equal(a, c)


def test_nan_and_infinity_are_seen(device):
    x, w = np.ones((3, 5)), np.ones((5, 2))
    x[1, 3] = np.nan
    assert np.isnan(device.dense(x, w, None)).tolist() == [[False] * 2, [True] * 2, [False] * 2]
    x[1, 3] = np.inf
    assert (device.dense(x, w, None)[1] == np.inf).all()
    assert np.isnan(device.dense_weight_grad(x, np.zeros((3, 2)))[3]).all()  # 0 * inf
    assert np.isnan(device.bias_grad(np.array([[1.0, np.nan], [2.0, 3.0]]))).tolist() == [False, True]


@pytest.mark.parametrize(("N", "D", "U"), [(67, 301, 33), (32, 2304, 128)])
def test_same_bits_for_any_number_of_threads(device, N, D, U):
    rng = np.random.default_rng(0)
    x, w, dy = (normal(rng, shape, np.float32) for shape in ((N, D), (D, U), (N, U)))
    for kernel, *arguments in (
        (device.dense, x, w, None),
        (device.dense_input_grad, dy, w),
        (device.dense_weight_grad, x, dy),
        (device.bias_grad, dy),
    ):
        one, two = with_threads(1, kernel, *arguments), with_threads(2, kernel, *arguments)
        np.testing.assert_array_equal(one, two)
