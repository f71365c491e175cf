"""The activations' kernels against the loops of the reference: kinks, large numbers, infinities, NaN."""

import numpy as np
import pytest
from compare import DTYPES, Unchanged, assert_close, dtypes, layouts, normal, seeds
from hypothesis import given
from hypothesis import strategies as st
from threads import with_threads

from scratchnet import reference
from scratchnet.kernels import cpu

SMOOTH = ("sigmoid", "tanh", "silu", "softmax")
FROM_OUTPUT = ("sigmoid", "tanh", "softmax")  # whose backward takes y, not x
shapes = st.lists(st.integers(1, 7), min_size=1, max_size=4).map(tuple)


def backward(name, dy, x):
    """dx of one of SMOOTH."""
    return getattr(cpu, f"{name}_backward")(dy, getattr(cpu, name)(x) if name in FROM_OUTPUT else x)


@pytest.mark.parametrize("name", SMOOTH)
@given(shape=shapes, size=st.sampled_from([1, 10]), dtype=dtypes, layout=layouts, seed=seeds)
def test_smooth_activations(name, shape, size, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, shape, dtype, layout) * dtype(size), normal(rng, shape, dtype, layout)
    with Unchanged(x, dy):
        y, dx = getattr(cpu, name)(x), backward(name, dy, x)
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    assert_close(y, getattr(reference, name)(x), dtype)
    # y * (1 - y) from a y near 1 has y's rounding: measured against dy, not against a dx that may be tiny.
    expected = getattr(reference, f"{name}_backward")(x, dy)
    assert dx.dtype == dtype
    np.testing.assert_allclose(dx, expected, rtol=0, atol={np.float64: 1e-13, np.float32: 2e-6}[dtype] * 10)


@given(shapes, st.sampled_from([0.0, 0.2, 0.3, 1.5, -0.5]), dtypes, layouts, seeds)
def test_relu_and_leaky_relu(shape, slope, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = normal(rng, shape, dtype, layout), normal(rng, shape, dtype, layout)
    x[rng.random(shape) < 0.2] = 0  # on the kink
    with Unchanged(x, dy):
        y, dx = cpu.leaky_relu(x, slope), cpu.leaky_relu_backward(dy, x, slope)
        rectified = cpu.relu(x), cpu.relu_backward(dy, x)
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    assert_close(y, reference.leaky_relu(x, slope), dtype)
    assert_close(dx, reference.leaky_relu_backward(x, dy, slope), dtype)
    assert_close(rectified[0], reference.relu(x), dtype)
    assert_close(rectified[1], reference.relu_backward(x, dy), dtype)


@given(st.floats(0, 1), st.floats(-2, 2), st.floats(2, 4), dtypes, seeds)
def test_rectify_with_threshold_and_limit(slope, threshold, limit, dtype, seed):
    rng = np.random.default_rng(seed)
    x, dy = 3 * normal(rng, (50,), dtype), normal(rng, (50,), dtype)
    y, dx = np.zeros(50), np.zeros(50)
    for e in range(50):
        if x[e] > limit:
            y[e] = limit
        elif x[e] > dtype(threshold):
            y[e], dx[e] = x[e], dy[e]
        else:
            y[e], dx[e] = slope * (x[e] - dtype(threshold)), slope * dy[e]
    assert_close(cpu.rectify(x, slope, threshold, limit), y, dtype)
    assert_close(cpu.rectify_backward(dy, x, slope, threshold, limit), dx, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_and_their_last_elements(dtype):
    x = np.linspace(-3, 3, 2 * 4096 + 5, dtype=dtype)
    np.testing.assert_array_equal(cpu.relu(x), np.maximum(x, 0))
    np.testing.assert_allclose(cpu.tanh(x), np.tanh(x), rtol=1e-6)
    np.testing.assert_allclose(cpu.sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_numbers_and_infinities(dtype):
    huge = np.finfo(dtype).max
    x = np.array([-np.inf, -huge, -1e4, 1e4, huge, np.inf], dtype)
    np.testing.assert_array_equal(cpu.sigmoid(x), [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(cpu.tanh(x), [-1, -1, -1, 1, 1, 1])
    np.testing.assert_array_equal(cpu.relu(x), np.maximum(x, 0))
    np.testing.assert_array_equal(cpu.relu_backward(np.ones(6, dtype), x), [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(cpu.silu(x[1:-1]), [0, 0, 1e4, huge])
    np.testing.assert_array_equal(cpu.silu_backward(np.ones(4, dtype), x[1:-1]), [0, 0, 1, 1])
    np.testing.assert_array_equal(
        cpu.softmax(np.array([[1e4, 0, -1e4], [-huge, -huge, -np.inf]], dtype)), [[1, 0, 0], [0.5, 0.5, 0]]
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_small_numbers_keep_their_digits(dtype):
    x = np.array([-80.0, 1e-6, 1e-30], dtype)
    np.testing.assert_allclose(cpu.sigmoid(x[:1]), np.exp(x[:1]), rtol=1e-6)
    np.testing.assert_allclose(cpu.tanh(x[1:]), x[1:], rtol=1e-6)
    np.testing.assert_allclose(cpu.silu(x[1:]), x[1:] / 2, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_passes(dtype):
    x, one = np.array([1.0, np.nan, -1.0], dtype), np.ones(3, dtype)
    for name in ("relu", "sigmoid", "tanh", "silu"):
        assert np.isnan(getattr(cpu, name)(x)).tolist() == [False, True, False], name
    assert np.isnan(cpu.leaky_relu(x, 0.2)).tolist() == [False, True, False]
    for place in range(3):
        row = np.ones((2, 3), dtype)
        row[0, place] = np.nan
        assert np.isnan(cpu.softmax(row)).tolist() == [[True] * 3, [False] * 3]
    for name in SMOOTH:
        assert np.isnan(backward(name, one, x))[1], name
    for dx in (cpu.relu_backward(x, one), cpu.leaky_relu_backward(x, one, 0.2), backward("tanh", x, one)):
        assert np.isnan(dx).tolist() == [False, True, False]


def test_rows_of_softmax_sum_to_one():
    y = cpu.softmax(np.random.default_rng(0).normal(size=(3, 4, 1000)).astype(np.float32) * 20)
    np.testing.assert_allclose(y.sum(axis=-1, dtype=np.float64), 1, rtol=1e-6)
    np.testing.assert_array_equal(cpu.softmax(np.full((2, 1), 5.0)), 1)


def test_same_bits_for_any_number_of_threads():
    x = np.random.default_rng(0).normal(size=(700, 31)).astype(np.float32)
    for name in SMOOTH:
        np.testing.assert_array_equal(with_threads(1, getattr(cpu, name), x), with_threads(2, getattr(cpu, name), x))
        np.testing.assert_array_equal(with_threads(1, backward, name, x, x), with_threads(2, backward, name, x, x))
