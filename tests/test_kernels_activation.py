"""The activations' kernels against the loops of the reference: kinks, large numbers, infinities, NaN."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference

SMOOTH = ("sigmoid", "tanh", "silu", "softmax")
FROM_OUTPUT = ("sigmoid", "tanh", "softmax")  # whose backward takes y, not x
shapes = st.lists(st.integers(1, 7), min_size=1, max_size=4).map(tuple)


def backward(functions, name, dy, x):
    """dx of one of SMOOTH, by a device's kernels or by the reference."""
    return getattr(functions, f"{name}_backward")(dy, getattr(functions, name)(x) if name in FROM_OUTPUT else x)


@pytest.mark.parametrize("name", SMOOTH)
@given(shape=shapes, size=st.sampled_from([1, 10]), dtype=dtypes, layout=layouts, seed=seeds)
def test_smooth_activations(device, name, shape, size, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, shape, dtype, layout) * dtype(size), normal(rng, shape, dtype, layout)
    with Unchanged(x, dy):
        y, dx = getattr(device, name)(x), backward(device, name, dy, x)
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    assert_close(y, getattr(reference, name)(x), dtype)
    # y * (1 - y) from a y near 1 has y's rounding: measured against dy, not against a dx that may be tiny.
    expected = backward(reference, name, dy, x)
    assert dx.dtype == dtype
    np.testing.assert_allclose(dx, expected, rtol=0, atol={np.float64: 1e-13, np.float32: 2e-6}[dtype] * 10)


@given(shapes, st.booleans(), dtypes, layouts, layouts, seeds)
def test_sums(device, shape, relu, dtype, layout, other_layout, seed):
    rng = np.random.default_rng(seed)
    a, b = normal(rng, shape, dtype, layout), normal(rng, shape, dtype, other_layout)
    a[..., :1] = -b[..., :1]
    if seed % 2:
        a[..., -1:] = np.nan
    with Unchanged(a, b):
        y = device.add(a, b, relu)
    expected = reference.add(a, b)
    assert (y.dtype, y.flags.c_contiguous) == (dtype, True)
    np.testing.assert_array_equal(y, reference.relu(expected) if relu else expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_many_numbers_and_of_slices(device, dtype):
    rng = np.random.default_rng(0)
    whole, b = rng.normal(size=(3, 41, 7, 50)).astype(dtype), rng.normal(size=(3, 41, 7, 20)).astype(dtype)
    for a in (whole[..., :20], whole[..., 13:33], whole[..., ::2][..., :20], whole[:, ::-1, :, :20], b):
        for one, other in ((a, b), (b, a), (a, whole[..., 30:])):
            np.testing.assert_array_equal(device.add(one, other), one + other)
            np.testing.assert_array_equal(device.add(one, other, True), np.maximum(one + other, 0))
    wide = whole[:, :, :5]  # its lines do not begin at even distances
    np.testing.assert_array_equal(device.add(wide, wide), wide + wide)
    many = np.linspace(-3, 3, 2 * 4096 + 5, dtype=dtype)
    np.testing.assert_array_equal(with_threads(2, lambda: device.add(many, many)), 2 * many)


@given(shapes, st.sampled_from([0.0, 0.2, 0.3, 1.5, -0.5]), dtypes, layouts, seeds)
def test_relu_and_leaky_relu(device, shape, slope, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, shape, dtype, layout), normal(rng, shape, dtype, layout)
    x[rng.random(shape) < 0.2] = 0  # on the kink
    with Unchanged(x, dy):
        y, dx = device.relu(x, slope), device.relu_backward(dy, x, slope)
        plain = device.relu(x), device.relu_backward(dy, x)
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    assert_close(y, reference.relu(x, slope), dtype)
    assert_close(dx, reference.relu_backward(dy, x, slope), dtype)
    assert_close(plain[0], np.maximum(x, 0), dtype)
    assert_close(plain[1], np.where(x > 0, dy, 0), dtype)


@given(st.floats(0, 1), st.floats(-2, 2), st.floats(2, 4), dtypes, seeds)
def test_relu_with_threshold_and_limit(device, slope, threshold, limit, dtype, seed):
    rng = np.random.default_rng(seed)
    x, dy = 3 * normal(rng, (50,), dtype), normal(rng, (50,), dtype)
    settings = slope, dtype(threshold), dtype(limit)
    x[:2] = settings[1:]  # both kinks
    y, dx = device.relu(x, *settings), device.relu_backward(dy, x, *settings)
    x, dy, settings = x.astype(np.float64), dy.astype(np.float64), [float(s) for s in settings]
    assert_close(y, reference.relu(x, *settings), dtype)
    assert_close(dx, reference.relu_backward(dy, x, *settings), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_and_their_last_elements(device, dtype):
    x = np.linspace(-3, 3, 2 * 4096 + 5, dtype=dtype)
    np.testing.assert_array_equal(device.relu(x), np.maximum(x, 0))
    np.testing.assert_allclose(device.tanh(x), np.tanh(x), rtol=1e-6)
    np.testing.assert_allclose(device.sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_numbers_and_infinities(device, dtype):
    huge = np.finfo(dtype).max
    x = np.array([-np.inf, -huge, -1e4, 1e4, huge, np.inf], dtype)
    np.testing.assert_array_equal(device.sigmoid(x), [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(device.tanh(x), [-1, -1, -1, 1, 1, 1])
    np.testing.assert_array_equal(device.relu(x), np.maximum(x, 0))
    np.testing.assert_array_equal(device.relu_backward(np.ones(6, dtype), x), [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(device.silu(x[1:-1]), [0, 0, 1e4, huge])
    np.testing.assert_array_equal(device.silu_backward(np.ones(4, dtype), x[1:-1]), [0, 0, 1, 1])
    np.testing.assert_array_equal(
        device.softmax(np.array([[1e4, 0, -1e4], [-huge, -huge, -np.inf]], dtype)), [[1, 0, 0], [0.5, 0.5, 0]]
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_small_numbers_keep_their_digits(device, dtype):
    x = np.array([-80.0, 1e-6, 1e-30], dtype)
    np.testing.assert_allclose(device.sigmoid(x[:1]), np.exp(x[:1]), rtol=1e-6)
    np.testing.assert_allclose(device.tanh(x[1:]), x[1:], rtol=1e-6)
    np.testing.assert_allclose(device.silu(x[1:]), x[1:] / 2, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_passes(device, dtype):
    x, one = np.array([1.0, np.nan, -1.0], dtype), np.ones(3, dtype)
    for name in ("relu", "sigmoid", "tanh", "silu"):
        assert np.isnan(getattr(device, name)(x)).tolist() == [False, True, False], name
    assert np.isnan(device.relu(x, 0.2)).tolist() == [False, True, False]
    for place in range(3):
        row = np.ones((2, 3), dtype)
        row[0, place] = np.nan
        assert np.isnan(device.softmax(row)).tolist() == [[True] * 3, [False] * 3]
    for name in SMOOTH:
        assert np.isnan(backward(device, name, one, x))[1], name
    for dx in (device.relu_backward(x, one), device.relu_backward(x, one, 0.2), backward(device, "tanh", x, one)):
        assert np.isnan(dx).tolist() == [False, True, False]


def test_rows_of_softmax_sum_to_one(device):
    y = device.softmax(np.random.default_rng(0).normal(size=(3, 4, 1000)).astype(np.float32) * 20)
    np.testing.assert_allclose(y.sum(axis=-1, dtype=np.float64), 1, rtol=1e-6)
    np.testing.assert_array_equal(device.softmax(np.full((2, 1), 5.0)), 1)


def test_same_bits_for_any_number_of_threads(device):
    x = np.random.default_rng(0).normal(size=(700, 31)).astype(np.float32)
    for name in SMOOTH:
        for function, *arguments in ((getattr(device, name), x), (backward, device, name, x, x)):
            one, two = (with_threads(k, function, *arguments) for k in (1, 2))
            np.testing.assert_array_equal(one, two)
